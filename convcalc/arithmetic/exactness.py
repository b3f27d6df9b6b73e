"""When a size is used in full: no row dropped by rounding, no crop lopsided.

A network may run and still lose rows: where the stride does not divide, the last rows of the input are read by no
window, and a skip connection that is cropped by an odd number of rows is shifted by half a row. Sizes that avoid
both are *exact*. What counts, here and nowhere else:

- A row of the input is dropped where it lies after the last window, and the next window would read it but does not
  fit. Rows of padding do not count (224 with kernel 7, stride 2, padding 3 leaves one over, of padding), and neither
  do rows that the windows pass over at every size, because the stride is larger than the kernel (a 1x1 convolution
  with stride 2) or because they lie between the taps of a dilated one (kernel 2, stride 2, dilation 2).
- Ceil mode and "same" padding make the last window fit: they drop nothing.
- A crop to a given size is symmetric where the difference is even.

Letters as in `convcalc.arithmetic.formulas`.
"""

from __future__ import annotations

from convcalc.arithmetic.formulas import Padding, extent, padding_pair
from convcalc.errors import BadShape
from convcalc.sizes.conditions import Check, Reader
from convcalc.sizes.size import Size, is_symbolic, larger, smaller


def check_no_row_dropped(n: Size, k: int, s: int = 1, p: Padding = 0, d: int = 1, *, check: Check) -> None:
    """(n + p0 + p1 - e) % s <= p1 + spare: what is left after the last window is padding, or passed over anyway.

    spare = s - 1 - d*min(k - 1, (s - 1)//d) rows lie between the last window and the first row after it that the next
    one would read. Only where p0 > e may that row be padding too, before the input.

    >>> from convcalc.sizes.conditions import enforce
    >>> check_no_row_dropped(224, k=7, s=2, p=3, check=enforce)
    >>> check_no_row_dropped(4, k=2, s=2, d=2, check=enforce)  # rows 1 and 3 are read at no size
    >>> check_no_row_dropped(57, k=2, s=2, check=enforce)
    Traceback (most recent call last):
    ...
    convcalc.errors.BadShape: 1 of 57 rows dropped: no window of 2 fits at the end with stride=2; use 56 or 58
    """
    if s == 1 or (isinstance(p, str) and p.startswith("same")):
        return
    before, after = padding_pair(n, k, s, p, d, check=check)
    e = extent(k, d)
    if k == 1 and isinstance(before, int) and before <= e:  # it reads single rows, and none is read past the end
        return
    over = (n + before + after - e) % s - after  # rows of the input, as far as it reaches, after the last window
    spare = s - 1 - d * smaller(k - 1, (s - 1) // d)

    def sentence(at: Reader) -> BadShape:
        size, rows = at(n), int(at(over))
        if is_symbolic(size):
            return BadShape(f"rows of {size} dropped: no window of {e} fits at the end with stride={s}")
        window, stride, step, free = at(e), at(s), at(d), at(spare)
        dropped = [row for row in range(free, rows, step) if row >= rows - size]
        near = [f"{one}" for one in (size - rows + free, size + stride - rows - at(after)) if one > 0]
        return BadShape(
            f"{len(dropped)} of {size} rows dropped: no window of {window} fits at the end with stride={stride}; "
            f"use {' or '.join(near)}",
            rule="no window drops a row",
            fixes=[f"input size {one}" for one in near],
        )

    if is_symbolic(before - e) or before <= e:
        check(spare - over, sentence)
        return
    tap = -((over - s) // d)  # counted from the last one: the first that reads a row before `over`
    row = s - 1 - d * tap
    check(larger(larger(tap - k, -1 - row), over - n - 1 - row), sentence)


def check_symmetric_crop(n: Size, o: Size, *, check: Check) -> None:
    """(n - o) % 2 == 0: cropping n rows to o takes as many before as after.

    >>> from convcalc.sizes.conditions import enforce
    >>> check_symmetric_crop(64, 57, check=enforce)
    Traceback (most recent call last):
    ...
    convcalc.errors.BadShape: 64 rows cropped to 57 take 3 before and 4 after, so the centre moves by half a row
    """

    def sentence(at: Reader) -> BadShape:
        cut = at(n) - at(o)
        return BadShape(
            f"{at(n)} rows cropped to {at(o)} take {cut // 2} before and {cut - cut // 2} after, "
            "so the centre moves by half a row",
            rule="every crop is symmetric",
        )

    check(-((n - o) % 2), sentence)


def check_even_cut(n: Size, before: Size, after: Size, *, check: Check) -> None:
    """before == after, where rows are cut off both ends to reach a size; rows that are added (negative) may differ.

    >>> from convcalc.sizes.conditions import enforce
    >>> check_even_cut(64, -3, -4, check=enforce)
    >>> check_even_cut(64, 3, 4, check=enforce)
    Traceback (most recent call last):
    ...
    convcalc.errors.BadShape: 64 rows cropped to 57 take 3 before and 4 after, so the centre moves by half a row
    """

    def sentence(at: Reader) -> BadShape:
        size, first, last = at(n), at(before), at(after)
        rows = "half a row" if abs(last - first) == 1 else f"{abs(last - first)}/2 rows"
        return BadShape(
            f"{size} rows cropped to {size - first - last} take {first} before and {last} after, "
            f"so the centre moves by {rows}",
            rule="every crop is symmetric",
        )

    check(larger(-larger(before, after), -larger(before - after, after - before)), sentence)
