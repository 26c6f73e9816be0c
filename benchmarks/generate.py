"""Made-up contributions of any size, the same each time: what the cleaning benchmarks read.

A row is an id, about 89 characters of text from a Zipf vocabulary, five numbers and a label. Of
every 1,000 rows 20 hold personal data, 50 repeat an earlier row, and 2 are an earlier row with one
word changed; of every million, 30 lines are malformed (too short, too long, no number). Written in
blocks, so that the size is not bounded by memory.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

HEADER = "id,text,f0,f1,f2,f3,f4,label\n"
_BLOCK = 100_000
_VOCABULARY = 50_000
_WORDS = 15
_SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu".split()
_PERSONAL = (
    "mail {0}@example.com",
    "call (202) 555-0{1:03d}",
    "card 4111 1111 1111 1111",
    "ssn 123-45-6789",
)

TASK = """\
task_schema = 1
id = "generated"

[data]
base = "base.csv"
benchmark = "benchmark.csv"
labels = ["bad", "good"]

[[columns]]
name = "id"
type = "text"
role = "id"

[[columns]]
name = "text"
type = "text"

{numbers}
[[columns]]
name = "label"
type = "category"
role = "target"
"""


def vocabulary() -> np.ndarray:
    """Distinct made-up words, the common ones short."""
    words = []
    for index in range(_VOCABULARY):
        letters, rest = [], index
        while True:
            rest, digit = divmod(rest, len(_SYLLABLES))
            letters.append(_SYLLABLES[digit])
            if not rest:
                break
            rest -= 1
        words.append("".join(letters))
    return np.array(words, dtype=object)


def write_rows(path: Path, rows: int, seed: int, *, faults: bool) -> None:
    """Write a CSV file of `rows` rows; with `faults`, of all kinds."""
    rng = np.random.Generator(np.random.PCG64(seed))
    words = vocabulary()
    weights = 1 / np.arange(1, _VOCABULARY + 1) ** 0.9
    weights = np.cumsum(weights / weights.sum())
    with path.open("w", encoding="utf-8") as stream:
        stream.write(HEADER)
        for first in range(0, rows, _BLOCK):
            count = min(_BLOCK, rows - first)
            stream.writelines(_block(rng, words, weights, seed, first, count, faults))


def _block(rng, words, weights, seed, first, count, faults):  # type: ignore[no-untyped-def]
    drawn = words[np.searchsorted(weights, rng.random((count, _WORDS)))]
    numbers = np.round(rng.normal(size=(count, 5)), 6)
    labels = rng.random(count) < 0.5
    contents = []
    fate = rng.random(count)
    for row in range(count):
        tokens = drawn[row]
        if faults and row and 0.02 <= fate[row] < 0.07:
            contents.append(contents[int(rng.integers(row))])
            continue
        if faults and row and 0.07 <= fate[row] < 0.072:
            text, *rest = contents[int(rng.integers(row))]
            changed = text.split(" ")
            changed[int(rng.integers(len(changed)))] = str(words[int(rng.integers(_VOCABULARY))])
            contents.append((" ".join(changed), *rest))
            continue
        text = " ".join(tokens)
        if faults and fate[row] < 0.02:
            kind = _PERSONAL[row % len(_PERSONAL)]
            text += " " + kind.format(tokens[0], int(row % 200))
        contents.append((text, *numbers[row].tolist(), "good" if labels[row] else "bad"))
    lines = [
        f"{seed}-{first + row},{','.join(map(str, content))}\n"
        for row, content in enumerate(contents)
    ]
    if faults:
        for index in range(max(1, 30 * count // 1_000_000)):
            place = int(rng.integers(count))
            lines[place] = (
                f"{place},short\n",
                lines[place][:-1] + ",1,2\n",
                "x,y,1,2,z,4,5,good\n",
            )[index % 3]
    return lines


def write_files(folder: Path, rows: int) -> None:
    """A contribution of `rows` rows with faults, 20,000 base and 10,000 benchmark rows, a task."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = "".join(f'[[columns]]\nname = "f{i}"\ntype = "number"\n\n' for i in range(5))
    (folder / "task.toml").write_text(TASK.format(numbers=numbers))
    write_rows(folder / "base.csv", 20_000, 1, faults=False)
    write_rows(folder / "benchmark.csv", 10_000, 2, faults=False)
    write_rows(folder / "contribution.csv", rows, 3, faults=True)


if __name__ == "__main__":
    write_files(Path(sys.argv[1]), int(sys.argv[2]))
