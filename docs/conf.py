"""Sphinx configuration: MyST pages, the furo theme, warnings as errors (see .ci/run)."""

from convcalc import __version__

project = "convcalc"
author = "The convcalc developers"
project_copyright = "2026, the convcalc developers"
version = release = __version__
extensions = ["myst_parser"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "convcalc"
exclude_patterns = ["_build"]
