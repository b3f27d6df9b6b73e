"""Ways out of what a note says: in words, and as what they change, so that they can be tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

from convcalc.layers import Conv, Layer, Pad
from convcalc.layers.base import Shape
from convcalc.network.graph import Graph
from convcalc.network.node import Node
from convcalc.sizes.axes import per_axis


class Edit(NamedTuple):
    """One setting of a node with another value: a hyper-parameter on the axes of the way, or one of these.

    "size" of an input of the network; "layer", another one in its place; "before", a layer put on all that reads a
    node or input; "into NODE", the same for one reader alone.
    """

    node: str
    setting: str
    value: Any

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON record."""
        value = list(self.value) if isinstance(self.value, tuple) else self.value
        plain = isinstance(value, bool | int | str | list) or value is None
        return {"node": self.node, "setting": self.setting, "value": value if plain else str(value)}


Change: TypeAlias = tuple[Edit, ...]
"""What is done together."""

Option: TypeAlias = tuple[str, Change]
"""A change in words, and itself."""


@dataclass(frozen=True)
class Way:
    """What to do: a sentence with {} for its options, in words and as changes, each of which alone does it.

    `axes` are those it is about, None for all. A way without options says what no change of a setting does.

    >>> one, other = (("kernel_size=3", edits("conv", kernel_size=3)), ("stride=1", edits("conv", stride=1)))
    >>> Way("{} leaves no gap", (one, other)).text, Way("leave it").text
    ('kernel_size=3 or stride=1 leaves no gap', 'leave it')
    """

    says: str
    options: tuple[Option, ...] = ()
    axes: tuple[int, ...] | None = None

    @property
    def text(self) -> str:
        """The sentence."""
        words = [what for what, _ in self.options]
        return self.says.format(" or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words))

    @property
    def changes(self) -> tuple[Change, ...]:
        """What it offers, each alone."""
        return tuple(change for _, change in self.options)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON record; a layer is its text.

        >>> Way("{}", (("bias=False", edits("conv", bias=False)),), axes=(1,)).to_dict()["changes"]
        [[{'node': 'conv', 'setting': 'bias', 'value': False}]]
        """
        return {
            "text": self.text,
            "axes": None if self.axes is None else list(self.axes),
            "changes": [[edit.to_dict() for edit in change] for change in self.changes],
        }


def edits(node: str, **settings: Any) -> Change:
    """Return the change of some settings of one node.

    >>> edits("conv", kernel_size=3, padding=1)
    (Edit(node='conv', setting='kernel_size', value=3), Edit(node='conv', setting='padding', value=1))
    """
    return tuple(Edit(node, setting, value) for setting, value in settings.items())


def in_words(settings: Mapping[str, Any]) -> str:
    """Return settings as they are written: the first, with those that go with it.

    >>> in_words({"kernel_size": 3, "padding": 1, "output_padding": 0}), in_words({"ceil_mode": True})
    ('kernel_size=3 with padding=1, output_padding=0', 'ceil_mode=True')
    """
    first, *others = (f"{name}={value}" for name, value in settings.items())
    return f"{first} with {', '.join(others)}" if others else first


def applied(graph: Graph, shapes: Mapping[str, Shape], way: Way, change: Change) -> tuple[Graph, dict[str, Shape]]:
    """Return the graph, and the shapes of its inputs, with a change of a way made; `shapes` are those of all nodes.

    >>> graph = Graph([Node("conv", Conv(8, 5))])
    >>> way = Way("{} on W", (("kernel_size=3", edits("conv", kernel_size=3)),), axes=(1,))
    >>> shapes = {"input": (1, 3, 9, 9), "conv": (1, 8, 5, 5)}
    >>> applied(graph, shapes, way, way.changes[0])[0]["conv"].layer.kernel_size
    (5, 3)
    """
    nodes, outputs = {node.name: node for node in graph}, graph.outputs
    given = {name: tuple(shapes[name]) for name in graph.inputs}
    for name, setting, value in change:
        if setting == "size":
            given[name] = (*given[name][:2], *_on_axes(given[name][2:], value, way.axes))
        elif setting == "before" or setting.startswith("into "):
            only, mended = setting.removeprefix("into "), f"{name} mended"
            for node in list(nodes.values()):
                if name in node.inputs and (setting == "before" or node.name == only):
                    inputs = tuple(mended if read == name else read for read in node.inputs)
                    nodes[node.name] = replace(node, inputs=inputs)
            nodes[mended] = Node(mended, value, (name,))
            if setting == "before":
                outputs = tuple(mended if one == name else one for one in outputs)
        else:
            layer = _set(nodes[name].layer, setting, value, way.axes, len(shapes[name]) - 2)
            nodes[name] = replace(nodes[name], layer=layer)
    return Graph(list(nodes.values()), graph.inputs, outputs, labels=graph.labels), given


def _set(layer: Any, setting: str, value: Any, axes: tuple[int, ...] | None, count: int) -> Any:
    """A layer with another setting on some axes; a stride that was the kernel size stays what it was."""
    if setting == "layer":
        return value
    if setting in ("bias", "ceil_mode", "in_features", "dims"):
        return replace(layer, **{setting: value})
    if getattr(layer, "stride", 0) is None:
        layer = replace(layer, stride=layer.kernel_size)
    return replace(layer, **{setting: _on_axes(per_axis(setting, getattr(layer, setting), count), value, axes)})


def _on_axes(values: Sequence[Any], value: Any, axes: tuple[int, ...] | None) -> tuple[Any, ...]:
    return tuple(value if axes is None or place in axes else old for place, old in enumerate(values))


def dense(kernel_size: int, axes: tuple[int, ...], count: int) -> Layer:
    """Return a convolution that keeps channels and sizes and reads so many rows in a row on some axes, one elsewhere.

    >>> dense(4, (1,), 2).kernel_size
    (1, 4)
    """
    return Conv(None, tuple(kernel_size if axis in axes else 1 for axis in range(count)), padding="same-upper")


def shifted(rows: int, axis: int, count: int) -> Layer:
    """Return padding of so many rows before one axis, which takes as many away after it.

    >>> shifted(1, 1, 2).padding
    ((0, 0), (1, -1))
    """
    return Pad(tuple((rows, -rows) if place == axis else (0, 0) for place in range(count)))
