"""Whatever breaks in a random chain, the explanation stands, and its repairs run in torch."""

from __future__ import annotations

from copy import deepcopy
from math import prod

import pytest
import torch
from failing_models import Case
from hypothesis import given, settings
from hypothesis import strategies as st
from test_explain import repaired, split_ranges
from torch import nn

from convcalc.bridge import explain as package
from convcalc.bridge.trace import capture

small = st.integers(1, 4)
channels = st.sampled_from([2, 3, 4, 6])


def layers() -> st.SearchStrategy[nn.Module]:
    """A layer that may not fit what stands before it."""
    even = {"stride": st.integers(1, 3), "padding": st.integers(0, 2)}
    conv = st.builds(nn.Conv2d, channels, channels, st.integers(1, 5), **even, dilation=st.integers(1, 2))
    up = st.builds(
        nn.ConvTranspose2d, channels, channels, small, stride=st.integers(1, 3), output_padding=st.integers(0, 2)
    )
    pool = st.builds(nn.MaxPool2d, st.integers(1, 4), stride=st.integers(1, 3), padding=st.integers(0, 2))
    grouped = st.sampled_from([(4, 2), (6, 3), (6, 2), (4, 4)]).map(
        lambda pair: nn.Conv2d(pair[0], 12, 1, groups=pair[1])
    )
    norm = st.one_of(
        st.builds(nn.BatchNorm2d, channels),
        st.builds(nn.InstanceNorm2d, channels, affine=st.booleans()),
        st.builds(lambda pair: nn.GroupNorm(*pair), st.sampled_from([(2, 4), (3, 6), (1, 3), (2, 6)])),
        st.builds(nn.LayerNorm, st.integers(1, 9)),
    )
    ends = st.one_of(
        st.builds(lambda n: nn.Sequential(nn.Flatten(), nn.Linear(n, 3)), st.integers(1, 200)),
        st.builds(nn.Linear, st.integers(1, 12), small),
        st.builds(nn.PixelShuffle, st.just(2)),
        st.builds(nn.BatchNorm1d, channels),
        st.builds(nn.Unflatten, st.just(1), st.just((2, -1))),
    )
    return st.one_of(conv, up, pool, grouped, norm, nn_relu(), ends)


def nn_relu() -> st.SearchStrategy[nn.Module]:
    return st.just(None).map(lambda _: nn.ReLU())


shapes = st.one_of(
    st.tuples(st.integers(1, 2), channels, st.integers(1, 20), st.integers(1, 20)),
    st.tuples(channels, st.integers(1, 20), st.integers(1, 20)),
    st.tuples(st.integers(1, 2), st.integers(1, 20)),
)


@pytest.mark.filterwarnings("ignore:input's size at dim")
@given(st.lists(layers(), min_size=1, max_size=5), shapes)
@settings(max_examples=60)
def test_every_failure_is_explained_and_every_repair_runs(parts, shape):
    module = nn.Sequential(*parts).eval()
    try:
        module(torch.zeros(shape))
    except (RuntimeError, ValueError, IndexError):
        broken = True
    else:
        broken = False
    troubles = []

    def watched(failure):
        try:
            return repairs(failure)
        except Exception as error:
            troubles.append(error)
            raise

    repairs = package.repairs
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(package, "repairs", watched)
        error = capture(module, shape).capture.error
    assert not troubles
    assert (error is not None) == broken
    if error is None:
        return
    why = error.explanation
    assert error.message.startswith(why.place) or why.place in error.message
    assert prod(why.operands[0].shape) == prod(_reached(module, shape))  # torch itself adds a batch axis to some
    for fix in why.fixes:
        if any(word in fix.what for word in (" before ", " in ", " in place of ", " on ")) and "(H" not in fix.what:
            continue  # a change of code: those are in failing_models
        case = Case("", lambda: deepcopy(module), [shape], "", "", [])
        changed, inputs = repaired(case, split_ranges(fix.what), "")
        if fix.runs:
            changed(*inputs)
        else:
            with pytest.raises((RuntimeError, ValueError, IndexError)):
                changed(*inputs)


def _reached(module: nn.Module, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that the first part which fails gets."""
    value = torch.zeros(shape)
    for part in module.modules():
        if next(part.children(), None) is None:
            try:
                value = part(value)
            except (RuntimeError, ValueError, IndexError):
                return tuple(value.shape)
    raise AssertionError("runs")
