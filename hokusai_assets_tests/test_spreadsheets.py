"""No file that a person would open in a spreadsheet holds a cell that could run there.

Data files keep their cells. Whoever adds a file for people with cells in it has to escape those
that look like formulas, and meets these tests first.
"""

import ast
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hokusai_assets.cli.app import app
from hokusai_assets_tests.conftest import ROOT, SmallTask, make_rows, write_csv
from hokusai_assets_tests.defs.conftest import attested
from hokusai_assets_tests.defs.test_storage import run_job

CANARY = "=HYPERLINK('canary')"
# What writes tables as text, in the standard library and in those of this project.
WRITERS = {"to_csv", "to_excel", "to_clipboard", "write_csv", "DictWriter", "ExcelWriter"}
# The cleaned file, which is data, and made-up data of a dry run.
DATA_WRITERS = {"contribution/fixing.py", "mock_data.py"}


def writes_cells(path: Path) -> bool:
    """Whether a module names something that writes CSV or spreadsheets."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            if node.attr in WRITERS:
                return True
            if node.attr == "writer" and getattr(node.value, "id", "") == "csv":
                return True
    return False


def test_only_data_files_are_written_as_csv() -> None:
    package = ROOT / "hokusai_assets"
    found = {str(p.relative_to(package)) for p in package.rglob("*.py") if writes_cells(p)}
    assert found == DATA_WRITERS


@pytest.mark.slow
def test_no_cell_stands_in_what_is_made_for_people(small: SmallTask, tmp_path: Path) -> None:
    rows = make_rows(300, 3, "c")
    rows[7]["note"] = f"{CANARY} and more"
    rows[9] |= {"note": f"{CANARY} and other", "label": "neither"}
    rows[11]["key"] = CANARY
    write_csv(small.contribution, rows)
    record = attested(run_job(small, tmp_path))
    page, out = tmp_path / "page.html", str(tmp_path / "out")
    words = [str(small.contribution), "--task", str(small.task), "--report", str(page)]
    told = [
        CliRunner().invoke(app, ["validate", *words]).output,
        CliRunner().invoke(app, ["report", out, "--markdown", "--numbers"]).output,
        *(Path(p).read_text() for p in (page, record.report_path, *record.contributor_page_paths)),
    ]
    assert len(told) == 5
    for text in told:
        assert len(text) > 100
        assert "HYPERLINK" not in text
    written = [p for p in Path(out).rglob("*") if p.is_file()]
    assert {p.suffix for p in written} == {".gz", ".html", ".json", ".parquet", ".skops"}
