"""`hokusai validate` on real files: what it says, writes and exits with, and what it never says."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner, Result

from hokusai_assets.cli.app import app
from hokusai_assets.contribution.validation import Validation
from hokusai_assets_tests.conftest import ROOT, SmallTask, make_rows, write_csv

EMAIL = "carol.canary@example.com"
SSN = "123-45-6789"


def validate(small: SmallTask, *words: str, file: Path | None = None) -> Result:
    return CliRunner().invoke(
        app, ["validate", str(file or small.contribution), "--task", str(small.task), *words]
    )


def contribute(small: SmallTask, **changes: dict[int, dict[str, str]]) -> None:
    """The contribution again, with cells of some rows changed."""
    rows = make_rows(300, 3, "c")
    for index, cells in changes.get("cells", {}).items():
        rows[index] |= cells
    write_csv(small.contribution, rows)


def leak(small: SmallTask, count: int) -> None:
    """Let `count` contributed rows stand in the benchmark, which has 400 rows all the same."""
    own = make_rows(300, 3, "c")
    write_csv(small.folder / "benchmark.csv", [*own[:count], *make_rows(400 - count, 2, "t")])


def plain(result: Result) -> str:
    return " ".join(result.stdout.split())


def test_a_valid_file_ends_with_0_and_a_verdict(small: SmallTask) -> None:
    result = validate(small)
    assert result.exit_code == 0
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[-1] == "Verdict       Valid: every row can be used. Nothing needs to be done."
    assert "300 rows read" in result.stdout
    assert "Rows that stand in the benchmark: below 1 %." in result.stdout
    assert "No key was given" in plain(result)


def test_problems_are_listed_with_rows_and_remedies(small: SmallTask) -> None:
    contribute(small, cells={9: {"weight": "heavy"}, 20: {"label": "ugly"}})
    result = validate(small)
    assert result.exit_code == 0
    words = plain(result)
    assert "2 do not fit the task" in words
    assert "Column Problem Rows First rows What to do" in words
    assert "weight not a number 1 10 Write digits" in words
    assert "label not one of the task's 1 21 Use the labels" in words
    assert "Verdict Valid, but not every row can be used." in words


def test_a_refused_file_ends_with_3_and_all_reasons(small: SmallTask) -> None:
    bad = {i: {"weight": "heavy"} for i in range(3)} | {i: {"label": "ugly"} for i in range(3, 7)}
    contribute(small, cells=bad)
    result = validate(small, "--fix", str(small.folder / "fixed.csv"))
    assert result.exit_code == 3
    words = plain(result)
    assert "- column 'label': not one of the task's labels (4 rows: 4, 5, 6, 7)" in words
    assert "- column 'weight': not a number (3 rows: 1, 2, 3)" in words
    assert "Verdict Not valid: the file is refused." in words
    assert "Written" not in words
    assert not list(small.folder.glob("fixed*"))


def test_too_much_leakage_ends_with_3(small: SmallTask) -> None:
    leak(small, 4)
    result = validate(small)
    assert result.exit_code == 3
    assert "above 1 %" in result.stdout
    assert "Verdict Not valid: more than 1 % of the rows stand in the benchmark" in plain(result)


@pytest.mark.parametrize("present", ["base.csv", "benchmark.csv", ""])
def test_a_contributor_without_the_operators_files_is_told(small: SmallTask, present: str) -> None:
    for name in {"base.csv", "benchmark.csv"} - {present}:
        (small.folder / name).unlink()
    result = validate(small)
    assert result.exit_code == 0
    not_checked = "Leakage was not checked: the benchmark is not here." in plain(result)
    assert not_checked is (present != "benchmark.csv")
    checked = "Duplicates of base data were checked." in plain(result)
    assert checked is (present == "base.csv")


def test_the_key_is_named_and_never_shown(
    small: SmallTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    contribute(small, cells={0: {"note": EMAIL}})
    monkeypatch.setenv("HOKUSAI_PII_KEY", "verysecretkey")
    result = validate(small)
    assert "HMAC-SHA256 of 128 bits under the key with id" in plain(result)
    assert "note email 1 hash" in plain(result)
    assert "verysecretkey" not in result.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing.csv", "--task", "TASK"], "no file nothing.csv"),
        (["FILE", "--task", "none.toml"], "no task file none.toml"),
        (["FILE", "--task", "TASK", "--fix", "out.xlsx"], "says no format"),
        (["FILE", "--task", "TASK", "--fix", "FILE"], "not overwritten"),
        (["FILE", "--task", "TASK", "--report", "FILE"], "not overwritten"),
        (["FOLDER", "--task", "TASK"], "no file"),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_usage_ends_with_2_and_one_sentence(
    small: SmallTask, words: list[str], said: str, as_json: bool
) -> None:
    before = small.contribution.read_bytes()
    empty = small.folder / "empty"
    empty.mkdir()
    names = {"FILE": small.contribution, "TASK": small.task, "FOLDER": empty}
    given = [str(names.get(word, word)) for word in words]
    result = CliRunner().invoke(app, ["validate", *given, *(["--json"] if as_json else [])])
    assert result.exit_code == 2
    if as_json:
        assert said in json.loads(result.stdout)["error"]
        assert json.loads(result.stdout)["exit_code"] == 2
    else:
        assert result.stderr.startswith("hokusai: ")
        assert said in result.stderr
        assert result.stdout == ""
    assert small.contribution.read_bytes() == before


def test_json_is_one_object_of_the_published_shape(small: SmallTask, tmp_path: Path) -> None:
    contribute(small, cells={9: {"weight": "heavy"}, 1: {"note": EMAIL}})
    page = tmp_path / "page.html"
    result = validate(small, "--json", "--report", str(page))
    assert result.stderr == ""
    told = json.loads(result.stdout)
    assert told["written"] == [str(page)]
    schema = json.loads((ROOT / "docs" / "schemas" / "validation.schema.json").read_text())
    jsonschema.validate(told, schema)
    assert list(told) == [*Validation.model_fields, "written"]
    assert set(told) == set(schema["required"]) == set(schema["properties"])
    assert told["counts"]["usable"] == 299
    assert told["pii"][0]["detector"] == "email"


def test_a_refused_file_has_the_same_keys(small: SmallTask) -> None:
    contribute(small, cells={i: {"label": "ugly"} for i in range(9)})
    result = validate(small, "--json")
    assert result.exit_code == 3
    told = json.loads(result.stdout)
    assert list(told) == [*Validation.model_fields, "written"]
    assert told["valid"] is False
    assert told["counts"] is None


def test_the_fixed_file_is_valid_and_stays_as_it_is(small: SmallTask) -> None:
    contribute(small, cells={9: {"weight": "heavy"}, 1: {"note": f"mail {EMAIL}"}})
    fixed = small.folder / "fixed.jsonl"
    first = json.loads(validate(small, "--json", "--fix", str(fixed)).stdout)
    assert first["written"] == [str(fixed), f"{fixed}.changes.json"]
    again = json.loads(validate(small, "--json", file=fixed).stdout)
    assert again["content_root_received"] == first["content_root_usable"]
    assert again["counts"]["read"] == again["counts"]["usable"] == 299
    assert again["pii"] == again["problems"] == []
    assert validate(small, "--fix", str(fixed)).exit_code == 2  # and once more is refused


def everything(small: SmallTask, folder: Path) -> dict[str, bytes]:
    """All that a validation shows or writes, in each of its forms."""
    folder.mkdir()
    page, fixed = folder / "page.html", folder / "fixed.csv"
    shown = validate(small, "--report", str(page), "--fix", str(fixed))
    printed = validate(small, "--json")
    return {
        "exit codes": f"{shown.exit_code} {printed.exit_code}".encode(),
        "stdout": shown.stdout.replace(str(folder), "").split("Written")[0].encode(),
        "stderr": (shown.stderr + printed.stderr).encode(),
        "json": printed.stdout.encode(),
        **{path.name: path.read_bytes() for path in sorted(folder.iterdir())},
    }


def test_how_many_rows_leak_is_told_nowhere(small: SmallTask, tmp_path: Path) -> None:
    # The same file against benchmarks that hold up to 3 of its 300 rows, at most 1 %.
    told = []
    for leaked in (0, 1, 2, 3):
        leak(small, leaked)
        told.append(everything(small, tmp_path / f"leaked{leaked}"))
    assert b"below 1 %" in told[0]["stdout"]
    assert told[0] == told[1] == told[2] == told[3]
    above = []
    for leaked in (4, 40, 300):
        leak(small, leaked)
        above.append(everything(small, tmp_path / f"leaked{leaked}"))
    assert above[0] == above[1] == above[2]
    assert above[0]["fixed.csv"] == told[0]["fixed.csv"]
    assert above[0]["fixed.csv.changes.json"] == told[0]["fixed.csv.changes.json"]


def test_no_cell_is_shown_or_written_anywhere(small: SmallTask, tmp_path: Path) -> None:
    contribute(small, cells={0: {"note": f"write to {EMAIL}"}, 1: {"note": f"I am {SSN}"}})
    with small.contribution.open("a", encoding="utf-8") as stream:
        stream.write(f'{SSN},"{EMAIL}" {SSN},1,good,{SSN}\n')
    told = everything(small, tmp_path / "told")
    assert told["exit codes"] == b"0 0"
    assert set(told) >= {"page.html", "fixed.csv", "fixed.csv.changes.json"}
    for name, content in told.items():
        assert EMAIL.encode() not in content, name
        assert SSN.encode() not in content, name
    contribute(small, cells={i: {"weight": EMAIL, "label": SSN} for i in range(20)})
    for name, content in everything(small, tmp_path / "refused").items():
        assert EMAIL.encode() not in content, name
        assert SSN.encode() not in content, name


def test_nothing_heavy_is_loaded(small: SmallTask) -> None:
    program = f"""
