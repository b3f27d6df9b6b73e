"""Solving backwards against trying everything: intervals, boxes, nearest outputs, fixes."""

import itertools
import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convcalc.arithmetic.formulas import conv_out, conv_transpose_out, extent, pool_out
from convcalc.arithmetic.solving.problem import BOUNDS, MOST_TRIED, _united
from convcalc.arithmetic.solving.solutions import solve_conv, solve_conv_transpose, solve_pool
from convcalc.errors import BadArgument, ConvcalcError, NoSolution
from convcalc.sizes.expr import Expr

KINDS = {
    "conv": (conv_out, solve_conv, {}),
    "tconv": (conv_transpose_out, solve_conv_transpose, {}),
    "pool": (pool_out, solve_pool, {}),
    "ceil pool": (pool_out, solve_pool, {"ceil_mode": True}),
}
NAMED = ["valid", "full", "causal", "same", "same-upper", "same-lower"]
FAR = 90
"""Every solution of the small cases here that is bounded lies below."""


def forward(kind, values):
    """The output size of a setting, None where it is refused."""
    formula, _, more = KINDS[kind]
    try:
        return formula(**values, **more)
    except ConvcalcError:
        return None


def backward(kind, **question):
    _, solver, more = KINDS[kind]
    return solver(**question, **more)


@st.composite
def questions(draw, unknowns=1):
    """(kind, known, unknowns, out) with small numbers; the stride of a pooling may be tied to its kernel."""
    kind = draw(st.sampled_from(list(KINDS)))
    values = {
        "n": draw(st.integers(1, 14)),
        "k": draw(st.integers(1, 6)),
        "s": draw(st.integers(1, 5)),
        "p": draw(st.one_of(st.integers(0, 3), st.tuples(st.integers(0, 3), st.integers(0, 3)))),
        "d": draw(st.integers(1, 4)),
    }
    if kind == "tconv":
        values["op"] = draw(st.integers(0, 3))
    elif draw(st.booleans()):
        values["p"] = draw(st.sampled_from(NAMED))
    sought = draw(st.lists(st.sampled_from(list(values)), min_size=unknowns, max_size=unknowns, unique=True))
    if "pool" in kind and str(values["p"]).startswith("same") and "p" not in sought:
        values["d"] = 1
        assume("d" not in sought)
    if "pool" in kind and "s" not in sought and draw(st.booleans()):
        del values["s"]
    known = {name: value for name, value in values.items() if name not in sought}
    return kind, known, sought, draw(st.integers(1, 9))


def contains(intervals, value):
    return any(lo <= value and (hi is None or value <= hi) for lo, hi in intervals)


# -- one unknown -------------------------------------------------------------------------------------------------


@settings(max_examples=1500)
@given(questions())
def test_one_unknown_is_every_integer_that_does_it(question):
    kind, known, (unknown,), out = question
    tried = [value for value in range(-2, FAR) if forward(kind, {**known, unknown: value}) == out]
    try:
        found = backward(kind, **known, out=out, solve=unknown, limit=FAR)
    except NoSolution:
        assert tried == []
        return
    assert [value for value in range(-2, FAR) if contains(found.intervals, value)] == tried
    first = [solution[unknown] for solution in found.solutions]
    assert first[: len(tried)] == tried[: len(first)]
    assert found.complete
    assert found.bounds == {}
    if found.count is None:
        assert found.intervals[-1][1] is None
        assert forward(kind, {**known, unknown: 10**30}) == out
    else:
        assert found.count == len(tried)


