"""Designs from a wish: held to brute force on small boxes, to what is published, and to inspecting every answer."""

from __future__ import annotations

import itertools
import json
import math
import random
import time

import pytest
from click.testing import CliRunner

import convcalc as cc
from convcalc.arithmetic.dilation.reaching import reaching_rates
from convcalc.cli import main
from convcalc.designs.decoder import decoder
from convcalc.designs.preset import WAV2VEC, frontend, patchgan, tcn
from convcalc.designs.search import best_stacks
from convcalc.designs.unet import unet_sizes
from convcalc.designs.wish import ORDER, Span, read_wish
from convcalc.errors import NoSolution, Unreadable
from convcalc.network.blocks import Sequential, as_graph


def inspected(line, in_channels=1, size=(512,)):
    """Field, stride, layers, parameters, MACs and holes of a stack, from inspecting it."""
    report = cc.inspect(Sequential(*cc.read_stack(line)), (1, in_channels, *size))
    assert report.error is None
    last = report.layers[-1]
    fields, strides = set(last.receptive_field), set(last.stride)
    assert len(fields) == len(strides) == 1
    assert len({field - covered for field, covered in zip(last.receptive_field, last.covered, strict=True)}) == 1
    holes = last.receptive_field[0] - last.covered[0]
    return fields.pop(), strides.pop(), len(report.layers), report.params, report.macs, holes


def read(offsets, taps, step):
    return {offset + tap * step for offset in offsets for tap in range(taps)}


def every_stack(wish, most):
    """Every stack of a box with at most so many layers: its layers, its offsets and its scale, by trying all."""
    whole = [((), frozenset([0]), 1)]
    for _ in range(most):
        longer = []
        for stack, offsets, scale in whole:
            for taps, stride, dilation in itertools.product(
                wish.kernel_size.values, wish.strides.values, wish.dilation.values
            ):
                if stride > 1 and wish.stride is None and scale >= max(wish.size):
                    continue  # a stride is taken where there is more than one row
                if taps > 1 or dilation == wish.dilation.least:
                    seen = frozenset(read(offsets, taps, dilation * scale))
                    longer.append(((*stack, (taps, stride, dilation)), seen, scale * stride))
        yield from longer
        whole = longer


