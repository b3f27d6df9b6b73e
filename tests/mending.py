"""Makes a repair as its text says, on a real model: modules put in, inputs given, calls changed where they are made."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

F = nn.functional


class Calls(TorchFunctionMode):
    """Counts every public call of torch; changes the arguments of some, by their number."""

    def __init__(self, changes=None):
        super().__init__()
        self.changes, self.names = changes or {}, []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "").strip("_")
        if name == "get":
            return func(*args, **kwargs)
        number = len(self.names)
        self.names.append(name)
        change = self.changes.get(number)
        return func(*args, **kwargs) if change is None else change(func, args, kwargs)


def without_ranges(what: str) -> str:
    """A repair without the range of sizes behind it."""
    return re.sub(r" \([^()]*\b(?:[HWDLT]\b|every)[^()]*\)", "", what)


class Mended:
    """A copy of a model with a repair of its failure made; `run` gives what it gives, or raises what it raises."""

    def __init__(self, module, inputs, error, what: str) -> None:
        self.module, self.inputs, self.why = deepcopy(module), list(inputs), error.explanation
        self.changes: dict[int, Any] = {}
        counted, twin = Calls(), deepcopy(module)
        try:
            with torch.no_grad(), counted:
                twin(*inputs)
        except Exception:
            self.names = counted.names
        for step in without_ranges(what).split(" and "):
            self._make(step)

    def run(self):
        with torch.no_grad(), Calls(self.changes):
            return self.module(*self.inputs)

    # -- one step ------------------------------------------------------------------------------------------------------

    def _make(self, step: str) -> None:
        if step.startswith("input_size="):
            given = eval(step.removeprefix("input_size="))
            shapes = given if isinstance(given[0], tuple) else (given,)
            self.inputs = [torch.zeros(shape, dtype=old.dtype) for shape, old in zip(shapes, self.inputs, strict=True)]
        elif step.startswith(("inputs of shape", "a batch axis in front", "the inputs the other way")):
            shapes = [eval(text) for text in re.findall(r"\([\d, ]+\)", step)]
            kinds = [old.dtype for old in self.inputs][:: -1 if "other way" in step else 1]
            self.inputs = [torch.zeros(shape, dtype=kind) for shape, kind in zip(shapes, kinds, strict=True)]
        elif found := re.fullmatch(r"output_size=(\(.*\)) in ([\w.]+)", step):
            part, sizes = self.module.get_submodule(found[2]), eval(found[1])
            part.forward = lambda x, output_size=None: type(part).forward(part, x, list(sizes))
        elif found := re.fullmatch(r"([\w.]+): a (parameter|buffer) of shape (\(.*\))", step):
            parent, _, name = found[1].rpartition(".")
            owner, new = self.module.get_submodule(parent), torch.zeros(eval(found[3]))
            delattr(owner, name)
            owner.register_parameter(name, nn.Parameter(new)) if found[2] == "parameter" else owner.register_buffer(
                name, new
            )
        elif found := re.fullmatch(r"(?:([\w.]+): )?(nn\.\w+\(.*\))", step):
            part = eval(found[2], {"nn": nn}).train(self.module.training)
            if found[1]:
                self.module.set_submodule(found[1], part)
            else:
                self.module = part
        else:
            self._call(step)

    def _call(self, step: str) -> None:
        """A change of what a call reads: "EXPRESSION before PLACE", "... in PLACE", "... in place of FUNCTION"."""
        if found := re.fullmatch(r"(.*) in place of (\w+).*", step):
            expression, last = found[1], len(self.names) - 1
            if found[2] != self.names[last] and found[2] in self.names:  # an earlier call, of what it read
                method = re.search(r"\.(flatten|view)\(.*", expression)[0].replace(".view", ".reshape")
                number = max(at for at in range(last) if self.names[at] == found[2])
                self.changes[number] = lambda func, args, kwargs: eval(f"x{method}", {"x": args[0]})
                return None
            self.changes[last] = lambda func, args, kwargs: eval(*self._over(expression, 0, args[0]))
            return None
        if not (found := re.fullmatch(r"(.*) (?:before|in) ([\w.:]+)", step)):
            expression, place = step, self.why.place  # another call in the place of the failing one
            self.changes[len(self.names) - 1] = lambda func, args, kwargs: eval(*self._over(expression, 0, args[0]))
            return None
        expression, place = found[1], found[2]
        if on := re.fullmatch(r"(nn\.\w+\(.*\)) on (.*)", expression):
            which = next(at for at, operand in enumerate(self.why.operands) if operand.label == on[2])
            conv = eval(on[1], {"nn": nn})
            return self._at(place, which, lambda x: conv(x))
        if re.fullmatch(r"nn\.\w+\(.*\)", expression):
            part = eval(expression, {"nn": nn})
            return self._at(place, 0, lambda x: part(x))
        known = (at for at, operand in enumerate(self.why.operands) if self._reads(expression, operand.name))
        which = next(known, None)
        if which is None:  # what the module reads, which calls inside it changed
            method = re.search(r"\.(permute|transpose|flatten|movedim)\(.*", expression)[0]
            return self._at(place, 0, lambda x: eval(f"x{method}", {"x": x}))
        return self._at(place, which, lambda x: eval(*self._over(expression, which, x)))

    @staticmethod
    def _reads(expression: str, name: str) -> bool:
        return expression.startswith((f"{name}.", f"{name}[", f"F.interpolate({name},"))

    def _over(self, expression: str, which: int, x: Any) -> tuple[str, dict[str, Any]]:
        """The expression with the operand in the place of its name."""
        return expression.replace(self.why.operands[which].name, "x", 1), {"x": x, "F": F, "nn": nn}

    def _at(self, place: str, which: int, change: Any) -> None:
        """Change an operand where a module reads it, or a call: the failing one, or the last of that name before it."""
        parts = dict(self.module.named_modules())
        if place in parts and place:

            def fed(module, args):
                return tuple(change(args[0]) if arg is args[0] else arg for arg in args)

            parts[place].register_forward_pre_hook(fed)
            return
        last = len(self.names) - 1
        name = re.sub(r"_\d+$", "", place.rpartition(":")[2])
        number = last if place == self.why.place else max(n for n in range(last) if self.names[n] == name)

        def call(func, args, kwargs):
            count = -1

            def put(value):
                nonlocal count
                if isinstance(value, torch.Tensor):
                    count += 1
                    return change(value) if count == which else value
                return type(value)(map(put, value)) if type(value) in (list, tuple) else value

            return func(*put(tuple(args)), **kwargs)

        self.changes[number] = call
