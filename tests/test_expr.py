"""Expressions: one normal form, true text, exact values, and agreement with integers, NumPy and SymPy."""

import bisect
import keyword

import numpy as np
import pytest
import sympy
from agreement import substituted
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convcalc.arithmetic.formulas import conv_out, conv_transpose_out, pool_out
from convcalc.arithmetic.resizing import pixel_unshuffle_out
from convcalc.errors import BadArgument
from convcalc.sizes.expr import Expr

n = Expr.symbol("n")
HUGE = 10**30
ANY = st.one_of(st.integers(-60, 60), st.sampled_from([HUGE, -HUGE, HUGE + 1, 7 * HUGE + 3]))


def unchecked(value, error):
    """A reading of conditions that ignores them: formulas are defined at every integer."""


def conv(k, s, p, d):
    return lambda v: conv_out(v, k, s, p, d, check=unchecked)


def pool(k, s, d, ceil_mode):
    return lambda v: pool_out(v, k, s, k // 2, d, ceil_mode, check=unchecked)


def tconv(k, s, p, op):
    return lambda v: conv_transpose_out(v, k, s, p, op % s, check=unchecked)


SMALL = st.integers(1, 5)
WINDOWED = st.one_of(
    st.builds(conv, SMALL, SMALL, st.integers(0, 4), SMALL),
    st.builds(pool, SMALL, SMALL, st.integers(1, 3), st.booleans()),
)
TRANSPOSED = st.builds(tconv, SMALL, SMALL, st.integers(0, 4), st.integers(0, 4))


def through(layers, value):
    for layer in layers:
        value = layer(value)
    return value


# -- chains ------------------------------------------------------------------------------------------------------


def one_division(function):
    """The text of the only (n + a)//m + b with 0 <= a < m that a function of the integers can be, from its values."""
    m = HUGE // (function(HUGE) - function(0)) if function(HUGE) - function(0) else HUGE
    m = next(near for near in range(max(1, m - 1), m + 2) if function(near * HUGE) - function(0) == HUGE)
    first = bisect.bisect_left(range(m), function(0) + 1, key=function)  # where it steps up; m where it does not
    a, b = m - first, function(0)
    inner = f"n + {a}" if a else "n"
    if m > 1:
        inner = f"({inner})//{m}" if a else f"n//{m}"
    return inner + (f" + {b}" if b > 0 else f" - {-b}" if b else "")


@settings(max_examples=500)
@given(st.lists(WINDOWED, min_size=1, max_size=8), st.lists(ANY, min_size=1, max_size=4))
def test_a_chain_of_convolutions_and_poolings_collapses_to_its_only_one_division(layers, sizes):
    whole = through(layers, n)
    assert str(whole) == one_division(lambda size: through(layers, size))
    for size in sizes:
        assert whole(n=size) == through(layers, size)


@given(st.lists(st.sampled_from([2, 3, 4, 6]), min_size=2, max_size=5), st.randoms())
def test_one_function_has_one_form_however_it_is_built(strides, random):
    halved = through([conv(1, s, 0, 1) for s in strides], n)
    random.shuffle(strides)
    shuffled = through([conv(1, s, 0, 1) for s in strides], n)
    at_once = conv(1, np.prod(strides).item(), 0, 1)(n)
    assert halved == shuffled == at_once
    assert len({halved, shuffled, at_once}) == 1
    assert len({str(halved), str(shuffled), str(at_once)}) == 1


@settings(max_examples=500)
@given(st.lists(st.one_of(WINDOWED, TRANSPOSED), min_size=1, max_size=7), st.lists(ANY, min_size=1, max_size=4))
def test_a_chain_with_transposed_layers_is_exact_at_every_integer(layers, sizes):
    whole = through(layers, n)
    for size in sizes:
        expected = through(layers, size)
        assert whole(n=size) == expected
        assert eval(str(whole), {}, {"n": size}) == expected
    expected = [through(layers, size) for size in sizes]
    assert whole(n=np.array(sizes, dtype=object)).tolist() == expected


@settings(max_examples=250)
@given(st.lists(st.one_of(WINDOWED, TRANSPOSED), min_size=1, max_size=5), st.lists(ANY, min_size=1, max_size=3))
def test_sympy_reads_the_same_expression_and_derives_the_same_from_the_formulas(layers, sizes):
    whole = through(layers, n)
    symbol = sympy.Symbol("n", integer=True)
    theirs = through(layers, symbol)
    for size in sizes:
        expected = through(layers, size)
        assert substituted(whole.to_sympy(), n=size) == expected
        assert substituted(theirs, n=size) == expected


def test_resnets_last_stage():
    stem = pool_out(conv_out(n, 7, 2, 3), 3, 2, 1)
    assert str(through([conv(3, 2, 1, 1)] * 3, stem)) == "(n + 31)//32"


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (n // 2 * 2, "2*(n//2)"),
        ((n // 2 * 2) // 2, "n//2"),
        ((n // 2 + n) // 2, "(3*n)//4"),
        ((2 * n + 1) // 2, "n"),
        ((n // 3) // 4, "n//12"),
        ((6 * n + 4) // 4, "n + (n//2) + 1"),
        (n % 2, "n - 2*(n//2)"),
        (-n // 2, "(-n)//2"),
        (5 - n, "5 - n"),
        (n - n, "0"),
        (-(-n // 2), "(n + 1)//2"),
        (n + (7 - n % 7) % 7, "7*((n + 6)//7)"),
        (n // 4 + (7 - n // 4 % 7) % 7, "7*((n + 24)//28)"),
        (n - n // 2, "(n + 1)//2"),
        (n // 4 - n // 8, "(n + 4)//8"),
        (2 * (3 * n // 4), "2*((3*n)//4)"),
        (3 * n // 4 * 4, "4*n - 4*((n + 3)//4)"),
        (n + (n - 3) // 2 + (n - 3 - (n - 3) // 2), "2*n - 3"),
    ],
)
def test_the_rules_at_the_top_of_the_module(expression, text):
    for size in (*range(-20, 20), HUGE, -HUGE):
        assert expression(n=size) == eval(text, {}, {"n": size})
    assert eval(str(expression), {}, {"n": n}) == eval(text, {}, {"n": n}) == expression


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (n + (7 - n % 7) % 7, "7*((n + 6)//7)"),
        (n // 4 + (7 - n // 4 % 7) % 7, "7*((n + 24)//28)"),
        (n - n // 2, "(n + 1)//2"),
        (n // 4 - n // 8, "(n + 4)//8"),
        (2 * (3 * n // 4), "2*((3*n)//4)"),
        (3 * n // 4, "(3*n)//4"),
        (n % 2, "n - 2*(n//2)"),
    ],
)
def test_what_is_one_division_is_written_as_one(expression, text):
    assert str(expression) == text


@pytest.mark.parametrize("factor", range(-4, 5))
@pytest.mark.parametrize(("m", "q"), [(2, 2), (2, 3), (3, 2), (4, 6)])
def test_a_division_of_a_multiple_of_a_division_is_exact(factor, m, q):
    for a, b, c in ((0, 0, 0), (1, 3, 0), (-2, 5, 1), (7, -1, -1)):
        whole = (factor * ((n + a) // m) + c * n + b) // q
        for size in range(-2 * m * q, 2 * m * q):
            assert whole(n=size) == (factor * ((size + a) // m) + c * size + b) // q


# -- expressions of any kind -------------------------------------------------------------------------------------


class Tree:
    """An expression tree that does to ints and to expressions exactly the same."""

    def __init__(self, act, text):
        self.act, self.text = act, text

    def __repr__(self):
        return self.text


def trees():
    leaf = st.one_of(
        st.sampled_from(["n", "m"]).map(lambda name: Tree(lambda v: v[name], name)),
        st.integers(-9, 9).map(lambda c: Tree(lambda v: c, str(c))),
    )

    def binary(symbol, act):
        return lambda a, b: Tree(lambda v: act(a.act(v), b.act(v)), f"({a} {symbol} {b})")

    def least(a, b):
        return Expr.minimum(a, b) if isinstance(a, Expr) or isinstance(b, Expr) else min(a, b)

    def most(a, b):
        return Expr.maximum(a, b) if isinstance(a, Expr) or isinstance(b, Expr) else max(a, b)

    def extend(children):
        number = st.integers(1, 7).map(lambda c: Tree(lambda v: c, str(c)))
        negative = st.integers(-5, -1).map(lambda c: Tree(lambda v: c, str(c)))
        return st.one_of(
            st.builds(binary("+", lambda a, b: a + b), children, children),
            st.builds(binary("-", lambda a, b: a - b), children, children),
            st.builds(binary("*", lambda a, b: a * b), children, children),
            st.builds(binary("//", lambda a, b: a // b), children, st.one_of(number, negative)),
            st.builds(binary("%", lambda a, b: a % b), children, number),
            st.builds(binary("min", least), children, children),
            st.builds(binary("max", most), children, children),
        )

    return st.recursive(leaf, extend, max_leaves=8)


def value_of(partly, **values):
    """A formula in which some symbols have values already, at the others; an int is its own."""
    return partly(**values) if isinstance(partly, Expr) else partly


VALUES = st.fixed_dictionaries({"n": ANY, "m": ANY})
SYMBOLS = {"n": n, "m": Expr.symbol("m")}


@settings(max_examples=300)
@given(trees(), VALUES)
def test_any_arithmetic_has_the_value_that_integers_have(tree, values):
    whole, expected = tree.act(SYMBOLS), tree.act(values)
    if isinstance(whole, int):
        assert whole == expected
        return
    assert whole(**values) == expected
    assert eval(str(whole), {}, values) == expected
    assert value_of(whole(n=values["n"]), m=values["m"]) == expected
    assert value_of(whole(n=SYMBOLS["m"], m=SYMBOLS["n"]), n=values["m"], m=values["n"]) == expected
    assert whole.symbols <= {"n", "m"}


def test_extremes_that_sympy_pulls_together_have_their_value():
    nested = Expr.maximum(Expr.minimum(n, 0), Expr.minimum(n, -1))  # SymPy: Min(n, Max(-1, 0))
    for size in (-5, -1, 0, 1):
        assert substituted(nested.to_sympy(), n=size) == nested(n=size) == min(size, 0)


@settings(max_examples=300)
@given(trees(), VALUES)
def test_any_arithmetic_means_the_same_to_sympy(tree, values):
    whole = tree.act(SYMBOLS)
    if isinstance(whole, Expr):
        assert substituted(whole.to_sympy(), **values) == tree.act(values)


@settings(max_examples=250)
@given(trees(), st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=4), st.integers(-(2**62), 2**62))
def test_arrays_never_wrap(tree, sizes, m):
    whole = tree.act(SYMBOLS)
    assume(isinstance(whole, Expr) and "n" in whole.symbols)
    assert whole(n=np.array(sizes), m=m).tolist() == [tree.act({"n": size, "m": m}) for size in sizes]
    assert whole(n=np.array(sizes), m=np.array([m])).tolist() == [tree.act({"n": size, "m": m}) for size in sizes]


def test_coefficients_and_powers_take_arrays_past_int64():
    assert (n * 2**62)(n=np.array([4])).tolist() == [2**64]
    assert (n**5)(n=np.array([2**15])).tolist() == [2**75]
    assert ((n * 2**70) // (2**70 + 1))(n=np.array([5])).tolist() == [4]
    assert (n + 2**64)(n=np.array([1])).tolist() == [2**64 + 1]
    assert Expr.minimum(n * n, 2**80)(n=np.array([2**40, 2**41])).tolist() == [2**80, 2**80]
    assert (n + 1)(n=np.arange(3)).dtype == np.int64


@given(trees())
def test_the_text_read_back_is_the_same_text(tree):
    whole = tree.act(SYMBOLS)
    if isinstance(whole, Expr):
        again = eval(str(whole), {}, {**SYMBOLS, "min": Expr.minimum, "max": Expr.maximum})
        assert str(again) == str(whole)


@given(st.lists(st.one_of(WINDOWED, TRANSPOSED), min_size=1, max_size=5))
def test_the_text_of_a_chain_read_back_is_the_same_expression(layers):
    whole = through(layers, n)
    again = eval(str(whole), {}, {"n": n})
    assert again == whole
    assert hash(again) == hash(whole)


@given(trees(), trees())
def test_equal_expressions_hash_alike_and_print_alike(left, right):
    a, b = left.act(SYMBOLS), right.act(SYMBOLS)
    if a == b:
        assert hash(a) == hash(b)
        assert str(a) == str(b)
        assert a - b == 0


@given(trees(), trees(), trees(), st.integers(-9, 9))
def test_sums_and_products_do_not_depend_on_their_order(a, b, c, k):
    a, b, c = (Expr.const(0) + tree.act(SYMBOLS) for tree in (a, b, c))
    assert a + b == b + a
    assert a * b == b * a
    assert (a + b) + c == a + (b + c)
    assert k * (b + c) == k * b + k * c
    assert (a * (b + c))(n=5, m=-7) == (a * b + a * c)(n=5, m=-7)  # b + c may have fewer divisions than both
    assert Expr.minimum(a, b) == Expr.minimum(b, a)
    assert -Expr.minimum(a, b)(n=5, m=-7) == max(-a(n=5, m=-7), -b(n=5, m=-7))
    assert (a % 3)(n=5, m=-7) in range(3)


# -- being an integer, or not ------------------------------------------------------------------------------------


@given(st.integers())
def test_a_constant_is_the_integer(value):
    constant = Expr.const(value)
    assert constant == value
    assert hash(constant) == hash(value)
    assert bool(constant) == bool(value)
    assert list(range(10))[: Expr.const(value % 10)] == list(range(value % 10))
    assert str(constant) == str(value)
    assert constant != n
    assert constant.to_sympy() == value


def test_what_depends_on_a_size_is_no_truth_and_no_index():
    with pytest.raises(TypeError, match=r"whether n - 2 is zero depends on n"):
        bool(n - 2)
    with pytest.raises(TypeError, match=r"n \+ 1 is not a number: it depends on n"):
        range(n + 1)
    with pytest.raises(TypeError):
        n + "1"
    with pytest.raises(TypeError):
        n + 1.5
    with pytest.raises(TypeError):
        n // 2.0


def test_division_by_zero_is_python_s():
    with pytest.raises(ZeroDivisionError):
        n // 0
    with pytest.raises(ZeroDivisionError):
        (n // Expr.symbol("s"))(n=4, s=0)


def test_division_by_a_symbol_cancels_what_it_divides():
    s = Expr.symbol("s")
    assert (n * s + s) // s == n + 1
    assert str((n * s + 1) // s) == str(n + Expr.const(1) // s)
    for a, b in ((7, 3), (-7, 3), (7, -3), (HUGE, 7)):
        assert ((n * s + n + 1) // s)(n=a, s=b) == (a * b + a + 1) // b
        assert (12 // s)(s=b) == 12 // b
        assert (n % s)(n=a, s=b) == a % b


@pytest.mark.parametrize("name", ["", "3n", "n m", "n.m", "é", "n-1", "__import__('os')", "n\n"])
def test_a_symbol_is_a_name(name):
    with pytest.raises(BadArgument, match="a symbol is a letter or _"):
        Expr.symbol(name)


@pytest.mark.parametrize("power", [-1, 65, 10**9])
def test_powers_stay_small(power):
    with pytest.raises(BadArgument, match=rf"a power from 0 to 64 only: {power}"):
        n**power


@given(st.integers(-5, 5), st.integers(-5, 5), st.integers(-5, 5))
def test_extremes_drop_what_never_wins(a, b, c):
    assert Expr.minimum(n + a, n + b, n + c) == n + min(a, b, c)
    assert Expr.maximum(n + a, n + b, n + c) == n + max(a, b, c)
    assert Expr.minimum(a, b) == min(a, b)


def test_what_equals_by_identity_prints_once():
    assert str(pixel_unshuffle_out(n * 6, 3, check=unchecked)) == "2*n"


# -- texts -------------------------------------------------------------------------------------------------------

TEXTS = [
    (n, "n", "n", "n"),
    ((n + 1) // 2, "(n + 1)//2", "⌊(n + 1)/2⌋", r"\left\lfloor \frac{n + 1}{2} \right\rfloor"),
    (2 * (n // 2), "2*(n//2)", "2⌊n/2⌋", r"2 \left\lfloor \frac{n}{2} \right\rfloor"),
    (3 - n, "3 - n", "3 − n", "3 - n"),
    (n**2 - 1, "n**2 - 1", "n^2 − 1", "n^{2} - 1"),
    (n * Expr.symbol("W"), "W*n", "W·n", r"W \cdot n"),
    (Expr.minimum(n, 7), "min(n, 7)", "min(n, 7)", r"\min\left(n, 7\right)"),
    (Expr.symbol("n_in") + 1, "n_in + 1", "n_in + 1", "n_{in} + 1"),
    (Expr.symbol("height"), "height", "height", r"\mathrm{height}"),
    (Expr.symbol("in_h_w"), "in_h_w", "in_h_w", r"\mathrm{in\_h\_w}"),
]


@pytest.mark.parametrize(("expression", "python", "pretty", "latex"), TEXTS)
def test_the_three_texts(expression, python, pretty, latex):
    assert (str(expression), expression.pretty(), expression.latex()) == (python, pretty, latex)
    assert repr(expression) == python


@settings(max_examples=300)
@given(trees())
def test_latex_is_balanced_and_ascii(tree):
    whole = tree.act(SYMBOLS)
    if isinstance(whole, Expr):
        latex = whole.latex()
        assert latex.isascii()
        assert latex.count("{") == latex.count("}")
        assert latex.count(r"\left") == latex.count(r"\right")
        assert latex.count(r"\lfloor") == latex.count(r"\rfloor") == str(whole).count("//")


@given(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,5}", fullmatch=True))
def test_any_name_is_a_symbol_and_text_again(name):
    assume(not keyword.iskeyword(name))
    symbol = Expr.symbol(name)
    assert (symbol * 2)(**{name: 21}) == 42
    assert eval(str(symbol * 2 + 1), {}, {name: 20}) == 41


@given(st.integers(2, 12), st.integers(-30, 30), st.permutations("axy"))
def test_half_of_the_divisor_is_its_own_negative(half, b, names):
    """floor((h*x - y + b)/2h) = x - floor((h*x + y + 2h - 1 - b)/2h), whichever name comes first."""
    x, y = (Expr.symbol(name) for name in names[:2])
    m = 2 * half
    assert (half * x - y + b) // m == x - (half * x + y + m - 1 - b) // m


def test_values_may_have_names_that_are_no_letters():
    assert (Expr.symbol("n") // 2)(**{"n": np.array([4, 7]), "H of y": 3}).tolist() == [2, 3]
