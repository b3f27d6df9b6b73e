"""One assertion for every formula: int, NumPy, SymPy and convcalc's own expressions give the same answer."""

import numpy as np
import sympy

from convcalc.errors import ConvcalcError
from convcalc.sizes.expr import Expr


def assert_agrees(formula, n, **settings):
    """Assert that `formula(n, **settings)` is one answer whatever n and the settings are made of, and return it.

    A refusal must be the same sentence for an int and for an array; it is returned too.
    """
    answer = _answer(formula, n, settings)
    if isinstance(answer, ConvcalcError):
        for kind in ("int64", "object"):
            refusal = _answer(formula, np.array([n], dtype=kind), settings)
            assert (type(refusal), str(refusal)) == (type(answer), str(answer)), kind
        return answer
    assert type(answer) is int
    assert formula(np.int64(n), **settings) == answer
    for kind in ("int16", "int64", "object"):
        array = formula(np.full((2, 1), n, dtype=kind), **settings)
        assert array.shape == (2, 1)
        assert (array == answer).all(), kind
        assert array.dtype in (np.int64, object)
    assert formula(Expr.symbol("n"), **settings)(n=n) == answer
    assert substituted(formula(sympy.Symbol("n", integer=True), **settings), n=n) == answer
    names, symbolic = {"n": n}, {}
    for name, value in settings.items():
        if isinstance(value, bool) or not isinstance(value, int):
            symbolic[name] = value
        else:
            names[name], symbolic[name] = value, Expr.symbol(name)
    whole = formula(Expr.symbol("n"), **symbolic)
    assert whole(**names) == answer
    assert eval(str(whole), {}, names) == answer  # the text is true Python
    assert substituted(whole.to_sympy(), **names) == answer
    arrays = whole(**{name: np.array([value, value]) for name, value in names.items()})
    assert np.all(arrays == answer)
    return answer


def substituted(expression, **values):
    """Return a SymPy expression of integer symbols (or a number) at `values`, as SymPy evaluates it."""
    numbers = {sympy.Symbol(name, integer=True): value for name, value in values.items()}
    return sympy.sympify(expression).subs(numbers).doit()  # subs may leave Max(-1, 0) as it stands


def _answer(formula, n, settings):
    try:
        return formula(n, **settings)
    except ConvcalcError as error:
        return error
