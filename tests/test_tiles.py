"""Tiles: the outputs put together are those of the whole image, run in torch; and what forbids them is named."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convcalc as cc
from convcalc import find_tiles
from convcalc.errors import BadShape, NoSolution
from convcalc.layers import (
    AdaptiveAvgPool,
    Add,
    AvgPool,
    BatchNorm,
    Conv,
    ConvTranspose,
    Crop,
    GroupNorm,
    InstanceNorm,
    MaxPool,
    Pad,
    ReLU,
    Upsample,
)
from convcalc.network.blocks import Residual, Sequential, Skip
from convcalc.network.graph import Graph
from convcalc.network.node import Node

TOLERANCE = 1e-12
"""Of float64 values of magnitude 1: the order of a sum may differ from one input size to another."""


def stitched(torch, module, image, axes):
    """The output put together from tiles."""
    rows = []
    for number in product(*(range(axis.count) for axis in axes)):
        start = [axis.starts[place] for axis, place in zip(axes, number, strict=True)]
        part = image[(..., *(slice(a, a + axis.tile) for a, axis in zip(start, axes, strict=True)))]
        out = module(part)
        assert list(out.shape[2:]) == [axis.out for axis in axes]
        kept = [axis.kept(place) for axis, place in zip(axes, number, strict=True)]
        assert all(0 <= first < last <= axis.out for (first, last), axis in zip(kept, axes, strict=True))
        rows.append((number, out[(..., *(slice(*one) for one in kept))]))
    for dim in reversed(range(len(axes))):
        joined = {}
        for number, part in rows:
            joined.setdefault(number[:dim], []).append(part)
        rows = [(number, torch.cat(parts, 2 + dim)) for number, parts in joined.items()]
    return rows[0][1]


def largest_difference(net, shape, tile):
    torch = pytest.importorskip("torch")
    from convcalc.bridge.assembly.assemble import to_torch

    tiles = find_tiles(net, shape, tile=tile, image=shape[2:])
    torch.manual_seed(0)
    module = to_torch(net, shape).double().eval()
    image = torch.rand(shape, dtype=torch.float64)
    with torch.no_grad():
        whole = module(image)
        joined = stitched(torch, module, image, tiles.axes)
    assert joined.shape == whole.shape
    return float((joined - whole).abs().max()), tiles


def unet(levels, padding, mode):
    """A small U-Net: one convolution a level."""
    net = Conv(3, 3, padding=padding)
    for _ in range(levels):
        net = Sequential(
            Conv(3, 3, padding=padding),
            ReLU(),
            Skip(Sequential(MaxPool(2), net, ConvTranspose(3, 2, stride=2)), mode),
            Conv(3, 3, padding=padding),
        )
    return net


@pytest.mark.parametrize(
    ("net", "shape", "tile"),
    [
        (Sequential(Conv(2, 3, padding=1), ReLU(), Conv(2, 5, padding=2)), (1, 1, 40, 37), 16),
        (Sequential(Conv(2, 3, stride=2, padding=1), Conv(2, 3, stride=3)), (1, 1, 101, 90), (40, 30)),
        (unet(2, 0, "crop"), (1, 1, 116, 100), 60),
        (unet(2, 1, "pad"), (1, 1, 101, 90), 56),
        (unet(2, 1, "pad"), (1, 1, 104, 104), 48),
        (Residual(Sequential(Conv(1, 3, padding=4, dilation=4), BatchNorm())), (1, 1, 64, 50), 20),
        (Sequential(ConvTranspose(2, 3, stride=2, padding=1), Conv(2, 3, stride=3, padding=1)), (1, 1, 61), 24),
        (Sequential(AvgPool(2), Upsample(scale_factor=2, mode="bilinear")), (1, 1, 50, 43), 14),
        (Sequential(Conv(2, 3, padding=2, padding_mode="reflect"), Conv(1, 2, padding=1)), (1, 1, 40, 40), 14),
        (Sequential(Conv(2, 3, stride=2, padding=1), Pad(2, mode="replicate")), (1, 1, 61), 20),
        # a crop before padding: the reads of the output alone would call rows untouched that read zeros of the cut
        (Sequential(Crop(5), Conv(2, 3, padding=1), Conv(2, 3, padding=1)), (1, 1, 70, 60), 30),
        # the reads of the output come back after 1 row, the grid inside only after 2
        (Sequential(Residual(Sequential(MaxPool(2), Upsample(scale_factor=2)))), (1, 1, 60), 20),
        (Sequential(MaxPool(2), ConvTranspose(2, 2, stride=2), MaxPool(3, stride=1)), (1, 1, 20, 20, 20), 12),
    ],
    ids=lambda value: None if not isinstance(value, tuple) else "x".join(map(str, value)),
)
def test_tiles_put_together_are_the_whole(net, shape, tile):
    difference, tiles = largest_difference(net, shape, tile)
    assert difference < TOLERANCE
    assert tiles.count > 1


STEPS = st.one_of(
    st.builds(lambda k, s, p: Conv(2, k, stride=s, padding=p), st.integers(1, 4), st.integers(1, 3), st.integers(0, 2)),
    st.builds(lambda k, s: MaxPool(k, stride=s), st.integers(1, 3), st.integers(1, 3)),
    st.builds(lambda s, p: ConvTranspose(2, s + p, stride=s), st.integers(1, 3), st.integers(0, 2)),
    st.builds(lambda f: Upsample(scale_factor=f), st.sampled_from([2, 3])),
    st.builds(lambda a, b: Crop([(a, b)]), st.integers(0, 3), st.integers(0, 3)),
    st.builds(lambda body: Skip(Sequential(*body), "pad"), st.lists(st.builds(Conv, st.just(2), st.integers(1, 3)))),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=4), st.integers(200, 260))
def test_tiles_of_random_networks_put_together_are_the_whole(steps, size):
    net = Sequential(*steps)
    try:
        difference, _ = largest_difference(net, (1, 2, size), 100)
    except NoSolution:
        return
    assert difference < TOLERANCE


# -- figures -----------------------------------------------------------------------------------------------------


def test_unet_of_2015_tiles_by_400_rows_and_not_by_its_output():
    (rows, _) = find_tiles(cc.zoo.unet(), tile=600, image=(4012, 3004)).axes
    assert rows.period == 16  # four poolings by 2
    assert rows.tile % 16 == 12
    assert (rows.tile, rows.out) == (588, 588 - 184)  # 572 -> 388
    assert rows.step == 400  # the largest multiple of 16 that 404 covers
    assert rows.trim == (0, 0)  # no padding: nothing a cut could touch
    assert rows.starts[-1] + rows.tile == 4012


def test_memory_is_that_of_the_values_alive_at_once():
    tiles = find_tiles(Sequential(Conv(8, 1), ReLU(), Conv(2, 1)), (1, 1, "n"), tile=10, image=100)
    assert tiles.memory == (8 + 8) * 10 * 4
    assert tiles.whole == (8 + 8) * 100 * 4
    kept = find_tiles(Residual(Sequential(Conv(8, 1), Conv(3, 1))), (1, 3, "n"), tile=10)
    assert kept.memory == (3 + 8 + 3) * 10 * 4


def test_an_image_smaller_than_a_tile_is_one_tile():
    (axis,) = find_tiles(Conv(2, 3, padding=1), (1, 1, "n"), tile=100, image=40).axes
    assert (axis.tile, axis.starts, axis.kept(0)) == (40, (0,), (0, 40))


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (Sequential(a=Conv(4, 3), b=GroupNorm(2)), "b forbids exact tiles: groupnorm sees the whole image"),
        (Sequential(a=Conv(4, 3), b=InstanceNorm()), "b forbids exact tiles: instancenorm sees the whole image"),
        (Sequential(a=Conv(4, 3), gap=AdaptiveAvgPool(1)), "gap forbids exact tiles: its size does not grow"),
        (Sequential(a=Upsample(size=(8, 8))), "a forbids exact tiles: its size does not grow"),
        (Sequential(a=Conv(4, 3, padding=1, padding_mode="circular")), "a forbids exact tiles: circular padding"),
        (Upsample(scale_factor=0.7), "no period is known"),
    ],
)
def test_what_forbids_tiles_is_named(net, message):
    with pytest.raises(NoSolution, match=message):
        find_tiles(net, (1, 2, "H", "W"), tile=64)


def test_a_tile_that_keeps_nothing_is_refused_with_the_least_that_does():
    net = Sequential(*[Conv(2, 3, padding=1)] * 10)
    with pytest.raises(
        NoSolution, match="a tile of 20 rows on n keeps no output: a cut costs 10 \\+ 10 rows of it; use at least 21"
    ):
        find_tiles(net, (1, 2, "n"), tile=20)
    assert find_tiles(net, (1, 2, "n"), tile=21).axes[0].step == 1


def test_an_image_that_does_not_run_and_several_inputs_are_refused():
    with pytest.raises(NoSolution, match="the image itself does not run: H = 100; nearest are 188"):
        find_tiles(cc.zoo.unet(), image=100)
    two = Graph([Node("add", Add(), ("a", "b"))], ["a", "b"])
    with pytest.raises(BadShape, match="tiles are cut from one input: there are 2, a, b"):
        find_tiles(two, [(1, 2, "n"), (1, 2, "n")])
