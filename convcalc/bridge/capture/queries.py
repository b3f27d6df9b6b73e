"""Questions about sizes, answered by the formulas of what was recorded: `x.shape`, `x.size()`, `len(x)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convcalc.bridge.device import need_torch
from convcalc.bridge.hearing.sizeint import SizeInt, sized

torch = need_torch()
Tensor = torch.Tensor


def _shape(recorder: Any, tensor: Any) -> Any:
    """Return the shape of a tensor, of sizes that remember their formula."""
    plain = Tensor.shape.__get__(tensor)
    if id(tensor) not in recorder.values and id(tensor) in recorder.named:
        return plain
    known = recorder.symbolic(recorder.value(tensor))
    if known is None:
        recorder.asked = True
        return torch.Size([SizeInt(size, None, recorder.watch) for size in plain])
    if all(isinstance(size, int) for size in known):
        return plain
    recorder.asked = True
    return torch.Size(
        [
            size if isinstance(form, int) else sized(size, form, recorder.watch)
            for size, form in zip(plain, known, strict=True)
        ]
    )


def _size(recorder: Any, tensor: Any, dim: Any = None) -> Any:
    shape = _shape(recorder, tensor)
    return shape if dim is None else shape[dim]


def _numel(recorder: Any, tensor: Any) -> Any:
    total: int = 1
    for size in _shape(recorder, tensor):
        total = total * size
    return total


def _len(recorder: Any, tensor: Any) -> Any:
    return _shape(recorder, tensor)[0] if tensor.dim() else len(tensor)


def _stride(recorder: Any, tensor: Any, dim: Any = None) -> Any:
    strides = tensor.stride()
    if any(isinstance(size, SizeInt) for size in _shape(recorder, tensor)):
        strides = tuple(SizeInt(stride, None, recorder.watch) for stride in strides)
    return strides if dim is None else strides[dim]


def _nbytes(recorder: Any, tensor: Any) -> Any:
    return _numel(recorder, tensor) * tensor.element_size()


QUERIES: dict[Any, Callable[..., Any]] = {
    Tensor.shape.__get__: _shape,
    Tensor.size: _size,
    Tensor.numel: _numel,
    Tensor.nelement: _numel,
    torch.numel: _numel,
    Tensor.__len__: _len,
    Tensor.stride: _stride,
    Tensor.nbytes.__get__: _nbytes,
}
"""What answers each function."""

QUIET = frozenset(
    {"dim", "ndimension", "ndim", "dtype", "device", "layout", "type", "element_size", "itemsize", "get_device"}
    | {"is_floating_point", "is_complex", "is_signed", "is_cuda", "is_cpu", "is_meta", "is_mps", "is_xpu", "is_sparse"}
    | {"is_quantized", "is_nested", "is_mkldnn", "is_leaf", "is_inference", "is_tensor", "is_conj", "is_neg", "assert"}
    | {"requires_grad", "retains_grad", "grad", "grad_fn", "names", "has_names", "version", "output_nr", "hash"}
    | {"result_type", "can_cast", "promote_types", "register_hook", "backward", "is_sparse_csr", "is_shared", "qscheme"}
)
"""What says nothing of sizes. Whatever else a call gives that is no tensor may be a number that came from one."""
