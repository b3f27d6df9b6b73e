"""Every public name says what it is, and every public function shows it."""

import inspect

import pytest

import convcalc as cc

PUBLIC = {name: getattr(cc, name) for name in cc.__all__ if name != "zoo"}
METHODS = {
    f"{name}.{method}": getattr(value, "fget", None) or getattr(value, "func", value)
    for name, owner in PUBLIC.items()
    if inspect.isclass(owner)
    for method, value in vars(owner).items()
    if not method.startswith("_")
    and (callable(value) or isinstance(value, property | classmethod) or hasattr(value, "func"))
}


@pytest.mark.parametrize("name", [*PUBLIC, *METHODS])
def test_a_public_name_has_a_docstring(name):
    value = PUBLIC.get(name) or METHODS[name]
    written = inspect.getdoc(value) or ""
    assert written
    assert not written.startswith(f"{name}("), "made by dataclass"


@pytest.mark.parametrize("name", [name for name, value in PUBLIC.items() if inspect.isfunction(value)])
def test_a_public_function_has_an_example(name):
    assert ">>> " in PUBLIC[name].__doc__
