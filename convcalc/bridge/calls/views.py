"""Specs of what gives the same values another shape, cuts them, or puts them together."""

from __future__ import annotations

from typing import Any

from convcalc.bridge.calls.registry import (
    NotKnown,
    Spec,
    add,
    is_tensor,
    plain,
    size,
    sizes,
    spec,
    tensors,
    varargs,
)
from convcalc.bridge.device import need_torch
from convcalc.layers import (
    Chunk,
    Concat,
    Expand,
    Flatten,
    Index,
    Moved,
    Permute,
    Repeat,
    Slice,
    Split,
    Squeeze,
    Stack,
    Take,
    Unbind,
    Unflatten,
    Unsqueeze,
    View,
    Written,
)


@spec("view", "reshape")
def view(input: Any, *args: Any, **kwargs: Any) -> Spec | None:
    """Another shape; another type alone is no change."""
    shape = args or tuple(kwargs.values())
    if isinstance(shape[0], need_torch().dtype):
        return None
    return Spec(View(sizes(varargs(shape[0], shape[1:]))), (input,))


@spec("view_as", "reshape_as")
def view_as(input: Any, other: Any) -> Spec:
    """The shape of another tensor."""
    raise NotKnown("view_as")


@spec("flatten", "ravel")
def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Spec:
    """Several axes as one."""
    return Spec(Flatten(plain(start_dim), plain(end_dim)), (input,))


@spec("unflatten")
def unflatten(input: Any, dim: int, sizes_: Any = None, **kwargs: Any) -> Spec:
    """One axis as several."""
    return Spec(Unflatten(plain(dim), sizes(kwargs.get("sizes", sizes_))), (input,))


@spec("permute")
def permute(input: Any, *dims: Any, **kwargs: Any) -> Spec:
    """Axes in another order."""
    some = dims or tuple(kwargs.values())
    rank = input.dim()
    return Spec(Permute(tuple(plain(dim) % rank for dim in varargs(some[0], some[1:]))), (input,))


@spec("transpose", "swapaxes", "swapdims")
def transpose(input: Any, dim0: int, dim1: int) -> Spec:
    """Two axes change places."""
    dims = list(range(input.dim()))
    a, b = plain(dim0), plain(dim1)
    dims[a], dims[b] = dims[b], dims[a]
    return Spec(Permute(tuple(dims)), (input,))


@spec("t", "adjoint")
def matrix_transpose(input: Any) -> Spec:
    """The last two axes change places."""
    return Spec(Permute(_last_two(input.dim())), (input,))


def _last_two(rank: int) -> tuple[int, ...]:
    return (*range(rank - 2), *reversed(range(max(0, rank - 2), rank)))


def all_reversed(input: Any) -> Spec:
    """`x.T`: all axes the other way round."""
    return Spec(Permute(tuple(reversed(range(input.dim())))), (input,))


_Tensor = need_torch().Tensor
add([_Tensor.T.__get__], all_reversed, "T")
add([_Tensor.mT.__get__, _Tensor.mH.__get__, _Tensor.H.__get__], matrix_transpose, "mT")


@spec("movedim", "moveaxis")
def movedim(input: Any, source: Any, destination: Any) -> Spec:
    """Axes to other places, the rest in order."""
    rank = input.dim()
    sources = [plain(dim) % rank for dim in varargs(source, ())]
    targets = [plain(dim) % rank for dim in varargs(destination, ())]
    moved = dict(zip(targets, sources, strict=True))
    rest = iter([dim for dim in range(rank) if dim not in sources])
    return Spec(Permute(tuple(moved[place] if place in moved else next(rest) for place in range(rank))), (input,))


@spec("squeeze")
def squeeze(input: Any, *args: Any, **kwargs: Any) -> Spec:
    """Axes of size 1 left out."""
    some = args or tuple(kwargs.values())
    dims = None if not some else tuple(map(plain, varargs(some[0], some[1:])))
    return Spec(Squeeze(dims), (input,))


