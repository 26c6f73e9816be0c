"""Bad input: one sentence, the right exit code, nothing left behind, and no cell's value said."""

import json
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from hokusai_assets.cli.app import app
from hokusai_assets_tests.conftest import WALLET, SmallTask, make_rows, write_csv

Change = Callable[[SmallTask], str | None]
CANARY = "canaryvalue"


def words(small: SmallTask, tmp_path: Path, **changes: str) -> list[str]:
    """The command line, with some options changed."""
    options = {
        "task": str(small.task),
        "contributed-data": str(small.contribution),
        "contributor-id": "alice",
        "wallet-address": WALLET,
        "output-dir": str(tmp_path / "out"),
        **changes,
    }
    return ["evaluate", *(word for name, value in options.items() for word in (f"--{name}", value))]


def evaluate(small: SmallTask, tmp_path: Path, **changes: str) -> Result:
    return CliRunner().invoke(app, words(small, tmp_path, **changes))


def assert_refused(result: Result, tmp_path: Path, exit_code: int, said: str) -> None:
    assert result.exit_code == exit_code, result.output
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("hokusai: ")
    assert re.search(said, lines[0]), lines[0]
    assert CANARY not in result.output
    assert result.stdout == ""
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "home" / "storage" / "scratch").exists()


def _rows(count: int = 200) -> list[dict[str, str]]:
    return make_rows(count, 3, "c")


def empty(small: SmallTask) -> None:
    small.contribution.write_bytes(b"")


def header_only(small: SmallTask) -> None:
    small.contribution.write_text("key,note,weight,label\n")


def wrong_delimiter(small: SmallTask) -> None:
    lines = [f"{r['key']}~{CANARY}~{r['weight']}~{r['label']}" for r in _rows()]
    small.contribution.write_text("\n".join(["key~note~weight~label", *lines]))


def missing_column(small: SmallTask) -> None:
    write_csv(
        small.contribution,
        [{k: v for k, v in r.items() if k != "weight"} | {"note": CANARY} for r in _rows()],
    )


def wrong_types(small: SmallTask) -> None:
    rows = _rows()
    for row in rows[:4]:
        row["weight"] = CANARY
    write_csv(small.contribution, rows)


def unknown_labels(small: SmallTask) -> None:
    rows = _rows()
    for row in rows[10:14]:
        row["label"] = CANARY
    write_csv(small.contribution, rows)


def out_of_bounds(small: SmallTask) -> None:
    rows = _rows()
    for row in rows[10:14]:
        row["weight"] = "1e9"
    write_csv(small.contribution, rows)


def not_utf8(small: SmallTask) -> None:
    write_csv(small.contribution, _rows())
    content = small.contribution.read_bytes()
    small.contribution.write_bytes(content.replace(b" tea ", b" caf\xc3\xa9\xc3\xa9 \xff "))


def truncated_parquet(small: SmallTask) -> str:
    path = small.folder / "c.parquet"
    pq.write_table(pa.Table.from_pylist(_rows()), path)
    path.write_bytes(path.read_bytes()[:-200])
    return str(path)


def json_object(small: SmallTask) -> str:
    path = small.folder / "c.json"
    path.write_text(json.dumps({"rows": _rows(3)}))
    return str(path)


def duplicated_columns(small: SmallTask) -> None:
    lines = [f"{r['key']},{r['note']},{CANARY},{r['weight']},{r['label']}" for r in _rows()]
    small.contribution.write_text("\n".join(["key,note,note,weight,label", *lines]))


def equal_to_base(small: SmallTask) -> str:
    return str(small.folder / "base.csv")


def all_in_the_benchmark(small: SmallTask) -> str:
    return str(small.folder / "benchmark.csv")


def folder_instead_of_file(small: SmallTask) -> str:
    return str(small.folder)


CONTENT: list[tuple[Change, str]] = [
    (empty, "is empty"),
    (header_only, "no data rows"),
    (wrong_delimiter, "lacks the required"),
    (missing_column, "'weight'"),
    (wrong_types, r"column 'weight'.*\(4 rows: 1, 2, 3, 4\)"),
    (unknown_labels, r"column 'label'.*\(4 rows: 11, 12, 13, 14\)"),
    (out_of_bounds, r"column 'weight'.*\(4 rows: 11, 12, 13, 14\)"),
    (not_utf8, "not UTF-8"),
    (truncated_parquet, "truncated Parquet"),
    (json_object, "one JSON object"),
    (duplicated_columns, "'note'"),
    (equal_to_base, r"(?i)base"),
    (all_in_the_benchmark, r"(?i)benchmark"),
]


