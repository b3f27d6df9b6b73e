"""Fields through views, permutes, windows, sums and products, against the gradients of the same calls of torch.

A random program of such calls runs on a small positive input; each of its outputs then depends on what the field says.
"""

import itertools
import math
from dataclasses import replace

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from convcalc.footprints.field import Field
from convcalc.footprints.layout import channels_first
from convcalc.layers import (
    Add,
    AvgPool,
    Chunk,
    Concat,
    Conv,
    Cumulative,
    Expand,
    Flatten,
    Index,
    LayerNorm,
    Linear,
    Matmul,
    Moved,
    PadAxes,
    Permute,
    Reduce,
    Repeat,
    Slice,
    Softmax,
    Squeeze,
    Stack,
    Unbind,
    Unflatten,
    Unsqueeze,
    View,
)
from convcalc.layers.base import read_through

torch = pytest.importorskip("torch")


def positions(field, shape, sizes, flat):
    """What a field says that the entry at this flat index reads, on each axis of the input; None if it is unknown."""
    if any(axis is None for axis in field.axes):
        return None
    layout = field.layout or (channels_first(shape) if len(shape) == len(sizes) + 2 else ((),) * len(sizes))
    found = []
    for axis, place, size in zip(field.axes, layout, sizes, strict=True):
        j = sum(flat // digit.stride % digit.size * digit.weight for digit in place)
        local = set(axis.at(j))
        before = set(range(max(local, default=size))) if axis.all_before else set()
        after = set(range(min(local, default=0), size)) if axis.all_after else set()
        found.append(local | before | after)
    return found


def said(field, shape, sizes, flat):
    """The positions of the input that an entry reads by its field; None if one is unknown."""
    cells = set()
    for term in field.terms or (field,):
        own = positions(term, shape, sizes, flat)
        if own is None:
            return None
        cells |= set(itertools.product(*own))
    return cells


def read(out, signal, flat):
    """The positions of the input on which an entry depends."""
    (grad,) = torch.autograd.grad(out.reshape(-1)[flat], signal, retain_graph=True, allow_unused=True)
    if grad is None:
        return set()
    return {tuple(cell) for cell in grad[0].sum(0).nonzero().tolist()}


def exact(field):
    """Whether it claims to be no bound."""
    return all(term.exact for term in field.terms or (field,))


def inside(cells, sizes):
    """Whether no cell lies outside of the input, as those that padding and rolling reach do."""
    return all(0 <= place < size for cell in cells for place, size in zip(cell, sizes, strict=True))


# -- programs ----------------------------------------------------------------------------------------------------


def factors(draw, number):
    """A factorization of a number."""
    found = []
    while number > 1 and len(found) < 4:
        one = draw(st.sampled_from([d for d in range(1, number + 1) if number % d == 0]))
        found.append(one)
        number //= one
    return (*found, number) if number > 1 or not found else tuple(found)


@st.composite
def views(draw, shape):
    """A view, or a permute: what only moves values."""
    rank = len(shape)
    kind = draw(
        st.sampled_from(["view", "flatten", "unflatten", "unflatten", "permute", "permute", "squeeze", "unsqueeze"])
    )
    match kind:
        case "view":
            sizes = factors(draw, math.prod(shape))
            return View(sizes), lambda x: x.reshape(sizes)
        case "flatten":
            first = draw(st.integers(0, rank - 1))
            last = draw(st.integers(first, rank - 1))
            return Flatten(first, last), lambda x: x.flatten(first, last)
        case "unflatten":
            dim = draw(st.integers(0, rank - 1))
            sizes = factors(draw, shape[dim])
            return Unflatten(dim, sizes), lambda x: x.unflatten(dim, sizes)
        case "permute":
            dims = tuple(draw(st.permutations(range(rank))))
            return Permute(dims), lambda x: x.permute(dims)
        case "squeeze":
            return Squeeze(), lambda x: x.squeeze()
        case _:
            dim = draw(st.integers(0, rank))
            return Unsqueeze(dim), lambda x: x.unsqueeze(dim)


SUMS = ("sum", "mean", "softmax", "layernorm", "linear", "expand", "cumsum", "scores", "stack", "gate", "scramble")
"""What reads all of an axis, or all up to a place, and cuts nothing off."""
CUTS = ("first", "index", "slice", "roll", "pad", "cat", "repeat", "chunk", "unbind", "pool", "conv")


def changes(*kinds):
    """What sums, cuts, moves or repeats along an axis, of these kinds."""
    return lambda shape: changed(shape, kinds)


@st.composite
def changed(draw, shape, kinds):
    rank = len(shape)
    dim = draw(st.integers(0, rank - 1))
    size = shape[dim]
    kind = draw(st.sampled_from(kinds))
    before = [Slice()] * dim
    match kind:
        case "sum" | "mean":
            keep = draw(st.booleans())
            return Reduce("sum", (dim,), keepdim=keep), lambda x: x.sum(dim, keepdim=keep)
        case "softmax":  # reads what it reads, without differences that cancel
            return Softmax(dim=dim), lambda x: x * x.sum(dim, keepdim=True)
        case "layernorm":
            return LayerNorm(shape[dim:]), lambda x: x * x.sum(tuple(range(dim, rank)), keepdim=True)
        case "linear":
            return Linear(2), lambda x: x.sum(-1, keepdim=True).expand(*x.shape[:-1], 2)
        case "index":
            place = draw(st.integers(-size, size - 1))
            return Index((*before, place)), lambda x: x.select(dim, place)
        case "slice":
            start, step = draw(st.integers(0, size - 1)), draw(st.integers(1, 3))
            stop = draw(st.integers(start + 1, size))
            return Index((*before, Slice(start, stop, step))), lambda x: x[
                (slice(None),) * dim + (slice(start, stop, step),)
            ]
        case "roll":
            shift = draw(st.integers(-size, size))
            return Moved("roll", dims=(dim,), shifts=(shift,)), lambda x: x.roll(shift, dim)
        case "pad":
            sides = tuple((draw(st.integers(0, 2)), draw(st.integers(0, 2))) for _ in range(rank - dim))
            flat = [side for pair in reversed(sides) for side in pair]
            return PadAxes(sides), lambda x: torch.nn.functional.pad(x, flat, value=1.0)
        case "cat":
            return None, lambda x: torch.cat([x.new_ones([1 if i == dim else n for i, n in enumerate(shape)]), x], dim)
        case "stack":
            return Stack(dim), lambda x: torch.stack([x, x], dim)
        case "expand":
            wide = (2, *shape)
            return Expand(wide), lambda x: x.expand(wide)
        case "repeat":
            counts = tuple(2 if axis == dim else 1 for axis in range(rank))
            return Repeat(counts), lambda x: x.repeat(counts)
        case "cumsum":
            return Cumulative("cumsum", dim), lambda x: x.cumsum(dim)
        case "chunk" if size % 2 == 0:
            which = draw(st.integers(0, 1))
            return Chunk(2, dim=dim), lambda x: x.chunk(2, dim)[which]
        case "unbind":
            which = draw(st.integers(0, size - 1))
            return Unbind(size, dim=dim), lambda x: x.unbind(dim)[which]
        case "scores" if rank > 1:
            return Matmul(), lambda x: x @ x.mT
        case "pool" if rank == 4 and min(shape[2:]) > 1:
            return AvgPool(2), lambda x: torch.nn.functional.avg_pool2d(x, 2)
        case "conv" if rank == 3 and shape[2] > 1:
            weight = torch.ones(2, shape[1], 2, dtype=torch.float64)
            return Conv(2, 2, bias=False), lambda x: torch.nn.functional.conv1d(x, weight)
        case "gate":
            gate = [Reduce("mean", (dim,), keepdim=True)]
            return Beside(gate), lambda x: x * x.mean(dim, keepdim=True)
        case "first":
            first = [Index((*before, 0)), Unsqueeze(dim)]
            return Beside(first), lambda x: x * x.select(dim, 0).unsqueeze(dim)
        case "scramble":
            order = (*range(dim), *range(dim + 1, rank), dim)
            return Beside([Permute(order), View(shape)]), lambda x: x + x.permute(order).reshape(shape)
        case _:
            return Add(), lambda x: x + x


class Beside:
    """Some layers in a branch beside their input, and the sum or product of both."""

    def __init__(self, layers):
        self.layers = layers

    def through(self, field, shape, out):
        before, found = shape, field
        for layer in self.layers:
            after = layer.out_shape(before)
            before, found = after, read_through(layer, [found], [before], after)
        return read_through(Add(), [field, found], [shape, before], out)


def follow(layer, function, field, shape, out):
    """The field behind one step, whose call takes its input as often as the layer wants it."""
    if isinstance(layer, Beside):
        return layer.through(field, shape, out)
    if layer is None:  # a token put before the others
        token = tuple(1 if a != b else a for a, b in zip(shape, out, strict=True))
        dim = next(axis for axis, (a, b) in enumerate(zip(shape, out, strict=True)) if a != b)
        return read_through(Concat(dim), [Field.nothing(len(field.axes)), field], [token, shape], out)
    if isinstance(layer, Matmul):
        turned = (*shape[:-2], shape[-1], shape[-2])
        last = len(shape) - 1
        other = read_through(Permute((*range(last - 1), last, last - 1)), [field], [shape], turned)
        return read_through(layer, [field, other], [shape, turned], out)
    count = 2 if isinstance(layer, Add | Stack) else 1
    return read_through(layer, [field] * count, [shape] * count, out)


def run(data, steps, most):
    """Run a program of random steps; returns the input's sizes, the output, the input and the field.

    Of tensors put together, padding among them, the field says what any reads: it is no longer exact for each entry.
    """
    sizes = tuple(data.draw(st.lists(st.sampled_from([2, 3, 4, 6, 8]), min_size=1, max_size=2)))
    shape = (1, data.draw(st.integers(1, 3)), *sizes)
    signal = (torch.rand(shape, dtype=torch.float64) + 0.5).requires_grad_()
    value, field = signal, Field.start(len(sizes))
    for _ in range(data.draw(st.integers(1, most))):
        shape = tuple(value.shape)
        layer, function = data.draw(data.draw(st.sampled_from(steps))(shape))
        after = function(value)
        if after.numel() > 1500 or not 1 <= after.dim() <= 7:
            continue
        out = tuple(after.shape)
        if layer is not None and not isinstance(layer, Matmul | Add | Stack | Conv | Beside):
            assert layer.out_shape(shape) == out
        field = follow(layer, function, field, shape, out)
        if layer is None or isinstance(layer, PadAxes):
            field = replace(field, exact=False, terms=tuple(replace(term, exact=False) for term in field.terms))
        value = after / after.detach().mean()
    return sizes, value, signal, field


def some(data, count):
    return range(count) if count <= 6 else data.draw(st.lists(st.integers(0, count - 1), min_size=4, max_size=6))


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_views_and_permutes_move_positions_where_torch_moves_them(data):
    """Known or not: where it is known, each entry is one position of the input, the right one."""
    sizes, value, signal, field = run(data, [views], 8)
    shape = tuple(value.shape)
    for flat in some(data, value.numel()):
        cells = said(field, shape, sizes, flat)
        event(f"known: {cells is not None}")
        if cells is not None:
            assert exact(field)
            assert cells == read(value, signal, flat)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_a_field_holds_what_gradients_reach(data):
    """All of it always; and nothing else where it is exact, of outputs that read inside."""
    sizes, value, signal, field = run(data, [views, views, changes(*SUMS, *CUTS)], 7)
    shape = tuple(value.shape)
    for flat in some(data, value.numel()):
        cells = said(field, shape, sizes, flat)
        found = read(value, signal, flat)
        event("unknown" if cells is None else "global" if field.is_global else f"local, exact: {field.exact}")
        if cells is None:
            continue
        whole = inside(cells, sizes)
        if whole:
            assert found <= cells
        if exact(field) and whole and not field.is_global:
            event("compared in full")
            assert found == cells


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_what_is_summed_over_is_read_in_full(data):
    """Where nothing is cut off, what an exact field calls everything is all of it, and so on one side."""
    sizes, value, signal, field = run(data, [views, changes(*SUMS)], 7)
    shape = tuple(value.shape)
    for flat in some(data, value.numel()):
        cells = said(field, shape, sizes, flat)
        event(f"known: {cells is not None}, global: {field.is_global}, exact: {exact(field)}")
        if cells is not None:
            found = read(value, signal, flat)
            assert found <= cells
            assert found == cells or not exact(field)


SPLIT = Unflatten(2, (4, 3))


def in_windows(x):
    return x.unflatten(2, (4, 3))


DIRECT = {
    "a slice of every window": (
        [SPLIT, Index((Slice(), Slice(), Slice(), Slice(1, 3)))],
        lambda x: in_windows(x)[..., 1:3],
    ),
    "the start of every window": (
        [SPLIT, Index((Slice(), Slice(), Slice(), Slice(0, 2)))],
        lambda x: in_windows(x)[..., :2],
    ),
    "every second window": ([SPLIT, Index((Slice(), Slice(), Slice(1, 4, 2)))], lambda x: in_windows(x)[:, :, 1:4:2]),
    "one window": ([SPLIT, Index((Slice(), Slice(), 2))], lambda x: in_windows(x)[:, :, 2]),
    "the first of each window": ([SPLIT, Index((Slice(), Slice(), Slice(), 0))], lambda x: in_windows(x)[..., 0]),
    "the last of each window": ([SPLIT, Index((Slice(), Slice(), Slice(), -1))], lambda x: in_windows(x)[..., -1]),
    "windows moved by one": (
        [SPLIT, PadAxes(((-1, 0), (0, 0))), Flatten(2)],
        lambda x: in_windows(x)[:, :, 1:].flatten(2),
    ),
    "a gate for each window": (
        [SPLIT, Beside([Reduce("sum", (3,), keepdim=True)]), Flatten(2)],
        lambda x: (in_windows(x) + in_windows(x).sum(3, keepdim=True)).flatten(2),
    ),
    "a gate for each place in a window, from all windows": (
        [SPLIT, Reduce("sum", (3,)), Unsqueeze(3), Expand((1, 2, 4, 3)), Flatten(2)],
        lambda x: in_windows(x).sum(3, keepdim=True).expand(1, 2, 4, 3).flatten(2),
    ),
    "digits that change places beside their own": (
        [Unflatten(2, (3, 2, 2)), Beside([Permute((0, 1, 2, 4, 3))]), Flatten(2)],
        lambda x: (x.unflatten(2, (3, 2, 2)) + x.unflatten(2, (3, 2, 2)).transpose(3, 4)).flatten(2),
    ),
    "a convolution of windows": (
        [SPLIT, Permute((0, 3, 1, 2)), Flatten(0, 1), Conv(1, 2, bias=False)],
        lambda x: torch.nn.functional.conv1d(
            in_windows(x).permute(0, 3, 1, 2).flatten(0, 1), torch.ones(1, 2, 2, dtype=torch.float64)
        ),
    ),
}


@pytest.mark.parametrize("name", DIRECT)
def test_windows_cut_and_joined_are_followed_exactly(name):
    """Each entry reads what its gradient reaches, and all of it is known."""
    layers, function = DIRECT[name]
    signal = (torch.rand(1, 2, 12, dtype=torch.float64) + 0.5).requires_grad_()
    value, shape, field = function(signal), (1, 2, 12), Field.start(1)
    for layer in layers:
        out = shape if isinstance(layer, Beside) else layer.out_shape(shape)
        field, shape = follow(layer, None, field, shape, out), out
    assert shape == tuple(value.shape)
    assert exact(field)
    for flat in range(value.numel()):
        assert said(field, shape, (12,), flat) == read(value, signal, flat)


@pytest.mark.parametrize("layer", [Moved("roll", dims=(3,), shifts=(1,)), PadAxes(((1, 0),)), Moved("flip", dims=(3,))])
def test_what_wraps_or_pads_within_windows_is_unknown(layer):
    """A place before the first of a window is no place of the window before."""
    shape, field = (1, 2, 12), Field.start(1)
    for one in (SPLIT, layer):
        out = one.out_shape(shape)
        field, shape = follow(one, None, field, shape, out), out
    assert field.axes == (None,)
