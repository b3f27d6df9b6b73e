"""Footprints against sets counted by hand, the laws of the algebra, and published receptive fields."""

from __future__ import annotations

import math
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from functools import reduce
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc.errors import BadArgument, BadShape
from convcalc.footprints import stencils
from convcalc.footprints.footprint import MAX_PHASES, Footprint
from convcalc.footprints.product import Product
from convcalc.footprints.stencils import (
    blocks,
    conv,
    conv_transpose,
    everything,
    everything_before,
    identity,
    linear,
    nearest,
    pool,
)
from convcalc.footprints.taps import TapCounts, TapSet

# -- what to draw ------------------------------------------------------------------------------------------------

Oracle = Callable[[int], set[int]]
kernels, strides, pads, dilations = st.integers(1, 5), st.integers(1, 4), st.integers(0, 3), st.integers(1, 3)


def _conv(k: int, s: int, p: int, d: int) -> tuple[Footprint, Oracle]:
    return conv(k, s, p, d), lambda j: {j * s - p + d * t for t in range(k)}


def _conv_transpose(k: int, s: int, p: int, d: int) -> tuple[Footprint, Oracle]:
    def oracle(j: int) -> set[int]:  # input i stamps outputs s*i + d*t - p
        near = range((j - 12) // s, (j + 3) // s + 1)
        return {i for i in near for t in range(k) if s * i + d * t - p == j}

    return conv_transpose(k, s, p, d), oracle


def _taps(positions: frozenset[int], s: int) -> tuple[Footprint, Oracle]:
    return stencils.taps(positions, s), lambda j: {j * s + t for t in positions}


def _nearest(r: int) -> tuple[Footprint, Oracle]:
    return nearest(r), lambda j: {j // r}


def _linear(r: int) -> tuple[Footprint, Oracle]:
    def oracle(j: int) -> set[int]:
        centre = (j + Fraction(1, 2)) / r - Fraction(1, 2)
        return {i for i in range(math.floor(centre), math.floor(centre) + 2) if 1 - abs(centre - i) > 0}

    return linear(r), oracle


def _blocks(size: int, shift: int) -> tuple[Footprint, Oracle]:
    return blocks(size, shift), lambda j: {i for i in range(j - 9, j + 9) if (i - shift) // size == (j - shift) // size}


layers = st.one_of(
    st.builds(_conv, kernels, strides, pads, dilations),
    st.builds(_conv_transpose, kernels, strides, pads, dilations),
    st.builds(_taps, st.frozensets(st.integers(-9, 9), max_size=5), st.integers(1, 3)),
    st.builds(_nearest, st.integers(1, 4)),
    st.builds(_linear, st.integers(1, 4)),
    st.builds(_blocks, st.integers(1, 5), st.integers(-2, 2)),
)
footprints = layers.map(lambda layer: layer[0])
counted = footprints.map(Footprint.with_counts)
SEVERAL = range(-7, 31)  # outputs looked at: some of both signs, more than most periods


def read_through(oracles: list[Oracle], j: int) -> Counter[int]:
    """How often output `j` of a chain reads each input, one path at a time."""
    reads = Counter({j: 1})
    for oracle in reversed(oracles):
        earlier: Counter[int] = Counter()
        for position, times in reads.items():
            for i in oracle(position):
                earlier[i] += times
        reads = earlier
    return reads


# -- counting ----------------------------------------------------------------------------------------------------


@given(layers)
def test_every_layer_reads_what_its_definition_reads(layer):
    footprint, oracle = layer
    for j in SEVERAL:
        assert set(footprint.at(j)) == oracle(j)


@given(st.lists(layers, min_size=1, max_size=3))
def test_a_chain_reads_what_its_layers_read_one_after_another(chain):
    footprint = reduce(Footprint.then, (layer for layer, _ in chain))
    for j in SEVERAL:
        assert set(footprint.at(j)) == set(read_through([oracle for _, oracle in chain], j))


@given(st.lists(layers, min_size=1, max_size=3))
def test_counts_are_the_paths_to_each_input(chain):
    footprint = reduce(Footprint.then, (layer.with_counts() for layer, _ in chain))
    for j in SEVERAL:
        assert dict(footprint.at(j).items()) == read_through([oracle for _, oracle in chain], j)


@given(
    st.sampled_from(["nearest", "nearest-exact", "linear", "cubic"]), st.fractions(Fraction(1, 5), 5, max_denominator=5)
)
def test_resizing_reads_around_its_centre(mode, scale):
    around = {"nearest-exact": (0, 1), "linear": (0, 2), "cubic": (-1, 3)}
    for j in SEVERAL:
        if mode == "nearest":
            expected = {math.floor(j / scale)}
        else:
            half = Fraction(1, 2)
            centre = (j + half) / scale - (0 if mode == "nearest-exact" else half)
            exactly = centre.denominator == 1 or mode == "nearest-exact"
            low, high = (0, 1) if exactly else around[mode]
            expected = {math.floor(centre) + i for i in range(low, high)}
        assert set(stencils.resize(scale, mode).at(j)) == expected


@given(st.sets(st.integers(-30, 30)), st.sets(st.integers(-30, 30)), st.integers(1, 7))
def test_tap_sets_are_sets(a, b, step):
    left, right = TapSet.of(a), TapSet.of(b)
    assert list(left) == sorted(a)
    assert set(left.spread(right, step)) == {i + step * j for i in a for j in b}
    assert set(TapSet.gather([(left, 2, 1), (right, -3, 1)])) == {i + 2 for i in a} | {j - 3 for j in b}
    assert set(left.missing) == set(range(min(a, default=0), max(a, default=-1) + 1)) - a
    assert all((i in left) == (i in a) for i in range(-32, 33))


@given(st.sets(st.integers(-9, 9)), st.sets(st.integers(200, 400)), st.integers(1, 3))
def test_spreading_a_small_set_over_a_large_one_is_spreading_large_over_small(small, large, step):
    # the engine walks whichever has fewer runs, so both ways round must agree with counting
    for a, b in ((small, large), (large, small)):
        assert set(TapSet.of(a).spread(TapSet.of(b), step)) == {i + step * j for i in a for j in b}


# -- laws --------------------------------------------------------------------------------------------------------


@given(footprints, footprints, footprints)
def test_composition_is_associative(a, b, c):
    assert a.then(b).then(c) == a.then(b.then(c))


@given(counted, counted, counted)
def test_composition_of_counts_is_associative(a, b, c):
    assert a.then(b).then(c) == a.then(b.then(c))


@given(footprints)
def test_the_identity_changes_nothing(a):
    assert identity().then(a) == a == a.then(identity())


@given(footprints, st.data())
def test_composition_distributes_over_union(a, data):
    b = data.draw(footprints)
    c = data.draw(footprints.filter(lambda c: c.stride == b.stride))
    assert a.then(b | c) == a.then(b) | a.then(c)
    assert (b | c).then(a) == b.then(a) | c.then(a)


@given(counted, st.data())
def test_composition_of_counts_distributes_over_union(a, data):
    b = data.draw(counted)
    c = data.draw(counted.filter(lambda c: c.stride == b.stride))
    assert a.then(b | c) == a.then(b) | a.then(c)
    assert (b | c).then(a) == b.then(a) | c.then(a)


@given(footprints)
def test_a_union_of_equals_is_the_same_set_and_twice_the_counts(a):
    assert a | a == a
    twice = a.with_counts() | a.with_counts()
    assert all(t.total == 2 * u.total for t, u in zip(twice.phases, a.phases, strict=True))


@given(footprints, footprints)
def test_transposing_turns_a_chain_around(a, b):
    assert a.transposed().transposed() == a
    assert a.then(b).transposed() == b.transposed().then(a.transposed())


@given(kernels, strides, pads, dilations)
def test_a_transposed_convolution_is_a_convolution_backwards(k, s, p, d):
    for j in SEVERAL:
        assert all((j in conv_transpose(k, s, p, d).at(i)) == (i in conv(k, s, p, d).at(j)) for i in SEVERAL)


@given(footprints, st.integers(1, 6))
def test_a_repeated_period_reduces_to_the_smallest(a, times):
    long = Footprint(tuple(a.at(j) for j in range(times * len(a.phases))), times * a.step)
    assert long.reduced() == a
    readings = ("receptive_field", "covered", "holes", "stride", "offset", "reach_before", "reach_after")
    assert [getattr(long, name) for name in readings] == [getattr(a, name) for name in readings]


@given(footprints, footprints)
def test_counts_have_the_set_as_their_support(a, b):
    net = a.with_counts().then(b.with_counts())
    assert all(net.at(j).support == a.then(b).at(j) for j in SEVERAL)


# -- readings ----------------------------------------------------------------------------------------------------


def test_a_chain_of_convs_reads_one_window():
    net = reduce(Footprint.then, [conv(3, padding=1)] * 150)
    assert net.phases == (TapSet.of(range(-150, 151)),)
    assert (net.receptive_field, net.covered, net.holes) == (301, 301, ())


def test_paths_are_counted_in_whole_numbers_of_any_size():
    net = reduce(Footprint.then, [conv(2).with_counts()] * 200)
    assert net.phases == (TapCounts.of({i: math.comb(200, i) for i in range(201)}),)


@given(footprints, footprints)
def test_readings_are_those_of_the_sets_written_out(a, b):
    net = a.then(b)
    q = len(net.phases)
    sets = {j: sorted(net.at(j)) for j in range(q) if net.at(j)}
    spans = [reads[-1] - reads[0] + 1 for reads in sets.values()]
    assert net.receptive_field == max(spans, default=0)
    widest = [reads for reads in sets.values() if reads[-1] - reads[0] + 1 == net.receptive_field]
    assert net.covered == min(map(len, widest), default=0)
    assert net.covered + len(net.holes) == net.receptive_field
    own = {j: j * net.step // q for j in sets}
    assert net.reach_before == max((own[j] - reads[0] for j, reads in sets.items()), default=0)
    assert net.reach_after == max((reads[-1] - own[j] for j, reads in sets.items()), default=0)
    centres = [Fraction(reads[0] + reads[-1], 2) - j * net.stride for j, reads in sets.items()]
    assert net.offset == (sum(centres) / len(centres) if centres else None)
    assert net.overlap == tuple(len(net.at(j)) for j in range(q))


def test_of_phases_equally_wide_the_one_with_most_holes_is_shown():
    for sets in (([0, 1, 2], [1, 3]), ([0, 2], [1, 2, 3])):
        net = Footprint(tuple(map(TapSet.of, sets)), 2)
        assert (net.receptive_field, net.covered, net.holes) == (3, 2, (1,))


@given(footprints, footprints)
def test_readers_count_the_outputs_that_read_each_input(a, b):
    net = a.then(b)
    span = max((abs(tap) for taps in net.phases for tap in taps), default=0) + net.step
    reach = (span // net.step + 2) * len(net.phases)
    for i in range(net.step):
        assert net.readers[i] == sum(i in net.at(j) for j in range(-reach, reach))


@given(kernels, strides, dilations)
def test_a_transposed_convolution_overlaps_evenly_iff_its_stride_divides_the_kernel(k, s, d):
    overlap = conv_transpose(k, s, dilation=d)
    counts = {len(overlap.at(j)) for j in range(s)}
    assert (len(counts) == 1) == (math.gcd(s, d) == 1 and k % s == 0)


@given(kernels, strides, dilations)
def test_causal_padding_does_not_look_ahead(k, s, d):
    assert conv(k, s, "causal", d).reach_after == 0
    extent = d * (k - 1) + 1
    assert conv(k, s, (max(0, extent - s), 0), d).reach_after == min(extent, s) - 1


def test_hdc_rates_cover_what_the_paper_says():
    covered = {(1, 2, 3): (13, 13), (1, 2, 5): (17, 17), (1, 2, 9): (21, 25), (2, 2, 2): (7, 13), (2, 4, 8): (15, 29)}
    for rates, expected in covered.items():
        net = reduce(Footprint.then, [conv(3, dilation=r) for r in rates])
        assert (net.covered, net.receptive_field) == expected


# -- published networks ------------------------------------------------------------------------------------------


def chain(*layers: Footprint) -> Footprint:
    return reduce(Footprint.then, layers, identity())


def test_vgg16_reads_212_by_32():
    net = chain(*(layer for convs in (2, 2, 3, 3, 3) for layer in [conv(3, padding=1)] * convs + [pool(2)]))
    assert (net.receptive_field, net.stride) == (212, 32)


@pytest.mark.parametrize(("layers", "field"), [(1, 16), (2, 34), (3, 70), (4, 142), (5, 286)])
def test_a_patchgan_judges_patches_of(layers, field):
    net = chain(*[conv(4, stride=2, padding=1)] * layers, *[conv(4, padding=1)] * 2)
    assert (net.receptive_field, net.stride) == (field, 2**layers)


def test_a_tcn_hears_631_samples_and_none_ahead():
    net = chain(*[conv(8, padding="causal", dilation=d) for _ in range(3) for d in (1, 2, 4, 8) for _ in range(2)])
    residual = identity()
    for _ in range(3):
        for d in (1, 2, 4, 8):
            layer = conv(8, padding="causal", dilation=d)
            residual |= residual.then(layer).then(layer)
    assert net.receptive_field == residual.receptive_field == 631
    assert net.reach_after == residual.reach_after == 0


def test_wav2vec2_reads_400_samples_every_320():
    net = chain(*(conv(k, stride=s) for k, s in zip((10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2), strict=True)))
    assert (net.receptive_field, net.stride, net.reach_before, net.offset) == (400, 320, 0, Fraction(399, 2))


def resnet(blocks_of: tuple[int, ...], kinds: Callable[[int], list[Footprint]]) -> list[int]:
    """Receptive field at the end of each stage; `kinds(stride)` is the body of a block."""
    net, ends = conv(7, stride=2, padding=3).then(pool(3, stride=2, padding=1)), []
    for stage, count in enumerate(blocks_of):
        for block in range(count):
            stride = 2 if stage and not block else 1
            net = net.then(conv(1, stride=stride)) | chain(net, *kinds(stride))
        ends.append(net.receptive_field)
    assert net.stride == 32
    return ends


def test_resnet_blocks_end_where_published():
    def basic(s: int) -> list[Footprint]:
        return [conv(3, stride=s, padding=1), conv(3, padding=1)]

    def on_first(s: int) -> list[Footprint]:
        return [conv(1, stride=s), conv(3, padding=1), conv(1)]

    def on_second(s: int) -> list[Footprint]:
        return [conv(1), conv(3, stride=s, padding=1), conv(1)]

    assert resnet((2, 2, 2, 2), basic) == [43, 99, 211, 435]
    assert resnet((3, 4, 6, 3), on_first) == [35, 99, 291, 483]
    assert resnet((3, 4, 6, 3), on_second) == [35, 91, 267, 427]
    assert [resnet((3, 4, 23, 3), kind)[-1] for kind in (on_first, on_second)] == [1027, 971]
    assert [resnet((3, 8, 36, 3), kind)[-1] for kind in (on_first, on_second)] == [1507, 1451]


def test_strided_transposed_convolutions_read_few_inputs():
    # a kernel of 4 at stride 2 reaches 2 inputs from any output, not 4
    up = conv_transpose(4, stride=2, padding=1)
    assert (up.receptive_field, up.stride, up.offset, up.overlap) == (2, Fraction(1, 2), Fraction(-1, 4), (2, 2))
    # j reads floor((j - 1)/2) and the next, so 1 output reads 2, 2 neighbours read 3 at most, and so do 3
    assert [chain(*[up] * n).receptive_field for n in (1, 2, 3)] == [2, 3, 3]
    # down and up again: two windows of 4, two inputs apart
    assert chain(conv(4, stride=2, padding=1), up).receptive_field == 6
    assert conv_transpose(2, stride=3).overlap == (1, 1, 0)


def test_a_unet_has_a_phase_for_each_pixel_of_its_coarsest_cell():
    net, skips = identity(), []
    for _ in range(3):
        net = chain(net, conv(3, padding=1), conv(3, padding=1))
        skips.append(net)
        net = net.then(pool(2))
    net = chain(net, conv(3, padding=1), conv(3, padding=1))
    for skip in reversed(skips):
        net = chain(net.then(conv_transpose(2, stride=2)) | skip, conv(3, padding=1), conv(3, padding=1))
    assert (len(net.phases), net.step, net.stride) == (8, 8, 1)
    assert all(set(skips[0].at(j)) < set(net.at(j)) for j in SEVERAL)


# -- without bound -----------------------------------------------------------------------------------------------


def test_a_global_layer_keeps_the_local_part_beside_it():
    body = conv(3, padding=1).then(conv(3, padding=1))
    gate = body.then(everything()).then(conv(1))
    excited = (body | gate).then(conv(3, padding=1))
    assert excited.is_global
    assert excited.local == chain(*[conv(3, padding=1)] * 3)
    assert gate.is_global
    assert (gate.receptive_field, gate.offset, gate.overlap) == (0, None, (0,))


def test_a_strided_branch_unites_with_a_global_gate():
    strided = conv(3, stride=2)
    assert (strided | everything()).local == strided == (everything() | strided).local


def test_a_cumulative_sum_is_one_sided():
    net = conv(3, padding=1).then(everything_before()).then(conv(3, padding=1))
    assert (net.all_before, net.all_after) == (True, False)
    assert net.reach_after == 2
    assert (net.transposed().all_before, net.transposed().all_after) == (False, True)


def test_what_reads_nothing_is_not_global_after_all():
    assert not everything().then(stencils.taps([])).is_global
    assert not stencils.taps([]).then(everything()).is_global


# -- several axes ------------------------------------------------------------------------------------------------

Pair = tuple[Footprint, Footprint]
plane_layers = st.tuples(
    *[st.builds(conv, st.integers(1, 3), padding=st.integers(0, 1), dilation=st.integers(1, 2))] * 2
)


def cells(axes: Pair) -> set[tuple[int, int]]:
    return set(product(axes[0].at(0), axes[1].at(0)))


def sums(a: set[tuple[int, int]], b: set[tuple[int, int]]) -> set[tuple[int, int]]:
    return {(x + u, y + v) for x, y in a for u, v in b}


def test_a_row_beside_a_column_is_a_cross_and_the_product_says_it_is_a_bound():
    row, column = (conv(1), conv(7, padding=3)), (conv(7, padding=3), conv(1))
    cross = cells(row) | cells(column)
    united = Product(row) | Product(column)
    assert len(cross) == 13
    assert (united.covered, united.receptive_field, united.exact) == (49, (7, 7), False)
    assert not united.then(Product((conv(3), conv(3)))).exact
    assert Product(row).then(Product(column)).exact


@given(plane_layers, plane_layers, plane_layers, plane_layers)
def test_a_product_called_exact_is_exact_and_any_other_a_bound(before, left, right, after):
    stem = Product(before)
    net = (stem.then(Product(left)) | stem.then(Product(right))).then(Product(after))
    true = sums(sums(cells(before), cells(left) | cells(right)), cells(after))
    bound = cells(net.axes)
    assert true <= bound
    assert not net.exact or true == bound
    rows, columns = zip(*true, strict=True)
    assert net.receptive_field == (max(rows) - min(rows) + 1, max(columns) - min(columns) + 1)
    assert net.covered >= len(true)
    assert net.missed <= math.prod(net.receptive_field) - len(true)


def test_residual_blocks_stay_exact():
    net = Product((conv(7, stride=2, padding=3),) * 2)
    for _ in range(4):
        net |= net.then(Product((conv(3, padding=1),) * 2)).then(Product((conv(3, padding=1),) * 2))
    assert net.exact
    gate = net.then(Product((everything(),) * 2))
    assert (net | gate).exact
    assert (net | gate).is_global


def test_counts_of_a_residual_block_are_a_bound_in_the_plane():
    one, body = Product((identity().with_counts(),) * 2), Product((conv(3, padding=1).with_counts(),) * 2)
    assert not (one | body).exact


# -- refusals ----------------------------------------------------------------------------------------------------


def refusal(kind: type[Exception], call: Callable[[], object]) -> str:
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


def test_refusals_say_what_with_the_numbers():
    says = refusal
    assert says(BadArgument, lambda: conv(0)) == "kernel_size must be >= 1: 0"
    assert says(BadArgument, lambda: conv(3, stride=0)) == "stride must be >= 1: 0"
    assert says(BadArgument, lambda: conv(3, padding=-1)) == "padding must be >= 0: -1"
    assert says(BadArgument, lambda: conv(2.5)) == "kernel_size must be an integer: 2.5"
    assert "'same' with stride=2 depends on the input size" in says(BadArgument, lambda: conv(3, 2, "same"))
    assert "branches of stride 1 and 1/2 do not line up" in says(BadShape, lambda: identity() | nearest(2))
    assert "use with_counts() on both" in says(BadArgument, lambda: identity().with_counts().then(identity()))
    assert "scale_factor must be positive: -1" in says(BadArgument, lambda: nearest(-1))
    assert "scale_factor must be a number: 'x'" in says(BadArgument, lambda: nearest("x"))
    assert "which has no short period; Fraction(1, 8) is near" in says(BadArgument, lambda: nearest(0.125 + 2**-30))
    assert "unknown mode 'area'" in says(BadArgument, lambda: stencils.resize(2, "area"))
    assert "at least one phase" in says(BadArgument, lambda: Footprint((), 1))
    assert "step of a footprint must be >= 1: 0" in says(BadArgument, lambda: Footprint((TapSet.of([0]),), 0))
    assert "of 1 and 2 axes" in says(BadShape, lambda: Product((identity(),)).then(Product((identity(),) * 2)))


def test_patterns_that_never_come_back_are_refused_and_not_computed():
    net = identity()
    message = refusal(BadArgument, lambda: reduce(Footprint.then, [nearest(3), pool(2)] * 30, net))
    assert f"more than {MAX_PHASES}" in message


# -- docs and imports --------------------------------------------------------------------------------------------


def test_footprints_need_neither_numpy_nor_torch():
    rooms = "convcalc.footprints.reads, convcalc.footprints.product"
    code = f"import {rooms}, sys; sys.exit(bool({{'numpy', 'torch', 'sympy'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
