"""Calls that give the same values another shape, cut them, or put them together."""

from __future__ import annotations

from typing import Any

from convcalc.bridge.calls.arguments import axes, call, plain, several, sizes
from convcalc.bridge.calls.arguments import size as _size
from convcalc.bridge.calls.registry import NotKnown, Spec, add, is_tensor, spec
from convcalc.bridge.device import need_torch
from convcalc.layers import (
    Concat,
    Expand,
    Flatten,
    Index,
    Interleave,
    Moved,
    Permute,
    Reduce,
    Repeat,
    Slice,
    Squeeze,
    Stack,
    Unflatten,
    Unsqueeze,
    View,
)
from convcalc.layers.expand import Broadcast, ExpandAs, Meshgrid
from convcalc.layers.opaque import Remade
from convcalc.layers.permute import Diagonal, DiagonalMatrix, Turned
from convcalc.layers.reshape import ViewAs, ViewAsReal

call("view_as reshape_as", ViewAs, "input other |")
call("view_as_complex", Reduce, "input |", dims=(-1,))
call("view_as_real", ViewAsReal, "input |")
call("flatten ravel", Flatten, "input | start_dim=0 end_dim")
call("unflatten", Unflatten, "input | dim sizes ...")
call("unsqueeze", Unsqueeze, "input | dim")
call("expand", Expand, "input | *size:sizes ...")
call("expand_as", ExpandAs, "input other |")
call("broadcast_to", Expand, "input | size:sizes")
call("roll", Moved, "input | shifts dims")
call("flip", Moved, "input | *dims")
call("fliplr", Moved, "input |", function="flip", dims=(1,))
call("flipud", Moved, "input |", function="flip", dims=(0,))
call("diagonal", Diagonal, "input | offset dim1 dim2")
call("linalg.diagonal", Diagonal, "A | offset dim1=-2 dim2=-1")
call("diag_embed", DiagonalMatrix, "input | offset dim1 dim2")


@spec("view", "reshape")
def view(input: Any, *args: Any, **kwargs: Any) -> Spec | None:
    """Another shape; another type alone is no change."""
    shape = args or tuple(kwargs.values())
    if isinstance(shape[0], need_torch().dtype):
        if shape[0].itemsize != input.dtype.itemsize:
            raise NotKnown("a view as numbers of another size")
        return None
    return Spec(View(sizes(several(shape[0], shape[1:]))), (input,))


@spec("as_strided")
def as_strided(input: Any, size: Any, stride: Any, storage_offset: Any = None) -> Spec:
    """Values at places computed from strides, of a tensor that is all of its storage."""
    if input.storage_offset() or input.untyped_storage().nbytes() != input.numel() * input.element_size():
        raise NotKnown("a part of a tensor laid out anew")
    wanted = sizes(size)
    last = sum((one - 1) * step for one, step in zip(wanted, sizes(stride), strict=True))
    needs = last + _size(storage_offset or 0) + 1
    return Spec(Remade("as_strided", wanted, needs=0 if 0 in wanted else needs), (input,))


@spec("permute")
def permute(input: Any, *dims: Any, **kwargs: Any) -> Spec:
    """Axes in another order."""
    some = dims or tuple(kwargs.values())
    return Spec(Permute(tuple(dim % input.dim() for dim in axes(several(some[0], some[1:])))), (input,))


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
    sources, targets = ([dim % rank for dim in axes(some)] for some in (source, destination))
    moved = dict(zip(targets, sources, strict=True))
    rest = iter([dim for dim in range(rank) if dim not in sources])
    return Spec(Permute(tuple(moved[place] if place in moved else next(rest) for place in range(rank))), (input,))


@spec("squeeze")
def squeeze(input: Any, *args: Any, **kwargs: Any) -> Spec:
    """Axes of size 1 left out."""
    some = args or tuple(kwargs.values())
    dims, rank = axes(several(some[0], some[1:])) if some else None, input.dim()
    wanted = range(rank) if dims is None else sorted({dim % max(1, rank) for dim in dims})
    gone = tuple(axis for axis in wanted if rank and input.shape[axis] == 1)
    return Spec(Squeeze(dims, gone=gone), (input,))


@spec("broadcast_tensors")
def broadcast_tensors(*some: Any) -> Spec:
    """All in the shape they have in common."""
    read = several(some[0], some[1:])
    return Spec(Broadcast(len(read)), read)