def cost_of(wish, stack):
    """Layers, MACs and parameters, counted layer by layer on sizes."""
    sizes, channels, macs, params = list(wish.size), wish.in_channels, 0, 0
    for place, (taps, stride, dilation) in enumerate(stack):
        out = wish.channels[min(place, len(wish.channels) - 1)]
        padding = (taps - 1) * dilation if wish.padded else 0
        sizes = [(size + padding - (taps - 1) * dilation - 1) // stride + 1 for size in sizes]
        weights = taps ** len(sizes) * channels * out
        macs += weights * math.prod(sizes)
        params += weights + out
        channels = out
    return {"layers": len(stack), "macs": macs, "params": params}


def meets(wish, offsets, scale):
    field = max(offsets) + 1
    most = wish.field.most or field
    return (
        wish.field.least <= field <= most
        and wish.stride in (None, scale)
        and (wish.holes or len(offsets) == field)
        and (wish.padded or field <= min(wish.size))
    )


def kinds(wish, stack):
    """What stacks have in common that differ in dilations or the order of layers alone."""
    scales = itertools.accumulate((stride for _, stride, _ in stack), lambda a, b: a * b, initial=1)
    layers = sorted((scale, taps, stride) for scale, (taps, stride, _) in zip(scales, stack, strict=False))
    return tuple(layers), tuple(cost_of(wish, stack).values())


def random_wish(seed):
    """A wish in a small box, and how many layers it has at most."""
    draw = random.Random(seed)
    most = draw.choice([2, 3, 3, 4])
    least_taps = draw.choice([1, 2, 2, 3, 3])
    top = draw.choice({2: [1, 1, 2, 3, 5], 3: [1, 1, 2, 3], 4: [1, 1, 2]}[most])
    padded = draw.random() < 0.8
    dilation = f"{draw.choice([1, 1, 1, top])}..{top}" if padded else 1
    field = draw.choice([draw.randint(1, 6), draw.randint(2, 24)])
    stride = draw.choice([None, None, None, 1, 2, 3, 4, 6, 8])
    wish = read_wish(
        draw.choice([field, field, f"{field}..{field + draw.randint(0, 9)}", f"{field}.."]),
        stride,
        kernel_size=f"{least_taps}..{least_taps + draw.choice([0, 1, 2] if most < 4 else [0, 1])}",
        layers=draw.choice([f"..{most}", f"..{most}", f"{most}", f"2..{most}"]),
        dilation=dilation,
        strides=draw.choice([None, "1..2", "2..3", "1..3"][: 5 - most // 2]),
        channels=draw.choice([4, 8, (4, 8), (8, 4, 2), (2, 3, 5, 7, 11)]),
        in_channels=draw.choice([1, 3, 8]),
        size=draw.choice([30, 64, (20, 31), 25]),
        holes=draw.random() < 0.2,
        minimize=draw.choice(list(ORDER)),
        padded=padded,
        causal=padded and draw.random() < 0.3,
    )
    return wish, most


def asked(wish):
    """The wish as the arguments of `convcalc.design`."""
    given = {name: getattr(wish, name) for name in vars(wish)}
    return {name: value.text if isinstance(value, Span) else value for name, value in given.items()}


@pytest.mark.parametrize("seed", range(200))
def test_a_search_finds_what_trying_all_finds(seed):
    wish, most = random_wish(seed)
    met = [stack for stack, offsets, scale in every_stack(wish, most) if meets(wish, offsets, scale)]
    met = [stack for stack in met if len(stack) >= wish.layers.least]
    found = cc.design(**asked(wish), limit=1000)
    assert found.complete
    assert bool(found.best) == bool(met)
    # of stacks that differ in dilations or order alone there is one, whose largest dilation is least
    alike = {}
    for stack in met:
        alike.setdefault(kinds(wish, stack), []).append(stack)
    costs = sorted(tuple(cost_of(wish, some[0])[name] for name in ORDER[wish.minimize]) for some in alike.values())
    assert [tuple(getattr(one, name) for name in ORDER[wish.minimize]) for one in found.best] == costs[:1000]
    for one in found.best[:6]:
        numbers = inspected(one.stack, wish.in_channels, wish.size)
        assert numbers == (one.receptive_field, one.stride, one.layers, one.params, one.macs, one.holes)
        layers = [(part.kernel_size, part.stride, part.dilation) for part in one.parts()]
        assert tuple(layers) in met
        same = alike[kinds(wish, layers)]
        assert max(dilation for *_, dilation in layers) == min(max(d for *_, d in stack) for stack in same)
    front = cc.design(**asked(wish), pareto=True)
    triples = {tuple(cost_of(wish, some[0]).values()) for some in alike.values()}
    best = {one for one in triples if not any(all(a <= b for a, b in zip(o, one)) for o in triples - {one})}  # noqa: B905
    assert {(one.layers, one.macs, one.params) for one in front.best} == best
    assert len(front.best) == len(best)


def test_a_stack_that_meets_the_wish_is_not_made_longer_with_holes():
    found = cc.design("2..8", kernel_size=2, strides="1..3", layers="..3", limit=1000).best
    assert len(found) > 20
    assert {one.holes for one in found} == {0}


DEFAULTS = [
    {"field": 201, "stride": 8},
    {"field": 200, "stride": 8},
    {"field": 201},
    {"field": "200..260"},
    {"field": "1000.."},
    {"field": 2001, "stride": 32},
    {"field": 77, "stride": 6},
    {"field": 400, "stride": 1},
]


@pytest.mark.parametrize("wish", DEFAULTS, ids=str)
@pytest.mark.parametrize("pareto", [False, True])
def test_an_answer_takes_less_than_a_second_within_the_default_bounds(wish, pareto):
    start = time.process_time()
    assert cc.design(**wish, pareto=pareto).complete
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    ("field", "stack"),
    [
        (16, "conv 64 k4 s2 p1; conv 128 k4 p1; conv 1 k4 p1"),
        (70, "conv 64 k4 s2 p1; conv 128 k4 s2 p1; conv 256 k4 s2 p1; conv 512 k4 p1; conv 1 k4 p1"),
    ],
)
def test_patchgan_is_the_published_one(field, stack):
    (found,) = patchgan(field).best
    assert found.stack == stack
    assert inspected(stack, 3, (256, 256))[:5] == (field, found.stride, found.layers, found.params, found.macs)


def test_patchgan_has_the_published_fields():
    fields = [field for field in range(1, 300) if patchgan(field).best]
    assert fields == [16, 34, 70, 142, 286]
    assert patchgan(71).fixes == ("--field 70", "--field 142")
    assert patchgan(20_000).fixes == ("--field 18430",)


def test_a_temporal_convolutional_network_is_the_published_one():
    best = tcn(631, 8).best
    assert best[0].stack.endswith(") *3")
    for one in best:
        assert inspected(one.stack, 1, (631,))[:5] == (631, 1, one.layers, one.params, one.macs)
    dilations = [part.dilation for part in best[0].parts()]
    assert dilations == [1, 1, 2, 2, 4, 4, 8, 8] * 3
    assert tcn(632, 8).fixes == ("--field 631", "--field 645")


@pytest.mark.parametrize("kernel_size", [2, 3, 5])
def test_temporal_networks_are_all_that_have_a_field(kernel_size):
    for field in range(2, 60):
        found = {(tuple(part.dilation for part in one.parts())) for one in tcn(field, kernel_size).best}
        tried = {
            tuple(2**level for level in range(levels) for _ in range(2)) * stacks
            for levels in range(1, 7)
            for stacks in range(1, 60)
            if 1 + 2 * (kernel_size - 1) * stacks * (2**levels - 1) == field
        }
        assert found == tried


def test_wav2vec_is_among_the_front_ends_with_its_field_and_hop():
    found = frontend(16000, "20ms", "25ms")
    assert [one.source for one in found.best if one.stack == WAV2VEC] == ["wav2vec 2.0, arXiv:2006.11477"]
    for one in found.best:
        assert inspected(one.stack, 1, (16000,)) == (400, 320, one.layers, one.params, one.macs, 0)
    assert cc.read_stack(WAV2VEC) == tuple(
        cc.Conv(512, taps, stride=stride) for taps, stride in [(10, 5), *[(3, 2)] * 4, (2, 2), (2, 2)]
    )
    assert all(one.source is None for one in frontend(16000, "10ms", "25ms").best)


def test_the_search_finds_wav2vec_itself():
    box = {"kernel_size": "2..10", "layers": 7, "strides": "2..5", "channels": 512, "size": 16000, "padded": False}
    known = frontend(16000, "20ms", "25ms").best[-1]
    found = cc.design(field=400, stride=320, **box, minimize="params", limit=1000)
    assert WAV2VEC in [one.stack for one in found.best if one.params == known.params]


def test_a_time_that_is_no_whole_number_of_samples_is_refused():
    with pytest.raises(NoSolution, match=r"a hop of 20ms is 220\.5 samples at 11025 Hz"):
        frontend(11025, "20ms", "25ms")


def test_vgg_has_the_least_layers_of_three_taps_for_its_field():
    """Thirteen convolutions and five poolings of VGG-16, the poolings as layers of two taps: field 212, stride 32."""
    found = cc.design(field=212, stride=32, kernel_size="2..3", layers=18)
    assert (found.best[0].receptive_field, found.best[0].stride) == (212, 32)
    vgg = [*[(3, 1)] * 2, (2, 2), *[(3, 1)] * 2, (2, 2), *([*[(3, 1)] * 3, (2, 2)] * 3)]
    chain = cc.run_chain("; ".join(f"conv 8 k{k} s{s}" for k, s in vgg), (1, 8, 512))
    assert chain.steps[-1].footprints[0].receptive_field == 212
    assert found.best[0].layers == len(vgg)
    assert cc.design(field=212, stride=32, kernel_size="2..3").best[0].layers <= len(vgg)


@pytest.mark.parametrize(("size", "levels"), [(572, 4), (100, 3), (5, 2), (1, 1), (700, 5)])
def test_the_sizes_of_a_unet_are_the_nearest_that_lose_no_rows(size, levels):
    found = unet_sizes(size, levels)
    for near, padded in ((found.cropped, False), (found.padded, True)):
        net = cc.zoo.unet(padded=padded, levels=levels)
        legal = cc.valid_sizes(net, (1, 1, "H", "H"))
        sizes = [n for n, _ in near.sizes]
        assert all(legal.is_exact(n) for n in sizes)
        between = range(max([n for n in sizes if n < size], default=0) + 1, min(n for n in sizes if n > size))
        assert [n for n in between if legal.is_exact(n)] == [n for n in sizes if n == size]
        assert all(cc.inspect(net, (1, 1, n, n)).output[2:] == (out, out) for n, out in near.sizes)
    assert unet_sizes(572).cropped.sizes[1] == (572, 388)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"field": 0}, "field must be from 1 to 20,000: got 0"),
        ({"field": "6..2"}, "field 6..2 is empty: the first end is past the last"),
        ({"field": "x"}, "'x' is no integer"),
        ({"field": ".."}, r"field \.\. has no end"),
        ({"field": 3.5}, "field is a number, or a span such as 3..7: got 3.5"),
        ({"field": 9, "kernel_size": 0}, "k must be from 1 to 1,000: got 0"),
        ({"field": 9, "kernel_size": "3.."}, r"k 3\.\. has no last end"),
        ({"field": 9, "layers": "6..2"}, "layers 6..2 is empty"),
        ({"field": 9, "stride": "2..4"}, "stride is one number"),
        ({"field": 9, "minimize": "time"}, "minimize is one of layers, macs, params: got 'time'"),
        ({"field": 9, "size": "3x4x5x6"}, "size has 1 to 3 axes: got 4"),
        ({"field": 9, "channels": "64x"}, "channels is empty: write a number"),
        ({"field": 9, "dilation": "..9999"}, "dilation 1..9999 are 9,999 values"),
        ({"field": 9, "padded": False, "dilation": "..2"}, "without padding the MACs depend on the order of dilations"),
        ({"field": 9, "padded": False, "causal": True}, "causal pads before the input"),
        ({"field": 9, "limit": 0}, "limit must be from 1 to 1,000: got 0"),
        ({"field": 9, "strides": "1..200", "size": 10**9}, "strides 1..200 have too many products"),
    ],
)
def test_a_wish_that_makes_no_sense_is_one_sentence(given, sentence):
    with pytest.raises(Unreadable, match=sentence):
        cc.design(**given)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"field": 200}, "--k 3 forbids it: every layer makes the field a multiple of 2 longer"),
        ({"field": 201, "stride": 8, "layers": "..6"}, "--layers 1..6 forbids it: 16 layers do"),
        ({"field": 83, "layers": "..4", "dilation": "..32"}, "--layers 1..4 forbids it: 5 layers do"),
        ({"field": 31, "stride": 3}, "--strides 1..2 forbids it: no product of these is 3"),
        ({"field": 13, "stride": 16}, "--k 3 forbids it: --k 1..7 would do"),
        ({"field": 9, "dilation": 2}, "--dilation 2 forbids it: --dilation 1..2 would do"),
        ({"field": 9, "dilation": "2..3", "layers": 2}, "--dilation 2..3 forbids it: --dilation 1..3 would do"),
        ({"field": 90, "size": 64, "padded": False}, "--size forbids it: without padding a field of 90 does not fit"),
    ],
)
def test_the_bound_that_forbids_a_wish_is_named_and_the_ways_out_are_ways_out(given, reason):
    found = cc.design(**given)
    assert found.complete
    assert not found.best
    assert found.reason.startswith(reason)
    names = {"--k": "kernel_size", "--field": "field", "--layers": "layers", "--dilation": "dilation"}
    for fix in found.fixes:
        option, _, value = fix.partition(" ")
        assert cc.design(**{**given, names.get(option, option[2:]): value or True}).best, fix


