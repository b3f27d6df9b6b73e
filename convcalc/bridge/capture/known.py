"""What values are known while a capture records shapes alone: those of the module's own small tensors.

They do not depend on the input, so that Python may ask for them: strides from a dry run, flags, counters. A call that
reads nothing else runs on copies of the values, on the CPU, and what it gives has values too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from convcalc.bridge.capture.arguments import mapped, storage_of, tensors_among
from convcalc.bridge.device import need_torch
from convcalc.layers import Source
from convcalc.network.shapes import shape_at

torch = need_torch()

SMALL = 2**12
"""Tensors of the module of more values than this hold none: nothing is allocated for them."""

MANY = 2**20
"""Constants of more values than this hold none."""


def has_values(tensor: Any) -> bool:
    """Whether the values of a tensor of the module are kept while it is captured.

    >>> has_values(torch.ones(3)), has_values(torch.ones(2**13)), has_values(torch.ones(3, device="meta"))
    (True, False, False)
    """
    return (
        tensor.layout is torch.strided
        and not isinstance(tensor, torch.nn.parameter.UninitializedTensorMixin)
        and not tensor.is_quantized
        and tensor.numel() <= SMALL
        and tensor.device.type != "meta"
    )


def somewhere(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return arguments of what is made on a device that may not be there: on the CPU, where constants have values.

    >>> somewhere({"device": "cuda"}), somewhere({"device": "meta"})
    ({'device': 'cpu'}, {'device': 'meta'})
    """
    device = kwargs["device"]
    if device is None or torch.device(device).type in ("cpu", "meta"):
        return kwargs
    return {**kwargs, "device": "cpu"}


def without_values(layer: Source, kwargs: Mapping[str, Any], numbers: Mapping[str, int]) -> Mapping[str, Any]:
    """Return arguments that make a big constant on meta: nothing is allocated. `numbers` are the letters' values.

    >>> from convcalc.sizes.expr import Expr
    >>> n = Expr.symbol("n")
    >>> [without_values(Source("zeros", (n,)), {}, {"n": size}) for size in (3, 2**21)]
    [{}, {'device': 'meta'}]
    """
    is_big = math.prod(map(int, shape_at(layer.sizes, numbers))) > MANY
    return {**kwargs, "device": "meta"} if is_big and kwargs.get("device") is None and "out" not in kwargs else kwargs


class Known:
    """The values behind tensors on meta, `originals` by the identity of these; each copied when it is first needed."""

    def __init__(self, originals: Mapping[int, tuple[Any, Any]]) -> None:
        self._originals = originals
        self._values: dict[int, tuple[Any, int]] = {}
        """The values of each, and the version of the tensor on meta that they belong to."""
        self._homes: dict[int, Any] = {}
        """The tensor on meta, by the storage of its values."""

    def of(self, tensor: Any) -> Any:
        """Return the values behind a tensor, to be read and written; None where they are not known."""
        pair = self._originals.get(id(tensor))
        if pair is None:
            return None
        found = self._values.get(id(tensor))
        if found is None:
            values = pair[1].detach().to("cpu", copy=True)
            found = self._values[id(tensor)] = values, _version(tensor)
            self._homes[storage_of(values)] = tensor
        return found[0] if found[1] == _version(tensor) else None

    def fill(self, tensor: Any, values: Any) -> None:
        """Keep that both were written alike."""
        self._values[id(tensor)] = values, _version(tensor)

    def forget(self, values: Any) -> None:
        """Something unknown was written into values, or into a view of them: the tensor on meta has none any more."""
        home = self._homes.get(storage_of(values))
        if home is not None:
            torch.autograd.graph.increment_version(home)

    def home(self, tensor: Any) -> int:
        """Return what is the same for all views of the same values, on meta or not."""
        storage = storage_of(tensor)
        home = self._homes.get(storage)
        return storage if home is None else storage_of(home)

    def decides(self, args: Any, kwargs: Any) -> bool:
        """Whether a call reads values of the module, and nothing without values."""
        first = args[0] if args else None
        if isinstance(first, torch.Tensor) and id(first) not in self._originals and first.device.type == "meta":
            return False
        some = list(tensors_among((args, kwargs)))
        return any(id(tensor) in self._originals for tensor in some) and all(
            tensor.device.type != "meta" or self.of(tensor) is not None for tensor in some
        )

    def put(self, value: Any) -> Any:
        """Return arguments with values in the place of the tensors that have them."""

        def known(one: Any) -> Any:
            found = self.of(one) if isinstance(one, torch.Tensor) else None
            return one if found is None else found

        return mapped(value, known)


def _version(tensor: Any) -> int:
    return 0 if tensor.is_inference() else int(tensor._version)
