"""Requests: every field from its source, and everything wrong refused with its own sentence."""

import hashlib
from typing import Any

import pytest

from hokusai_assets.attestation.mint import eip712
from hokusai_assets.attestation.mint.facts import LOSSES, METRIC_FAMILIES
from hokusai_assets.attestation.mint.options import MintOptions
from hokusai_assets.attestation.mint.request import (
    build_request,
    derive_request,
    idempotency_key,
)
from hokusai_assets.digests import canonical_json, digest_json
from hokusai_assets.errors import MintRefusedError
from hokusai_assets.scoring import METRICS
from hokusai_assets.task.metrics import MAY_BE_PRIMARY, REGRESSION_METRICS
from hokusai_assets_tests.attestation.mint.conftest import (
    CONTRACT,
    OPTIONS,
    entry_of,
    files_of,
    options,
    request_of,
)
from hokusai_assets_tests.attestation.public_folder import (
    CORE,
    RUN_ID,
    digest,
    two_contributors,
)
from hokusai_assets_tests.conftest import OTHER_WALLET, WALLET


def payload_of(changes: Any = None, **given: Any) -> dict[str, Any]:
    payload: dict[str, Any] = request_of(changes, **given).typed_data["message"]["payload"]
    return payload


def test_every_field_comes_from_its_source() -> None:
    request = request_of()
    core_digest = files_of().core_digest
    commitment = {"model_configuration_digest": digest("configuration"), "seeds": CORE["seeds"]}
    before = commitment | {
        "training_root": digest("base"),
        "predictions_digest": digest("before"),
    }
    after = commitment | {
        "training_root": digest("merged"),
        "predictions_digest": digest("after"),
    }
    assert request.typed_data == {
        "types": eip712.TYPES,
        "primaryType": "MintRequest",
        "domain": {
            "name": "HokusaiDeltaVerifier",
            "version": "1",
            "chainId": "8453",
            "verifyingContract": CONTRACT,
        },
        "message": {
            "modelId": "7",
            "payload": {
                "pipelineRunId": RUN_ID,
                "baselineScoreBps": "7662",
                "candidateScoreBps": "7935",
                "maxCostUsdMicro": "5000000",
                "actualCostUsdMicro": "1250000",
                "totalSamples": "2998",
                "anchors": {
                    "benchmarkSpecHash": "0x" + eip712.keccak256(b"reviews-benchmark-v1").hex(),
                    "datasetHash": "0x" + digest("scored"),
                    "attestationHash": "0x" + core_digest,
                    "idempotencyKey": "0x"
                    + hashlib.sha256(f"7:{core_digest}".encode()).hexdigest(),
                    "metricName": "accuracy",
                    "metricFamily": "proportion",
                },
                "baselineCommitment": "0x" + hashlib.sha256(canonical_json(before)).hexdigest(),
                "candidateCommitment": "0x" + hashlib.sha256(canonical_json(after)).hexdigest(),
                "deadline": "1893456000",
            },
            "contributors": [{"walletAddress": WALLET, "weight": "10000"}],
        },
    }
    assert request.warnings == ()
    body = request.body()
    assert canonical_json(body)
    assert body["digest"] == "0x" + request.digest.hex()


def test_the_digest_of_a_request_stays_what_it_is() -> None:
    """A golden: contracts and signers of later years see the same digest."""
    assert (
        request_of().digest.hex()
        == "8936b4759c230d0f50c9983f577de958e360ee5e72480bf25ce981a0a19e26e2"
    )


def test_the_idempotency_key_is_the_formula() -> None:
    bare = "ab" * 32
    assert idempotency_key("12", bare) == hashlib.sha256(b"12:" + bare.encode()).hexdigest()
    assert idempotency_key("1", "2" + bare) != idempotency_key("12", bare)