import sys
from typer.testing import CliRunner
from hokusai_assets.cli.app import app
words = ["validate", {str(small.contribution)!r}, "--task", {str(small.task)!r}]
words += ["--fix", {str(small.folder / "f.csv")!r}, "--report", {str(small.folder / "p.html")!r}]
assert CliRunner().invoke(app, words).exit_code == 0
print([n for n in ("dagster", "sklearn", "mlflow", "scipy") if n in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout == "[]\n"


def test_a_whole_process_writes_no_progress_to_a_pipe(small: SmallTask, command: Any) -> None:
    done = command("hokusai", "validate", str(small.contribution), "--task", str(small.task))
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.endswith("Nothing needs to be done.\n")


@pytest.mark.parametrize("as_json", [False, True])
def test_a_terminal_sees_the_phases(small: SmallTask, as_json: bool) -> None:
    import os
    import pty

    main, follower = pty.openpty()
    words = ["validate", str(small.contribution), "--task", str(small.task)]
    words += ["--json"] if as_json else []
    program = "from hokusai_assets.cli.app import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", program, *words],
        stdout=subprocess.PIPE,
        stderr=follower,
        cwd=ROOT,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    ) as process:
        os.close(follower)
        seen = b""
        try:
            while chunk := os.read(main, 65536):
                seen += chunk
        except OSError:
            pass  # the other end is closed, which Linux reports so
        assert process.stdout is not None
        assert b"Nothing needs to be done." in process.stdout.read()
    os.close(main)
    assert process.returncode == 0
    assert b"Nothing needs" not in seen
    if as_json:
        assert seen == b""
    else:
        assert b"looking for" in seen
        assert b"rows, " not in seen  # read at once: there is no share to wait for


def test_the_share_of_a_file_that_was_read_is_shown(small: SmallTask) -> None:
    """As soon as a part of it is there; a file of one part is read before anybody looks."""
    file = small.folder / "own.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in make_rows(300, 3, "c")))
    program = f"""
from rich.progress import Progress
from hokusai_assets.contribution import reading_json
from hokusai_assets.cli.app import main
reading_json.ROWS_AT_ONCE = 100
update = Progress.update
def spy(self, task, **fields):
    update(self, task, **fields)
    print(self.tasks[0].total, self.tasks[0].completed, fields.get("rows"))
Progress.update = spy
import sys
sys.argv = ["hokusai", "validate", {str(file)!r}, "--task", {str(small.task)!r}]
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    told = [line for line in done.stdout.splitlines() if line.startswith(("1.0 ", "None "))]
    assert any(re.fullmatch(r"1\.0 0\.3\d* 100 rows, 3\d%", line) for line in told)
    assert "None 0 300 rows" in told  # all is read, and the bar only moves
