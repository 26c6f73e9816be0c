"""Records: frozen, closed to unknown fields, and refusing numbers that contradict each other."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hokusai_assets.digests import digest_json
from hokusai_assets.records import (
    Attempt,
    CleanContribution,
    CleaningCounts,
    ColumnSchema,
    ContributedDataset,
    ContributorShare,
    DataManifest,
    Dataset,
    EvaluationPlan,
    SourceFile,
)

PARTS = (
    "rejected",
    "dropped_pii",
    "duplicates_within",
    "duplicates_of_base",
    "duplicates_across",
    "leaked_exact",
    "leaked_normalised",
    "already_paid",
    "benchmark_group",
    "kept",
)
COUNTS = st.fixed_dictionaries({name: st.integers(0, 10**9) for name in PARTS})


def plan(**changes: Any) -> EvaluationPlan:
    body = {"rule": {"version": 1}, "seeds": [1, 2]}
    fields: dict[str, Any] = {
        "body": body,
        "digest": digest_json(body),
        "seeds": (1, 2),
        "attempt": Attempt(number=1, provisional=True),
        "rows_left_in_training": 0,
        "shares": (),
        **changes,
    }
    return EvaluationPlan(**fields)


def contribution(counts: CleaningCounts) -> CleanContribution:
    manifest = DataManifest(
        source=SourceFile(name="c.csv", size_bytes=1, modified="", format="csv", encoding="utf-8"),
        data_hash="00",
        row_count=counts.kept,
        column_count=0,
        columns=(),
        null_counts={},
        unique_counts={},
        dropped_columns=(),
        rejections=(),
        pii=(),
        pii_policy="",
        counts=counts,
    )
    return CleanContribution(
        contributor_id="alice",
        wallet_address="0x",
        content_root_received="00",
        content_root_cleaned="00",
        counts=counts,
        manifest=manifest,
    )


def contributed(*counts: CleaningCounts) -> ContributedDataset:
    return ContributedDataset(
        folder="rows",
        content_root="00",
        row_count=sum(c.kept for c in counts),
        columns=(),
        contributions=tuple(map(contribution, counts)),
        pii_key_id=None,
    )


def test_a_record_cannot_be_changed() -> None:
    column = ColumnSchema(name="a", type="text")
    with pytest.raises(ValidationError, match="frozen"):
        column.name = "b"  # type: ignore[misc]
    assert column.name == "a"


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        ColumnSchema(name="a", type="text", nullable=True)  # type: ignore[call-arg]


def test_a_moved_record_differs_in_its_folder_only() -> None:
    dataset = Dataset(folder="here", content_root="00", row_count=1, columns=())
    moved = dataset.moved("memory://there")
    assert moved.folder == "memory://there"
    assert moved.model_dump(exclude={"folder"}) == dataset.model_dump(exclude={"folder"})
    assert type(moved) is Dataset
    assert dataset.folder == "here"


@given(COUNTS, st.integers(0, 10**9))
def test_counts_that_add_up_are_accepted_and_summed(parts: dict[str, int], conflicts: int) -> None:
    counts = CleaningCounts(read=sum(parts.values()), conflicts=conflicts, **parts)
    assert counts.leaked == parts["leaked_exact"] + parts["leaked_normalised"]
    assert counts.deduplicated == sum(v for k, v in parts.items() if k.startswith("duplicates_"))
    rest = counts.rejected + counts.dropped_pii + counts.already_paid + counts.kept
    assert counts.read == rest + counts.benchmark_group + counts.deduplicated + counts.leaked


@given(COUNTS, st.sampled_from(("read", *PARTS)), st.integers(1, 5))
def test_a_row_too_many_anywhere_is_refused(parts: dict[str, int], name: str, more: int) -> None:
    whole = {"read": sum(parts.values()), **parts}
    whole[name] += more
    with pytest.raises(ValidationError, match="counts of cleaning do not add up to the rows read"):
        CleaningCounts(**whole)


def test_counts_by_hand() -> None:
    counts = CleaningCounts(
        read=45,
        rejected=1,
        dropped_pii=2,
        duplicates_within=3,
        duplicates_of_base=4,
        duplicates_across=5,
        leaked_exact=6,
        leaked_normalised=7,
        already_paid=8,
        kept=9,
    )
    assert (counts.deduplicated, counts.leaked) == (12, 13)


def test_the_leaked_share_is_of_the_distinct_rows_over_all_contributions() -> None:
    """Copies do not dilute it: whoever sends more of them has leaked no less."""
    first = CleaningCounts(read=10, rejected=2, leaked_exact=1, kept=7)
    second = CleaningCounts(read=20, rejected=5, leaked_normalised=3, dropped_pii=2, kept=10)
    assert contributed(first, second).leaked_share == (4, 21)
    copied = CleaningCounts(read=5010, rejected=2, duplicates_within=5000, leaked_exact=1, kept=7)
    assert contributed(copied, second).leaked_share == (4, 21)
    paid = CleaningCounts(read=5010, rejected=2, already_paid=5000, leaked_exact=1, kept=7)
    assert contributed(paid, second).leaked_share == (4, 21)
    group = CleaningCounts(read=5010, rejected=2, benchmark_group=5000, leaked_exact=1, kept=7)
    assert contributed(group, second).leaked_share == (4, 21)


def test_the_leaked_share_of_nothing_is_nothing_of_nothing() -> None:
    assert contributed().leaked_share == (0, 0)


def test_a_plan_must_have_the_digest_of_its_body() -> None:
    assert plan().digest == digest_json({"seeds": [1, 2], "rule": {"version": 1}})
    with pytest.raises(ValidationError, match="digest is not that of its body"):
        plan(digest="0" * 64)
    with pytest.raises(ValidationError, match="digest is not that of its body"):
        plan(body={"rule": {"version": 2}, "seeds": [1, 2]})


def test_a_plan_survives_its_own_json() -> None:
    assert EvaluationPlan.model_validate_json(plan().model_dump_json()) == plan()


def test_a_tampered_plan_is_refused_when_it_is_read() -> None:
    text = plan().model_dump_json().replace('"version":1', '"version":2')
    with pytest.raises(ValidationError, match="digest is not that of its body"):
        EvaluationPlan.model_validate_json(text)


@pytest.mark.parametrize(("part", "whole", "weight"), [(1, 4, 0.25), (0, 4, 0.0), (0, 0, 0.0)])
def test_a_share_is_a_part_of_the_whole_and_none_of_nothing(
    part: int, whole: int, weight: float
) -> None:
    share = ContributorShare(contributor_id="a", contributed_samples=part, total_samples=whole)
    assert share.weight == weight


def test_records_of_an_evaluation_survive_their_own_json(evaluated: Any) -> None:
    for record in evaluated.records.values():
        assert type(record).model_validate_json(record.model_dump_json()) == record


def test_the_records_of_an_evaluation_agree_with_each_other(evaluated: Any) -> None:
    found = evaluated["contributed_data"]
    assert [c.counts.read for c in found.contributions] == [200, 100]
    assert found.row_count == sum(c.counts.kept for c in found.contributions)
    assert found.contributions[0].counts.deduplicated == 1
    for one in found.contributions:
        assert one.manifest.counts == one.counts
        assert one.manifest.row_count == one.counts.kept
        assert one.manifest.data_hash == one.content_root_cleaned
