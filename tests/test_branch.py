"""Branches on sizes: which of them say all that there is to say."""

from hypothesis import given
from hypothesis import strategies as st

from convcalc.sizes.branch import Branch, strongest
from convcalc.sizes.expr import Expr

L, W = Expr.symbol("L"), Expr.symbol("W")
SIDES = st.sampled_from([L, L // 2, (L + 1) // 2, 2 * L, L % 3, L - L // 4, W, L + W, L - W])
BRANCHES = st.builds(Branch, SIDES, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), st.integers(-3, 9))


@given(st.lists(BRANCHES, max_size=6))
def test_the_strongest_branches_hold_where_all_do_and_nowhere_else(branches):
    kept = strongest(branches)
    assert set(kept) <= set(branches)
    for length in range(1, 14):
        for width in (1, 2, 7):
            at = {"L": length, "W": width}
            assert all(one.holds(at) for one in kept) == all(one.holds(at) for one in branches)


def test_a_larger_bound_stands_for_the_smaller_ones():
    bounds = [Branch(L - least, ">=", 1) for least in (1, 3, 2)]
    assert strongest(bounds) == strongest([*bounds, *bounds]) == (Branch(L - 3, ">=", 1),)
