"""What the exporter asks of the maps inside, against windows that are counted one by one."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from convcalc.analysis.validity.exporting import Inner
from convcalc.layers import Conv, MaxPool
from convcalc.sizes.conditions import Conditions
from convcalc.sizes.expr import Expr

N = Expr.symbol("n")


def windows(n, k, s, p, d):
    """Where the windows start that lie in the padded input."""
    return [start for start in range(0, n + 2 * p, s) if start + d * (k - 1) < n + 2 * p]


@settings(max_examples=40)
@given(k=st.integers(1, 5), s=st.integers(1, 4), half=st.integers(0, 2), d=st.integers(1, 3), ceil=st.booleans())
@example(k=3, s=2, half=0, d=1, ceil=True)
def test_every_map_keeps_two_rows_and_rounding_up_leaves_nothing_over(k, s, half, d, ceil):
    p = min(half, k // 2)
    pool = MaxPool(k, stride=s, padding=p, dilation=d, ceil_mode=ceil)
    inner = Inner()
    shape = (1, 3, N, 7 * k * d)
    for layer in (pool,) if ceil else (Conv(4, k, stride=s, padding=p, dilation=d), pool):
        inner.note(layer, [shape], layer.out_shapes(shape, check=Conditions()))
    for n in range(1, 40):
        starts = windows(n, k, s, p, d)
        ends_with_the_input = bool(starts) and starts[-1] + d * (k - 1) + 1 == n + 2 * p
        counted = n >= 2 and len(starts) >= 2 and (ends_with_the_input or not ceil)
        assert all(one.value(n=n) >= 0 for one in inner.conditions()) == counted
