"""Croissant files: the reference library loads the rows, and no more than these stands there."""

import dataclasses
import datetime
import gzip
import json
import math
import shutil
import sys
from pathlib import Path
from typing import Any

import absl.logging
import mlcroissant as mlc
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai_assets.attestation.bundle import LEAVES, staged
from hokusai_assets.attestation.provenance.croissant import (
    BENCHMARK,
    CONTRIBUTION,
    LABELS,
    DescribedFile,
    benchmark_croissant,
    contribution_croissant,
)
from hokusai_assets.defs.provenance import write_provenance
from hokusai_assets.digests import canonical_json, digest_file
from hokusai_assets.evaluation.predictions import read_predictions, write_predictions
from hokusai_assets.records import ColumnSchema, ContributedDataset
from hokusai_assets.tables import arrow_type
from hokusai_assets.task import load_task
from hokusai_assets_tests.conftest import OTHER_WALLET, WALLET, Evaluated

# Its log handler would close what stands for stderr in a test as soon as logging is configured.
absl.logging.get_absl_handler().python_handler.stream = sys.__stderr__

ROWS = "audit/data/part-0.parquet"
# The one thing that the library recommends and nobody here knows.
KNOWN_WARNING = 'Property "https://schema.org/datePublished" is recommended, but does not exist.'


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library may fetch nothing."""
    import socket

    def refuse(*words: Any) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def place(evaluated: Evaluated, tmp_path: Path) -> Path:
    return shutil.copytree(evaluated["attestation"].bundle_path, tmp_path / "moved")


def dataset(path: Path) -> mlc.Dataset:
    """The data set, which has no error and no warning but the known one."""
    found = mlc.Dataset(jsonld=path)
    assert {w.rpartition("] ")[2] for w in found.metadata.ctx.issues.warnings} == {KNOWN_WARNING}
    assert not found.metadata.ctx.issues.errors
    return found


def test_the_contributions_records_are_loaded_from_a_moved_bundle(
    place: Path, evaluated: Evaluated
) -> None:
    found = list(dataset(place / CONTRIBUTION).records("rows"))
    expected = pq.read_table(place / ROWS).to_pylist()
    assert len(found) == len(expected) == evaluated["contributed_data"].row_count
    for record, row in zip(found, expected, strict=True):
        assert record == {
            "rows/label": row["label"].encode(),
            "rows/note": None if row["note"] is None else row["note"].encode(),
            "rows/weight": row["weight"],
            "rows/_row_digest": row["_row_digest"],
            "rows/_source": row["_source"].encode(),
        }


def test_data_that_were_changed_are_not_loaded(place: Path) -> None:
    content = bytearray((place / ROWS).read_bytes())
    content[len(content) // 2] ^= 1
    (place / ROWS).write_bytes(content)
    with pytest.raises(Exception, match="Download"):
        list(dataset(place / CONTRIBUTION).records("rows"))


def test_the_benchmarks_records_are_the_labels_that_its_leaves_hold(
    place: Path, evaluated: Evaluated
) -> None:
    found = list(dataset(place / BENCHMARK).records("rows"))
    names = evaluated["benchmark_metrics"].labels
    lines = gzip.decompress((place / LEAVES).read_bytes()).splitlines()
    leaves = [json.loads(line) for line in lines]
    assert len(found) == len(leaves) == evaluated["benchmark_dataset"].row_count
    assert found == [
        {"rows/leaf": index, "rows/label": names[label].encode()}
        for index, _, _, label, *_ in leaves
    ]
    assert {record["rows/label"] for record in found} == {b"bad", b"good"}
    assert (place / LABELS).stat().st_size < 2_000


@pytest.mark.parametrize(
    ("labels", "loaded"),
    [
        # a reader of text would make nothing, a number or a truth of them
        (("NA", "007", "true"), [b"NA", b"007", b"true", b"NA"]),
        ((10, 20, 30), [b"10", b"20", b"30", b"10"]),
        ((), [0, 1, 2, 0]),  # numbers are predicted
    ],
)
def test_labels_of_every_kind_are_loaded_as_they_are(
    tmp_path: Path, evaluated: Evaluated, labels: Any, loaded: list[Any]
) -> None:
    folder = tmp_path / "rows"
    rows = read_predictions(evaluated["benchmark_metrics"].folder)
    truth = np.arange(rows.row_count, dtype=rows.truth.dtype) % 3
    write_predictions(dataclasses.replace(rows, truth=truth), folder)
    changed = {"labels": labels, "folder": str(folder)}
    with staged(str(tmp_path / "out"), "some-run") as stage:
        for name in (LEAVES, ROWS):
            stage.place(name).write_bytes(b"")
        write_provenance(
            stage,
            load_task(evaluated.outputs.parent / "task.toml").task,
            evaluated["benchmark_dataset"],
            evaluated["contributed_data"],
            evaluated["benchmark_metrics"].model_copy(update=changed),
        )
        found = list(dataset(stage.folder / BENCHMARK).records("rows"))
    assert [record["rows/label"] for record in found[:4]] == loaded
    assert len(found) == rows.row_count


def test_the_benchmark_is_described_by_roots_counts_and_columns(
    place: Path, evaluated: Evaluated
) -> None:
    leaves, labels = dataset(place / BENCHMARK).metadata.distribution
    for file, name in ((leaves, LEAVES), (labels, LABELS)):
        beside = (place / BENCHMARK).parent
        assert beside.joinpath(file.content_url).resolve() == (place / name).resolve()
        assert file.sha256 == digest_file(place / name)
    body = json.loads((place / BENCHMARK).read_bytes())
    record = evaluated["benchmark_dataset"]
    assert body["size"] == f"{record.row_count} rows"
    assert [(i["propertyID"], i["value"]) for i in body["identifier"]] == [
        ("content root as received", record.content_root_received),
        ("content root as scored", record.content_root),
    ]
    assert [v["name"] for v in body["variableMeasured"]] == ["label", "note", "weight"]
    assert f"{record.row_count} of {record.sampled_from} that remained" in body["description"]


def test_content_roots_name_the_contributions(place: Path, evaluated: Evaluated) -> None:
    body = json.loads((place / CONTRIBUTION).read_bytes())
    contributed = evaluated["contributed_data"]
    roots = [i["value"] for i in body["identifier"]]
    assert roots == [
        contributed.content_root,
        *(
            root
            for c in contributed.contributions
            for root in (c.content_root_received, c.content_root_cleaned)
        ),
    ]
    sources = set(pq.read_table(place / ROWS, columns=["_source"]).column(0).to_pylist())
    assert sources == set(roots[2::2])
    single = contributed.model_copy(update={"contributions": contributed.contributions[:1]})
    assert [i["value"] for i in written(single)["identifier"]] == roots[1:3]


def test_what_nobody_stated_is_said_to_be_unknown(place: Path) -> None:
    for name in (CONTRIBUTION, BENCHMARK):
        body = json.loads((place / name).read_bytes())
        assert body["license"] == "NOASSERTION"
        assert body["citeAs"].startswith("Unknown")
        assert not {"creator", "datePublished", "publisher", "url"} & set(body)


def test_no_contributor_id_cell_or_path_stands_there(place: Path, evaluated: Evaluated) -> None:
    text = "".join((place / n).read_text() for n in (CONTRIBUTION, BENCHMARK))
    for needle in ("alice", "bob", WALLET, OTHER_WALLET, str(evaluated.outputs.parent), "/tmp"):
        assert needle not in text
    assert '"key"' not in text.replace('"key":"cr:key"', ""), "the column of ids"
    for row in pq.read_table(place / ROWS).to_pylist():
        assert row["note"] not in text
        assert row["_row_digest"].hex() not in text


def test_a_contributor_named_by_an_email_address_is_not_named(evaluated: Evaluated) -> None:
    contributed = evaluated["contributed_data"]
    mail = "canary.contributor@example.org"
    first = contributed.contributions[0].model_copy(update={"contributor_id": mail})
    manifest = first.manifest
    source = manifest.source.model_copy(update={"name": f"{mail}.csv"})
    first = first.model_copy(update={"manifest": manifest.model_copy(update={"source": source})})
    changed = contributed.model_copy(update={"contributions": (first,)})
    assert mail not in json.dumps(written(changed))


def written(
    contributed: ContributedDataset, columns: list[ColumnSchema] | None = None, sha256: str = ""
) -> dict[str, Any]:
    content = contribution_croissant(
        contributed,
        columns if columns is not None else [ColumnSchema(name="note", type="text")],
        DescribedFile(ROWS, sha256 or "ab" * 32, 10),
    )
    body: dict[str, Any] = json.loads(content)
    assert canonical_json(body) == content
    return body


CELLS: dict[str, Any] = {
    "text": "d\u00e9j\u00e0 vu",
    "category": "good",
    "integer": 2**53 - 1,
    "number": 1.5,
    "boolean": True,
    "timestamp": datetime.datetime(2020, 2, 29, 12, 30, tzinfo=datetime.UTC),
}


def stored(folder: Path, evaluated: Evaluated, columns: dict[str, tuple[str, list[Any]]]) -> Path:
    """A bundle's data and their description, of columns of any names and types."""
    count = len(next(iter(columns.values()))[1])
    table = {name: pa.array(cells, arrow_type(kind)) for name, (kind, cells) in columns.items()}
    table["_row_digest"] = pa.array([bytes(32)] * count, pa.binary(32))
    table["_source"] = pa.array(["ab" * 32] * count)
    data, target = folder / ROWS, folder / CONTRIBUTION
    for path in (data, target):
        path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(table), data)
    schemas = [ColumnSchema(name=n, type=kind) for n, (kind, _) in columns.items()]
    body = written(evaluated["contributed_data"], schemas, digest_file(data))
    target.write_text(json.dumps(body))
    return target


