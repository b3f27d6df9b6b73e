"""The picture of a dilated stack: it shows what the result holds, within the width, in plain signs if asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc.arithmetic.dilation.stack import hdc
from convcalc.arithmetic.dilation.text import hdc_text

DESIGN = """\
rates 1 2 9, K 3: receptive field 25, read 21, missed 4: 7 8 16 17
r=1        ###                        M1 = max(5−2, 2−5, 1) = 5−2 = 3
r=2        #######                    M2 = max(9−4, 4−9, 2) = 9−4 = 5 > K
r=9        #######..#######..#######  M3 = 9
times      1121211001121211001121211
published  no: M2 = 5 > K = 3, no common factor
exact      no: 9 > 1 + 2·(1 + 2) = 7, so offset 7 is missed (layer 3)
sawtooth   one rise only
try        1 3 9 (receptive field 27, the largest for 3 layers)
try        1 2 7 (receptive field 21)"""


def lines(*stack, width=80, **options):
    return hdc_text(hdc(*stack), width, **options).splitlines()


def test_the_designs_example_is_drawn_whole():
    assert hdc_text(hdc([1, 2, 9])) == DESIGN


def test_ascii_is_the_same_text_in_plain_signs():
    plain = DESIGN.replace("−", "-").replace("·", "*")
    assert hdc_text(hdc([1, 2, 9]), ascii=True) == plain


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=6),
    st.integers(1, 5),
    st.integers(1, 2),
    st.one_of(st.none(), st.integers(30, 120)),
)
def test_one_row_a_layer_draws_its_holes_and_keeps_to_the_width(rates, kernel, stride, width):
    found = hdc(rates, kernel, stride)
    text = hdc_text(found, width, ascii=True)
    assert text.isascii()
    rows = [line for line in text.splitlines() if line.startswith("r=")]
    assert len(rows) == len(rates)
    picture = rows[-1].split()[1]
    missed = set(found.every_hole())
    if picture.endswith(">"):
        assert len(rows[-1]) <= (width or 5000)
        assert len(picture) < found.receptive_field
    else:
        assert len(picture) == found.receptive_field
    drawn = picture.removesuffix(">")
    assert {at for at, sign in enumerate(drawn) if sign == "."} == {hole for hole in missed if hole < len(drawn)}


def test_steps_go_below_a_picture_that_leaves_no_room_beside():
    text = lines([1, 2, 9], 4, width=60)
    assert text[3] == "r=9        " + "#" * 37
    assert text[6].strip() == "M2 = max(9−4, 4−9, 2) = 9−4 = 5 > K"


def test_a_long_field_is_cut_and_says_so():
    row = lines([1, 10**9], width=40)[2]
    assert row.split()[1] == "###" + "." * 22 + ">"
    assert len(row) == 40


def test_without_a_width_a_long_field_is_still_no_endless_line():
    assert max(map(len, lines([1, 10**9], width=None))) < 5000


def test_a_stride_stands_beside_the_rate_it_multiplies():
    text = lines([1, 2, 3], 3, 2)
    assert text[0].startswith("rates 1 2 3, K 3, stride 2: receptive field 35")
    assert [line.split()[0] for line in text[1:4]] == ["r=1", "r=2·2", "r=3·4"]


def test_counts_past_nine_are_a_plus():
    # three layers of four taps, all at rate 1: 1 3 6 10 12 12 10 6 3 1 ways
    assert "times      136++++631" in lines([1, 1, 1], 4)


@pytest.mark.parametrize(
    ("stack", "line"),
    [
        (([1, 2, 3],), "rates 1 2 3, K 3: receptive field 13, all read"),
        (([2, 2, 2],), "published  no: M2 = 2 ≤ K = 3, common factor 2"),
        (([2, 2, 2],), "exact      no: 2 > 1, so offset 1 is missed (layer 1)"),
        (([1, 2, 5], [3, 2, 5], [1, 2, 1]), "exact      no: 10 > 1 + 2·1 + 1·2 = 5, so offset 5 is missed (layer 3)"),
        (([1, 1, 4], 2), "exact      no: 4 > 1 + 1 + 1 = 3, so offset 3 is missed (layer 3)"),
        (([1, 2, 3, 1, 2, 3],), "sawtooth   1 2 3, 2 times"),
        (([7],), "note       the published rule does not apply: one layer has no M_2"),
        (([7],), "try        1 (receptive field 3, the largest for 1 layer)"),
        (([7],), "rates 7, K 3: receptive field 15, read 3, missed 12: 1 2 3 4 5 6 8 9 10 11 12 13"),
        (([1, 100],), "rates 1 100, K 3: receptive field 203, read 9, missed 194: 3..99 103..199"),
        (
            ([2, 3],),
            "note       the published rule lets holes pass: "
            "M_2 never looks at the first rate and takes it for 1; it is 2",
        ),
        (
            ([1, 1], 2, 3),
            "try        no rates close the holes: layer 2 moves in steps of 3, the strides before it, and the layers "
            "before it read 2 in a row at most",
        ),
        (
            ([100**place for place in range(20)],),
            "rates " + " ".join(str(100**place) for place in range(20)) + ", K 3: receptive field "
            f"{1 + 2 * (100**20 - 1) // 99}, read not counted, missed 3..99 103..199 203..9999 10003..10099 "
            "10103..10199 10203..19999 20003..20099 20103..20199 …",
        ),
    ],
)
def test_each_line_says_what_holds(stack, line):
    assert line in lines(*stack)


def test_many_rates_are_shortened_in_the_head_but_each_has_its_row():
    text = lines([*range(1, 31), 10**6])
    assert text[0].startswith("rates 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 …, K 3")
    assert sum(line.startswith("r=") for line in text) == 31
    assert (
        "exact      no: 1000000 > 1 + the reach of 30 smaller rates = 931, so offset 931 is missed (layer 31)" in text
    )


def test_of_many_rates_a_try_names_those_that_change():
    assert "try        1000000 -> 931 (layer 31) (receptive field 2793)" in lines([*range(1, 31), 10**6], ascii=True)


@pytest.mark.parametrize("width", [1, 5, 13])
def test_no_width_is_too_narrow_to_draw(width):
    assert lines([1, 2, 9], width=width)[1].split() == ["r=1", "#>"]
