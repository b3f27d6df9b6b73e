"""Calls that take parts of a tensor, write parts of it, or cut it into pieces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from convcalc.bridge.calls.arguments import among, plain, size, sizes, tensors
from convcalc.bridge.calls.registry import NotKnown, Spec, add, is_tensor, spec, spec_each
from convcalc.bridge.device import need_torch
from convcalc.bridge.hearing.sizeint import SizeInt
from convcalc.layers import Chunk, Index, Narrow, Pieces, Reduce, Slice, Split, Take, Unbind, Windows, Written
from convcalc.layers.indexing import Back
from convcalc.layers.pick import TENSOR, Gather, Listed, Pick
from convcalc.layers.split import Cuts, Sections

_Tensor = need_torch().Tensor


def getitem(input: Any, items: Any) -> Spec:
    """`x[items]`: slices, places, new axes, index tensors, lists of places."""
    entries = _without_ellipsis(items if isinstance(items, tuple) else (items,), input.dim())
    indices = [entry for entry in entries if is_tensor(entry)]
    torch = need_torch()
    if any(index.dtype in (torch.bool, torch.uint8) for index in indices):
        raise NotKnown("a mask decides how many values are left")
    if len(indices) == 1 and all(is_tensor(entry) or entry == slice(None) for entry in entries):
        place = next(place for place, entry in enumerate(entries) if is_tensor(entry))
        return Spec(Take(dim=place), (input, indices[0]))
    if indices or any(isinstance(entry, list) for entry in entries):
        return Spec(Pick(tuple(map(_picked, entries, _lengths(input, entries)))), (input, *indices))
    return Spec(Index(tuple(map(_item, entries, _lengths(input, entries)))), (input,))


def _lengths(input: Any, entries: list[Any]) -> Iterator[int]:
    """The length of the axis that each item is for; 0 for a new axis."""
    rest = iter(input.shape)
    return (0 if entry is None else next(rest, 0) for entry in entries)


def _picked(item: Any, length: int) -> Any:
    """An item beside index tensors: one of them, a list of places as how many there are, or as in `Index`."""
    if is_tensor(item):
        return TENSOR
    if not isinstance(item, list):
        return _item(item, length)
    if not all(isinstance(entry, int) and not isinstance(entry, bool) for entry in item):
        raise NotKnown("a list of other things than places")
    return Listed(tuple(map(plain, item)))


def _without_ellipsis(items: tuple[Any, ...], rank: int) -> list[Any]:
    """The items with an ellipsis written out as whole axes."""
    if not any(item is Ellipsis for item in items):
        return list(items)
    place = next(place for place, item in enumerate(items) if item is Ellipsis)
    named = sum(1 for item in items if item is not None and item is not Ellipsis)
    return [*items[:place], *[slice(None)] * (rank - named), *items[place + 1 :]]


def _item(item: Any, length: int) -> Any:
    """A slice, a place or a new axis, for an axis of that length."""
    if item is None:
        return None
    if isinstance(item, slice):
        step = 1 if item.step is None else plain(item.step)
        empty = not range(length)[item.start : item.stop]
        return Slice(_place(item.start), _place(item.stop), step, empty)
    if isinstance(item, bool) or not isinstance(item, int):
        raise NotKnown(f"an index that is a {type(item).__name__}")
    return _place(item)


def _place(value: Any) -> Any:
    """A place on an axis as a layer takes it: a formula that is negative here is counted from the end."""
    if value is None:
        return None
    return Back(size(-value)) if isinstance(value, SizeInt) and value.plain < 0 else size(value)


def setitem(input: Any, items: Any, value: Any) -> Spec:
    """`x[items] = value`."""
    indices = tensors(*(items if isinstance(items, tuple) else (items,)))
    return Spec(Written("setitem"), (input, *tensors(value), *indices))


add([_Tensor.__getitem__], getitem, "getitem")
add([_Tensor.__setitem__], setitem, "setitem")


@spec("narrow")
def narrow(input: Any, dim: int, start: Any, length: Any) -> Spec:
    """`length` entries from `start` on."""
    if start.plain < 0 if isinstance(start, SizeInt) else start < 0:
        piece = Slice(Back(size(-start)), Back(size(-start - length)))
    else:
        piece = Slice(size(start), size(start) + size(length))
    return Spec(Narrow(_at(input, dim, piece)), (input,))


@spec("select")
def select(input: Any, dim: int, index: Any) -> Spec:
    """One entry of an axis, without it."""
    return Spec(Index(_at(input, dim, _place(index))), (input,))


def _at(input: Any, dim: int, item: Any) -> tuple[Any, ...]:
    return (*[Slice()] * (plain(dim) % input.dim()), item)


@spec("index_select")
def index_select(input: Any, dim: int, index: Any) -> Spec:
    """Entries of an axis by an index tensor."""
    return Spec(Take(dim=plain(dim) % input.dim(), wraps=False), (input, index))


@spec("gather")
def gather(input: Any, dim: int, index: Any, **kwargs: Any) -> Spec:
    """Values by an index tensor of the output's shape."""
    return Spec(Gather(dim=plain(dim) % max(1, input.dim())), (index, input))


