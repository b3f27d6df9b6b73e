"""Legal sizes where trying them one by one would never end: products of sizes, and strides without a common factor."""

from __future__ import annotations

import math

import pytest
from chain import valid_sizes_of_chain
from hypothesis import given, settings
from hypothesis import strategies as st

import convcalc as cc
from convcalc.analysis.validity.conditions import Condition
from convcalc.analysis.validity.one_axis import sieve
from convcalc.errors import ConvcalcError, NoOutput
from convcalc.layers import Conv, MaxPool
from convcalc.sizes.conditions import enforce
from convcalc.sizes.expr import Expr

PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47)


@pytest.mark.parametrize("features", [400, 997, 10_000, 1_000_000])
def test_a_linear_layer_on_an_unpooled_map_takes_the_pairs_of_divisors(features):
    net = cc.Sequential(cc.Conv(1, 3, padding=1), cc.Flatten(), cc.Linear(10, in_features=features))
    v = cc.valid_sizes(net, (1, 1, "H", "W"))
    assert v.proved
    found = {(h, w) for rows, columns in v.runs.boxes for h in rows for w in columns}
    assert found == {(d, features // d) for d in range(1, features + 1) if features % d == 0}
    assert f"in_features={features}" in v.why_not(3, 5).sentence
    assert any(f"in_features={features}" in reason.sentence for reason in v.reasons)


@settings(max_examples=25, deadline=None)
@given(k=st.integers(1, 4), pool=st.integers(1, 4), channels=st.integers(1, 3), features=st.integers(1, 60))
def test_pairs_of_divisors_through_windows_are_those_that_are_counted(k, pool, channels, features):
    layers = [cc.Conv(channels, k), cc.MaxPool(pool), cc.Flatten(), cc.Linear(1, in_features=features)]
    v = cc.valid_sizes(cc.Sequential(*layers), (1, 1, "H", "W"))
    assert v.proved

    def left(n):
        return (n - k + 1) // pool if n >= k else 0

    for h in range(1, 70):
        for w in range(1, 70):
            assert ((h, w) in v.runs) == (channels * left(h) * left(w) == features), (h, w)


@pytest.mark.parametrize("count", [8, 9, 12, 15])
def test_prime_strides_are_met_one_by_one(count):
    product = math.prod(PRIMES[:count])
    v = valid_sizes_of_chain([MaxPool(p) for p in PRIMES[:count]], (1, 1, "n"))
    assert v.proved
    assert (product in v, product - 1 in v, product + 1 in v) == (True, False, True)
    assert (3 * product in v.exact, 3 * product + PRIMES[0] in v.exact) == (True, False)
    assert v.why_not(product - 1) is not None
    skipping = valid_sizes_of_chain([Conv(1, 1, stride=p) for p in PRIMES[:count]], (1, 1, "n"))
    assert skipping.proved
    assert (1 in skipping, 1 in skipping.exact, 0 in skipping) == (True, True, False)


DIVISION = st.tuples(st.integers(-6, 6), st.integers(-9, 9), st.sampled_from([1, 2, 3, 4, 6, 8, 12]))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(DIVISION, min_size=1, max_size=4), min_size=1, max_size=3), st.integers(-6, 6))
def test_sums_of_divisions_are_decided_as_every_size_says(sums, constant):
    n = Expr.symbol("n")
    values = [sum((f * ((n + a) // m) for f, a, m in parts), start=0 * n) + constant for parts in sums]
    conditions = [Condition(value, lambda at: NoOutput("no")) for value in values]
    found = sieve(conditions, "n")
    assert found is not None
    tried = [size for size in range(200) if all(value(n=size) >= 0 for value in values)]
    assert list(found.runs["n"].below(200)) == tried


@pytest.mark.parametrize(
    "layer",
    [MaxPool(2), MaxPool(3, stride=2, padding=1), Conv(1, 3, stride=2, padding=1), Conv(1, 4, stride=2, padding=1)],
    ids=str,
)
def test_twenty_halvings_are_those_of_each_layer(layer):
    v = cc.valid_sizes(cc.Sequential(*[layer] * 20), (1, 1, "n"))
    assert v.proved

    def passes(size, *, exact):
        try:
            for _ in range(20):
                if exact:
                    layer.check_exact((1, 1, size), check=enforce)
                size = layer.out_shape((1, 1, size))[-1]
        except ConvcalcError:
            return False
        return True

    around = [2**power + step for power in range(24) for step in (-1, 0, 1)] + [3 * 2**20, 5 * 2**20 + 7]
    assert [size in v for size in around] == [passes(size, exact=False) for size in around]
    assert [size in v.exact for size in around] == [passes(size, exact=True) for size in around]
