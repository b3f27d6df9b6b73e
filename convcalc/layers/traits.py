"""What is asked of a layer besides its shapes, and what holds of most: each layer says the rest of itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from convcalc.layers.base import Layer, Settings, Shape
    from convcalc.sizes.branch import Branch
    from convcalc.sizes.conditions import Check
    from convcalc.sizes.size import Size


class Traits:
    """What a layer says of itself, none of it a hyper-parameter."""

    op: ClassVar[Any] = ""
    """What it is called: its class's name in small letters, unless that says otherwise."""
    takes: ClassVar[tuple[int, int | None]] = (1, 1)
    torch_order: ClassVar[tuple[str, ...]] = ()
    """What torch's class takes by position, where that is more or other than ours."""
    outputs: ClassVar[Any] = 1
    """How many tensors come out; a property where that depends on hyper-parameters."""
    unread: ClassVar[Any] = 0
    """How many of its last inputs matter by their shapes alone; their values are not read."""
    is_known: ClassVar[bool] = True
    """Whether it has a rule; without, its shapes were measured at one size."""
    is_source: ClassVar[bool] = False
    """Whether it stands for a tensor that no call computes: a parameter, a buffer, a constant."""
    reads_values: ClassVar[bool] = True
    """Whether what comes out depends on the values of its inputs, and not on their shapes alone."""
    hides: ClassVar[Any] = False
    """Whether it may read the network's input where none of its own inputs does."""
    outside: ClassVar[Any] = "zeros"
    """What it takes for rows outside of a map, in the words of torch's padding modes; "around", its other end."""
    keeps_rows: ClassVar[bool] = False
    """Whether rows stay in their order, whatever their number: windows, resizing, padding, crops."""
    is_pointwise: ClassVar[bool] = False
    """Whether it keeps the shape, place by place."""
    shares_out: ClassVar[Any] = False
    """Whether it cuts an axis into as many windows as there are outputs, as adaptive pooling does."""
    ceil_mode = False
    """Whether a last window that is not full counts."""
    is_followed: ClassVar[bool] = False
    """Whether `torch.export` follows what a model computes from sizes for it, as an end of a slice."""
    unexported: ClassVar[tuple[int, ...]] = ()
    """The numbers of spatial axes with which `torch.export` does not take it."""
    memory: ClassVar[Any] = "ordered"
    """How its values lie in memory: anew, one after another ("ordered") or in the order of its input ("kept"; "joined",
    where its inputs agree); where they were ("viewed"; "turned", on other axes); "flat", viewed where they can be, else
    ordered; "mixed", in any order. See `strides`."""
    looks_up: ClassVar[tuple[int, int | None] | None] = None
    """Which input holds indices, and which they count in along `dim`; none where that is a table of its own."""
    joins: ClassVar[bool] = False
    """Whether it puts its inputs one after another."""
    is_walked: ClassVar[bool] = False
    """Whether a loop over what it gives may treat all alike: see `any_number`."""
    ways: ClassVar[int] = 0
    """In how many ways the number of its outputs may come about that only a run shows."""
    scaled: ClassVar[Any] = None
    """What it multiplies sizes by in floating point, one for all axes or one for each."""
    sized: ClassVar[frozenset[str]] = frozenset(
        {"sizes", "size", "counts", "sides", "padding", "output_size", "shifts", "items", "scale_factor", "kernel_size"}
        | {"stride", "chunks", "upscale_factor", "downscale_factor"}
    )
    """The hyper-parameters that a size may hide in which lost its formula."""

    @property
    def is_counted(self) -> bool:
        """Whether `macs` are all that it does."""
        return True

    @property
    def compares_sizes(self) -> bool:
        """Whether it compares sizes itself: an end of a slice with what it cuts, the last window of ceil mode."""
        return self.ceil_mode

    @property
    def is_held(self) -> bool:
        """Whether it only reads what the module holds, a parameter or a buffer: no value is computed."""
        return False

    def path(self, *shapes: Shape) -> tuple[Branch, ...]:
        """Return what must hold for the layer to be this one, as a branch of the model does; for most nothing.

        It may give as many tensors, or as many axes, at some sizes alone.

        >>> from convcalc.sizes.expr import Expr
        >>> from convcalc.layers import Unbind
        >>> [str(branch) for branch in Unbind(3).path((Expr.symbol("n"), 8))]
        ['n == 3']
        """
        return ()

    def windows(self, shape: Shape) -> Sequence[Settings]:
        """Return the settings of its windows on each spatial axis; none where it takes no windows.

        >>> from convcalc.layers import Conv
        >>> Conv(8, 3, padding=(1, 0)).windows((1, 3, 8, 8))
        [(3, 1, 1, 1), (3, 1, 0, 1)]
        """
        return ()

    def stamps(self, axes: int) -> Sequence[tuple[Any, ...]]:
        """Return kernel size, stride, padding, output padding and dilation of what an input stamps, on each axis.

        There is nothing of a layer that stamps none.

        >>> from convcalc.layers import ConvTranspose
        >>> ConvTranspose(8, 4, stride=(2, 1)).stamps(2)
        [(4, 2, 0, 0, 1), (4, 1, 0, 0, 1)]
        """
        return ()

    def border(self, shape: Shape) -> tuple[tuple[Size, Size], ...] | None:
        """Return the rows that it puts before and after a map on each spatial axis; None where it is no padding.

        >>> from convcalc.layers import Pad
        >>> Pad(((1, 2), 3)).border((1, 3, 8, 8))
        ((1, 2), (3, 3))
        """
        return None

    def adds_bias(self, output: Shape) -> bool:
        """Whether it adds a value that is the same all over a channel."""
        return False

    def levels(self, channels: Size) -> str:
        """Whether it takes the mean away: of a channel in the "batch" or in each "sample"; "" where it does not."""
        return ""

    def wants_whole(self, axes: int) -> bool:
        """Whether torch wants its kernel no longer than the map, padded or not."""
        return False

    def regroups(self, shapes: Sequence[Shape], output: Shape) -> bool:
        """Whether rows are put elsewhere: into windows of attention, patches, every other row."""
        return not self.keeps_rows and bool(shapes) and output[2:] not in [shape[2:] for shape in shapes]

    def any_number(self, fewest: int) -> Layer | None:
        """Return what gives as many tensors as there are, `fewest` or more; None where they are not alike."""
        return None

    def cut_axes(self) -> tuple[int, ...]:
        """Return the axes that it cuts to a size that depends on the input's: as to the size of a skip.

        >>> from convcalc.sizes.expr import Expr
        >>> from convcalc.layers import Pad
        >>> Pad(((0, -Expr.symbol("n") // 4), 0)).cut_axes()
        (0,)
        """
        return ()

    def cut(self, shape: Shape, axis: int) -> tuple[Size, Size, Size]:
        """Return the size of one of `cut_axes`, and how many rows are cut before and after."""
        raise NotImplementedError

    def strides(self, before: Shape, shape: Shape, output: Shape) -> Shape:
        """Return how far apart neighbours of the output lie in memory, from those of the input, where it is a view.

        >>> from convcalc.layers import Permute
        >>> Permute((0, 2, 1)).strides((12, 4, 1), (2, 3, 4), (2, 4, 3))
        (12, 1, 4)
        """
        raise NotImplementedError

    def check_exact(self, *shapes: Shape, check: Check) -> None:
        """Hand to `check` what must hold for the input to be used in full: see `convcalc.arithmetic.exactness`.

        >>> from convcalc.sizes.conditions import Conditions
        >>> from convcalc.sizes.expr import Expr
        >>> from convcalc.layers import MaxPool
        >>> needs = Conditions()
        >>> MaxPool(2).check_exact((1, 3, Expr.symbol("n")), check=needs)
        >>> [str(value) for value in needs.open]
        ['2*(n//2) - n']
        """
