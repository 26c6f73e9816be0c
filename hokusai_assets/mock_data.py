"""Made-up files that fit a task's schema, for dry runs: the same code paths without real data.

Deterministic from the task's seed. Features tell the label (words of each class's own vocabulary,
numbers shifted by class), so that more rows really help, and the contribution holds on purpose
what real ones hold by accident: empty cells, repeated rows, personal data (published example
values), malformed lines, scripts of many kinds, a rare class, a row of the benchmark. Reading and
cleaning such files is contribution/'s business.
"""

from __future__ import annotations

import csv
import datetime
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hokusai_assets.errors import UsageError
from hokusai_assets.task import DEFAULT_SEED, Column, Task

MIN_ROWS = 300
MIN_BENCHMARK_ROWS = 200

# Values from published examples: they pass every checksum and belong to nobody.
PII_EXAMPLES = (
    "alice@example.com",
    "4111 1111 1111 1111",
    "123-45-6789",
    "(202) 555-0143",
    "192.0.2.44",
    "GB82 WEST 1234 5698 7654 32",
    "https://bob:hunter2@host.example/x",
)
UNICODE_EXAMPLES = ("שלום עולם", "مرحبا", "👩‍👩‍👧 🎉", "nai\u0308ve cafe\u0301", "日本語", "ﬁne")

_RARE_SHARE = {2: 0.2}  # of the last class; with only two, fewer would leave nothing to learn from
_RARE_SHARE_OF_MANY = 0.05
_NULL_SHARE = 0.03
_LEVELS = 5  # of a regression's range
_WORDS_PER_CLASS = 80
_COMMON_WORDS = 150
_WORDS_PER_TEXT = 12
_OWN_WORDS, _OTHER_WORDS = 0.30, 0.15  # of a text's words; the rest are common ones
_SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu".split()
_EXACT = 2.0**53
_START = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)

Row = list[str]


@dataclass(frozen=True)
class MockFiles:
    """Paths of the three CSV files."""

    base: str
    benchmark: str
    contribution: str


