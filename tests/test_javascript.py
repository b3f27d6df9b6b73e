"""What is generated for pages is what Python works out, in node: 100,000 values here; in Chromium in `test_page`.

A million of them: python tests/test_javascript.py
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from collections.abc import Callable

import pytest

import convcalc as cc
from convcalc.sizes.expr import Expr
from convcalc.sizes.javascript import PRELUDE, javascript
from convcalc.sizes.size import larger, smaller

NODE = shutil.which("node") or shutil.which("nodejs")
FORMULAS, POINTS = 1000, 100
LETTERS = ("n", "H", "W")


def drawn(dice: random.Random, depth: int) -> Expr:
    """A random formula in all that formulas are made of, divisors of both signs among it."""
    if depth == 0 or dice.random() < 0.1:
        return Expr.symbol(dice.choice(LETTERS))
    left = drawn(dice, depth - 1)
    match dice.randrange(6):
        case 0:
            return left + dice.randint(-9, 9)
        case 1:
            return left * dice.choice([-3, -1, 2, 5])
        case 2:
            return left // dice.choice([-7, -2, 2, 3, 4, 32])
        case 3:
            return left - drawn(dice, depth - 1)
        case 4:
            choose = dice.choice([smaller, larger])
            return choose(left, drawn(dice, depth - 1)) + Expr.symbol("n")
        case _:
            return left * drawn(dice, min(1, depth - 1)) // dice.choice([3, 8])


def in_node(script: str) -> list[list[str]]:
    """What a script prints, read as JSON."""
    result = subprocess.run([NODE, "-e", script], capture_output=True, text=True, check=True, timeout=300)
    return json.loads(result.stdout)


def value_in_node(expression: str) -> list[list[str]]:
    return in_node(f"console.log(JSON.stringify({expression}))")


def differences(
    count: int, places: int, evaluate: Callable[[str], list[list[str]]] = value_in_node
) -> list[tuple[str, tuple[int, ...]]]:
    """The random formulas, and where, of which JavaScript says something else than Python."""
    dice = random.Random(13)
    formulas = [drawn(dice, dice.randint(1, 5)) for _ in range(count)]
    spread = [*range(-4, 40), *(10**power + step for power in (3, 9, 18, 30) for step in (-1, 0, 1))]
    points = [tuple(dice.choice(spread) for _ in LETTERS) for _ in range(places)]
    asked = json.dumps([list(map(str, point)) for point in points])
    program = f"{PRELUDE}const f={javascript(formulas, LETTERS)};"
    rows = evaluate(f"(()=>{{{program}return {asked}.map(p=>f(...p.map(BigInt)).map(String))}})()")
    return [
        (str(formula), point)
        for point, row in zip(points, rows, strict=True)
        for formula, value in zip(formulas, row, strict=True)
        if str(int(formula(**dict(zip(LETTERS, point, strict=True))))) != value
    ]


@pytest.mark.skipif(NODE is None, reason="no node here")
def test_values_in_node_are_those_of_python():
    assert differences(FORMULAS, POINTS) == []


@pytest.mark.skipif(NODE is None, reason="no node here")
def test_the_check_can_fail():
    n = Expr.symbol("n")
    truncating = PRELUDE.replace("a<0n!==b<0n", "false")
    script = f"console.log(JSON.stringify(({javascript([n // 2], ['n'])})(-3n).map(String)))"
    assert in_node(PRELUDE + script) == ["-2"]
    assert in_node(truncating + script) == ["-1"]


@pytest.mark.skipif(NODE is None, reason="no node here")
def test_the_shapes_of_a_network_in_node_are_those_of_the_report():
    net = cc.zoo.resnet50()
    letters = ("N", "H", "W")
    symbolic = cc.inspect(net, ("N", 3, "H", "W"))
    sizes = [size for row in symbolic.layers for size in row.output]
    script = f"{PRELUDE}console.log(JSON.stringify(({javascript(sizes, letters)})(2n,350n,97n).map(String)))"
    numbers = [size for row in cc.inspect(net, (2, 3, 350, 97)).layers for size in row.output]
    assert in_node(script) == list(map(str, numbers))


def test_each_part_is_worked_out_once():
    nested = Expr.symbol("n")
    for _ in range(40):
        nested = (2 * nested + 1) // 3
    assert javascript([nested, nested + 1], ["n"]).count("q(") == 40


if __name__ == "__main__":
    print(len(differences(2000, 500)), "of 1,000,000 values differ")
