"""Footprints against the gradients of torch networks in float64: the inputs an output reads are those that move it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial, reduce
from itertools import product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convcalc.errors import Refused
from convcalc.footprints.footprint import Footprint
from convcalc.footprints.product import Product
from convcalc.footprints.reads import Reads
from convcalc.footprints.stencils import (
    conv,
    conv_transpose,
    identity,
    linear,
    nearest,
    pixel_shuffle,
    pixel_unshuffle,
    pool,
    resize,
)

torch = pytest.importorskip("torch", reason="needs torch")
F = torch.nn.functional

Run = Callable[["torch.Tensor"], "torch.Tensor"]
few = settings(max_examples=60)


@dataclass(frozen=True)
class Layer:
    """One layer three times: as torch runs it, as a period, and at the size that comes in."""

    text: str
    run: Run
    footprint: Footprint | None
    reads: Callable[[Reads], Reads]

    def __repr__(self) -> str:
        return self.text


def gradients(run: Run, n: int, outputs: range | None = None) -> tuple[torch.Tensor, range]:
    """Row j: the gradient of output j; and the outputs that were asked for, all by default."""
    x = torch.zeros(1, 1, n, dtype=torch.float64, requires_grad=True)
    y = run(x).flatten()
    outputs = outputs or range(len(y))
    return torch.stack([torch.autograd.grad(y[j], x, retain_graph=True)[0].flatten() for j in outputs]), outputs


def non_zero(row: torch.Tensor) -> set[int]:
    return set((row.abs() > 1e-9).nonzero().flatten().tolist())


# -- layers with positive weights --------------------------------------------------------------------------------


def kernel(k: int) -> torch.Tensor:
    return torch.linspace(0.5, 1.5, k, dtype=torch.float64).reshape(1, 1, k)


def a_conv(k: int, s: int, p: int, d: int, mode: str = "zeros", weights: Callable[[int], object] = kernel) -> Layer:
    def run(x):
        return F.conv1d(F.pad(x, (p, p), "constant" if mode == "zeros" else mode), weights(k), stride=s, dilation=d)

    return Layer(
        f"conv k{k} s{s} p{p} d{d} {mode}",
        run,
        conv(k, s, p, d) if mode == "zeros" else None,
        lambda r: r.then(Reads.conv(r.out, k, s, p, d, mode)),
    )


def a_conv_transpose(k: int, s: int, p: int, d: int, op: int, weights: Callable[[int], object] = kernel) -> Layer:
    op = min(op, max(s, d) - 1)
    return Layer(
        f"conv_transpose k{k} s{s} p{p} d{d} op{op}",
        lambda x: F.conv_transpose1d(x, weights(k), stride=s, padding=p, output_padding=op, dilation=d),
        conv_transpose(k, s, p, d),
        lambda r: r.then(Reads.conv_transpose(r.out, k, s, p, op, d)),
    )


def a_pool(k: int, s: int, p: int, ceil_mode: bool) -> Layer:
    p = min(p, k // 2)
    return Layer(
        f"pool k{k} s{s} p{p} {ceil_mode}",
        lambda x: F.avg_pool1d(x, k, s, p, ceil_mode),
        pool(k, s, p),
        lambda r: r.then(Reads.pool(r.out, k, s, p, ceil_mode=ceil_mode)),
    )


def an_upsampling(r: int, mode: str) -> Layer:
    return Layer(
        f"{mode} {r}",
        lambda x: F.interpolate(x, scale_factor=float(r), mode=mode),
        resize(r, mode),
        lambda reads: reads.then(Reads.resized(reads.out, scale_factor=r, mode=mode)),
    )


def a_residual(body: Layer) -> Layer:
    return Layer(
        f"residual({body})",
        lambda x: x + body.run(x),
        body.footprint and identity() | body.footprint,
        lambda r: r | body.reads(r),
    )


def a_bottleneck(body: Layer, up: Layer) -> Layer:
    """Down by two, a layer, up by two, beside what came in, both cut to the shorter: a level of a U-Net."""
    down = a_pool(2, 2, 0, False)

    def run(x):
        y = up.run(body.run(down.run(x)))
        return x[..., : y.shape[-1]] + y[..., : x.shape[-1]]

    def reads(r):
        deep = up.reads(body.reads(down.reads(r)))
        short = min(r.out, deep.out)
        return cut(r, short) | cut(deep, short)

    whole = body.footprint and identity() | down.footprint.then(body.footprint).then(up.footprint)
    return Layer(f"bottleneck({body}, {up})", run, whole, reads)


def cut(r: Reads, size: int) -> Reads:
    return r.then(Reads.padded(r.out, 0, size - r.out))


def an_adaptive_pool(m: int) -> Layer:
    return Layer(
        f"adaptive {m}",
        lambda x: F.adaptive_avg_pool1d(x, m),
        None,
        lambda r: r.then(Reads.adaptive_pool(r.out, m)),
    )


def a_resizing(m: int, mode: str, align_corners: bool) -> Layer:
    align_corners = align_corners and mode == "linear"
    return Layer(
        f"resize {m} {mode} {align_corners}",
        lambda x: F.interpolate(x, size=m, mode=mode, align_corners=align_corners or None),
        None,
        lambda r: r.then(Reads.resized(r.out, m, mode=mode, align_corners=align_corners)),
    )


def a_crop(by: int) -> Layer:
    def run(x):
        start = by // 2
        return x[..., start : start + x.shape[-1] - by]

    return Layer(f"crop {by}", run, None, lambda r: r.then(Reads.cropped(r.out, r.out - by)))


small = st.integers(1, 4), st.integers(1, 3), st.integers(0, 3), st.integers(1, 2)
ups = st.builds(an_upsampling, st.just(2), st.sampled_from(["nearest", "linear"])) | st.builds(
    a_conv_transpose, st.sampled_from([2, 4]), st.just(2), st.just(0), st.just(1), st.just(0)
)
same = st.builds(lambda k, d: a_conv(2 * k + 1, 1, k * d, d), st.integers(0, 2), st.integers(1, 2))
periodic = st.one_of(
    st.builds(a_conv, *small),
    st.builds(a_conv_transpose, *small, st.integers(0, 1)),
    st.builds(a_pool, *small[:3], st.booleans()),
    st.builds(an_upsampling, st.integers(1, 3), st.sampled_from(["nearest", "linear"])),
    st.builds(a_residual, same),
    st.builds(a_bottleneck, same, ups),
)
modes = st.sampled_from(["reflect", "replicate", "circular"])
at_a_size = st.one_of(
    st.builds(a_conv, *small, modes),
    st.builds(an_adaptive_pool, st.integers(1, 9)),
    st.builds(a_resizing, st.integers(1, 20), st.sampled_from(["nearest", "nearest-exact", "linear"]), st.booleans()),
    st.builds(a_crop, st.integers(0, 4)),
)


def run_all(net: list[Layer]) -> Run:
    return lambda x: reduce(lambda y, layer: layer.run(y), net, x)


def footprint_of(net: list[Layer]) -> Footprint:
    return reduce(Footprint.then, (layer.footprint for layer in net), identity())


def reads_of(net: list[Layer], n: int) -> Reads:
    try:
        return reduce(lambda r, layer: layer.reads(r), net, Reads.identity(n))
    except Refused:
        assume(False)
        raise


def agree(n: int, run: Run, reads: Reads) -> bool:
    rows, outputs = gradients(run, n)
    return reads.out == len(outputs) and all(set(reads.at(j)) == non_zero(rows[j]) for j in outputs)


# -- claims ------------------------------------------------------------------------------------------------------


def interior(net: list[Layer], n: int) -> range:
    """Two periods of outputs in the middle, or none where a path from them might leave the input on the way."""
    reach, stride = Fraction(0), Fraction(1)
    for layer in net:
        taps = [tap for phase in layer.footprint.phases for tap in phase]
        reach += stride * max((abs(tap) for tap in taps), default=0)
        stride *= layer.footprint.stride
    whole = footprint_of(net)
    q = len(whole.phases)
    middle = int(n / 2 / whole.stride)
    assume(2 * reach + 4 * whole.step < n)
    return range(middle - q, middle + q)


@few
@given(st.lists(periodic, min_size=1, max_size=4))
def test_interior_outputs_read_what_moves_them(net):
    n = 192
    outputs = interior(net, n)
    whole = footprint_of(net)
    for row, j in zip(*gradients(run_all(net), n, outputs), strict=True):
        assert set(whole.at(j)) == non_zero(row)


def ones(k: int) -> torch.Tensor:
    return torch.ones(1, 1, k, dtype=torch.float64)


@few
@given(
    st.lists(
        st.one_of(
            st.builds(partial(a_conv, weights=ones), *small),
            st.builds(partial(a_conv_transpose, weights=ones), *small, st.integers(0, 1)),
            st.builds(an_upsampling, st.integers(1, 3), st.just("nearest")),
        ),
        min_size=1,
        max_size=4,
    ),
    st.booleans(),
)
def test_counts_are_the_gradients_of_weights_that_are_all_one(net, residual):
    n = 192
    outputs = interior([*net, a_conv(3, 1, 1, 1)] if residual else net, n)
    whole = reduce(Footprint.then, (layer.footprint.with_counts() for layer in net))
    run = run_all(net)
    if residual:  # a second branch of the same size, so that paths of both add up
        whole |= whole.then(conv(3, padding=1).with_counts())
        run = lambda x, body=run: body(x) + F.conv1d(body(x), ones(3), padding=1)  # noqa: E731
    for row, j in zip(*gradients(run, n, outputs), strict=True):
        counts = dict(whole.at(j).items())
        assert max(counts.values(), default=0) < 2**53
        assert {i: int(row[i]) for i in non_zero(row)} == counts


@few
@given(st.lists(periodic, min_size=1, max_size=3), st.integers(4, 24))
def test_at_zero_padded_borders_a_subset_is_read(net, n):
    assume(reads_of(net, n).out)
    whole = footprint_of(net)
    for row, j in zip(*gradients(run_all(net), n), strict=True):
        assert non_zero(row) <= set(whole.at(j))


@few
@given(st.lists(periodic | at_a_size, min_size=1, max_size=4), st.integers(4, 24))
def test_the_explicit_form_is_exact_everywhere(net, n):
    reads = reads_of(net, n)
    assume(1 <= reads.out <= 80)
    rows, outputs = gradients(run_all(net), n)
    assert reads.out == len(outputs)
    for row, j in zip(rows, outputs, strict=True):
        assert set(reads.at(j)) == non_zero(row)
    assert set(reads.unread) == set(range(n)) - non_zero(rows.abs().sum(0))
    assert reads.receptive_field == max(max(row) - min(row) + 1 if row else 0 for row in map(non_zero, rows))


SMALL = list(product((1, 2, 3, 4), (1, 2, 3), (0, 1, 2), (1, 2)))  # kernel size, stride, padding, dilation


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
def test_every_padding_mode_reads_as_torch_pads(mode):
    for k, s, p, d in SMALL:
        layer, n = a_conv(k, s, p, d, mode), 7
        assert agree(n, layer.run, layer.reads(Reads.identity(n))), layer


@pytest.mark.parametrize("n", [7, 8])
def test_every_pooling_and_transposed_convolution_reads_as_in_torch(n):
    for k, s, p, d in SMALL:
        for layer in (a_pool(k, s, p, d == 2), a_conv_transpose(k, s, p, d, op=d - 1)):
            assert agree(n, layer.run, layer.reads(Reads.identity(n))), layer


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "linear"])
def test_resizing_to_a_size_reads_as_torch_does(mode):
    for n in range(1, 13):
        for m in range(1, 13):
            assert agree(n, lambda x, m=m: F.interpolate(x, m, mode=mode), Reads.resized(n, m, mode=mode)), (n, m)


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "linear"])
@pytest.mark.parametrize("scale", [0.375, 0.5, 0.7, 1.0, 1.0625, 1.3, 1.5, 2.0, 2.0625, 3.0, 10 / 3])
def test_resizing_by_a_scale_factor_reads_as_torch_does(mode, scale):
    for n in range(3, 15):
        reads = Reads.resized(n, scale_factor=scale, mode=mode)
        assert agree(n, lambda x: F.interpolate(x, scale_factor=scale, mode=mode), reads), n


@pytest.mark.parametrize("align_corners", [False, True])
def test_cubic_resizing_reads_four_inputs_or_the_one_it_hits(align_corners):
    for n in range(1, 10):
        for m in range(1, 17):
            x = torch.zeros(1, 1, n, 1, dtype=torch.float64, requires_grad=True)
            y = F.interpolate(x, (m, 1), mode="bicubic", align_corners=align_corners).flatten()
            reads = Reads.resized(n, m, mode="cubic", align_corners=align_corners)
            for j in range(m):
                row = torch.autograd.grad(y[j], x, retain_graph=True)[0].flatten()
                assert set(reads.at(j)) == non_zero(row)


@pytest.mark.parametrize("r", [2, 3])
def test_pixel_shuffle_moves_channels_to_neighbours_and_back(r):
    x = torch.zeros(1, r * r, 5, 5, dtype=torch.float64, requires_grad=True)
    y = F.pixel_shuffle(x, r)
    for j in range(5 * r):
        (g,) = torch.autograd.grad(y[0, 0, j, 0], x, retain_graph=True)
        assert set(pixel_shuffle(r).at(j)) == non_zero(g.sum((0, 1, 3)))
    x = torch.zeros(1, 1, 5 * r, 5 * r, dtype=torch.float64, requires_grad=True)
    y = F.pixel_unshuffle(x, r)
    for j in range(5):
        (g,) = torch.autograd.grad(y[0, :, j, 0].sum(), x, retain_graph=True)
        assert set(pixel_unshuffle(r).at(j)) == non_zero(g.sum((0, 1, 3)))


def test_a_cumulative_sum_reads_everything_before():
    rows, _ = gradients(lambda x: x.cumsum(-1), 9)
    reads = Reads.everything_before(9)
    assert [set(reads.at(j)) for j in range(9)] == [non_zero(row) for row in rows]


def test_global_pooling_reads_everything_through_any_padding():
    net = Reads.conv(9, 3, padding=1).then(Reads.everything(9, 1))
    rows, _ = gradients(lambda x: F.conv1d(x, kernel(3), padding=1).mean(-1), 9)
    assert set(net.at(0)) == non_zero(rows[0])


@pytest.mark.parametrize(("k", "s", "p", "d"), [(4, 2, 1, 1), (2, 3, 0, 1), (5, 3, 2, 1), (3, 2, 1, 2), (8, 4, 2, 1)])
def test_strided_transposed_convolutions_read_what_moves_them(k, s, p, d):
    # a decoder of three, and down and up again: cases where fields are often computed as if stride multiplied them
    up, down = a_conv_transpose(k, s, p, d, 0), a_conv(k, s, p, d)
    for net in ([up], [up, up], [up, up, up], [down, up], [down, down, up, up]):
        whole = footprint_of(net)
        reads = reads_of(net, 96)
        middle = int(48 / whole.stride)
        outputs = range(middle, middle + len(whole.phases))
        rows, _ = gradients(run_all(net), 96, outputs)
        sets = [non_zero(row) for row in rows]
        assert [set(whole.at(j)) for j in outputs] == [set(reads.at(j)) for j in outputs] == sets
        assert whole.receptive_field == max(max(row) - min(row) + 1 if row else 0 for row in sets)


def test_branches_of_a_row_and_a_column_read_a_cross_in_the_plane():
    x = torch.zeros(1, 1, 15, 15, dtype=torch.float64, requires_grad=True)
    weights = torch.ones(1, 1, 1, 7, dtype=torch.float64)
    row, column = F.conv2d(x, weights, padding=(0, 3)), F.conv2d(x, weights.mT, padding=(3, 0))
    united = Product((conv(1), conv(7, padding=3))) | Product((conv(7, padding=3), conv(1)))
    (g,) = torch.autograd.grad((row + column)[0, 0, 7, 7], x)
    assert (g != 0).sum() == 13 < united.covered == 49
    assert not united.exact
    after = F.conv2d(F.conv2d(x, weights, padding=(0, 3)), weights.mT, padding=(3, 0))
    (g,) = torch.autograd.grad(after[0, 0, 7, 7], x)
    chain = Product((conv(1), conv(7, padding=3))).then(Product((conv(7, padding=3), conv(1))))
    assert (g != 0).sum() == chain.covered == 49
    assert chain.exact


def test_a_unet_of_linear_upsampling_reads_what_moves_it():
    def both(x: torch.Tensor, pad: int) -> torch.Tensor:
        return F.conv1d(F.conv1d(x, kernel(3), padding=pad), kernel(3), padding=pad)

    def run(x):
        skips = []
        for _ in range(3):
            x = both(x, 1)
            skips.append(x)
            x = F.avg_pool1d(x, 2)
        x = both(x, 1)
        for skip in reversed(skips):
            x = both(F.interpolate(x, scale_factor=2.0, mode="linear") + skip, 1)
        return x

    k3 = conv(3, padding=1)
    net, skips = identity(), []
    for _ in range(3):
        net = net.then(k3).then(k3)
        skips.append(net)
        net = net.then(pool(2))
    net = net.then(k3).then(k3)
    for skip in reversed(skips):
        net = (net.then(linear(2)) | skip).then(k3).then(k3)
    for row, j in zip(*gradients(run, 256, range(120, 136)), strict=True):
        assert set(net.at(j)) == non_zero(row)
    assert nearest(2).then(pool(2)) == identity()
