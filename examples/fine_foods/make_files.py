"""Make this folder's data files from the source file of SOURCE.md.

    python make_files.py small_fine_foods.csv.gz

Rows are ordered by SHA-256 of "0:" and the review id; the first 500 are base, the next 1,500 the
contribution, the rest the benchmark. Of the splits with prefix 0, 1, 2, ... this is the first,
and 6 of its 1,500 contributed reviews (0.4 %) stand in the benchmark too, as they do in the source.
Nothing is cleaned here: that is the program's work.
"""

import csv
import gzip
import hashlib
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
FIELDS = ["review_id", "product", "review", "score"]


def write(name: str, rows: list[dict[str, str]]) -> None:
    """Write rows as CSV with LF line ends."""
    with (FOLDER / name).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"{name}: {len(rows)} rows")


def with_faults(
    contribution: list[dict[str, str]], base: list[dict[str, str]], benchmark: list[dict[str, str]]
) -> None:
    """A small contribution whose every kind of fault is planted, to show what cleaning says."""
    rows = [dict(row) for row in contribution[:240]]
    rows[3]["review"] += " Write to me at jane.roe@example.com or call +1 202-555-0143."
    rows[7]["review"] += " My card is 4111 1111 1111 1111, not that it helps."
    rows[11]["review"] += " Ordered from 192.0.2.44, IBAN GB82 WEST 1234 5698 7654 32."
    rows[20] = {**rows[19], "review_id": "twin-of-another"}
    rows[30] = {**base[0], "review_id": "stands-in-base"}
    rows[40] = {**benchmark[0], "review_id": "stands-in-the-benchmark"}
    shouted = benchmark[1]["review"].upper().replace(" ", "  ")
    rows[41] = {**benchmark[1], "review": shouted, "review_id": "shouted-benchmark-row"}
    rows[50]["score"] = "splendid"
    name = "contribution_with_faults.csv"
    write(name, rows)
    path = FOLDER / name
    lines = path.read_bytes() + b'broken-line,B000000000,"too many cells",great,and,more\n'
    path.write_bytes(lines)


def main() -> None:
    """Write the four files."""
    with gzip.open(sys.argv[1], "rt", encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    rows.sort(key=lambda row: hashlib.sha256(f"0:{row['review_id']}".encode()).digest())
    base, contribution, benchmark = rows[:500], rows[500:2000], rows[2000:]
    write("base.csv", base)
    write("contribution.csv", contribution)
    write("benchmark.csv", benchmark)
    with_faults(contribution, base, benchmark)


if __name__ == "__main__":
    main()