def test_every_type_of_column_is_loaded_as_it_is_stored(
    tmp_path: Path, evaluated: Evaluated
) -> None:
    columns = {f"c {kind}": (kind, [cell, None]) for kind, cell in CELLS.items()}
    first, second = dataset(stored(tmp_path, evaluated, columns)).records("rows")
    for kind, cell in CELLS.items():
        got = first[f"rows/c%20{kind}"]
        assert got == (cell.encode() if isinstance(cell, str) else cell)
        nothing = second[f"rows/c%20{kind}"]
        assert nothing is None or math.isnan(nothing)


@settings(max_examples=15, deadline=None)
@given(name=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12))
def test_a_column_may_have_any_name(
    tmp_path_factory: pytest.TempPathFactory, evaluated: Evaluated, name: str
) -> None:
    folder = tmp_path_factory.mktemp("named")
    path = stored(folder, evaluated, {name: ("integer", [7])})
    (field, *_) = dataset(path).metadata.record_sets[0].fields
    assert field.name == name
    (record,) = dataset(path).records("rows")
    assert record[field.id] == 7


def test_equal_records_are_described_by_equal_bytes(evaluated: Evaluated) -> None:
    columns = [ColumnSchema(name="note", type="text")]
    files = DescribedFile(LEAVES, "cd" * 32, 5), DescribedFile(LABELS, "ef" * 32, 6)
    benchmark = evaluated["benchmark_dataset"]
    once = benchmark_croissant(benchmark, columns, *files, numbers=False)
    assert once == benchmark_croissant(
        benchmark.moved("/elsewhere"), columns, *files, numbers=False
    )
    assert canonical_json(json.loads(once)) == once
    other = benchmark.model_copy(update={"content_root": "00" * 32})
    assert once != benchmark_croissant(other, columns, *files, numbers=False)