@spec("unsqueeze")
def unsqueeze(input: Any, dim: int) -> Spec:
    """An axis of size 1 more."""
    return Spec(Unsqueeze(plain(dim)), (input,))


@spec("expand")
def expand(input: Any, *args: Any, **kwargs: Any) -> Spec:
    """Axes of size 1 repeated."""
    some = args or tuple(kwargs.values())
    return Spec(Expand(sizes(varargs(some[0], some[1:]))), (input,))


@spec("broadcast_to")
def broadcast_to(input: Any, size: Any) -> Spec:
    """As `expand`."""
    return Spec(Expand(sizes(size)), (input,))


@spec("repeat", "tile")
def repeat(input: Any, *args: Any, **kwargs: Any) -> Spec:
    """Copies beside each other."""
    some = args or tuple(kwargs.values())
    counts = sizes(varargs(some[0], some[1:]))
    return Spec(Repeat((1,) * (input.dim() - len(counts)) + counts), (input,))


@spec("repeat_interleave")
def repeat_interleave(input: Any, repeats: Any, dim: Any = None, **kwargs: Any) -> Spec:
    """Each entry of an axis several times."""
    if dim is None or not isinstance(repeats, int):
        raise NotKnown("repeat_interleave by a tensor, or over all values")
    counts = [1] * input.dim()
    counts[plain(dim)] = size(repeats)
    return Spec(Repeat(tuple(counts)), (input,))


@spec("roll")
def roll(input: Any, shifts: Any, dims: Any = ()) -> Spec:
    """Entries moved along axes, around their ends."""
    return Spec(Moved("roll", dims=tuple(map(plain, varargs(dims, ()))), shifts=sizes(varargs(shifts, ()))), (input,))


@spec("flip")
def flip(input: Any, *dims: Any, **kwargs: Any) -> Spec:
    """Entries in reverse order."""
    some = dims or tuple(kwargs.values())
    return Spec(Moved("flip", dims=tuple(map(plain, varargs(some[0], some[1:]))) if some else ()), (input,))


# -- parts -------------------------------------------------------------------------------------------------------


def getitem(input: Any, items: Any) -> Spec:
    """`x[items]`: slices, places, new axes; one index tensor among whole axes."""
    entries = _without_ellipsis(items if isinstance(items, tuple) else (items,), input.dim())
    places = [place for place, entry in enumerate(entries) if is_tensor(entry)]
    if places:
        return _take(input, entries, places)
    return Spec(Index(tuple(map(_item, entries))), (input,))


def _take(input: Any, entries: list[Any], places: list[int]) -> Spec:
    index = entries[places[0]]
    whole = all(entry == slice(None) for entry in entries if not is_tensor(entry))
    if len(places) > 1 or not whole:
        raise NotKnown("several index tensors")
    if index.dtype == need_torch().bool or index.dtype == need_torch().uint8:
        raise NotKnown("a mask decides how many values are left")
    return Spec(Take(dim=places[0]), (input, index))


def _without_ellipsis(items: tuple[Any, ...], rank: int) -> list[Any]:
    """The items with an ellipsis written out as whole axes."""
    if not any(item is Ellipsis for item in items):
        return list(items)
    place = next(place for place, item in enumerate(items) if item is Ellipsis)
    named = sum(1 for item in items if item is not None and item is not Ellipsis)
    return [*items[:place], *[slice(None)] * (rank - named), *items[place + 1 :]]


def _item(item: Any) -> Any:
    if item is None:
        return None
    if isinstance(item, slice):
        step = 1 if item.step is None else plain(item.step)
        start, stop = (None if end is None else size(end) for end in (item.start, item.stop))
        return Slice(start, stop, step)
    if isinstance(item, bool) or not isinstance(item, int):
        raise NotKnown(f"an index that is a {type(item).__name__}")
    return size(item)


add([_Tensor.__getitem__], getitem, "getitem")