@pytest.mark.parametrize(("change", "said"), CONTENT, ids=lambda v: getattr(v, "__name__", ""))
def test_content_is_refused_with_3(
    small: SmallTask, tmp_path: Path, change: Change, said: str
) -> None:
    path = change(small) or str(small.contribution)
    result = evaluate(small, tmp_path, **{"contributed-data": path})
    assert_refused(result, tmp_path, 3, said)
    assert "alice" in result.stderr


def test_one_wrong_row_of_many_is_rejected_and_the_rest_counts(
    small: SmallTask, tmp_path: Path
) -> None:
    rows = make_rows(300, 3, "c")
    rows[6]["weight"] = CANARY
    write_csv(small.contribution, rows)
    result = evaluate(small, tmp_path)
    assert result.exit_code == 0, result.stderr
    assert "300 rows read, 1 rejected" in result.stdout
    (output,) = (tmp_path / "out").glob("delta_output_*.json")
    cleaning = json.loads(output.read_text())["contributor_attribution"]["data_manifest"][
        "cleaning"
    ]
    (rejection,) = cleaning["rejections"]
    assert (rejection["column"], rejection["count"], rejection["first_rows"]) == ("weight", 1, [7])
    assert CANARY not in output.read_text()


USAGE: list[tuple[dict[str, str], str]] = [
    ({"contributed-data": "nowhere.csv"}, "no file nowhere.csv"),
    ({"task": "nowhere.toml"}, "no task file nowhere.toml"),
    ({"baseline-model": "nowhere.skops"}, "no file nowhere.skops"),
    ({"contributor-id": "../alice"}, "contributor id"),
    ({"contributor-id": "a..b"}, "contributor id"),
    ({"contributor-id": ""}, "contributor id"),
    ({"wallet-address": WALLET.replace("aA", "Aa")}, "EIP-55 checksum"),
    ({"wallet-address": WALLET[:-1]}, "not an Ethereum address"),
]


@pytest.mark.parametrize(("options", "said"), USAGE)
def test_a_wrong_command_ends_with_2(
    small: SmallTask, tmp_path: Path, options: dict[str, str], said: str
) -> None:
    assert_refused(evaluate(small, tmp_path, **options), tmp_path, 2, said)