@pytest.mark.parametrize(
    ("before", "after", "bps", "warned"),
    [
        (770_060, 780_040, ("7701", "7800"), True),  # 99 bps, although the delta rounds to 100
        (770_050, 780_050, ("7700", "7800"), False),  # half to even
        (770_150, 780_150, ("7702", "7802"), False),
        (770_000, 780_000, ("7700", "7800"), False),
        (0, 10**6, ("0", "10000"), False),
        (780_000, 770_000, ("7800", "7700"), True),
    ],
)
def test_scores_are_rounded_before_any_difference(
    before: int, after: int, bps: tuple[str, str], warned: bool
) -> None:
    metrics = {"accuracy": {"baseline_millionths": before, "candidate_millionths": after}}
    changes = {"core": {"metrics": metrics}}
    payload = payload_of(changes)
    assert (payload["baselineScoreBps"], payload["candidateScoreBps"]) == bps
    warnings = request_of(changes).warnings
    assert [("under 100" in w) for w in warnings] == [True] * warned


def test_the_lower_bound_is_what_may_be_paid() -> None:
    payload = payload_of(score_basis="lower_bound")
    assert payload["baselineScoreBps"] == "7662"
    assert payload["candidateScoreBps"] == str(7662 + 168)
    (warning,) = request_of({"decision": {"payable_bps": 68}}, score_basis="lower_bound").warnings
    assert "68 bps" in warning
    assert request_of({"decision": {"payable_bps": 100}}, score_basis="lower_bound").warnings == ()


def test_cost_over_budget_is_a_warning() -> None:
    assert request_of(actual_cost_usd_micro="5000000").warnings == ()
    (warning,) = request_of(actual_cost_usd_micro="5000001").warnings
    assert "mints nothing" in warning


def test_contributors_keep_their_order_and_weights() -> None:
    message = request_of({"core": {"contributors": two_contributors(1, 9999)}}).typed_data
    assert message["message"]["contributors"] == [
        {"walletAddress": WALLET, "weight": "1"},
        {"walletAddress": OTHER_WALLET, "weight": "9999"},
    ]


def test_weights_of_one_wallet_are_added_at_its_first_place() -> None:
    first, second = two_contributors(3000, 5000)
    third = first | {"contributor_id": "alice-again", "weight_bps": 2000}
    lower = first | {"wallet_address": WALLET.lower(), "weight_bps": 2000}
    for again in (third, lower):
        request = request_of({"core": {"contributors": [first, second, again]}})
        assert request.typed_data["message"]["contributors"] == [
            {"walletAddress": WALLET, "weight": "5000"},
            {"walletAddress": OTHER_WALLET, "weight": "5000"},
        ]
    alone = [first | {"weight_bps": None}, third | {"weight_bps": None}]
    request = request_of({"core": {"contributors": alone}})
    assert request.typed_data["message"]["contributors"] == [
        {"walletAddress": WALLET, "weight": "10000"}
    ]


def wallets(count: int) -> list[dict[str, Any]]:
    weights = [10_000 - (count - 1)] + [1] * (count - 1)
    return [
        CORE["contributors"][0] | {"wallet_address": f"0x{i + 1:040x}", "weight_bps": weight}
        for i, weight in enumerate(weights)
    ]


def test_39_contributors_fit_and_40_do_not() -> None:
    request = request_of({"core": {"contributors": wallets(39)}})
    assert len(request.typed_data["message"]["contributors"]) == 39
    with pytest.raises(MintRefusedError, match="40 wallets"):
        request_of({"core": {"contributors": wallets(40)}})


def test_a_stored_baseline_is_committed_to_by_its_file() -> None:
    stored = {"baseline": {"origin": "stored", "file_sha256": digest("file")}}
    expected = digest_json(
        {
            "model_configuration_digest": digest("file"),
            "training_root": digest("base"),
            "seeds": [],
            "predictions_digest": digest("before"),
        }
    )
    payload = payload_of({"core": stored})
    assert payload["baselineCommitment"] == "0x" + expected
    assert payload["candidateCommitment"] == payload_of()["candidateCommitment"]