def setitem(input: Any, items: Any, value: Any) -> Spec:
    """`x[items] = value`."""
    indices = tensors(*(items if isinstance(items, tuple) else (items,)))
    return Spec(Written("setitem"), (input, *tensors(value), *indices))


@spec("narrow")
def narrow(input: Any, dim: int, start: Any, length: Any) -> Spec:
    """`length` entries from `start` on."""
    first = size(start)
    return Spec(Index(_at(input, dim, Slice(first, first + size(length)))), (input,))


@spec("select")
def select(input: Any, dim: int, index: Any) -> Spec:
    """One entry of an axis, without it."""
    return Spec(Index(_at(input, dim, size(index))), (input,))


def _at(input: Any, dim: int, item: Any) -> tuple[Any, ...]:
    return (*[Slice()] * (plain(dim) % input.dim()), item)


@spec("index_select")
def index_select(input: Any, dim: int, index: Any) -> Spec:
    """Entries of an axis by an index tensor."""
    return Spec(Take(dim=plain(dim) % input.dim()), (input, index))


@spec("gather", "take_along_dim")
def gather(input: Any, dim: Any = None, index: Any = None, **kwargs: Any) -> Spec:
    """Values by an index tensor of the output's shape."""
    index = next(value for value in (index, dim) if is_tensor(value))
    return Spec(Written("gather"), (index, input))


@spec("scatter", "scatter_add", "index_add", "index_copy", "index_fill", "masked_scatter", "index_put", "put")
def scatter(input: Any, *args: Any, **kwargs: Any) -> Spec:
    """The input with some values written."""
    return Spec(Written("scatter"), (input, *tensors(*args, *kwargs.values())))


@spec("copy")
def copy(input: Any, other: Any, *args: Any, **kwargs: Any) -> Spec:
    """`x.copy_(y)`: the values of another tensor in the shape of this."""
    return Spec(Written("copy"), (input, *tensors(other)))


@spec("chunk")
def chunk(input: Any, chunks: int, dim: int = 0) -> Spec:
    """Pieces of equal size."""
    place, number = plain(dim) % input.dim(), plain(chunks)
    count = -(-input.shape[place] // -(-input.shape[place] // number))
    if count != number:
        raise NotKnown("fewer chunks than asked for")
    return Spec(Chunk(number, dim=place), (input,))


@spec("split", "split_with_sizes")
def split(input: Any, split_size: Any = None, dim: int = 0, **kwargs: Any) -> Spec:
    """Pieces of one size, or of several."""
    wanted = next(value for value in (split_size, *kwargs.values()) if value is not None)
    place = plain(dim) % input.dim()
    if isinstance(wanted, tuple | list):
        return Spec(Split(sizes(wanted), dim=place), (input,))
    piece = plain(wanted)
    whole, rest = divmod(input.shape[place], piece)
    if rest:
        return Spec(Split((piece,) * whole + (rest,), dim=place), (input,))
    return Spec(Split((piece,) * whole, dim=place), (input,))


@spec("unbind", "__iter__")
def unbind(input: Any, dim: int = 0) -> Spec:
    """The entries of an axis."""
    place = plain(dim) % input.dim()
    return Spec(Unbind(input.shape[place], dim=place), (input,))


# -- together ----------------------------------------------------------------------------------------------------


@spec("cat", "concat", "concatenate")
def cat(some: Any, dim: int = 0, **kwargs: Any) -> Spec:
    """Tensors one after another along an axis; torch leaves empty vectors out."""
    kept = tuple(tensor for tensor in some if tuple(tensor.shape) != (0,)) or tuple(some)
    place = plain(kwargs.get("axis", dim))
    return Spec(Concat(place % max(1, kept[0].dim())), kept)


@spec("stack")
def stack(some: Any, dim: int = 0) -> Spec:
    """Tensors along a new axis."""
    return Spec(Stack(plain(dim)), tuple(some))


@spec("meshgrid")
def meshgrid(*some: Any, **kwargs: Any) -> Spec:
    """Not followed."""
    raise NotKnown("meshgrid")