def _at_least(count: int) -> Any:
    """One axis is the last of two, but the middle one of three."""

    def made(*some: Any) -> Spec | None:
        if len(some) != 1 or not is_tensor(some[0]):
            raise NotKnown("several tensors at once")
        rank = some[0].dim()
        if rank >= count:
            return None
        new: dict[tuple[int, int], tuple[Any, ...]] = {
            (1, 2): (None, Slice()),
            (1, 3): (None, Slice(), None),
            (2, 3): (Slice(), Slice(), None),
        }
        return Spec(Index(new.get((rank, count), (None,) * count)), some)

    return made


for _count in (1, 2, 3):
    spec(f"atleast_{_count}d")(_at_least(_count))


@spec("repeat", "tile")
def repeat(input: Any, *args: Any, **kwargs: Any) -> Spec:
    """Copies beside each other."""
    some = args or tuple(kwargs.values())
    counts = sizes(several(some[0], some[1:]))
    return Spec(Repeat((1,) * (input.dim() - len(counts)) + counts), (input,))


@spec("repeat_interleave")
def repeat_interleave(input: Any, repeats: Any, dim: Any = None, **kwargs: Any) -> Spec:
    """Each entry of an axis several times."""
    if not isinstance(repeats, int):
        raise NotKnown("values decide how often each entry comes")
    return Spec(Interleave(_size(repeats), dim=None if dim is None else plain(dim)), (input,))


# -- together ----------------------------------------------------------------------------------------------------


@spec("cat", "concat", "concatenate")
def cat(some: Any, dim: int = 0, **kwargs: Any) -> Spec:
    """Tensors one after another along an axis; torch leaves empty vectors out."""
    kept = tuple(tensor for tensor in some if tuple(tensor.shape) != (0,)) or tuple(some)
    place = plain(kwargs.get("axis", dim))
    return Spec(Concat(place % max(1, kept[0].dim())), kept)


@spec("hstack", "column_stack")
def hstack(tensors: Any, **kwargs: Any) -> Spec:
    """Beside each other: along the second axis, of vectors along the only one."""
    return cat(tensors, _axis_of_all(tensors, 1))


@spec("vstack", "row_stack")
def vstack(tensors: Any, **kwargs: Any) -> Spec:
    """Below each other: along the first axis."""
    return stack(tensors) if all(tensor.dim() == 1 for tensor in tensors) else cat(tensors, _axis_of_all(tensors, 0))


@spec("dstack")
def dstack(tensors: Any, **kwargs: Any) -> Spec:
    """Behind each other: along the third axis."""
    return cat(tensors, _axis_of_all(tensors, 2))


def _axis_of_all(some: Any, dim: int) -> int:
    """An axis that all tensors have; vectors have the first alone."""
    ranks = {tensor.dim() for tensor in some}
    if ranks == {1} and dim == 1:
        return 0
    if min(ranks) <= max(1, dim):
        raise NotKnown("tensors that are given axes first")
    return dim


@spec("stack")
def stack(some: Any, dim: int = 0) -> Spec:
    """Tensors along a new axis."""
    return Spec(Stack(plain(dim)), tuple(some))


@spec("meshgrid")
def meshgrid(*some: Any, indexing: str | None = None) -> Spec:
    """Vectors as coordinates of a grid."""
    read = several(some[0], some[1:])
    return Spec(Meshgrid(len(read), indexing=indexing or "ij"), read)


@spec("diag")
def diag(input: Any, diagonal: int = 0) -> Spec:
    """A vector as the diagonal of a matrix, or that of a matrix as a vector."""
    layer = DiagonalMatrix if input.dim() == 1 else Diagonal
    return Spec(layer(offset=plain(diagonal)), (input,))


@spec("rot90")
def rot90(input: Any, k: int = 1, dims: Any = (0, 1)) -> Spec:
    """A turn of two axes; after an odd number of them the axes have changed places."""
    first, second = map(plain, dims)
    if plain(k) % 2 == 0:
        return Spec(Moved("rot90", dims=(first, second)), (input,))
    wanted = list(range(input.dim()))
    wanted[first], wanted[second] = wanted[second], wanted[first]
    return Spec(Turned(tuple(wanted)), (input,))