def test_an_unwritable_output_folder_ends_with_2(small: SmallTask, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    below = tmp_path / "file" / "below"
    for place, said in (
        (str(below), "is not a folder"),
        (below.as_uri(), "is not a folder"),
        ("nosuch://bucket/x", "protocol is unknown"),
    ):
        result = evaluate(small, tmp_path, **{"output-dir": place})
        assert_refused(result, tmp_path, 2, said)


def test_a_wrong_task_key_names_the_nearest(small: SmallTask, tmp_path: Path) -> None:
    small.task.write_text(small.task.read_text().replace("[decision]", "[decisions]"))
    assert_refused(evaluate(small, tmp_path), tmp_path, 2, "did you mean 'decision'")


def test_a_missing_base_file_ends_with_2(small: SmallTask, tmp_path: Path) -> None:
    (small.folder / "base.csv").unlink()
    assert_refused(evaluate(small, tmp_path), tmp_path, 2, "base.csv")


def test_a_damaged_base_file_is_no_fault_of_the_contributor(
    small: SmallTask, tmp_path: Path
) -> None:
    (small.folder / "base.csv").write_text("key,note,weight,label\n")
    assert_refused(evaluate(small, tmp_path), tmp_path, 1, "base data")


def test_what_is_wrong_with_a_run_as_a_whole_ends_with_2(
    small: SmallTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused before any step: the sentence and the exit code must survive Dagster's wrapping."""
    twice = CliRunner().invoke(app, [*words(small, tmp_path), *words(small, tmp_path)[1:]])
    assert_refused(twice, tmp_path, 2, "^hokusai: A contributor id stands twice")
    monkeypatch.setenv("HOKUSAI_PLAN_NONCE", "zz")
    nonce = evaluate(small, tmp_path)
    assert_refused(nonce, tmp_path, 2, "^hokusai: HOKUSAI_PLAN_NONCE must be hexadecimal")


def test_a_rehearsal_on_too_few_rows_ends_with_2(small: SmallTask, tmp_path: Path) -> None:
    line = f"evaluate --dry-run --mock-rows -5 --task {small.task} --output-dir {tmp_path / 'out'}"
    result = CliRunner().invoke(app, line)
    assert_refused(result, tmp_path, 2, "^hokusai: Mock data of -5 rows are too few")


def test_a_folder_is_no_baseline(small: SmallTask, tmp_path: Path) -> None:
    result = evaluate(small, tmp_path, **{"baseline-model": str(tmp_path)})
    assert_refused(result, tmp_path, 2, "There is no baseline model")


def test_an_empty_path_is_said_to_be_empty(small: SmallTask, tmp_path: Path) -> None:
    result = evaluate(small, tmp_path, **{"contributed-data": ""})
    assert_refused(result, tmp_path, 2, "path given with --contributed-data is empty")


def test_the_name_of_a_missing_file_is_masked(small: SmallTask, tmp_path: Path) -> None:
    missing = str(tmp_path / "jane.roe@example.com.csv")
    result = evaluate(small, tmp_path, **{"contributed-data": missing})
    assert_refused(result, tmp_path, 2, r"There is no file .*\[EMAIL\]")
    assert "jane" not in result.output


def test_results_may_go_to_a_url(small: SmallTask, tmp_path: Path) -> None:
    url = f"memory://results-{tmp_path.name}"
    done = CliRunner().invoke(app, [*words(small, tmp_path, **{"output-dir": url}), "--json"])
    assert done.exit_code == 0, done.output
    body = json.loads(done.stdout)
    assert body["attestation"].startswith(f"{url}/attestation_")
    assert fsspec.filesystem("memory").exists(body["delta_output"])


def test_results_are_recorded_by_their_absolute_place(
    small: SmallTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = evaluate(small, tmp_path, **{"output-dir": "out"})
    assert re.search(r"^Written +out/report_", done.stdout, re.MULTILINE)
    again = CliRunner().invoke(app, [*words(small, tmp_path, **{"output-dir": "out"}), "--json"])
    assert Path(json.loads(again.stdout)["attestation"]).is_absolute()


class Bomb:
    """Would make a file when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


def test_a_pickled_baseline_is_refused_and_not_run(small: SmallTask, tmp_path: Path) -> None:
    mark = tmp_path / "exploded"
    model = tmp_path / "model.skops"
    model.write_bytes(pickle.dumps(Bomb(mark)))
    result = evaluate(small, tmp_path, **{"baseline-model": str(model)})
    assert_refused(result, tmp_path, 1, "skops")
    assert not mark.exists()


def test_errors_as_json(small: SmallTask, tmp_path: Path) -> None:
    empty(small)
    result = CliRunner().invoke(app, [*words(small, tmp_path), "--json"])
    assert result.exit_code == 3
    body = json.loads(result.stdout)
    assert body["exit_code"] == 3
    assert "is empty" in body["error"]
    assert result.stderr == ""


@pytest.mark.slow
@pytest.mark.parametrize(("change", "exit_code"), [(empty, 3), (None, 2)])
def test_the_same_as_a_whole_process(
    small: SmallTask, tmp_path: Path, command: Any, change: Change | None, exit_code: int
) -> None:
    if change is None:
        small.contribution.unlink()
    else:
        change(small)
    done = command("hokusai", *words(small, tmp_path))
    assert done.returncode == exit_code
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("hokusai: ")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "said"), [(missing_column, "lacks the required"), (unknown_labels, "'label'")]
)
def test_the_same_as_a_dagster_job(
    small: SmallTask, tmp_path: Path, command: Any, change: Change, said: str
) -> None:
    change(small)
    config = tmp_path / "run.json"
    resources = {
        "inputs": {"config": small.inputs()},
        "outputs": {"config": {"output_dir": str(tmp_path / "out")}},
        "tracking": {"config": {"backend": "none"}},
    }
    config.write_text(json.dumps({"resources": resources}))
    job = ["job", "execute", "-m", "hokusai_assets.definitions", "-j", "evaluate_contribution"]
    done = command("dagster", *job, "-c", str(config))
    assert done.returncode == 1
    assert said in done.stderr
    assert CANARY not in done.stderr + done.stdout
    assert not (tmp_path / "out").exists()
