"""Mock files fit any task, teach something, and hold each fault on purpose, below its limit."""

import csv
import tomllib
import unicodedata
from pathlib import Path

import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from hokusai_assets.contribution.checks_schema import violations
from hokusai_assets.contribution.cleaning import clean_contributions
from hokusai_assets.contribution.references import load_base, load_benchmark
from hokusai_assets.errors import UsageError
from hokusai_assets.mock_data import PII_EXAMPLES, UNICODE_EXAMPLES, write_mock_files
from hokusai_assets.records import ContributionSource
from hokusai_assets.tables import read_table
from hokusai_assets.task import parse_task

TASK = """
task_schema = 1
id = "mock"
seed = 3
[data]
base = "b"
benchmark = "m"
labels = LABELS
[[columns]]
name = "key"
type = "KEY"
role = "id"
[[columns]]
name = "note"
type = "text"
nullable = true
[[columns]]
name = "weight"
type = "number"
nullable = true
minimum = -3.5
maximum = 7
[[columns]]
name = "count"
type = "integer"
minimum = 2
[[columns]]
name = "size"
type = "category"
allowed = ["S", "M", "L"]
[[columns]]
name = "late"
type = "boolean"
[[columns]]
name = "when"
type = "timestamp"
[[columns]]
name = "shop"
type = "text"
role = "group"
[[columns]]
name = "noise"
type = "text"
role = "ignore"
[[columns]]
name = "label"
type = "TARGET"
role = "target"
"""


def build(labels='["bad", "good"]', key="text", target="category", **sections):
    text = TASK.replace("LABELS", labels).replace("KEY", key).replace("TARGET", target)
    return parse_task(tomllib.loads(text) | sections)


def lines(path):
    with Path(path).open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


def cleaned(task, rows, folder):
    files = write_mock_files(task, rows, folder / "files")
    base = load_base(files.base, task, key=b"k", folder=str(folder / "base"))
    benchmark = load_benchmark(
        files.benchmark,
        task,
        base,
        key=b"k",
        sample=lambda table, task: table,
        folder=str(folder / "benchmark"),
    )
    source = ContributionSource(path=files.contribution, contributor_id="m", wallet_address="0x")
    found = clean_contributions(
        [source], task, base, benchmark, key=b"k", folder=str(folder / "contributed")
    )
    return files, base, benchmark, found


def test_the_seed_decides_every_byte(tmp_path):
    one, two = (write_mock_files(build(), 400, tmp_path / n) for n in "ab")
    other = write_mock_files(build(seed=4), 400, tmp_path / "c")
    for name in ("base", "benchmark", "contribution"):
        first, second, third = (Path(getattr(f, name)).read_bytes() for f in (one, two, other))
        assert first == second != third


@pytest.mark.parametrize(("rows", "benchmark"), [(300, 200), (1000, 500)])
def test_sizes(tmp_path, rows, benchmark):
    files = write_mock_files(build(), rows, tmp_path)
    assert len(lines(files.contribution)) == rows + 1
    assert len(lines(files.base)) == rows // 2 + 1
    assert len(lines(files.benchmark)) == benchmark + 1


def test_too_few_rows_are_refused(tmp_path):
    with pytest.raises(UsageError, match="at least 300"):
        write_mock_files(build(), 299, tmp_path)


@pytest.mark.parametrize(
    "task",
    [
        build(),
        build('["a", "b", "c", "d"]', key="integer"),
        build("[1, 2, 3]", target="integer"),
        build(privacy={"action": "reject"}),
        build(privacy={"action": "drop_row"}),
        build(merge={"strategy": "update", "key": "key"}),
        build(merge={"strategy": "replace"}),
    ],
    ids=["plain", "four classes", "integer labels", "reject", "drop", "update", "replace"],
)
@pytest.mark.parametrize("rows", [300, 1000])
def test_mock_data_pass_through_cleaning_with_every_fault(tmp_path, task, rows):
    _, base, benchmark, found = cleaned(task, rows, tmp_path)
    (mock,) = found.contributions
    counts = mock.counts
    assert counts.read == rows
    assert 2 <= counts.rejected <= 3 and counts.rejected < 0.01 * rows
    assert counts.duplicates_within >= 2
    assert counts.duplicates_of_base == 1
    assert counts.leaked_exact == 1 and counts.leaked_normalised == 0
    assert counts.kept > 0.9 * rows
    reasons = {r.reason for r in mock.manifest.rejections}
    assert {"too few cells", "too many cells"} <= reasons
    refused = task.privacy.action == "reject"
    assert len(mock.manifest.pii) == (0 if refused else len(PII_EXAMPLES))
    if task.privacy.action == "drop_row":
        assert counts.dropped_pii == len(PII_EXAMPLES)
    assert mock.manifest.null_counts["note"] and mock.manifest.null_counts["weight"]
    notes = " ".join(n or "" for n in read_table(found.folder).column("note").to_pylist())
    assert all(unicodedata.normalize("NFC", example) in notes for example in UNICODE_EXAMPLES)
    for dataset in (base, benchmark, found):
        assert violations(task, read_table(dataset.folder)) == ()
        labels = read_table(dataset.folder, ["label"]).column("label").to_pylist()
        assert set(labels) == set(task.data.labels)
    rarest = task.data.labels[-1]
    assert 0 < labels.count(rarest) < 0.3 * len(labels)


