"""Core, plan, decision and manifest against one another: what must follow without any row.

Each function yields sentences that name file and field. They may raise what wrong types raise;
whoever asks turns that into a sentence.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import zip_longest
from typing import Any

from hokusai_assets.attestation.bundle import CORE, DECISION, MANIFEST, MODELS, PLAN
from hokusai_assets.attestation.bundle_reading import Bundle, record_disagreements
from hokusai_assets.attestation.core import CORE_VERSION, nullifier
from hokusai_assets.attestation.decision import DECISION_VERSION
from hokusai_assets.attestation.plan import PLAN_VERSION, derive_seed
from hokusai_assets.attestation.rows.leaves import LEAF_VERSION
from hokusai_assets.attestation.verifying.rule_form import rule_problems
from hokusai_assets.decision_rule import direction
from hokusai_assets.digests import canonical_json, digest_json
from hokusai_assets.scoring import millionths
from hokusai_assets.task import is_own

# Of the same name and meaning in core and plan.
_SHARED = (
    "dry_run",
    "model_id",
    "task_digest",
    "content_roots",
    "paid_root",
    "nonce_sha256",
    "key_ids",
)
_WHOLE = 10_000  # basis points


def decision_problems(bundle: Bundle) -> Iterator[str]:
    """Where the decision does not follow from core and plan, or names another model."""
    yield from record_disagreements(bundle)
    body = bundle.decision["body"]
    if body["decision_version"] != DECISION_VERSION:
        yield f"{DECISION}: body.decision_version is not {DECISION_VERSION}"
    released = _model_digests(bundle, "candidate")
    if released != [body["candidate_file_sha256"]]:
        yield f"{DECISION}: body.candidate_file_sha256 is not the candidate's in {MANIFEST}"
    current = [c["holds"] for c in body["clauses"] if c["name"] == "current"]
    counted = bundle.decision["ledger"] is not None
    if counted is body["provisional"] or counted is not bool(current):
        yield (
            f"{DECISION}: a decision that a ledger counted has an entry and a clause current, and "
            "is not provisional; any other has neither and is"
        )


def plan_problems(bundle: Bundle) -> Iterator[str]:
    """Where the core does not follow from the plan, or contradicts itself."""
    core, plan = bundle.core, bundle.plan
    for name, version, known in (
        (CORE, core["core_version"], CORE_VERSION),
        (f"{CORE}: rows", core["rows"]["leaf_version"], LEAF_VERSION),
        (PLAN, plan["plan_version"], PLAN_VERSION),
    ):
        if version != known:
            yield f"{name} is of version {version!r}; this verifier knows {known}"
    for field in _SHARED:
        if not _same(core[field], plan[field]):
            yield f"{CORE}: {field} is not that of {PLAN}"
    if not _same(core["lineage"], plan["rule"]["lineage"]):
        yield f"{CORE}: lineage is not that of {PLAN}: rule.lineage"
    yield from _seed_problems(core, plan, bundle.digests[PLAN])
    yield from _contributor_problems(core)
    yield from _baseline_problems(bundle)
    yield from _count_problems(core)
    yield from _configuration_problems(core, plan["rule"])
    yield from _delta_one_problems(core, plan["rule"])
    yield from rule_problems(core, plan["rule"])
    if core["model_configuration_digest"] != digest_json(core["model_configuration"]):
        yield f"{CORE}: model_configuration_digest is not that of model_configuration"


def _seed_problems(core: Mapping[str, Any], plan: Mapping[str, Any], digest: str) -> Iterator[str]:
    seeds, number = core["seeds"], plan["number_of_seeds"]
    if len(seeds) != number or plan["rule"]["number_of_seeds"] != number:
        yield f"{CORE}: seeds are not as many as {PLAN}: number_of_seeds says"
    elif plan["nonce_sha256"] is None:
        expected = [derive_seed(digest, None, index) for index in range(number)]
        if not _same(seeds, expected):
            yield f"{CORE}: seeds do not follow from the plan's digest"


def _contributor_problems(core: Mapping[str, Any]) -> Iterator[str]:
    contributors, counts = core["contributors"], core["counts"]
    received = [roots["received"] for roots in core["content_roots"]["contributions"]]
    if not contributors or not len(contributors) == len(received) == len(counts):
        yield f"{CORE}: contributors, counts and content_roots.contributions differ in number"
    for index, (who, root) in enumerate(zip_longest(contributors, received)):
        if not who or who["content_root"] != root:
            yield (
                f"{CORE}: contributors[{index}].content_root is not that of "
                f"content_roots.contributions[{index}].received"
            )
    expected = [nullifier(core["model_id"], core["lineage"], root) for root in received]
    if not _same(core["nullifiers"], expected):
        yield f"{CORE}: nullifiers are not those of the contributions"
    weights = [who["weight_bps"] for who in contributors]
    if weights != [None] * len(weights) and (
        not all(type(weight) is int and weight >= 0 for weight in weights) or sum(weights) != _WHOLE
    ):
        yield f"{CORE}: weight_bps of the contributors do not add up to {_WHOLE:,}"


def _baseline_problems(bundle: Bundle) -> Iterator[str]:
    said, planned = bundle.core["baseline"], bundle.plan["baseline"]
    stored = None if planned == "trained" else planned["file_sha256"]
    if not _same(said, {"origin": "stored" if stored else "trained", "file_sha256": stored}):
        yield f"{CORE}: baseline is not that of {PLAN}"
    if stored and _model_digests(bundle, "baseline") != [stored]:
        yield f"{CORE}: baseline.file_sha256 is not the baseline's in {MANIFEST}"


def _count_problems(core: Mapping[str, Any]) -> Iterator[str]:
    for index, counts in enumerate(core["counts"]):
        parts = [value for name, value in counts.items() if name != "read"]
        if not all(type(value) is int and value >= 0 for value in counts.values()):
            yield f"{CORE}: counts[{index}] are not whole numbers"
        elif sum(parts) != counts["read"]:
            yield f"{CORE}: counts[{index}] do not add up to the rows read"
    rows = core["benchmark"]["rows"]
    if core["rows"]["count"] != rows:
        yield f"{CORE}: rows.count is not benchmark.rows"
    if len(core["joint_counts"]) != len(core["seeds"]):
        yield f"{CORE}: joint_counts are not one table a seed"
    numbers = core["benchmark"].get("target_scale") is not None
    if numbers is bool(core["benchmark"]["labels"]):
        yield f"{CORE}: benchmark has labels or a target_scale, and not both"
    for index, table in enumerate(core["joint_counts"]):
        if numbers:
            if table:
                yield f"{CORE}: joint_counts[{index}] are of labels, and numbers are predicted"
        elif sum(cell[3] for cell in table) != rows or any(cell[3] < 1 for cell in table):
            yield f"{CORE}: joint_counts[{index}] do not add up to benchmark.rows"


def _delta_one_problems(core: Mapping[str, Any], rule: Mapping[str, Any]) -> Iterator[str]:
    """Where DeltaOne is not the weighted mean of the deltas that stand beside it.

    Shown without rows too; its error and p value then are not.
    """
    metrics, said = core["metrics"], core["delta_one"]
    if set(metrics) != set(rule["included"]):
        yield f"{CORE}: metrics are not those of {PLAN}: rule.included"
        return
    averaged = [n for n in rule["included"] if not is_own(n) or rule["weights"][n]]
    present = [n for n in averaged if metrics[n]["delta_millionths"] is not None]
    total = sum(rule["weights"][name] for name in present)
    missing = sorted(set(averaged) - set(present))
    if sorted(said["metrics_missing"]) != missing:
        yield f"{CORE}: delta_one.metrics_missing are not the undefined ones of metrics"
    if not total:
        if said["millionths"] is not None:
            yield f"{CORE}: delta_one.millionths is a mean of no metric"
        return
    for name, metric in metrics.items():
        parts = [metric[f"{part}_millionths"] for part in ("candidate", "baseline", "delta")]
        # Each of the three was rounded by itself.
        if None not in parts and abs(parts[0] - parts[1] - parts[2]) > 1:
            yield f"{CORE}: metrics.{name}.delta_millionths is not that of candidate and baseline"
    weights = {n: Fraction(rule["weights"][n], total) for n in present}
    if said["metrics_included"] != present:
        yield f"{CORE}: delta_one.metrics_included are not the defined ones of metrics"
    if said["weights_millionths"] != {n: millionths(w) for n, w in weights.items()}:
        yield f"{CORE}: delta_one.weights_millionths are not those of {PLAN}: rule.weights"
    signed = {name: direction(rule, name) * weight for name, weight in weights.items()}
    mean = sum(weight * metrics[n]["delta_millionths"] for n, weight in signed.items())
    # Each delta was rounded to a millionth, and so was the mean.
    if said["millionths"] is None or abs(said["millionths"] - mean) > 1:
        yield f"{CORE}: delta_one.millionths is not the weighted mean of the deltas"


def _configuration_problems(core: Mapping[str, Any], rule: Mapping[str, Any]) -> Iterator[str]:
    said = core["run_configuration"]
    expected = {
        "mode": "mock" if core["dry_run"] else "files",
        "task_digest": core["task_digest"],
        "primary_metric": rule["primary"],
        "baseline": core["baseline"]["origin"],
    }
    for field, value in expected.items():
        if said[field] != value:
            yield f"{CORE}: run_configuration.{field} is not {value!r}, as core and plan say"
    scale = core["benchmark"].get("target_scale")
    if scale is not None and Fraction(scale["minimum"]) >= Fraction(scale["maximum"]):
        yield f"{CORE}: benchmark.target_scale has no width"
    if not _same(core["model_configuration"].get("target_scale"), scale):
        yield f"{CORE}: benchmark.target_scale is not that of model_configuration"
    if sorted(said["metrics"]) != sorted(rule["included"]):
        yield f"{CORE}: run_configuration.metrics are not those of {PLAN}: rule.included"
    if core["pii"]["key_id"] != core["key_ids"]["pii"]:
        yield f"{CORE}: pii.key_id is not key_ids.pii"


def _model_digests(bundle: Bundle, role: str) -> list[str]:
    prefix = f"{MODELS[role]}/"
    files = bundle.manifest["files"].items()
    return [digest for name, digest in files if name.startswith(prefix)]


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: for Python, true equals 1."""
    return canonical_json(one) == canonical_json(other)