def write_mock_files(task: Task, rows: int, folder: str | Path) -> MockFiles:
    """Write base (`rows` / 2), benchmark (the same, at least 200) and contribution (`rows`).

    Raises UsageError for so few rows that the planted faults would be more than 1 % of them.
    """
    if rows < MIN_ROWS:
        raise UsageError(f"Mock data of {rows} rows are too few: ask for at least {MIN_ROWS}.")
    seed = DEFAULT_SEED if task.seed is None else task.seed
    maker = _Maker(task, np.random.Generator(np.random.PCG64(seed)))
    base = maker.rows(rows // 2, "b")
    benchmark = maker.rows(max(rows // 2, MIN_BENCHMARK_ROWS), "t")
    contribution = maker.contribution(rows, base, benchmark)
    Path(folder).mkdir(parents=True, exist_ok=True)
    header = [c.name for c in task.columns]
    paths = {}
    for name, lines in (("base", base), ("benchmark", benchmark), ("contribution", contribution)):
        path = Path(folder, f"mock_{name}.csv")
        with path.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows([header, *lines])
        paths[name] = str(path)
    return MockFiles(**paths)


_FILES = ("b", "t", "c")  # prefixes of base, benchmark and contribution


class _Maker:
    """Draws rows of one task; every draw comes from one generator, in a fixed order."""

    def __init__(self, task: Task, rng: np.random.Generator) -> None:
        self._task = task
        self._rng = rng
        # Of a regression labels are levels of its range, which features tell as they tell classes.
        self._count = len(task.data.labels) or _LEVELS
        rare = _RARE_SHARE.get(self._count, _RARE_SHARE_OF_MANY)
        self._shares = np.full(self._count, (1 - rare) / (self._count - 1))
        self._shares[-1] = rare
        words = map(_word, range(_COMMON_WORDS + self._count * _WORDS_PER_CLASS))
        vocabulary = np.array(list(words), dtype=object)
        self._common = vocabulary[:_COMMON_WORDS]
        self._own = vocabulary[_COMMON_WORDS:].reshape(self._count, _WORDS_PER_CLASS)
        self._made = 0

    def rows(self, count: int, prefix: str) -> list[Row]:
        """`count` rows without faults; cells in the order of the task's columns."""
        classes = self._rng.choice(self._count, count, p=self._shares)
        classes[: self._count] = np.arange(self._count)  # every class is there
        columns = [self._cells(column, classes, prefix) for column in self._task.columns]
        self._made += count
        return [list(cells) for cells in zip(*columns, strict=True)]

    def contribution(self, count: int, base: list[Row], benchmark: list[Row]) -> list[Row]:
        """`count` rows, of which a few hold each kind of fault, at places drawn once."""
        rows = self.rows(count, "c")
        drawn = self._rng.permutation(np.arange(self._count, count)).tolist()
        broken, places = drawn[:3], itertools.cycle(drawn[3:])
        self._empty_cells(rows, places)
        self._add_texts(rows, places)
        for _ in range(max(2, count // 50)):
            self._copy(rows[next(places)], rows[next(places)])
        self._copy(base[-1], rows[next(places)])
        self._copy(benchmark[-1], rows[next(places)])
        self._update_keys(rows, base, places)
        self._break(rows, broken)
        return rows

    def _cells(self, column: Column, classes: np.ndarray, prefix: str) -> list[str]:
        numbers = range(self._made, self._made + len(classes))
        if column.role == "target" and self._task.kind == "regression":
            return self._targets(column, classes)
        if column.role == "target":
            return [str(self._task.data.labels[c]) for c in classes]
        if column.role in {"id", "group"} and column.allowed is None:
            # Groups of three rows, and never one group in two files.
            step = 3 if column.role == "group" else 1
            if column.pattern is not None:
                raise _no_examples(column)  # that many different ones
            return [_name(column, prefix, number // step, column.role) for number in numbers]
        if column.role == "group" and column.allowed is not None:
            return self._allowed_groups(column, len(classes), prefix)
        if column.type in {"text", "category"}:
            return self._texts(column, classes)
        if column.type == "boolean":
            likely = (classes + 1) / (self._count + 1)
            return ["true" if x else "false" for x in self._rng.random(len(classes)) < likely]
        if column.type == "timestamp":
            days = self._rng.normal(classes * 30.0 + 60, 25.0).clip(0, 20_000)
            seconds = (days * 86_400).astype(int).tolist()
            return [(_START + datetime.timedelta(seconds=s)).isoformat() for s in seconds]
        return self._numbers(column, classes)

    def _allowed_groups(self, column: Column, count: int, prefix: str) -> list[str]:
        """Groups out of a list, shared out among the files: none stands in two of them."""
        choices = (column.allowed or ())[_FILES.index(prefix) :: len(_FILES)]
        if not choices:
            raise UsageError(
                f"No mock data can be made for the group column {column.name!r}: of its allowed "
                f"values base, benchmark and contribution need one each, which is {len(_FILES)}."
            )
        return [str(choices[i]) for i in self._rng.integers(0, len(choices), count)]

    def _texts(self, column: Column, classes: np.ndarray) -> list[str]:
        if column.pattern is not None:
            picked = self._rng.integers(0, len(_examples(column)), len(classes))
            return [_examples(column)[p] for p in picked]
        if column.allowed is not None or column.type == "category":
            choices = column.allowed or tuple(map(str, self._common[:12]))
            # Most rows take their class's choice, the others any.
            strayed = self._rng.random(len(classes)) < 0.5
            picked = np.where(strayed, self._rng.integers(0, len(choices), len(classes)), classes)
            return [choices[p % len(choices)] for p in picked]
        shape = (len(classes), _WORDS_PER_TEXT)
        draw = self._rng.random(shape)
        other = self._rng.integers(0, self._count, shape)
        # Squared, so that some words are frequent and many are rare, as in any language.
        rank = self._rng.random(shape) ** 2
        spoken = np.where(draw < _OWN_WORDS, classes[:, None], other)
        own = self._own[spoken, (rank * _WORDS_PER_CLASS).astype(int)]
        common = self._common[(rank * _COMMON_WORDS).astype(int)]
        words = np.where(draw < _OWN_WORDS + _OTHER_WORDS, own, common)
        return [" ".join(row) for row in words.tolist()]

    def _targets(self, column: Column, levels: np.ndarray) -> list[str]:
        """Numbers about the middle of each row's level, with noise, within the range."""
        low, high = _bounds(column)
        step = (high - low) / self._count
        drawn = self._rng.normal(low + step * (levels + 0.5), step / 2).clip(low, high)
        if column.type == "integer":
            return [str(min(max(round(x), math.ceil(low)), math.floor(high))) for x in drawn]
        return [repr(x) for x in drawn.tolist()]

    def _numbers(self, column: Column, classes: np.ndarray) -> list[str]:
        low, high = _bounds(column)
        step = (high - low) / (self._count + 1)
        drawn = self._rng.normal(low + step * (classes + 1), step).clip(low, high)
        if column.type == "integer":
            least, most = math.ceil(low), math.floor(high)
            return [str(min(max(round(x), least), most)) for x in drawn.tolist()]
        return [repr(y if low <= (y := round(x, 4)) <= high else x) for x in drawn.tolist()]

    def _empty_cells(self, rows: list[Row], places: Iterator[int]) -> None:
        features = [c for c in self._task.columns if c.role == "feature"]
        for column in features:
            if column.nullable:
                limit = 1.0 if column.max_null_share is None else column.max_null_share
                wanted = int(min(_NULL_SHARE, limit / 2) * len(rows))
                # Rows without any feature would all be equal: one of them is enough.
                for _ in range(wanted if len(features) > 1 else min(wanted, 1)):
                    rows[next(places)][self._position(column)] = ""

    def _add_texts(self, rows: list[Row], places: Iterator[int]) -> None:
        refused = "reject" in {self._task.privacy.action, *self._task.privacy.detectors.values()}
        for column in self._task.columns:
            closed = column.allowed is not None or column.pattern is not None
            if column.role != "feature" or column.type != "text" or closed:
                continue
            additions = list(UNICODE_EXAMPLES)
            if column.pii != "reject" and (column.pii is not None or not refused):
                additions += PII_EXAMPLES
            for addition in additions:
                row = rows[next(places)]
                row[self._position(column)] = f"{row[self._position(column)]} {addition}".strip()

    def _copy(self, source: Row, target: Row) -> None:
        """Everything but the id."""
        for position, column in enumerate(self._task.columns):
            if column.role != "id":
                target[position] = source[position]

    def _update_keys(self, rows: list[Row], base: list[Row], places: Iterator[int]) -> None:
        """New versions of a few base rows, where the task merges by key."""
        key = self._task.id_column
        if self._task.merge.strategy == "update" and key is not None:
            for index in range(min(3, int(self._task.merge.max_updated_share * len(base)))):
                rows[next(places)][self._position(key)] = base[index][self._position(key)]

    def _break(self, rows: list[Row], places: list[int]) -> None:
        """A line too short, one too long, one without a known label: fewer than are accepted."""
        accepted = math.ceil(self._task.reading.max_rejected_share * len(rows)) - 1
        target = self._position(self._task.target)
        for kind, place in enumerate(places[: max(0, accepted)]):
            row = rows[place]
            if kind == 0:
                row[:] = [PII_EXAMPLES[0]]
            elif kind == 1:
                row.append("one cell too many")
            else:
                row[target] = self._no_label()

    def _no_label(self) -> str:
        """A target that the task does not have: a number outside its range, or another text."""
        target = self._task.target
        if self._task.kind == "classification" or target.maximum is None:
            return "no such label"
        return repr(target.maximum + max(1.0, abs(target.maximum)))

    def _position(self, column: Column) -> int:
        return self._task.columns.index(column)


def _examples(column: Column) -> tuple[str, ...]:
    if not column.examples:
        raise _no_examples(column)
    return column.examples


def _no_examples(column: Column) -> UsageError:
    return UsageError(
        f"Mock data cannot be made for column {column.name!r}, whose texts must match a pattern: "
        "list some under examples in the task (ids and groups with a pattern have no mock data)."
    )


def _word(index: int) -> str:
    """A pronounceable word; different for every index below 8000."""
    mixed = index * 7919 % 8000
    return "".join(_SYLLABLES[mixed // power % 20] for power in (400, 20, 1))


def _name(column: Column, prefix: str, number: int, role: str) -> str:
    """A value of the column's type that no other number has."""
    if column.type in {"integer", "number"}:
        low, high = _bounds(column)
        room = math.floor(high) - math.ceil(low) + 1
        return str(math.ceil(low) + (number if column.maximum is None else number % room))
    if column.type == "timestamp":
        return (_START + datetime.timedelta(minutes=number)).isoformat()
    if column.type == "boolean":
        return "true"
    return f"{prefix}{role}{number}"


def _bounds(column: Column) -> tuple[float, float]:
    """The range that numbers are drawn from: the task's, or 100 wide where it leaves it open."""
    low, high = column.minimum, column.maximum
    if low is None:
        low = 0.0 if high is None else min(0.0, high - 100)
    if high is None:
        high = low + 100
    # Doubles are whole numbers beyond 2**53, and rounding could leave 64 bits.
    return (max(low, -_EXACT), min(high, _EXACT)) if column.type == "integer" else (low, high)
