"""Fourier transforms: of whole axes, and of windows of a signal."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from convcalc.arithmetic.formulas import at_least
from convcalc.errors import BadShape
from convcalc.layers.base import Layer, Shape, axis_of, must_equal, named, written
from convcalc.sizes.conditions import Check, enforce
from convcalc.sizes.size import Size


@dataclass(frozen=True, eq=False, repr=False)
class Fourier(Layer):
    """A discrete Fourier transform along axes `dims` (torch's `fft`, `rfft2`, `irfftn`, ...).

    `lengths` has the size that each axis is cut or padded to first. The last of the axes is halved, n -> n//2 + 1, by
    functions of real signals (rfft, ihfft), and doubled back, n -> 2(n - 1), by those that give them (irfft, hfft).

    >>> Fourier("rfft2", (-2, -1)).out_shape((1, 64, 56, 56)), Fourier("irfft", (-1,)).out_shape((1, 29))
    ((1, 64, 56, 29), (1, 56))
    """

    op: ClassVar[str] = named("function")
    function: str
    dims: tuple[int, ...]
    _: KW_ONLY
    lengths: tuple[Size, ...] | None = None

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """The lengths, that of the last axis as the function has it."""
        sizes = list(shape)
        dims = [axis_of(self.op, "dim", dim, shape) for dim in self.dims]
        for dim, length in zip(dims, self.lengths or (), strict=self.lengths is not None):
            sizes[dim] = length
        if dims and self.function.startswith(("rfft", "ihfft")):
            sizes[dims[-1]] = sizes[dims[-1]] // 2 + 1
        elif dims and self.function.startswith(("irfft", "hfft")) and self.lengths is None:
            sizes[dims[-1]] = 2 * (sizes[dims[-1]] - 1)
        for dim in dims:
            at_least(1, check, length=sizes[dim])
        return tuple(sizes)


@dataclass(frozen=True, eq=False, repr=False)
class Stft(Layer):
    """The Fourier transform of windows of a signal (torch's `stft`): (..., T) -> (..., frequencies, frames).

    A window of `n_fft` values moves by `hop_length`; `center` pads n_fft//2 on both sides as `pad_mode` says, "reflect"
    from more values than that, "circular" from as many; of a real signal, `onesided`, n_fft//2 + 1 frequencies are
    kept. Not complex, a last axis of 2 has the real and imaginary parts.

    >>> Stft(400, 160).out_shape((1, 16000))
    (1, 201, 101)
    """

    n_fft: int
    hop_length: int
    _: KW_ONLY
    center: bool = True
    pad_mode: str = "reflect"
    onesided: bool = True
    return_complex: bool = True

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """Frames: 1 + (T - n_fft)//hop_length, T with its padding."""
        if len(shape) not in (1, 2):
            raise BadShape(f"stft takes (T,) or (N, T): got {written(shape)}")
        padding = self.n_fft // 2 if self.center else 0
        least = padding + {"reflect": 1, "circular": 0}.get(self.pad_mode, 1 - padding)
        if self.center:
            check(
                shape[-1] - least,
                lambda at: BadShape(
                    f"stft pads {padding} values by {self.pad_mode} and needs at least {least}: got {at(shape[-1])}"
                ),
            )
        length = shape[-1] + 2 * padding
        check(
            length - self.n_fft,
            lambda at: BadShape(f"stft of windows of {self.n_fft} needs as many values: got {at(length)}"),
        )
        frequencies = self.n_fft // 2 + 1 if self.onesided else self.n_fft
        frames = 1 + (length - self.n_fft) // self.hop_length
        return (*shape[:-1], frequencies, frames, *(() if self.return_complex else (2,)))


@dataclass(frozen=True, eq=False, repr=False)
class Istft(Layer):
    """A signal from the Fourier transforms of its windows (torch's `istft`): (..., frequencies, frames) -> (..., T).

    With `center`, n_fft//2 values are cut on both sides; `length` cuts or fills what is longer or shorter.

    >>> Istft(400, 160).out_shape((1, 201, 101)), Istft(400, 160, length=12).out_shape((201, 101))
    ((1, 16000), (12,))
    """

    n_fft: int
    hop_length: int
    _: KW_ONLY
    center: bool = True
    onesided: bool = True
    length: Size | None = None

    def out_shape(self, shape: Shape, /, *, check: Check = enforce) -> Shape:
        """T: n_fft + hop_length*(frames - 1), less what is cut."""
        if len(shape) not in (2, 3):
            raise BadShape(f"istft takes (frequencies, frames), or a batch of them: got {written(shape)}")
        *batch, frequencies, frames = shape
        wanted = self.n_fft // 2 + 1 if self.onesided else self.n_fft
        must_equal(
            frequencies,
            wanted,
            check,
            lambda at: BadShape(f"istft of windows of {self.n_fft} takes {wanted} frequencies: got {at(frequencies)}"),
        )
        check(frames - 1, lambda at: BadShape(f"istft needs a frame: got {at(frames)}"))
        cut = 2 * (self.n_fft // 2) if self.center else 0
        whole = self.n_fft + self.hop_length * (frames - 1) - cut
        if self.length is not None:
            return (*batch, self.length)
        check(whole - 1, lambda at: BadShape(f"istft of {at(frames)} frames has no value left: {at(whole)}"))
        return (*batch, whole)
