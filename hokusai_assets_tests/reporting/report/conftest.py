"""A real evaluation's two documents, and the same with everything that a report may be told."""

import copy
import html.parser
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hokusai_assets_tests.conftest import Evaluated

VOID = {"meta", "br", "rect"}


@dataclass
class Documents:
    """delta_output and attestation as parsed JSON, to change at will."""

    output: dict[str, Any]
    attestation: dict[str, Any]

    @property
    def decision(self) -> dict[str, Any]:
        found: dict[str, Any] = self.output["decision"]
        return found

    def decide(self, **changes: Any) -> None:
        """Change the decision in both documents."""
        self.output["decision"].update(changes)
        self.attestation["decision"].update(changes)


@pytest.fixture
def documents(evaluated: Evaluated) -> Documents:
    """As they were written: two contributors, two classes, five metrics."""
    record = evaluated["attestation"]
    return Documents(
        json.loads(Path(record.delta_output_path).read_text(encoding="utf-8")),
        json.loads(Path(record.attestation_path).read_text(encoding="utf-8")),
    )


@pytest.fixture
def one(documents: Documents) -> Documents:
    """The same of the first contributor alone."""
    found = copy.deepcopy(documents)
    found.output["contributor_attribution"]["contributors"] = None
    roots = found.attestation["core"]["content_roots"]
    roots["contributions"] = roots["contributions"][:1]
    return found


@pytest.fixture
def whole(one: Documents) -> Documents:
    """With intervals, matrices, classes, curves, slices and money."""
    found = copy.deepcopy(one)
    statistics = found.output["statistics"]
    for metric, told in statistics["deltas"].items():
        delta = found.output["delta_computation"]["metric_deltas"][metric]["absolute_delta"]
        told |= {
            "interval": [delta - 0.02, delta + 0.02],
            "interval_level": 0.95,
            "interval_method": "tango_score",
            "few_discordant_rows": metric == "recall",
            "higher_is_better": True,
        }
    statistics["delta_one"] |= {
        "interval": [0.011, 0.033],
        "interval_level": 0.95,
        "interval_method": "influence_normal",
    }
    statistics["labels"] = ["bad", "good"]
    statistics["confusion"] = {
        "baseline": [[121, 59], [41, 179]],
        "candidate": [[143, 37], [43, 177]],
    }
    scores = {"precision": 0.7474, "recall": 0.6722, "f1_score": 0.7076}
    better = {"precision": 0.7688, "recall": 0.7944, "f1_score": None}
    statistics["per_class"] = [
        {"label": label, "rows": rows, "baseline": scores, "candidate": better}
        for label, rows in (("bad", 180), ("good", 220))
    ]
    bins = [
        {"mean_score": 0.25, "share": 0.3, "rows": 100},
        {"mean_score": 0.5, "share": None, "rows": 0},
        {"mean_score": 0.75, "share": 0.7, "rows": 300},
    ]
    roc = [[0.0, 0.0], [0.1, 0.6], [1.0, 1.0]]
    statistics["curves"] = {
        "roc": {"baseline": roc, "candidate": roc},
        "calibration": {"baseline": bins, "candidate": bins},
    }
    part = {"metric": "accuracy", "baseline": 0.75, "candidate": 0.7625}
    statistics["slices"] = [
        {"name": "weight below 40", "rows": 200, "delta": 0.0125, "interval": [-0.02, 0.045]}
        | {"p_holm": 0.41}
        | part,
        {"name": "weight from 40", "rows": 200, "delta": -0.0417, "interval": None, "p_holm": None}
        | part,
        {"name": "weight unknown", "rows": 0, "metric": "accuracy", "baseline": None}
        | {"candidate": None, "delta": None, "interval": None, "p_holm": None}
        | {"undefined": "no rows"},
    ]
    found.decide(payable_bps=124, measured_bps=273)
    return found


class Page(html.parser.HTMLParser):
    """Every tag with its attributes, all text as one line, and tags that are open at the end."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.pieces: list[str] = []
        self.feed(page)
        self.text = " ".join(" ".join(self.pieces).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.pieces.append(data)


def assert_needs_nothing(page: str) -> None:
    """The page is whole, loads nothing, runs nothing and says so to the browser."""
    parsed = Page(page)
    assert parsed.open == []
    assert not {t for t, _ in parsed.seen} & {"script", "link", "img", "iframe", "object", "base"}
    for _, attributes in parsed.seen:
        assert not any(name.startswith("on") or name in {"src", "href"} for name in attributes)
    assert not re.search(r"url\(|@import|https?:", page)
    (policy,) = (a for t, a in parsed.seen if t == "meta" and "http-equiv" in a)
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'"