@pytest.mark.parametrize(
    ("kind", "question", "intervals"),
    [
        ("conv", {"n": 224, "k": 7, "s": 2, "out": 112, "solve": "p"}, ((3, 3),)),
        ("conv", {"n": 5, "k": 3, "out": 1, "solve": "s"}, ((3, None),)),
        ("conv", {"n": 9, "k": 1, "out": 9, "solve": "d"}, ((1, None),)),
        ("conv", {"k": 5, "s": 2, "out": 12, "solve": "n"}, ((27, 28),)),
        ("tconv", {"n": 7, "k": 3, "s": 2, "p": 1, "out": 14, "solve": "op"}, ((1, 1),)),
        ("tconv", {"n": 1, "k": 3, "out": 3, "solve": "s"}, ((1, None),)),
        ("ceil pool", {"k": 3, "s": 2, "out": 27, "solve": "n"}, ((54, 55),)),
        ("pool", {"n": 28, "out": 14, "solve": "k"}, ((2, 2),)),
        ("conv", {"n": 10**30, "k": 3, "p": 1, "out": 10**15, "solve": "s"}, ((10**15, 10**15 + 1),)),
    ],
)
def test_known_answers(kind, question, intervals):
    known = {name: value for name, value in question.items() if name not in ("out", "solve")}
    unknown, out = question["solve"], question["out"]
    assert backward(kind, **question).intervals == intervals
    for lo, hi in intervals:
        for value in (lo, hi if hi is not None else 10**40):
            assert forward(kind, {**known, unknown: value}) == out
        assert forward(kind, {**known, unknown: lo - 1}) != out
        assert hi is None or forward(kind, {**known, unknown: hi + 1}) != out


# -- several unknowns: the box -----------------------------------------------------------------------------------

ORDER = ["k", "s", "d", "p", "op", "n"]


def box(known, sought, bounds):
    """Every combination in the box of the design: k <= min(n, 31), s <= k, p < e, d <= 8, op as torch has it."""

    def grow(values, names):
        if not names:
            yield values
            return
        name, *rest = names
        most = {
            "k": lambda: min(values.get("n", bounds["k"]), bounds["k"]),
            "s": lambda: bounds.get("s", values["k"]),
            "d": lambda: bounds["d"],
            "p": lambda: bounds.get("p", extent(values["k"], values["d"]) - 1),
            "op": lambda: max(values["s"], values["d"]) - 1,
            "n": lambda: FAR,
        }[name]()
        for value in range(0 if name in ("p", "op") else 1, most + 1):
            yield from grow({**values, name: value}, rest)

    defaults = {"d": 1, **({"s": 1} if "s" not in sought else {})}
    names = [name for name in ORDER if name in sought]
    return ({name: values[name] for name in names} for values in grow({**defaults, **known}, names))


@settings(max_examples=120)
@given(questions(unknowns=2), st.fixed_dictionaries({}, optional={"k": st.integers(1, 5), "d": st.integers(1, 3)}))
def test_two_unknowns_are_all_of_the_box_smallest_first(question, bounds):
    check_box(*question, {"k": 7, "d": 3, **bounds})


@settings(max_examples=40)
@given(questions(unknowns=3), st.fixed_dictionaries({}, optional={"s": st.integers(1, 4), "p": st.integers(0, 3)}))
def test_three_unknowns_are_all_of_the_box_smallest_first(question, bounds):
    check_box(*question, {"k": 4, "d": 2, **bounds})


def check_box(kind, known, sought, out, bounds):
    tied = "pool" in kind and "s" not in known and "s" not in sought
    known = {**known, "d": known.get("d", 1)} if "d" not in sought else known
    tried = [
        values
        for values in box(known, sought, bounds)
        if forward(kind, {**known, **values} if tied or "s" in known or "s" in sought else {**known, **values, "s": 1})
        == out
    ]
    try:
        found = backward(kind, **known, out=out, solve=sought, bounds=bounds, limit=10)
    except NoSolution:
        assert tried == []
        return
    assert [dict(solution) for solution in found.solutions] == tried[:10]
    assert found.count == len(tried)
    assert found.complete == (len(tried) <= 10)
    assert found.unknowns == tuple(name for name in ORDER if name in sought)
    assert found.intervals == ()