def test_every_metric_that_may_be_primary_has_a_family_or_is_a_loss() -> None:
    losses = {name for name in METRIC_FAMILIES if not METRICS[name].higher_is_better}
    assert losses == LOSSES
    assert {*MAY_BE_PRIMARY, *REGRESSION_METRICS} == set(METRIC_FAMILIES)
    assert payload_of(regression("r2"))["anchors"]["metricFamily"] == "continuous"
    for metric in MAY_BE_PRIMARY:
        values = CORE["metrics"]["accuracy"]
        changes = {
            "core": {"metrics": {metric: values}},
            "plan": {"rule": {"primary": metric, "included": [metric]}},
        }
        anchors = payload_of(changes)["anchors"]
        assert anchors["metricName"] == metric
        assert anchors["metricFamily"] in {
            "proportion",
            "continuous",
            "zero_inflated_continuous",
            "rank_or_ordinal",
        }


def rule(**changes: Any) -> dict[str, Any]:
    return {"plan": {"rule": changes}}


def regression(metric: str, lower_is_better: Any = None, **values: Any) -> dict[str, Any]:
    rules = {"primary": metric, "included": [metric], "lower_is_better": lower_is_better}
    return core(metrics={metric: {**CORE["metrics"]["accuracy"], **values}}) | rule(**rules)


def core(**changes: Any) -> dict[str, Any]:
    return {"core": changes}


def contributors(*weights: Any) -> dict[str, Any]:
    return core(contributors=two_contributors(*weights))


def wallet(text: Any) -> dict[str, Any]:
    return core(contributors=[CORE["contributors"][0] | {"wallet_address": text}])


