"""Every way to read a size is heard: what is proved of a model that reads one so is what torch does at every size.

A reading makes a number of a size; a use does something with it whose outcome depends on the number. Each pair is a
model of its own, held against real runs at every size of a range.
"""

import bisect
import collections
import contextlib
import decimal
import fractions
import functools
import itertools
import json
import logging
import math
import operator
import pickle
import random
import statistics
import struct
import warnings

import pytest

torch = pytest.importorskip("torch")

import numpy as np  # noqa: E402
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from convcalc import valid_sizes  # noqa: E402
from convcalc.analysis.report.inspection import inspect_graph  # noqa: E402
from convcalc.analysis.validity import of_captures as legal_captured  # noqa: E402
from convcalc.analysis.validity.text import sizes_text  # noqa: E402
from convcalc.bridge.hearing.watch import Watch  # noqa: E402
from convcalc.bridge.trace import capture  # noqa: E402
from convcalc.errors import ConvcalcError  # noqa: E402

START = 24
SIZES = range(1, 71)
ELSEWHERE = (17, 48)
TABLE = [n // 3 + 1 for n in range(200)]
NAMED = {24: 3, 25: 4, 48: 5}
KNOWN = {17, 24, 33}


class Kind:
    sizes = frozenset({24, 32})


def by_set_of_its_own(n):
    seen = set()
    seen.add(n)
    return len(seen | {24})


@functools.lru_cache
def kept(n):
    return n % 5 + 1


def by_exception(n):
    try:
        return TABLE[n + 150]
    except IndexError:
        return 2


def by_match(n):
    match n:
        case 24 | 25:
            return 4
        case int():
            return 3


def by_text_of_a_failure(n):
    try:
        raise ValueError(f"{n}")
    except ValueError as error:
        return len(str(error))


READINGS = {
    "int": lambda n: int(n),
    "float": lambda n: int(float(n) * 0.3) + 1,
    "float on the left": lambda n: int(0.3 * n) + 1,
    "a part as a float": lambda n: int(n / 3),
    "floor": lambda n: math.floor(n / 3) + 1,
    "ceil": lambda n: math.ceil(n / 3),
    "trunc": lambda n: math.trunc(n * 0.25) + 1,
    "round": lambda n: round(n / 7) + 1,
    "range": lambda n: len(range(0, n, 3)),
    "a loop": lambda n: sum(1 for _ in range(n // 5)) + 1,
    "enumerate": lambda n: sum(1 for _ in enumerate([0] * n)),
    "gcd": lambda n: math.gcd(n, 8),
    "lcm": lambda n: math.lcm(n, 8) // 8,
    "isqrt": lambda n: math.isqrt(n),
    "sqrt": lambda n: int(math.sqrt(n)),
    "log2": lambda n: int(math.log2(n)) + 1,
    "comb": lambda n: math.comb(n, 2) % 7 + 1,
    "power": lambda n: n**0.5 // 1 + 1,
    "a set in the source": lambda n: 2 if n in {24, 32} else 3,
    "not in a set": lambda n: 2 if n not in {3, 5, 40} else 3,
    "a set by name": lambda n: 2 if n in KNOWN else 3,
    "a set of a class": lambda n: 2 if n in Kind.sizes else 3,
    "a set of its own": by_set_of_its_own,
    "a list": lambda n: 2 if n in [24, 32] else 3,
    "a dict": lambda n: NAMED.get(n, 2),
    "a dict in the source": lambda n: {24: 2, 48: 4}.get(n, 3),
    "a key of a dict": lambda n: {24: 2, 25: 3}[n],
    "a tuple as key": lambda n: {(24, 1): 2}.get((n, 1), 3),
    "setdefault": lambda n: {24: 2}.setdefault(n, 5),
    "a table": lambda n: TABLE[n],
    "a part of a table": lambda n: len(TABLE[:n]) // 2,
    "islice": lambda n: len(list(itertools.islice(TABLE, n))),
    "bisect": lambda n: bisect.bisect(TABLE, n) // 4 + 1,
    "deque": lambda n: len(collections.deque(range(500), maxlen=n)),
    "str": lambda n: 2 if str(n).endswith("4") else 3,
    "format": lambda n: len(f"{n:>3}".strip()),
    "percent": lambda n: len("%d" % n),  # noqa: UP031
    "hex": lambda n: int(hex(n)[2], 16),
    "repr of a tuple": lambda n: len(repr((n,))),
    "text of a failure": by_text_of_a_failure,
    "bytes": lambda n: len(bytes(n)),
    "to_bytes": lambda n: n.to_bytes(2, "big")[1],
    "bit_length": lambda n: n.bit_length(),
    "shift": lambda n: (n >> 2) + (1 << 1),
    "and": lambda n: (n & 6) + 1,
    "divmod": lambda n: divmod(n, 7)[1] + 1,
    "index": lambda n: operator.index(n) // 2 + 1,
    "type": lambda n: 2 if type(n) is int else 4,
    "isinstance": lambda n: 2 if isinstance(n, int) else n // 2,
    "fraction": lambda n: fractions.Fraction(n, 6).denominator,
    "decimal": lambda n: int(decimal.Decimal(n) / 3) + 1,
    "json": lambda n: len(json.dumps({"n": n})) - 6,
    "struct": lambda n: struct.pack(">H", n)[1],
    "complex": lambda n: int(complex(n, 0).real),
    "numpy": lambda n: int(np.zeros(n).size) // 2 + 1,
    "numpy product": lambda n: int(np.prod([n, 2])) // 4 + 1,
    "numpy scalar": lambda n: int(np.int64(3) * n) // 5 + 1,
    "numpy ceil": lambda n: int(np.ceil(n / 5)),
    "tensor": lambda n: int(torch.tensor(n) // 3) + 1,
    "values of arange": lambda n: torch.arange(n).tolist()[-1] // 3 + 1,
    "sum of ones": lambda n: int(torch.ones(n).sum()) // 2 + 1,
    "nonzero": lambda n: len(torch.ones(n).nonzero()),
    "linspace": lambda n: round(torch.linspace(0, n, 3)[1].item()) + 1,
    "max": lambda n: max(n // 3, 5),
    "sorted": lambda n: sorted([n, 7, 40])[1] // 2,
    "sum": lambda n: sum([n, n, 1]) // 4 + 1,
    "prod": lambda n: math.prod([n, 2]) // 4 + 1,
    "mean": lambda n: int(statistics.mean([n, 4])),
    "hash": lambda n: hash(n) % 5 + 1,
    "lru_cache": kept,
    "random seeded": lambda n: random.Random(int(n)).randrange(1, 5),
    "except": by_exception,
    "match": by_match,
    "while": lambda n: next(k for k in itertools.count(1) if k * k >= n),
    "bool": lambda n: 2 if n - 24 else 3,
    "chained": lambda n: 2 if 8 < n <= 40 else 3,
    "reduce": lambda n: functools.reduce(lambda a, b: a + b, [n, 1]) // 3 + 1,
    "negative": lambda n: abs(-n) // 3 + 1,
    "sets of lengths": lambda n: len({n, 24}),
    "pickle": lambda n: pickle.loads(pickle.dumps(n)),
    "pickle of a quotient": lambda n: int(pickle.loads(pickle.dumps(n / 2))) + 1,
    "sym_max": lambda n: torch.sym_max(n, 20),
    "sym_min": lambda n: torch.sym_min(40, n),
    "sym_int": lambda n: torch.sym_int(n / 3) + 1,
    "sym_float": lambda n: int(torch.sym_float(n) * 0.3) + 1,
    "sym_not": lambda n: 2 if torch.sym_not(n == 24) else 3,
    "sym_ite": lambda n: torch.sym_ite(n > 30, 2, 3),
    "sym_sqrt": lambda n: int(torch._sym_sqrt(n)) + 1,
    "counter": lambda n: collections.Counter([n, 24, 24])[24],
}

USES = {
    "pool": lambda x, k: functional.avg_pool1d(x, k),
    "view": lambda x, k: x.view(1, k, -1),
    "cut": lambda x, k: functional.conv1d(x[:, :, :k], x.new_ones(1, 1, 3)),
    "refuse": lambda x, k: _refuse(x, k),
    "repeat": lambda x, k: functional.max_pool1d(x.repeat(1, 1, k), 3),
    "made": lambda x, k: functional.conv1d(x.new_zeros(1, 1, k), x.new_ones(1, 1, 2)) + x.mean(),
}


def _refuse(x, k):
    if k % 2:
        raise ValueError(f"{k} is odd")
    return x * 2


class Model(nn.Module):
    def __init__(self, reading, use):
        super().__init__()
        self.reading, self.use = reading, use

    def forward(self, x):
        return self.use(x, self.reading(x.shape[2]))


def shape_in_torch(net, n):
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return tuple(net(torch.ones(1, 1, n)).shape)
    except Exception:
        return None


def wrong(net, start=START, sizes=SIZES):
    """Sizes at which something was said that a run does not do; whether the answer was proved."""
    graph = capture(net, (1, 1, start))
    real = {n: shape_in_torch(net, n) for n in sizes}
    try:
        legal = valid_sizes(graph, (1, 1, "L"))
    except ConvcalcError:
        return [n for n in sizes if real[n] is not None], False
    found = [n for n in sizes if n in legal.runs and real[n] is None]
    if legal.proved:
        found += [n for n in sizes if n not in legal.runs and real[n] is not None]
    for n in ELSEWHERE:
        try:
            report = inspect_graph(graph, (1, 1, n))
        except ConvcalcError:
            continue
        said = None if report.error is not None else report.output
        if said != real[n]:
            found.append(n)
    return sorted(set(found)), legal.proved


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Few sizes are tried one by one: what is tried is what a run does, and what is proved does not rest on it."""
    monkeypatch.setattr(legal_captured, "AROUND", 1)


@pytest.mark.parametrize("name", READINGS)
def test_what_is_proved_of_a_model_that_reads_a_size_is_what_torch_does(name):
    use = list(USES)[list(READINGS).index(name) % len(USES)]
    found, _ = wrong(Model(READINGS[name], USES[use]))
    assert not found, f"{name}, then {use}: said otherwise than torch does at {found}"


PROVED = [
    "trunc",
    "a set in the source",
    "not in a set",
    "a set by name",
    "a list",
    "a dict",
    "match",
    "bool",
    "chained",
]


@pytest.mark.parametrize("name", PROVED)
def test_what_is_a_comparison_is_proved(name):
    def use(x, k):
        return functional.max_pool1d(x, 2) if k == 2 else x * 2

    found, proved = wrong(Model(READINGS[name], use))
    assert proved
    assert not found


@given(
    st.lists(st.tuples(st.sampled_from(sorted(READINGS)), st.sampled_from(sorted(USES))), min_size=1, max_size=3),
    st.integers(8, 60),
)
@settings(max_examples=12)
def test_models_that_read_sizes_again_and_again_do_what_is_said_of_them(steps, start):
    class Many(nn.Module):
        def forward(self, x):
            for reading, use in steps:
                x = USES[use](x, READINGS[reading](x.shape[2])).reshape(1, 1, -1)[:, :, :200]
            return x

    found, _ = wrong(Many(), start)
    assert not found


RARE = {
    "text": lambda n: 3 if str(n).endswith("7") else 2,
    "hash": lambda n: 3 if hash(n) % 10 == 7 else 2,
    "table": lambda n: [2, 2, 2, 2, 2, 2, 2, 3, 2, 2][n % 10],
    "hex": lambda n: 3 if hex(n).endswith("7") else 2,
}


@pytest.mark.parametrize("name", RARE)
def test_what_is_seen_at_no_size_that_is_tried_is_not_proved(name):
    assert wrong(Model(RARE[name], USES["refuse"])) == ([], False)


@pytest.mark.parametrize("name", RARE)
def test_a_reading_that_is_not_heard_would_be_found_here(name, monkeypatch):
    monkeypatch.setattr(Watch, "lose", lambda self, how, size=None: None)
    monkeypatch.setattr(Watch, "look_up", lambda self, size: None)
    found, proved = wrong(Model(RARE[name], USES["refuse"]))
    assert proved
    assert found


@pytest.mark.parametrize("name", ["pickle", "pickle of a quotient", "sym_max", "sym_min", "sym_int", "sym_sqrt"])
def test_what_a_number_is_made_of_is_heard_where_a_size_alone_is_refused(name):
    for start in (8, START):
        found, _ = wrong(Model(lambda n: READINGS[name](n) % 11 == 7, USES["refuse"]), start)
        assert not found


class Caught(nn.Module):
    """A part that stands for what refuses below it, in a manager of contexts, where nothing compares."""

    def forward(self, x):
        n = x.shape[2]
        with self.passing(n > 30):
            return x.view(1, 1, -1, 3)[..., 0]
        return x

    @staticmethod
    @contextlib.contextmanager
    def passing(strict):
        try:
            yield
        except RuntimeError:
            if strict:
                raise


@pytest.mark.parametrize("start", [4, 6, 33])
def test_a_way_that_says_other_than_the_first_capture_is_not_believed(start):
    legal = valid_sizes(capture(Caught(), (1, 1, start)), (1, 1, "L"))
    runs = [n for n in SIZES if shape_in_torch(Caught(), n) is not None]
    said = {n: n in legal.runs for n in SIZES if n not in legal.unknown}
    assert said == {n: n in runs for n in said}


def test_a_comparison_without_a_formula_holds_for_the_sizes_it_was_made_at_alone():
    class Counting(nn.Module):
        def forward(self, x):
            if torch.where(torch.arange(x.shape[2]) % 5 == 2)[0].numel() == 7:
                raise ValueError("seven")
            return x * 2

    graph = capture(Counting(), (1, 1, START))
    for n in (24, 33, 40):
        assert (inspect_graph(graph, (1, 1, n)).error is None) == (shape_in_torch(Counting(), n) is not None)


def telling(x):
    n = x.shape[2]
    print("size", n, f"{n:>5}", x.shape, "%d" % n)  # noqa: UP031
    logging.getLogger("model").warning("size %s", n)
    warnings.warn(f"size {n}", stacklevel=1)
    torch._assert(n > 2, f"{n} is too small")
    assert n < 60, f"{n} is too large"
    if n == 40:
        raise ValueError(f"{n} is 40")
    return x * 2


def test_text_that_is_told_to_a_reader_alone_spoils_no_proof(capsys):
    class Telling(nn.Module):
        def forward(self, x):
            return telling(x)

    graph = capture(Telling(), (1, 1, START))
    assert not graph.capture.lost
    assert wrong(Telling()) == ([], True)
    capsys.readouterr()


def test_an_attribute_of_a_tensor_that_says_nothing_of_sizes_spoils_no_proof():
    class Asking(nn.Module):
        def forward(self, x):
            return x * 2 if x.dim() == 3 and x.dtype == torch.float32 and x.device.type else x

    class Storage(nn.Module):
        def forward(self, x):
            return x[:, :, : x.untyped_storage().nbytes() % 7 + 1]

    assert not capture(Asking(), (1, 1, START)).capture.lost
    assert "untyped_storage" in capture(Storage(), (1, 1, START)).capture.lost[0]


class Dropping(nn.Module):
    """Layers that are left out by chance while it trains."""

    def __init__(self, draw):
        super().__init__()
        self.draw = draw
        self.layers = nn.ModuleList(nn.Conv1d(1, 1, 3, padding=1) for _ in range(4))

    def forward(self, x):
        for layer in self.layers:
            if not self.training or self.draw() > 0.5:
                x = layer(x)
        return x


DRAWS = {
    "random": random.random,
    "uniform": lambda: random.uniform(0, 1),
    "choice": lambda: random.choice([0, 1]),
    "numpy": lambda: np.random.rand(),
    "torch": lambda: torch.rand(()).item(),
    "torch, compared": lambda: torch.rand([]),
    "torch, in place": lambda: torch.empty(1).uniform_(0, 1),
}


@pytest.mark.parametrize("name", DRAWS)
def test_a_random_number_that_chose_is_said_and_nothing_is_proved(name):
    net = Dropping(DRAWS[name])
    graph = capture(net, (1, 1, START), train=True)
    assert any("a random number was asked for" in remark for remark in graph.capture.remarks)
    assert not valid_sizes(graph, (1, 1, "L")).proved
    quiet = capture(net, (1, 1, START))
    assert not quiet.capture.lost
    assert not any("random" in remark for remark in quiet.capture.remarks)


def test_why_sizes_are_observed_alone_is_said_with_the_line():
    legal = valid_sizes(capture(Model(READINGS["gcd"], USES["pool"]), (1, 1, START)), (1, 1, "L"))
    assert legal.lost[0].startswith("a size used as an index at test_heard.py:")
    assert f"not proved beyond, as not all is heard: {legal.lost[0]}" in sizes_text(legal, None)
