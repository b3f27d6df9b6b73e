"""Sets of sizes against plain Python sets, and their words, records and export dimensions against what they say."""

from __future__ import annotations

import re
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc.errors import BadArgument
from convcalc.sizes.boxes import Boxes
from convcalc.sizes.sets import SizeSet, every, only
from convcalc.sizes.words import listing

END = 400


@st.composite
def raw(draw: st.DrawFn) -> tuple[int, tuple[int, ...], int, tuple[int, ...]]:
    modulus = draw(st.sampled_from([1, 2, 3, 4, 6, 8, 9, 12, 16, 30]))
    residues = draw(st.lists(st.integers(0, modulus - 1), max_size=modulus, unique=True))
    return modulus, tuple(residues), draw(st.integers(0, 60)), tuple(draw(st.lists(st.integers(0, 90), max_size=12)))


def members(one: tuple[int, tuple[int, ...], int, tuple[int, ...]]) -> set[int]:
    modulus, residues, minimum, finite = one
    return set(finite) | {n for n in range(minimum, END) if n % modulus in residues}


@given(raw())
def test_membership_iteration_and_below_are_those_of_the_definition(one):
    theirs, ours = members(one), SizeSet(*one)
    assert {n for n in range(END) if n in ours} == theirs
    assert list(ours.below(END)) == sorted(theirs)
    assert list(islice(ours, min(40, len(theirs)))) == sorted(theirs)[:40]
    assert bool(ours) == bool(theirs)
    assert ours.smallest == min(theirs, default=None)
    assert -1 not in ours
    assert "3" not in ours


@given(raw(), raw())
def test_equal_sets_are_equal_values(one, other):
    a, b = SizeSet(*one), SizeSet(*other)
    assert (a == b) == (members(one) == members(other))
    modulus, residues, minimum, finite = one
    respelled = tuple(residue + step for residue in residues for step in (0, modulus, 2 * modulus))
    assert SizeSet(3 * modulus, respelled, minimum, finite) == a
    record = a.record()
    assert SizeSet(**{key: value if isinstance(value, int) else tuple(value) for key, value in record.items()}) == a


@given(raw())
def test_the_canonical_form_is_the_least_of_its_kind(one):
    ours = SizeSet(*one)
    kept = {n for n in range(ours.minimum, END) if n % ours.modulus in ours.residues}
    assert not kept & set(ours.finite)
    assert ours.is_finite == (not kept)
    if ours.is_finite:
        assert (ours.modulus, ours.minimum) == (1, 0)
        return
    assert ours.minimum in ours
    shifts = [
        k for k in range(1, ours.modulus) if {(r + k) % ours.modulus for r in ours.residues} == set(ours.residues)
    ]
    assert not shifts
    before = [n for n in range(ours.minimum) if n % ours.modulus in ours.residues]
    assert not before or before[-1] not in ours


@given(raw(), raw())
def test_union_and_intersection_are_those_of_sets(one, other):
    a, b = SizeSet(*one), SizeSet(*other)
    both, either = members(one) & members(other), members(one) | members(other)
    assert {n for n in range(END) if n in a & b} == both
    assert {n for n in range(END) if n in a | b} == either
    assert (a & b) == (b & a)
    assert (a | b) == (b | a)


@given(raw(), st.integers(0, 200))
def test_nearest_is_the_closest_member_on_each_side(one, n):
    theirs = members(one)
    below = max((m for m in theirs if m <= n), default=None)
    above = min((m for m in theirs if m >= n), default=None)
    assert SizeSet(*one).nearest(n) == (below, above)


def test_huge_moduli_meet_by_chinese_remainders():
    a, b = SizeSet(2**40, (5,), 0), SizeSet(3**25, (7,), 10**9)
    (residue,) = (a & b).residues
    assert residue % 2**40 == 5
    assert residue % 3**25 == 7
    assert not SizeSet(4, (1,)) & SizeSet(6, (2,))


@pytest.mark.parametrize(
    ("arguments", "says"), [((0,), "modulus must be >= 1: 0"), ((1, (), 0, (-3,)), "sizes are >= 0: -3")]
)
def test_what_is_no_set_of_sizes_is_refused(arguments, says):
    with pytest.raises(BadArgument, match=says):
        SizeSet(*arguments)


@given(raw())
def test_the_words_of_a_set_evaluate_to_the_set(one):
    """The text of short sets, with .. and commas spelled for Python, is a condition with the same members."""
    ours = SizeSet(*one)
    text = ours.text("n")
    if "..." in text:
        return

    def spelled(numbers: re.Match[str]) -> str:
        parts = [part.split("..") for part in numbers[1].split(", ")]
        return "in {" + ", ".join(f"*range({part[0]}, {part[-1]} + 1)" for part in parts) + "}"

    condition = (
        re.sub(r"in ((?:\d+(?:\.\.\d+)?(?:, )?)+)", spelled, text).replace(" is ", " == ").replace("; or", " or")
    )
    condition = {"no n": "False", "every n": "True"}.get(condition, condition)
    assert {n for n in range(END) if eval(condition, {"n": n})} == members(one)