def test_a_search_that_gives_up_says_so():
    assert not best_stacks(read_wish(601, 8, kernel_size="3..7", dilation="..32", layers="..3"), 1, steps=10).complete


@pytest.mark.parametrize("kernel_size", [2, 3, 4])
def test_rates_that_reach_a_field_are_the_fewest_and_the_smallest(kernel_size):
    best = {}
    for layers in range(1, 5):
        for rates in itertools.combinations_with_replacement(range(1, 14), layers):
            found = cc.hdc(rates, kernel_size=kernel_size)
            if found.exact_ok:
                best.setdefault(found.receptive_field, (layers, max(rates)))
                best[found.receptive_field] = min(best[found.receptive_field], (layers, max(rates)))
    assert len(best) > 10
    for field in range(2, 14 * (kernel_size - 1)):
        if field in best:
            rates = reaching_rates(field, kernel_size)
            found = cc.hdc(rates, kernel_size=kernel_size)
            assert found.exact_ok
            assert found.receptive_field == field
            assert (len(rates), max(rates)) == best[field]
        else:
            with pytest.raises(NoSolution):
                reaching_rates(field, kernel_size)


def test_rates_of_more_layers_than_needed_are_the_smallest_too():
    for layers in range(2, 6):
        for field in range(1 + 2 * layers, 60, 2):
            if field <= 3**layers:
                rates = reaching_rates(field, 3, layers)
                met = (
                    max(some)
                    for some in itertools.combinations_with_replacement(range(1, max(rates) + 1), layers)
                    if 1 + 2 * sum(some) == field and cc.hdc(some).exact_ok
                )
                assert len(rates) == layers
                assert max(rates) == min(met)


