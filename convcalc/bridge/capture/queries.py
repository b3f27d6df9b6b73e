"""Questions about sizes, answered by the formulas of what was recorded: `x.shape`, `x.size()`, `len(x)`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from convcalc.bridge.capture.journal import Journal
from convcalc.bridge.device import need_torch
from convcalc.bridge.hearing.sizeint import SizeInt, sized

torch = need_torch()
Tensor = torch.Tensor


def _shape(journal: Journal, tensor: Any) -> Any:
    """Return the shape of a tensor, of sizes that remember their formula."""
    plain = Tensor.shape.__get__(tensor)
    if journal.tensors.is_own(tensor):
        return plain
    known = journal.symbolic(journal.value(tensor))
    if known is None:
        journal.asked = True
        return torch.Size([SizeInt(size, None, journal.watch) for size in plain])
    if all(isinstance(size, int) for size in known):
        return plain
    journal.asked = True
    return torch.Size(
        [
            size if isinstance(form, int) else sized(size, form, journal.watch)
            for size, form in zip(plain, known, strict=True)
        ]
    )


def _size(journal: Journal, tensor: Any, dim: Any = None) -> Any:
    shape = _shape(journal, tensor)
    return shape if dim is None else shape[dim]


def _numel(journal: Journal, tensor: Any) -> Any:
    return math.prod(_shape(journal, tensor))


def _len(journal: Journal, tensor: Any) -> Any:
    return _shape(journal, tensor)[0] if tensor.dim() else len(tensor)


def _stride(journal: Journal, tensor: Any, dim: Any = None) -> Any:
    strides = tensor.stride()
    if any(isinstance(size, SizeInt) for size in _shape(journal, tensor)):
        strides = tuple(SizeInt(stride, None, journal.watch) for stride in strides)
    return strides if dim is None else strides[dim]


def _nbytes(journal: Journal, tensor: Any) -> Any:
    return _numel(journal, tensor) * tensor.element_size()


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
