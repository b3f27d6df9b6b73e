"""Where a call stands: the modules whose forward is running, the innermost last."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from convcalc.bridge.capture.meta_copy import Copier
from convcalc.bridge.capture.tensors import Tensors
from convcalc.bridge.device import need_torch
from convcalc.bridge.events import Frame

torch = need_torch()


class Standing:
    """Stands around the forward of each module of a copy, from `know` to `leave`.

    `scripted` runs the forward of code that torch compiled, in which no call is seen.
    """

    def __init__(self, copied: Copier, tensors: Tensors, scripted: Callable[..., Any]) -> None:
        self.frames: list[Frame] = []
        self.strays: dict[str, None] = {}
        """Parameters of modules that torch does not know as parts."""
        self._copied, self._tensors, self._scripted = copied, tensors, scripted
        self._stood: list[tuple[Any, Any]] = []

    @property
    def frame(self) -> Frame | None:
        """The innermost; None outside of all modules."""
        return self.frames[-1] if self.frames else None

    def know(self, module: Any) -> None:
        """Name the tensors of a copied module, and stand around the forward of each of its modules."""
        for path, tensor in self._copied.attributes:
            self._tensors.name(tensor, "parameter" if isinstance(tensor, torch.nn.Parameter) else "buffer", path)
        for part, path, stray in self._parts(module):
            prefix = f"{path}." if path else ""
            for name, tensor in part._buffers.items():
                self._tensors.name(tensor, "buffer", prefix + name)
            for name, tensor in part._parameters.items():
                self._tensors.name(tensor, "parameter", prefix + name)
                if stray and tensor is not None:
                    self.strays[prefix + name] = None
            self._stood.append((part, part.__dict__.get("forward")))
            part.__dict__["forward"] = self._around(part, path)

    def _parts(self, module: Any) -> Iterator[tuple[Any, str, bool]]:
        """Each module once, its path, and whether torch does not know it as a part."""
        seen: set[int] = set()
        for start, root in (("", module), *self._copied.strays):
            for path, part in torch.nn.Module.named_modules(root):
                if id(part) not in seen:
                    seen.add(id(part))
                    yield part, f"{start}.{path}" if start and path else start or path, bool(start)

    def leave(self) -> None:
        """Stand around the modules no longer: what leads round in circles is kept until it is searched for."""
        for part, forward in self._stood:
            if forward is None:
                part.__dict__.pop("forward", None)
            else:
                part.__dict__["forward"] = forward
        self._stood.clear()

    def _around(self, module: Any, path: str) -> Callable[..., Any]:
        forward, frames, scripted = module.forward, self.frames, self._scripted
        is_script = isinstance(module, torch.jit.ScriptModule)
        makes_weights = isinstance(module, torch.nn.utils.parametrize.ParametrizationList)

        def run(*args: Any, **kwargs: Any) -> Any:
            if frames and not makes_weights:
                frames[-1].nested = True
            frames.append(Frame(path, module))
            try:
                return scripted(module, forward, args, kwargs) if is_script else forward(*args, **kwargs)
            finally:
                frames.pop()

        if not is_script:
            run.__dict__["__wrapped__"] = forward  # some models ask for the signature
        return run