@spec("take_along_dim")
def take_along_dim(input: Any, indices: Any, dim: Any = None, **kwargs: Any) -> Spec:
    """Values by an index tensor, each repeated to the shape of the other."""
    place = None if dim is None else plain(dim) % max(1, input.dim())
    sizes_of = [[size for axis, size in enumerate(one.shape) if axis != place] for one in (input, indices)]
    if place is not None and sizes_of[0] != sizes_of[1]:
        raise NotKnown("an index that is repeated")
    return Spec(Written("gather"), (indices, input))


@spec("take", "searchsorted")
def by_index(input: Any, index: Any, *args: Any, **kwargs: Any) -> Spec:
    """A value for each of the second tensor, in its shape; one for a number, which is searched for."""
    return Spec(Written("take"), (index, input)) if is_tensor(index) else Spec(Reduce("searchsorted"), (input,))


_WRITES = """
    scatter scatter_add scatter_reduce index_add index_copy index_fill index_reduce masked_scatter index_put put
    slice_scatter select_scatter diagonal_scatter
"""


spec(*_WRITES.split())(among(Written("scatter")))
spec("copy")(among(Written("copy")))


@spec("chunk", "unsafe_chunk")
def chunk(input: Any, chunks: int, dim: int = 0) -> Spec:
    """Pieces of equal size."""
    place, number = plain(dim) % input.dim(), plain(chunks)
    count = _number_of(input.shape[place], -(-input.shape[place] // number))
    return Spec(Chunk(number, dim=place, count=None if count == number else count), (input,))


def _number_of(length: int, piece: int) -> int:
    """How many pieces cover a length; one of nothing."""
    return max(1, -(-length // max(1, piece)))


@spec("split", "split_with_sizes", "unsafe_split", "unsafe_split_with_sizes")
def split(input: Any, split_size: Any = None, dim: int = 0, **kwargs: Any) -> Spec:
    """Pieces of one size, or of several."""
    wanted = next(value for value in (split_size, *kwargs.values()) if value is not None)
    place = plain(dim) % input.dim()
    if isinstance(wanted, tuple | list):
        return Spec(Split(sizes(wanted), dim=place), (input,))
    count = _number_of(input.shape[place], wanted.plain if isinstance(wanted, SizeInt) else wanted)
    return Spec(Pieces(size(wanted), count=count, dim=place), (input,))


@spec("tensor_split")
def tensor_split(input: Any, indices_or_sections: Any = None, dim: int = 0, **kwargs: Any) -> Spec:
    """So many pieces that differ by one at most, the larger ones first; or cuts at places."""
    wanted = next(value for value in (indices_or_sections, *kwargs.values()) if value is not None)
    place = plain(dim) % input.dim()
    if is_tensor(wanted):
        raise NotKnown("values decide where to cut")
    if isinstance(wanted, int):
        return Spec(Sections(plain(wanted), dim=place), (input,))
    rows = range(input.shape[place])
    ends = zip((None, *wanted), (*wanted, None), strict=True)
    empty = tuple(not rows[start:stop] for start, stop in ends)
    return Spec(Cuts(tuple(map(_place, wanted)), dim=place, empty=empty), (input,))


def windows(input: Any, dimension: int, size_: Any = None, step: Any = None, **kwargs: Any) -> Spec:
    """Windows along an axis as a last axis: the method of tensors."""
    return Spec(Windows(plain(dimension), size(kwargs.get("size", size_)), size(step)), (input,))


add([_Tensor.unfold], windows, "unfold")


def _decided_by_values(name: str) -> Any:
    def made(*args: Any, **kwargs: Any) -> Spec:
        raise NotKnown("values decide how many come out")

    return made


spec_each(["nonzero", "argwhere", "masked_select", "unique", "unique_consecutive", "bincount"], _decided_by_values)


@spec("unbind", "__iter__")
def unbind(input: Any, dim: int = 0) -> Spec:
    """The entries of an axis."""
    place = plain(dim) % input.dim()
    return Spec(Unbind(input.shape[place], dim=place), (input,))
