"""What the operator states for a mint request, and everything that may be wrong with it."""

from dataclasses import dataclass
from typing import Literal, get_args

from hokusai_assets.attestation.mint import eip712
from hokusai_assets.errors import TypedDataError

ScoreBasis = Literal["measured", "lower_bound"]

# Unix seconds end here at year 9999; a larger deadline was meant in milliseconds.
LATEST_DEADLINE = 253_402_300_799


@dataclass(frozen=True)
class MintOptions:
    """What the operator states; numbers are decimal text, as they stand in the request.

    `deadline` is in Unix seconds, costs in millionths of a US dollar. `rows_opened` says that the
    benchmark's rows were shown to others, which no file can tell.
    """

    model_id: str
    spec_id: str
    score_basis: str
    max_cost_usd_micro: str
    actual_cost_usd_micro: str
    chain_id: str
    verifying_contract: str
    deadline: str
    reveal_live_scores: bool = False
    rows_opened: bool = False


def option_problems(options: MintOptions) -> list[str]:
    """Why these options cannot stand in a request, one sentence each."""
    problems = []
    numbers: dict[str, int | None] = {}
    for name in (
        "model_id",
        "max_cost_usd_micro",
        "actual_cost_usd_micro",
        "chain_id",
        "deadline",
    ):
        try:
            numbers[name] = eip712.uint256(getattr(options, name), name)
        except TypedDataError as error:
            numbers[name] = None
            problems.append(str(error))
    for name in ("model_id", "chain_id", "deadline"):
        if numbers[name] == 0:
            problems.append(f"{name} is 0, which the contract takes and which is nobody's.")
    deadline = numbers["deadline"]
    if deadline is not None and deadline > LATEST_DEADLINE:
        problems.append("deadline is past the year 9999: it is in seconds since 1970, not in less.")
    if options.score_basis not in get_args(ScoreBasis):
        problems.append(
            "score_basis must be stated, measured or lower_bound: the one pays what was measured, "
            "the other what is sure."
        )
    spec_id = options.spec_id
    if not (1 <= len(spec_id) <= 200 and spec_id.isascii() and spec_id.isprintable()):
        problems.append("spec_id must be 1 to 200 printable ASCII characters.")
    try:
        eip712.address(options.verifying_contract, "verifying_contract")
    except TypedDataError as error:
        problems.append(str(error))
    return problems
