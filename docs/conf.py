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
html_static_path = ["_static"]
html_css_files = ["fit.css"]
exclude_patterns = ["_build"]


def setup(app):
    """Draw the pictures of all pages before they are read."""
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).parent))
    import draw_pictures

    app.connect("builder-inited", lambda app: draw_pictures.draw_all())