SAME_MODEL = {
    "content_roots": {"merged": digest("base")},
    "predictions_digests": {"candidate": digest("before")},
}
REFUSED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    # what the decision says
    ({p: {"dry_run": True} for p in ("core", "plan", "decision")}, {}, "It was a dry run"),
    ({"decision": {"verdict": "rejected"}}, {}, "The verdict is rejected"),
    ({"decision": {"verdict": "superseded"}}, {}, "The verdict is superseded"),
    ({"decision": {"provisional": True}}, {}, "is provisional: no ledger counted"),
    ({"ledger": None}, {}, "ledger.entry is not the hash"),
    ({"ledger": {"entry": None}}, {}, "ledger.entry is not the hash"),
    ({"decision": {"payable_bps": -1}}, {}, "payable_bps must be a whole number from 0"),
    # what the contract would take
    ({}, {"model_id": "0"}, "model_id is 0"),
    ({}, {"chain_id": "0"}, "chain_id is 0"),
    ({}, {"deadline": "0"}, "deadline is 0"),
    (core(benchmark={"rows": 0}), {}, "benchmark.rows must be a whole number above 0"),
    (core(**SAME_MODEL), {}, "commitment equals the baseline's"),
    (core(content_roots={"benchmark_scored": "0" * 64}), {}, "benchmark_scored is zero"),
    (core(content_roots={"base": "0" * 64}), {}, "content_roots.base is zero"),
    (core(content_roots={"merged": "0" * 64}), {}, "content_roots.merged is zero"),
    (core(predictions_digests={"candidate": "0" * 64}), {}, "predictions_digests.candidate is"),
    (core(model_configuration_digest="0" * 64), {}, "model_configuration_digest is zero"),
    (rule(primary="quality", included=["quality"]), {}, "metric of no known family"),
    (rule(primary="precision"), {}, "metric of no known family"),
    (rule(primary=["accuracy"]), {}, "metric of no known family"),
    (contributors(10_000, 0), {}, r"contributors\[1\].weight_bps must be a whole number"),
    (contributors(10_001, -1), {}, r"contributors\[1\].weight_bps must be a whole number"),
    (contributors(6000, 3999), {}, "add up to 9,999 bps"),
    (contributors(6000, 4001), {}, "add up to 10,001 bps"),
    (contributors(None, None), {}, "shares have to be computed first"),
    (contributors(10_000, None), {}, "shares have to be computed first"),
    (core(contributors=[]), {}, "contributors must be a list, at least one"),
    (core(contributors={}), {}, "contributors must be a list, at least one"),
    (core(contributors=["alice"]), {}, r"contributors\[0\].wallet_address"),
    (wallet("0x" + "0" * 40), {}, "zero address"),
    (wallet("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"), {}, "fails its EIP-55 checksum"),
    (wallet(WALLET.upper().replace("X", "x")), {}, "fails its EIP-55 checksum"),
    (wallet(WALLET[:-1]), {}, "not an Ethereum address"),
    (wallet(None), {}, "not an Ethereum address"),
    # types that Python or a library would let pass
    (contributors("6000", 4000), {}, r"contributors\[0\].weight_bps must be a whole number"),
    (contributors(True, 9999), {}, r"contributors\[0\].weight_bps must be a whole number"),
    (core(benchmark={"rows": True}), {}, "benchmark.rows must be"),
    (core(benchmark={"rows": "2998"}), {}, "benchmark.rows must be"),
    (core(benchmark=None), {}, "benchmark.rows must be"),
    (core(content_roots={"benchmark_scored": "ab" * 31}), {}, "64 lower-case hexadecimal"),
    (core(content_roots={"benchmark_scored": "AB" * 32}), {}, "64 lower-case hexadecimal"),
    (core(content_roots={"benchmark_scored": "0x" + "ab" * 31}), {}, "64 lower-case"),
    (core(content_roots=None), {}, "content_roots.base must be a SHA-256"),
    (core(seeds=[]), {}, "seeds must be a list"),
    (core(seeds=[True]), {}, "seeds must be a list"),
    (core(seeds=None), {}, "seeds must be a list"),
    (core(baseline={"origin": "stored"}), {}, "baseline.file_sha256 must be a SHA-256"),
    (core(baseline={"origin": "bought"}), {}, "origin must be stored or trained"),
    (core(metrics={"accuracy": {"candidate_millionths": "793529"}}), {}, "candidate_millionths"),
    (core(metrics={"accuracy": {"candidate_millionths": True}}), {}, "candidate_millionths"),
    (core(metrics={"accuracy": {"candidate_millionths": None}}), {}, "candidate_millionths"),
    (core(metrics={"accuracy": {"candidate_millionths": 1_000_001}}), {}, "from 0 to 1,000,000"),
    (core(metrics={"accuracy": {"baseline_millionths": -1}}), {}, "from 0 to 1,000,000"),
    (core(metrics=None), {}, "metrics.accuracy.baseline_millionths"),
    ({"plan": {"rule": 7}}, {}, "rule is missing"),
    ({}, {"model_id": 7}, "model_id must be a whole number"),
    ({}, {"model_id": True}, "model_id must be a whole number"),
    ({}, {"model_id": "07"}, "model_id must be a whole number"),
    ({}, {"model_id": str(2**256)}, "model_id must be a whole number"),
    ({}, {"max_cost_usd_micro": "-1"}, "max_cost_usd_micro must be"),
    ({}, {"actual_cost_usd_micro": "1.5"}, "actual_cost_usd_micro must be"),
    ({}, {"deadline": "1893456000000"}, "in seconds since 1970"),
    ({}, {"verifying_contract": CONTRACT.swapcase().replace("X", "x")}, "verifying_contract"),
    ({}, {"verifying_contract": "0x" + "0" * 40}, "verifying_contract: .*zero address"),
    ({}, {"spec_id": ""}, "spec_id must be"),
    ({}, {"spec_id": "spéc"}, "spec_id must be"),
    ({}, {"spec_id": "a\nb"}, "spec_id must be"),
    # the basis and what is shown
    ({}, {"score_basis": ""}, "score_basis must be stated"),
    ({}, {"score_basis": "Measured"}, "score_basis must be stated"),
    (rule(included=["accuracy", "auroc"]), {"score_basis": "lower_bound"}, "only one included"),
    (rule(included=None), {"score_basis": "lower_bound"}, "only one included"),
    (rule(lower_is_better=["accuracy"]), {"score_basis": "lower_bound"}, "accuracy is a loss"),
    (rule(lower_is_better=["accuracy"]), {}, "The contract pays for scores that rise"),
    (regression("mae"), {}, "pays for scores that rise, and mae is a loss"),
    (regression("rmse", lower_is_better=["rmse"]), {}, "rmse is a loss"),
    (regression("r2", baseline_millionths=-1), {}, "metrics.r2.baseline_millionths must be"),
    ({"decision": {"payable_bps": 2339}}, {"score_basis": "lower_bound"}, "past the metric's end"),
    (rule(retire="never"), {}, "set reveal_live_scores = true"),
    (
        rule(retire="never"),
        {"reveal_live_scores": True, "rows_opened": True},
        "is marked live and its rows were opened",
    ),
    (rule(retire="sometimes"), {}, "retire must be on_acceptance or never"),
    (rule(retire=None), {}, "retire must be on_acceptance or never"),
]


