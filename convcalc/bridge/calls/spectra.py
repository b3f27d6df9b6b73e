"""Specs of Fourier transforms."""

from __future__ import annotations

from typing import Any

from convcalc.bridge.calls.registry import Spec, plain, size, sizes, spec, spec_each, varargs
from convcalc.layers import Moved
from convcalc.layers.fourier import Fourier, Istft, Stft


def _one_axis(name: str) -> Any:
    def made(input: Any, n: Any = None, dim: int = -1, norm: Any = None, **kwargs: Any) -> Spec:
        lengths = None if n is None else (size(n),)
        return Spec(Fourier(name, (plain(dim),), lengths=lengths), (input,))

    return made


def _axes(name: str, usual: Any) -> Any:
    def made(input: Any, s: Any = None, dim: Any = usual, norm: Any = None, **kwargs: Any) -> Spec:
        if dim is None:
            dim = range(-input.dim(), 0) if s is None else range(-len(s), 0)
        lengths = None if s is None else sizes(s)
        return Spec(Fourier(name, tuple(map(plain, varargs(tuple(dim), ()))), lengths=lengths), (input,))

    return made


for _start in ("", "i", "r", "ir", "h", "ih"):
    spec(f"fft.{_start}fft")(_one_axis(f"{_start}fft"))
    spec(f"fft.{_start}fft2")(_axes(f"{_start}fft2", (-2, -1)))
    spec(f"fft.{_start}fftn")(_axes(f"{_start}fftn", None))


def _shift(name: str) -> Any:
    def made(input: Any, dim: Any = None) -> Spec:
        dims = () if dim is None else dim if isinstance(dim, tuple | list) else (dim,)
        return Spec(Moved(name, dims=tuple(map(plain, dims))), (input,))

    return made


spec_each(("fft.fftshift", "fft.ifftshift"), _shift)


@spec("stft")
def stft(
    input: Any,
    n_fft: int,
    hop_length: Any = None,
    win_length: Any = None,
    window: Any = None,
    center: bool = True,
    pad_mode: str = "reflect",
    normalized: bool = False,
    onesided: Any = None,
    return_complex: Any = None,
    **kwargs: Any,
) -> Spec:
    """The transforms of windows of a signal; of real ones half of the frequencies."""
    half = not input.is_complex() and (window is None or not window.is_complex()) if onesided is None else onesided
    hop = plain(n_fft) // 4 if hop_length is None else plain(hop_length)
    layer = Stft(
        plain(n_fft),
        hop,
        center=bool(center),
        pad_mode=pad_mode,
        onesided=bool(half),
        return_complex=bool(return_complex),
    )
    return Spec(layer, (input,))


@spec("istft")
def istft(
    input: Any,
    n_fft: int,
    hop_length: Any = None,
    win_length: Any = None,
    window: Any = None,
    center: bool = True,
    normalized: bool = False,
    onesided: Any = None,
    length: Any = None,
    return_complex: bool = False,
) -> Spec:
    """The signal from the transforms of its windows."""
    half = True if onesided is None else onesided
    hop = plain(n_fft) // 4 if hop_length is None else plain(hop_length)
    layer = Istft(
        plain(n_fft), hop, center=bool(center), onesided=bool(half), length=None if length is None else size(length)
    )
    return Spec(layer, (input,))