NETS = [
    ("conv 8 k3 s2 p1; conv 16 k3 s2 p1", (1, 3, 30, 41)),
    ("conv 8 k4 s2 p1; maxpool 3; conv 4 k2x3 s1x2 d2", (1, 3, 60, 61)),
    ("conv 8 k5 s3 pcausal; conv 8 k4 s2 p1:2", (1, 2, 50)),
    ("conv 4 k3; conv 4 k7 s4 p3; avgpool 2", (1, 1, 30, 31, 32)),
]


@pytest.mark.parametrize(("line", "shape"), NETS)
def test_a_decoder_brings_every_size_back(line, shape):
    torch = pytest.importorskip("torch")
    net = Sequential(*cc.read_stack(line))
    found = decoder(as_graph(net), {"input": shape})
    names = {}
    exec(found.source, names)
    module = names["Decoder"]().to("meta")
    draw = random.Random(0)
    for _ in range(12):
        sizes = [size + draw.randint(-6, 6) for size in shape[2:]]
        low = cc.inspect(net, (1, shape[1], *sizes)).output
        back = module(torch.empty(low, device="meta"), *sizes)
        assert tuple(back.shape) == (1, shape[1], *sizes)
        at = dict(zip(found.letters, sizes, strict=True))
        for up in found.layers:
            assert all(0 <= value < stride for value, stride in zip(padding_at(up, at), up.stride, strict=True))