def test_groups_are_not_shared_between_files(tmp_path):
    _, base, benchmark, found = cleaned(build(), 600, tmp_path)
    groups = [
        set(read_table(d.folder, ["shop"]).column("shop").to_pylist())
        for d in (base, benchmark, found)
    ]
    assert not (groups[0] & groups[1] or groups[0] & groups[2] or groups[1] & groups[2])


def test_more_rows_help(tmp_path):
    task = parse_task(
        tomllib.loads(
            TASK.replace("LABELS", '["bad", "good"]')
            .replace("KEY", "text")
            .replace("TARGET", "category")
        )
    )
    _, base, benchmark, found = cleaned(task, 2000, tmp_path)

    def texts(*datasets):
        tables = [read_table(d.folder, ["note", "label"]).to_pylist() for d in datasets]
        rows = [row for table in tables for row in table]
        return [r["note"] or "" for r in rows], [r["label"] for r in rows]

    def accuracy(*training):
        model = make_pipeline(TfidfVectorizer(), LogisticRegression(class_weight="balanced", C=4))
        return model.fit(*texts(*training)).score(*texts(benchmark))

    before, after = accuracy(base), accuracy(base, found)
    assert 0.7 < before < after < 1.0


def test_a_strict_task_gets_no_malformed_rows(tmp_path):
    task = build(reading={"max_rejected_share": 0.0})
    assert cleaned(task, 300, tmp_path)[3].contributions[0].counts.rejected == 0


def test_many_nullable_columns_are_no_problem(tmp_path):
    columns = [
        {"name": f"f{i}", "type": "text", "nullable": True, "max_null_share": 0.02}
        for i in range(40)
    ]
    columns.append({"name": "label", "type": "category", "role": "target"})
    task = build(columns=columns)
    assert cleaned(task, 300, tmp_path)[3].row_count > 200


def test_one_nullable_feature_does_not_make_rows_equal(tmp_path):
    columns = [
        {"name": "note", "type": "text", "nullable": True},
        {"name": "label", "type": "category", "role": "target"},
    ]
    _, _, benchmark, found = cleaned(build(columns=columns), 1000, tmp_path)
    assert benchmark.left_out_exact == 0
    assert found.contributions[0].counts.leaked == 1


def test_groups_out_of_a_list_are_shared_out_among_the_files(tmp_path):
    group = '[[columns]]\nname = "{}"\ntype = "text"\nrole = "group"\n'
    name = "shop"
    assert group.format(name) in TASK
    text = TASK.replace(group.format(name), group.format(name) + "allowed = ALLOWED\n")
    text = text.replace("LABELS", '["bad", "good"]').replace("KEY", "text")
    text = text.replace("TARGET", "category")

    def task_with(allowed):
        return parse_task(tomllib.loads(text.replace("ALLOWED", allowed)))

    made = write_mock_files(task_with('["a", "b", "c", "d"]'), 300, tmp_path / "made")
    found = []
    for path in (made.base, made.benchmark, made.contribution):
        header, *rows = lines(path)
        found.append({row[header.index(name)] for row in rows if len(row) == len(header)})
    assert found[0] == {"a", "d"}
    assert found[1] == {"b"}
    assert "c" in found[2]
    with pytest.raises(UsageError, match="need one each, which is 3"):
        write_mock_files(task_with('["a", "b"]'), 300, tmp_path / "few")