def test_the_box_is_that_of_the_design_unless_told():
    assert BOUNDS == {"k": 31, "d": 8}
    found = solve_conv(n=40, out=20, solve=["k", "s", "p", "d"])
    assert found.bounds == {"k": "k <= min(n, 31)", "s": "s <= k", "d": "d <= 8", "p": "p < extent"}
    wider = solve_conv(n=40, out=20, solve=["k", "s", "p", "d"], bounds={"k": 40, "s": 2, "d": 1, "p": 3})
    assert wider.bounds == {"k": "k <= min(n, 40)", "s": "s <= 2", "d": "d <= 1", "p": "p <= 3"}
    kernels = itertools.product(range(1, 41), (1, 2), range(4))
    expected = [(k, s, p) for k, s, p in kernels if 40 + 2 * p >= k and (40 + 2 * p - k) // s + 1 == 20]
    assert wider.count == len(expected)
    assert [(v["k"], v["s"], v["p"]) for v in wider.solutions] == expected[:20]


def test_counting_does_not_walk_through_the_solutions():
    assert solve_conv(k=3, s=10**12, out=3, solve=["d", "n"]).count == 8 * 10**12


@pytest.mark.parametrize("s", [None, 10**30])
def test_a_box_too_large_to_try_is_refused_at_once(s):
    huge = 10**30
    with pytest.raises(BadArgument, match=rf"tries up to {huge} combinations, at most {MOST_TRIED}: give one of them"):
        solve_conv(n=5, k=huge, out=3, solve=["s", "p"])


# -- nothing found -----------------------------------------------------------------------------------------------


@settings(max_examples=600)
@given(questions())
def test_the_nearest_outputs_are_the_nearest_that_can_be_reached(question):
    kind, known, (unknown,), out = question
    reached = {forward(kind, {**known, unknown: value}) for value in range(FAR)} - {None}
    assume(out not in reached)
    with pytest.raises(NoSolution) as refusal:
        backward(kind, **known, out=out, solve=unknown)
    message = str(refusal.value)
    assert message.startswith(f"no {unknown} gives output {out} for ")
    below, above = [o for o in reached if o < out], [o for o in reached if o > out]
    expected = sorted({max(below, default=out), min(above, default=out)} - {out})
    named = re.findall(r"(\d+) \(([^)]*)\)", message)
    assert [int(o) for o, _ in named] == expected
    verb = "the nearest outputs are" if len(expected) > 1 else "the nearest output is"
    assert (verb in message) == bool(expected)
    for o, setting in named:
        assert forward(kind, {**known, **read(setting)}) == int(o)


@settings(max_examples=600)
@given(st.one_of(questions(), questions(unknowns=2)))
def test_every_fix_is_a_setting_that_works(question):
    kind, known, sought, out = question
    bounds = {"k": 5, "d": 2}
    assume(not any(forward(kind, {**known, **values}) == out for values in box_or_line(known, sought, bounds)))
    with pytest.raises(NoSolution) as refusal:
        backward(kind, **known, out=out, solve=sought, bounds=bounds)
    for fix in refusal.value.fixes:
        reached = forward(kind, {**known, **read(fix)})
        assert reached == out or f"{reached} ({fix})" in str(refusal.value)
    if "itself takes" in str(refusal.value):
        assert forward(kind, {**known, **read(refusal.value.fixes[-1])}) == out


def box_or_line(known, sought, bounds):
    if len(sought) == 1:
        return ({sought[0]: value} for value in range(FAR))
    return box(known, sought, bounds)


def read(setting):
    """`k=3 p=2:3` as values."""
    entries = (entry.split("=") for entry in setting.split())
    return {name: tuple(map(int, text.split(":"))) if ":" in text else int(text) for name, text in entries}


def test_the_nearest_may_be_far():
    with pytest.raises(NoSolution, match=r"the nearest outputs are 3 \(n=1\) and 1000000003 \(n=2\)"):
        solve_conv_transpose(k=3, s=10**9, out=7, solve="n")


def test_the_sentence_of_no_solution():
    with pytest.raises(NoSolution) as refusal:
        solve_conv_transpose(k=3, s=2, out=8, solve="n")
    assert str(refusal.value) == (
        "no n gives output 8 for k=3 s=2 p=0 op=0 d=1; the nearest outputs are 7 (n=3) and 9 (n=4); 8 itself takes "
        "op=1 n=3"
    )
    assert refusal.value.fixes == ("n=3", "n=4", "op=1 n=3")
    with pytest.raises(NoSolution) as refusal:
        solve_conv(n=28, k=4, out=28, solve="p")
    assert "28 itself takes p=1:2" in str(refusal.value)


# -- what is no question -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ({"n": 5, "k": 3, "out": 0, "solve": "s"}, "an output size is at least 1: 0"),
        ({"n": 5, "k": 3, "out": 2, "solve": "n"}, "n is both given (5) and sought: leave one out"),
        ({"n": 5, "out": 2, "solve": "s"}, "k is needed to solve for s"),
        ({"n": 5, "k": 3, "out": 2, "solve": "op"}, "solve for one or several of n, k, s, p, d: 'op'"),
        ({"n": 5, "k": 3, "out": 2, "solve": []}, "solve for one or several of n, k, s, p, d: []"),
        ({"n": 0, "k": 3, "out": 2, "solve": "s"}, "n must be >= 1: 0"),
        ({"n": 5, "k": 3, "p": -1, "out": 2, "solve": "s"}, "p must be >= 0: -1"),
        ({"n": 5, "k": 2.5, "out": 2, "solve": "s"}, "k must be an integer: 2.5"),
        ({"n": 5, "k": 3, "out": 2.0, "solve": "s"}, "out must be an integer: 2.0"),
        ({"n": Expr.symbol("H"), "k": 3, "out": 2, "solve": "s"}, "solving takes numbers: n is H"),
        ({"n": 5, "k": 3, "p": (0, Expr.symbol("H")), "out": 2, "solve": "s"}, "solving takes numbers: p is H"),
        ({"n": 5, "k": 3, "out": Expr.symbol("H"), "solve": "s"}, "solving takes numbers: out is H"),
        ({"n": 5, "k": 3, "out": 2, "solve": "s", "limit": -1}, "limit must be >= 0: -1"),
        ({"n": 5, "out": 2, "solve": ["s", "k"], "bounds": {"n": 3}}, "the box has bounds on k, s, d and p only: n"),
        ({"n": 5, "out": 2, "solve": ["s", "k"], "bounds": {"k": 2.5}}, "bound(k) must be an integer: 2.5"),
    ],
)
def test_what_cannot_be_solved_is_said(question, sentence):
    with pytest.raises(BadArgument) as refusal:
        solve_conv(**question)
    assert str(refusal.value) == sentence