def padding_at(up, at):
    return [size if isinstance(size, int) else size(**{n: at[n] for n in size.symbols}) for size in up.output_padding]


def test_the_decoder_of_a_network_with_branches_follows_the_sizes():
    found = decoder(cc.zoo.resnet18(), {"input": (1, 3, 224, 224)})
    assert [up.undoes for up in found.layers][-2:] == ["maxpool", "conv1"]
    assert [padding_at(up, {"H": 224, "W": 225}) for up in found.layers][-1] == [1, 0]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("conv 8 k3; upsample 2", "upsample 1: no transposed convolution brings back"),
        ("maxpool 3 ceil", "rounds up"),
        ("conv 8 k3 p1", "no layer on the way changes the sizes"),
        ("conv 8 k3 s2 psame", "must be numbers"),
    ],
)
def test_what_no_transposed_layer_brings_back_is_named(line, sentence):
    with pytest.raises(NoSolution, match=sentence):
        decoder(as_graph(Sequential(*cc.read_stack(line))), {"input": (1, 3, 40)})


def run(*arguments, status=0):
    result = CliRunner().invoke(main, ["design", *arguments], prog_name="convcalc")
    assert result.exit_code == status, result.output
    return result


def test_the_command_prints_the_best_first_and_what_was_proved():
    text = run("--field", "15", "--stride", "4", "--limit", "2").stdout.splitlines()
    assert text[1].endswith("conv 64 k3 s2 p1 *2; conv 64 k3 p1")
    assert text[3] == "proved     no stack of 2 layers does; 3 is the least"
    assert run("--field", "15", "--stride", "4", "-q").stdout == "conv 64 k3 s2 p1 *2; conv 64 k3 p1\n"


def test_the_record_has_the_contract_s_keys():
    record = json.loads(run("--field", "15", "--stride", "4", "--json").stdout)
    assert {"kind", "wish", "best", "complete", "bounds", "reason", "error"} <= record.keys()
    assert {"stack", "receptive_field", "stride", "layers", "params", "macs", "holes"} <= record["best"][0].keys()
    none = json.loads(run("--field", "200", "--json", status=1).stdout)
    assert (none["best"], none["complete"], none["error"]["kind"]) == ([], True, "no_solution")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--k", "0", "--field", "9"],
        ["--field", "-3"],
        ["--field", "9", "--layers", "6..2"],
        [],
        ["--field", "9", "patchgan", "--field", "70"],
        ["patchgan", "--field", "x"],
        ["tcn", "--field", "9", "--k", "1"],
        ["frontend", "--rate", "16000", "--hop", "soon", "--field", "25ms"],
        ["unet", "--size", "0"],
        ["unet", "--size", "9", "--levels", "99"],
        ["decoder", "nothing"],
    ],
)
def test_what_cannot_be_read_is_one_sentence_and_status_2(arguments):
    found = run(*arguments, status=2)
    assert found.stdout == ""
    assert len([line for line in found.stderr.splitlines() if line.startswith("Error: ")]) == 1


def test_the_code_of_a_decoder_is_printed_alone():
    assert run("decoder", "lenet", "-q").stdout.startswith("from torch import nn\n")
