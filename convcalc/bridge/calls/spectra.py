"""Calls of Fourier transforms."""

from __future__ import annotations

from typing import Any

from convcalc.bridge.calls.arguments import arranged, call, plain, several, size, sizes
from convcalc.bridge.calls.registry import Spec, spec
from convcalc.layers import Moved
from convcalc.layers.fourier import Fourier, Istft, Stft


def _axes(name: str, usual: Any) -> Any:
    def made(input: Any, s: Any = None, dim: Any = usual, norm: Any = None, **kwargs: Any) -> Spec:
        if dim is None:
            dim = tuple(range(-input.dim() if s is None else -len(s), 0))
        lengths = None if s is None else sizes(s)
        return Spec(Fourier(name, tuple(map(plain, several(dim))), lengths=lengths), (input,))

    return made


for _start in ("", "i", "r", "ir", "h", "ih"):
    call(f"fft.{_start}fft", Fourier, "input | n:lengths dim:dims=-1 norm ...")
    spec(f"fft.{_start}fft2")(_axes(f"{_start}fft2", (-2, -1)))
    spec(f"fft.{_start}fftn")(_axes(f"{_start}fftn", None))
call("fft.fftshift fft.ifftshift", Moved, "input | dim:dims")


def _windowed(given: Any) -> dict[str, Any]:
    """What both directions of a transform of windows are set to."""
    hop = plain(given.n_fft) // 4 if given.hop_length is None else plain(given.hop_length)
    return {"n_fft": plain(given.n_fft), "hop_length": hop, "center": bool(given.center)}


def _stft(given: Any) -> Spec:
    """The transforms of windows of a signal; of real ones half of the frequencies."""
    half = not any(one.is_complex() for one in (given.input, given.window) if one is not None)
    half = half if given.onesided is None else bool(given.onesided)
    whole = bool(given.return_complex)
    layer = Stft(**_windowed(given), pad_mode=given.pad_mode, onesided=half, return_complex=whole)
    return Spec(layer, (given.input,))


def _istft(given: Any) -> Spec:
    """The signal from the transforms of its windows."""
    half = True if given.onesided is None else bool(given.onesided)
    length = None if given.length is None else size(given.length)
    return Spec(Istft(**_windowed(given), onesided=half, length=length), (given.input,))


_WINDOWS = "input n_fft hop_length=None win_length=None window=None center=True"
spec("stft")(arranged(f"{_WINDOWS} pad_mode='reflect' normalized=False onesided=None return_complex=None ...", _stft))
spec("istft")(arranged(f"{_WINDOWS} normalized=False onesided=None length=None return_complex=False", _istft))