@pytest.mark.parametrize("known", [{"d": 2, "n": 9}, {"d": 3, "n": 9}])
def test_a_pooling_with_same_padding_is_solved_without_dilation_alone(known):
    with pytest.raises(BadArgument, match="a pooling with padding 'same' is solved at dilation 1 only"):
        solve_pool(**known, p="same", out=5, solve="k")


@given(st.integers(1, 200), st.integers(1, 9), st.integers(1, 6), st.integers(0, 4))
def test_the_input_sizes_of_an_output_are_a_stride_of_them(out, k, s, p):
    largest = out * s - 1 - 2 * p + k
    assume(largest >= max(1, k - 2 * p))
    found = solve_conv(k=k, s=s, p=p, out=out, solve="n")
    ((lo, hi),) = found.intervals
    assert hi == largest
    assert lo == max(1, k - 2 * p, hi - s + 1)
    assert found.count == hi - lo + 1 <= s


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 6)), max_size=6))
def test_intervals_are_united_to_the_fewest_in_order(drawn):
    members = {n for low, more in drawn for n in range(low, low + more + 1)}
    united = _united([(low, low + more) for low, more in drawn])
    assert {n for low, high in united for n in range(low, high + 1)} == members
    assert [low for low, _ in united] == sorted(n for n in members if n - 1 not in members)
