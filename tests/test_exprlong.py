"""Formulas that grow without end become unknown, soon: sizes of captured models, shapes in letters, rows of reports."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcalc.analysis.report.inspection import inspect_graph
from convcalc.bridge.hearing.number import formula
from convcalc.bridge.hearing.sizeint import SizeInt, sized
from convcalc.bridge.hearing.watch import Watch
from convcalc.bridge.trace import capture
from convcalc.sizes.atoms import LONGEST_KEY
from convcalc.sizes.expr import LONGEST, Expr

torch = pytest.importorskip("torch")

GROWING = {
    "thirds and fifths": lambda n, m: n // 3 + 2 * (n // 5) + 1,
    "square": lambda n, m: n * n + n,
    "power": lambda n, m: (n + m) ** 8 // 7,
    "remainder": lambda n, m: n * 5 - (n % 7) * (m % 3),
    "quotient": lambda n, m: (n * 3 + m) // (m + n // 2 + 1),
    "distance": lambda n, m: abs(n - 3 * (m // 5)) + n // 2,
    "two": lambda n, m: n // 3 + m // 7 - n * m // 11,
}


@settings(max_examples=30)
@given(st.lists(st.sampled_from(list(GROWING)), min_size=200, max_size=200))
def test_two_hundred_operations_stay_short(names):
    watch = Watch()
    n, m = sized(37, Expr.symbol("n"), watch), sized(11, Expr.symbol("m"), watch)
    plain, other = 37, 11
    for name in names:
        n, m = GROWING[name](n, m) % 1009 + 2, n
        plain, other = GROWING[name](plain, other) % 1009 + 2, plain
        assert n == plain
        known = formula(n)
        if isinstance(known, Expr):
            assert known.length <= LONGEST
            assert known(n=37, m=11) == plain
    assert isinstance(n, SizeInt)
    assert n.expr is None


@pytest.mark.parametrize("name", GROWING)
def test_each_growing_operation_alone_ends_unknown(name):
    watch = Watch()
    n, m = sized(37, Expr.symbol("n"), watch), sized(11, Expr.symbol("m"), watch)
    for _ in range(200):
        n, m = GROWING[name](n, m) % 1009 + 2, n
    assert isinstance(n, SizeInt)
    assert n.expr is None


class Growing(torch.nn.Module):
    def forward(self, x):
        for place in range(60):
            n = x.shape[2]
            x = torch.nn.functional.pad(x, (0, 0, 0, n // 3 + n // 5 - n // 7 + 1))[:, :, : 40 + place % 3]
        return x


class Joining(torch.nn.Module):
    """No size is asked for: the shapes grow by the rules of layers alone."""

    def forward(self, x):
        for _ in range(60):
            x = torch.cat([x[:, :, ::3], x[:, :, ::5], x[:, :, ::7], x], 2)[:, :, ::2]
        return x


@pytest.mark.parametrize("model", [Growing(), Joining()], ids=["sizes", "layers"])
def test_rows_of_shapes_that_grow_without_end_are_unknown(model):
    report = inspect_graph(capture(model, (1, 2, 40, 8)))
    assert report.error is None
    assert report.layers[0].symbolic is not None
    assert report.layers[-1].symbolic is None
    for row in report.layers:
        for size in row.symbolic or ():
            assert not isinstance(size, Expr) or size.length <= LONGEST
        if row.symbolic is not None:
            assert tuple(size(H=40, W=8) if isinstance(size, Expr) else size for size in row.symbolic) == row.output


# -- formulas whose text doubles with every step -------------------------------------------------------------------


def nested(levels, size):
    for _ in range(levels):
        size = (2 * size + 1) // 3
    return size


def test_sixty_levels_are_built_evaluated_and_compared():
    n, m = Expr.symbol("n"), Expr.symbol("m")
    whole = nested(60, n)
    assert whole == nested(60, n)
    assert hash(whole) == hash(nested(60, n))
    assert whole != nested(60, n + 1)
    assert whole - nested(60, n) == 0
    assert whole.length > 2**60
    assert whole.symbols == {"n"}
    assert Expr.minimum(whole, m) == Expr.minimum(m, nested(60, n))
    for size in (0, 1, 10**9, -(10**30)):
        assert whole(n=size) == nested(60, size)
    assert whole(n=np.arange(5) * 10**18).tolist() == [nested(60, size * 10**18) for size in range(5)]
    assert whole(n=m)(m=10**20) == nested(60, 10**20)


def test_a_long_formula_has_a_short_key_and_its_whole_text():
    whole = nested(14, Expr.symbol("n"))
    assert len(str(whole)) > 100_000
    assert len(whole.key) < 2 * LONGEST_KEY
    assert whole.key[:LONGEST_KEY] == str(whole)[:LONGEST_KEY]
    assert eval(str(whole), {}, {"n": 10**6}) == nested(14, 10**6)


def test_formulas_that_begin_alike_are_told_apart():
    n = Expr.symbol("n")
    long = sum(((n + k) // (2 * k + 3) for k in range(100)), start=0 * n)
    one, other = ((long + last) // 1001 for last in (1, 2))
    assert one.key[:LONGEST_KEY] == other.key[:LONGEST_KEY]
    assert one != other
    assert str(one + other) == str(other + one)
    assert one + other == other + one


@pytest.mark.parametrize("parts", [lambda n, k: (n + k) // (2 * k + 3), lambda n, k: n // (k + 2)])
def test_a_sum_is_the_same_whether_it_is_looked_at_on_the_way(parts):
    n = Expr.symbol("n")
    whole = looked_at = 0 * n
    for k in range(60):
        whole, looked_at = whole + parts(n, k), looked_at + parts(n, k)
        assert looked_at.terms
    assert whole == looked_at
    assert str(whole) == str(looked_at)


def test_a_copy_is_of_the_terms_alone():
    whole = Expr.symbol("n")
    for k in range(3000):  # never looked at on the way
        whole = whole + k
    assert hash(whole)
    for again in (pickle.loads(pickle.dumps(whole)), copy.deepcopy(whole)):
        assert set(vars(again)) == {"terms"}
        assert again == whole


def test_a_sum_doubled_and_doubled_again_is_a_multiple():
    whole = Expr.symbol("n") // 2
    for _ in range(64):
        whole = whole + whole
    assert whole == 2**64 * (Expr.symbol("n") // 2)
