"""A layered layout of a directed graph: where boxes stand, and which way the lines between them go.

After K. Sugiyama, S. Tagawa and M. Toda, "Methods for visual understanding of hierarchical system structures", IEEE
Transactions on Systems, Man, and Cybernetics 11 (1981): levels by the longest path, their order by barycentres. Along a
level, boxes stand as near to the middle of what they are joined to as their neighbours let them (least squares, exact,
by pooling adjacent violators).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from convcalc.errors import BadShape

Box: TypeAlias = tuple[float, float]
"""(width, height), in pixels."""
Point: TypeAlias = tuple[float, float]
_Joint: TypeAlias = tuple[str, str, int]
"""Where a long line passes a level: its ends and the level."""
_Item: TypeAlias = "str | _Joint"

GAP, BETWEEN, LANE = 22, 34, 6
"""Pixels between boxes of a level, between levels, and on each side of a line that passes."""
SWEEPS = 12
"""So often the order of the levels, and then the places on them, are made better."""
MOST = 40_000
"""So many boxes and passing lines are placed at the most."""


@dataclass(frozen=True)
class Layout:
    """Where all boxes stand, by their top left corners, the points of each line, and the size of all."""

    places: Mapping[str, Point]
    lines: Mapping[tuple[str, str], tuple[Point, ...]]
    width: float
    height: float


def layered(boxes: Mapping[str, Box], edges: Sequence[tuple[str, str]]) -> Layout:
    """Place boxes, given in an order in which most edges point forwards, on levels from the top down.

    An edge that points backwards is drawn upwards. Raises `BadShape` where there is too much to place.

    >>> found = layered({"a": (40, 20), "b": (40, 20), "c": (40, 20)}, [("a", "b"), ("b", "c"), ("a", "c")])
    >>> [place[1] for place in found.places.values()], len(found.lines["a", "c"])
    ([0, 54, 108], 4)
    """
    order = {name: place for place, name in enumerate(boxes)}
    forwards = {(a, b) if order[a] < order[b] else (b, a) for a, b in edges if a != b}
    levels = _levels(boxes, forwards)
    items, joined = _with_joints(levels, sorted(forwards, key=lambda edge: (order[edge[0]], order[edge[1]])))
    rows = _ordered(items, joined)
    middles = _placed(rows, joined, boxes)
    tops, height = _tops(rows, boxes)
    least = min(middles[item] - _wide(item, boxes) / 2 for row in rows for item in row)
    width = max(middles[item] + _wide(item, boxes) / 2 for row in rows for item in row) - least
    places = {name: (middles[name] - least - boxes[name][0] / 2, tops[levels[name]][0]) for name in boxes}
    lines = {}
    for a, b in edges:
        if a != b:
            turned = order[a] > order[b]
            points = _points(*((b, a) if turned else (a, b)), levels, middles, tops, boxes, least)
            lines[a, b] = tuple(reversed(points)) if turned else tuple(points)
    return Layout(places, lines, width, height)


def passing(names: Sequence[str], edges: Sequence[tuple[str, str]]) -> int:
    """Return how often a line passes a level in the layout of boxes so joined: the less, the better it reads.

    >>> passing(["a", "b", "c"], [("a", "b"), ("b", "c"), ("a", "c")])
    1
    """
    order = {name: place for place, name in enumerate(names)}
    forwards = {(a, b) if order[a] < order[b] else (b, a) for a, b in edges if a != b}
    levels = _levels(names, forwards)
    return sum(levels[b] - levels[a] - 1 for a, b in forwards)


def _levels(boxes: Iterable[str], edges: Iterable[tuple[str, str]]) -> dict[str, int]:
    """The level of each box: one more than the highest of those before it."""
    before: dict[str, list[str]] = {name: [] for name in boxes}
    for a, b in edges:
        before[b].append(a)
    levels: dict[str, int] = {}
    for name in before:
        levels[name] = max((levels[other] + 1 for other in before[name]), default=0)
    return levels


def _with_joints(
    levels: Mapping[str, int], edges: Sequence[tuple[str, str]]
) -> tuple[list[list[_Item]], dict[_Item, tuple[list[_Item], list[_Item]]]]:
    """The items of each level, a joint for each line that passes, and what each is joined to above and below."""
    count = sum(levels[b] - levels[a] - 1 for a, b in edges) + len(levels)
    if count > MOST:
        raise BadShape(f"{count:,} boxes and lines are too many to draw, at most {MOST:,}: fold blocks with --depth 1")
    rows: list[list[_Item]] = [[] for _ in range(max(levels.values(), default=0) + 1)]
    joined: dict[_Item, tuple[list[_Item], list[_Item]]] = {}
    for name, level in levels.items():
        rows[level].append(name)
        joined[name] = ([], [])
    for a, b in edges:
        last: _Item = a
        for level in range(levels[a] + 1, levels[b] + 1):
            item: _Item = b if level == levels[b] else (a, b, level)
            if item != b:
                rows[level].append(item)
                joined[item] = ([], [])
            joined[last][1].append(item)
            joined[item][0].append(last)
            last = item
    return rows, joined


def _ordered(rows: list[list[_Item]], joined: Mapping[_Item, tuple[list[_Item], list[_Item]]]) -> list[list[_Item]]:
    """The rows in the order of fewest crossings that sweeps down and up by barycentres find."""
    best, fewest = rows, _crossings(rows, joined)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        down = sweep % 2 == 0
        rows = [list(row) for row in rows]
        for level in range(len(rows)) if down else reversed(range(len(rows))):
            other = level - 1 if down else level + 1
            if not 0 <= other < len(rows):
                continue
            spots = {item: place for place, item in enumerate(rows[other])}
            own = {item: place for place, item in enumerate(rows[level])}

            def centre(item: _Item, spots: Mapping[_Item, int] = spots, own: Mapping[_Item, int] = own) -> float:
                near = [spots[other] for other in joined[item][0 if down else 1]]  # noqa: B023 - used at once
                return sum(near) / len(near) if near else own[item]

            rows[level].sort(key=centre)
        crossings = _crossings(rows, joined)
        if crossings < fewest:
            best, fewest = rows, crossings
    return best


def _crossings(rows: list[list[_Item]], joined: Mapping[_Item, tuple[list[_Item], list[_Item]]]) -> int:
    """How many lines cross between levels: inversions, counted by insertion into a sorted list."""
    from bisect import bisect_right, insort

    count = 0
    for upper, lower in pairwise(rows):
        spots = {item: place for place, item in enumerate(lower)}
        seen: list[int] = []
        for item in upper:
            ends = sorted(spots[other] for other in joined[item][1])
            count += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return count


def _wide(item: _Item, boxes: Mapping[str, Box]) -> float:
    return boxes[item][0] if isinstance(item, str) else 0


def _placed(
    rows: list[list[_Item]], joined: Mapping[_Item, tuple[list[_Item], list[_Item]]], boxes: Mapping[str, Box]
) -> dict[_Item, float]:
    """The middle of each item: sweeps down and up, each level as near as it can be to what it is joined to."""
    middles: dict[_Item, float] = {}
    for row in rows:
        x: float = 0
        for item in row:
            middles[item] = x + _wide(item, boxes) / 2
            x += _wide(item, boxes) + GAP
        for item in row:
            middles[item] -= x / 2
    for sweep in range(SWEEPS):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wanted, weights = [], []
            for item in row:
                near = [*joined[item][0], *joined[item][1]]
                lanes = [other for other in near if not isinstance(other, str)]
                own = not isinstance(item, str)
                wanted.append(sum(middles[other] for other in near) / len(near) if near else middles[item])
                weights.append(8.0 if own and lanes else 2.0 if own or lanes else 1.0)
            apart = [_distance(a, b, boxes) for a, b in pairwise(row)]
            for item, x in zip(row, _apart(wanted, weights, apart), strict=True):
                middles[item] = x
    return middles


def _distance(a: _Item, b: _Item, boxes: Mapping[str, Box]) -> float:
    """From the middle of an item to that of its neighbour, at the least."""
    between = sum(GAP / 2 if isinstance(item, str) else LANE for item in (a, b))
    return (_wide(a, boxes) + _wide(b, boxes)) / 2 + between


def _apart(wanted: Sequence[float], weights: Sequence[float], gaps: Sequence[float]) -> list[float]:
    """The places nearest to those wanted, in weighted squares, that keep each pair of neighbours so far apart.

    >>> _apart([0, 0], [1, 1], [10])
    [-5.0, 5.0]
    """
    shifts = [0.0]
    for gap in gaps:
        shifts.append(shifts[-1] + gap)
    pools: list[tuple[float, float, int]] = []  # (mean, weight, how many)
    for want, weight, shift in zip(wanted, weights, shifts, strict=True):
        mean, size = want - shift, 1
        while pools and pools[-1][0] > mean:
            other, heavy, many = pools.pop()
            mean = (mean * weight + other * heavy) / (weight + heavy)
            weight, size = weight + heavy, size + many
        pools.append((mean, weight, size))
    means = [mean for mean, _, size in pools for _ in range(size)]
    return [mean + shift for mean, shift in zip(means, shifts, strict=True)]


def _tops(rows: list[list[_Item]], boxes: Mapping[str, Box]) -> tuple[list[tuple[float, float]], float]:
    """Where each level begins and ends, and the height of all."""
    y: float = 0
    tops = []
    for row in rows:
        high = max((boxes[item][1] for item in row if isinstance(item, str)), default=0)
        tops.append((y, y + high))
        y += high + BETWEEN
    return tops, y - BETWEEN


def _points(
    a: str,
    b: str,
    levels: Mapping[str, int],
    middles: Mapping[_Item, float],
    tops: Sequence[tuple[float, float]],
    boxes: Mapping[str, Box],
    least: float,
) -> list[Point]:
    """The points of the line from the bottom of a box to the top of another, straight down past the levels between."""
    points: list[Point] = [(middles[a] - least, tops[levels[a]][0] + boxes[a][1])]
    if boxes[a][1] < tops[levels[a]][1] - tops[levels[a]][0]:
        points.append((middles[a] - least, tops[levels[a]][1]))
    for level in range(levels[a] + 1, levels[b]):
        x = middles[a, b, level] - least
        points += [(x, tops[level][0]), (x, tops[level][1])]
    return [*points, (middles[b] - least, tops[levels[b]][0])]