@given(st.lists(st.integers(0, 60), unique=True, min_size=1).map(sorted))
def test_a_listing_names_every_number_or_counts_them(numbers):
    text = listing(numbers)
    if text.endswith("in all)"):
        assert f"({len(numbers)} in all)" in text
        return
    ends = [part.split("..") for part in text.split(", ")]
    assert [n for part in ends for n in range(int(part[0]), int(part[-1]) + 1)] == numbers


class Dim:
    """torch.export's Dim as far as the texts use it: a range, a factor, a shift."""

    def __init__(self, name, *, min=0, max=None, factor=1, shift=0):  # noqa: A002
        self.range, self.factor, self.shift = (min, max), factor, shift

    def __rmul__(self, factor):
        return Dim("", min=self.range[0], max=self.range[1], factor=factor)

    def __add__(self, shift):
        return Dim("", min=self.range[0], max=self.range[1], factor=self.factor, shift=shift)

    def below(self, end):
        low, high = self.range
        sizes = (self.factor * k + self.shift for k in range(low, end if high is None else high + 1))
        return {n for n in sizes if n < end}


@given(raw())
def test_the_export_dimensions_together_are_the_set(one):
    dims = [eval(text, {"Dim": Dim}) for text in SizeSet(*one).dims("H")]
    parts = [{dim} if isinstance(dim, int) else dim.below(END) for dim in dims]
    assert set().union(*parts) == members(one)
    assert sum(map(len, parts)) == len(members(one))


def test_torch_exports_the_dimension_of_a_padded_unet():
    torch = pytest.importorskip("torch", reason="torch is an extra: pip install 'convcalc[torch]'")

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.down, self.up = torch.nn.MaxPool2d(4), torch.nn.Upsample(scale_factor=4)

        def forward(self, x):
            return self.up(self.down(x)) + x

    (text,) = SizeSet(4, (0,), 8).dims("H")
    assert text == '4*Dim("h", min=2)'
    dim = eval(text, {"Dim": torch.export.Dim})
    net = torch.export.export(Net(), (torch.ones(1, 1, 16, 16),), dynamic_shapes=({2: dim},)).module()
    assert net(torch.ones(1, 1, 20, 16)).shape == (1, 1, 20, 16)
    with pytest.raises(Exception, match="Guard failed"):
        net(torch.ones(1, 1, 18, 16))


# -- boxes -------------------------------------------------------------------------------------------------------

boxes = st.lists(st.tuples(raw(), raw()), max_size=3)


@given(boxes, boxes, st.tuples(st.integers(0, 40), st.integers(0, 40)))
def test_boxes_are_unions_of_products(first, second, sizes):
    def made(pairs):
        return Boxes(("H", "W"), tuple((SizeSet(*a), SizeSet(*b)) for a, b in pairs))

    def holds(pairs):
        return any(sizes[0] in members(a) and sizes[1] in members(b) for a, b in pairs)

    assert (sizes in made(first)) == holds(first)
    assert bool(made(first)) == any(members(a) and members(b) for a, b in first)
    assert (sizes in made(first) & made(second)) == (holds(first) and holds(second))
    assert (sizes[::-1] in made(first).ordered(("W", "H"))) == holds(first)
    assert (sizes[0] in made(first)["H"]) == any(sizes[0] in members(a) and bool(members(b)) for a, b in first)


@given(boxes, st.tuples(st.integers(0, 90), st.integers(0, 90)))
def test_the_nearest_of_boxes_is_legal_and_none_is_nearer(pairs, sizes):
    found = Boxes(("H", "W"), tuple((SizeSet(*a), SizeSet(*b)) for a, b in pairs))
    legal = [(h, w) for a, b in pairs for h in members(a) for w in members(b)]
    apart = lambda one: abs(one[0] - sizes[0]) + abs(one[1] - sizes[1])  # noqa: E731
    near = found.nearest(sizes)
    assert bool(near) == bool(legal)
    if legal:
        assert apart(near[0]) == min(map(apart, legal))
        assert all(one in found for one in near)


def test_a_box_names_its_axes_and_knows_no_others():
    box = Boxes(("H", "W"), ((every(3), only([5])),))
    assert box.lines() == ["H >= 3, W is 5"]
    assert Boxes(("H",), ()).lines() == ["no size"]
    with pytest.raises(BadArgument, match="no axis 'D' here: there is H, W"):
        box["D"]
    with pytest.raises(BadArgument, match="sizes needs one value for all axes or 2"):
        (1, 2, 3) in box  # noqa: B015