@pytest.mark.parametrize(("changes", "given", "said"), REFUSED)
def test_what_is_wrong_is_refused_with_its_own_sentence(
    changes: dict[str, Any], given: dict[str, Any], said: str
) -> None:
    with pytest.raises(MintRefusedError, match=said) as caught:
        request_of(changes, **given)
    assert caught.value.exit_code == 3


def test_live_scores_may_be_revealed_on_purpose() -> None:
    request = request_of(rule(retire="never"), reveal_live_scores=True)
    assert request.body()["reveal_live_scores"] is True
    # What an acceptance retired may be opened.
    assert request_of(rows_opened=True).digest == request_of().digest


def test_all_reasons_are_listed_at_once() -> None:
    files = files_of(
        core={"benchmark": {"rows": 0}, "contributors": two_contributors(6000, 3999)},
        decision={"provisional": True},
        plan={"rule": {"retire": "never"}},
    )
    with pytest.raises(MintRefusedError) as caught:
        build_request(files, "../run", options(model_id="0", spec_id=""), None)
    problems = caught.value.problems
    for said in (
        "benchmark.rows",
        "add up to 9,999",
        "provisional",
        "reveal_live_scores",
        "model_id is 0",
        "spec_id",
        "run id",
        "ledger holds no acceptance",
    ):
        assert sum(said in problem for problem in problems) == 1, said
    assert len(problems) == 8
    assert f"({len(problems)})" in str(caught.value)


def test_the_ledger_must_hold_this_very_decision() -> None:
    files = files_of()
    assert build_request(files, RUN_ID, options(), entry_of(files))
    for entry, said in (
        (None, "holds no acceptance of this core"),
        (entry_of(files, hash=digest("x")), "ledger.entry is not the hash"),
        (entry_of(files_of(decision={"payable_bps": 9})), "is not the decision that the ledger"),
        (entry_of(files, body=files.decision | {"provisional": 0}), "is not the decision"),
    ):
        with pytest.raises(MintRefusedError, match=said):
            build_request(files, RUN_ID, options(), entry)


def test_identity_is_the_request_without_deadline_and_costs() -> None:
    first = request_of().identity
    same = {"deadline": "1999999999", "max_cost_usd_micro": "1", "actual_cost_usd_micro": "0"}
    for name, value in same.items():
        assert request_of(**{name: value}).identity == first
        assert request_of(**{name: value}).digest != request_of().digest
    assert request_of(verifying_contract=CONTRACT.lower()).identity == first
    others = {
        "model_id": "8",
        "spec_id": "x",
        "score_basis": "lower_bound",
        "chain_id": "1",
        "verifying_contract": WALLET,
    }
    assert set(others) | set(same) == set(OPTIONS)
    assert first not in {request_of(**{n: v}).identity for n, v in others.items()}
    assert request_of(contributors(5000, 5000)).identity != first


def test_options_that_are_no_text_do_not_raise_anything_else() -> None:
    for name in OPTIONS:
        if name != "score_basis":
            given: Any = MintOptions(**(OPTIONS | {name: "\ud800\n"}))
            _, problems = derive_request(files_of(), RUN_ID, given)
            assert problems, name
