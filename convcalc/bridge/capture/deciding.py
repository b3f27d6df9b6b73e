"""A model run as often as it takes to find out what it does where it asks for values of its input."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

from convcalc.bridge.capture.assuming import LIMIT, Assumed, Place, decide
from convcalc.bridge.capture.guessing import Guess, guess


def decided(
    run: Callable[[Mapping[str, Any]], Any], assumed: Mapping[Place, Assumed], number: Guess | None, quick: Any
) -> Any:
    """Return the run of a model with what it asks for, as far as that is known or can be found out.

    `run` runs it with other settings, `quick` those of a run whose errors nobody reads. Where it ends at a condition on
    values, that goes the way it must; where it ends for want of a number, it gets one, if it does the same with any.
    """
    return _decided(run, {"assumed": assumed, "guess": number}, quick)


def _decided(run: Callable[[Mapping[str, Any]], Any], asked: dict[str, Any], quick: Mapping[str, Any]) -> Any:
    first = run(asked)
    while (place := first.recorder.asking.undecided) is not None and len(asked["assumed"]) < LIMIT:

        def tried(outcome: bool, place: Place = place, known: Mapping[str, Any] = asked) -> Any:
            return run({**known, "assumed": {**known["assumed"], place: Assumed(outcome, "")}, **quick})

        with redirect_stdout(StringIO()):  # what the model prints was printed once
            found = decide(place, tried)
            if found is None:
                break
            asked = {**asked, "assumed": {**asked["assumed"], place: found}}
            first = run(asked)
    asking = first.recorder.asking
    if first.raised is None or asked["guess"] is not None or not (asking.wanting or asking.answered):
        return first

    def going(number: Guess) -> Any:
        return _decided(lambda more: run({**more, **quick}), {**asked, "guess": number}, quick)

    with redirect_stdout(StringIO()):
        guessed = (guess(going, whole=False) if asking.wanting else None) or guess(going, whole=True)
    return first if guessed is None else _decided(run, {**asked, "guess": guessed}, quick)
