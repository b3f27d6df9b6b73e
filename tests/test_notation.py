"""What a user types is read, or refused with the way to write it; nothing is evaluated."""

import keyword
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc.arithmetic.formulas import PADDING_NAMES
from convcalc.arithmetic.notation import LONGEST, read_number, read_padding, read_range, read_size
from convcalc.errors import Unreadable
from convcalc.sizes.expr import Expr

NAME = st.from_regex(r"[A-WYZa-wyz_][A-WYZa-wyz0-9_]{0,4}", fullmatch=True).filter(
    lambda name: not keyword.iskeyword(name)
)
ENTRY = st.one_of(st.integers(-(10**40), 10**40), NAME)
CROSS = st.sampled_from("xX×")


def meant(entry):
    return Expr.symbol(entry) if isinstance(entry, str) else entry


@given(st.lists(ENTRY, min_size=1, max_size=4), CROSS)
def test_a_size_is_one_entry_an_axis(entries, cross):
    assert read_size(cross.join(map(str, entries))) == tuple(map(meant, entries))


def test_the_same_symbol_is_the_same_size():
    channels, height, width = read_size("3xNxN")
    assert (channels, height) == (3, width)


@given(st.lists(st.one_of(st.integers(0, 99), st.tuples(st.integers(0, 99), ENTRY)), min_size=1, max_size=3), CROSS)
def test_a_padding_is_a_number_or_before_and_after(entries, cross):
    text = cross.join(":".join(map(str, entry)) if isinstance(entry, tuple) else str(entry) for entry in entries)
    expected = tuple(tuple(map(meant, entry)) if isinstance(entry, tuple) else entry for entry in entries)
    assert read_padding(text) == expected


@pytest.mark.parametrize("name", PADDING_NAMES)
def test_a_padding_may_be_named(name):
    assert read_padding(name) == read_padding(name.upper()) == (name,)


@given(st.integers(0, 10**6), st.integers(0, 300))
def test_a_range_has_both_ends(first, more):
    assert list(read_range(f"{first}..{first + more}")) == [first + step for step in range(more + 1)]


@given(st.integers(-(10**30), 10**30))
def test_a_number_is_no_range(number):
    assert read_range(str(number)) is None
    assert read_number(str(number)) == number


EVIL = ["__import__('os')", "1+1", "2**9", "n*2", "(28)", "[28]", "28.0", "1e3", "1_000", "lambda", "None"]
ALIEN = ["２８", "٢٨", "28 32", "28;32", "28,32", "²", "", " ", "x", "28x", "x28", "28xx32", "-", "--5", "+5"]


@pytest.mark.parametrize("text", EVIL + ALIEN)
def test_what_is_no_size_is_refused_with_the_text_and_the_way_to_write_it(text):
    with pytest.raises(Unreadable) as refusal:
        read_size(text)
    if "" in text.split("x") and "x" in text:
        assert str(refusal.value) == f"{text!r} has an empty entry: x stands between the entries of axes, as in 28x32"
    else:
        assert str(refusal.value) == f"{text!r} is no size: write 28, 28x32 (one entry per axis), or a name such as H"


@pytest.mark.parametrize("text", ["28\n", " 28", "28 "])
def test_space_around_a_size_means_nothing(text):
    assert read_size(text) == (28,)


PADDING = "2, 1:2 (before:after), 2x1 (one entry per axis), or " + ", ".join(PADDING_NAMES)


@pytest.mark.parametrize(
    ("read", "text", "sentence"),
    [
        (read_padding, "sane", f"'sane' is no padding: write {PADDING}"),
        (read_padding, "1:2:3", "'1:2:3' is no padding: one axis has two sides, before:after"),
        (read_padding, ":", f"':' is no padding: write {PADDING}"),
        (read_range, "3..", "'3..' is no range: write 24..40, first and last"),
        (read_range, "a..b", "'a..b' is no range: write 24..40, first and last"),
        (read_range, "1..2..3", "'1..2..3' is no range: write 24..40, first and last"),
        (read_range, "5..3", "'5..3' is empty: the first end, 5, is past the last, 3"),
        (
            read_range,
            "1..200000",
            "'1..200000' has 200000 rows: at most 100000; use a symbol for the general answer",
        ),
        (read_number, "28.0", "'28.0' is no integer"),
        (read_number, "9" * (LONGEST + 1), f"a number of {LONGEST + 1} digits: at most {LONGEST}"),
        (read_size, "9" * 5000, f"a number of 5000 digits: at most {LONGEST}"),
    ],
)
def test_what_cannot_be_read_is_said(read, text, sentence):
    with pytest.raises(Unreadable) as refusal:
        read(text)
    assert str(refusal.value) == sentence


@given(st.text(max_size=12))
def test_any_text_is_read_or_unreadable(text):
    for read in (read_size, read_padding, read_range, read_number):
        with suppress(Unreadable):
            read(text)
