"""The task's `[mint]`: what a contract is asked beside what was measured."""

from typing import Literal

from pydantic import Field, field_validator

from hokusai_assets.errors import IdentityError
from hokusai_assets.identity import check_wallet_address
from hokusai_assets.task.section import Section


class MintSection(Section):
    """What a mint request states beside what was measured; the command's options come first.

    No part of what the task means: none of it changes what is evaluated, and actual costs are known
    only afterwards, so that it must not make a new plan, other seeds and another attempt.
    """

    model_id: str | None = Field(
        None, pattern=r"^[1-9][0-9]{0,77}$", description="Of the contract: decimal text, not 0."
    )
    spec_id: str | None = Field(
        None, pattern=r"^[ -~]{1,200}$", description="Names the benchmark's specification."
    )
    score_basis: Literal["measured", "lower_bound"] | None = Field(
        None, description="Pay what was measured, or what is sure; there is no default."
    )
    max_cost_usd_micro: int | None = Field(
        None, strict=True, ge=0, description="Largest accepted cost, in millionths of a US dollar."
    )
    actual_cost_usd_micro: int | None = Field(None, strict=True, ge=0, description="What it cost.")
    chain_id: int | None = Field(None, strict=True, ge=1, description="Of the contract's chain.")
    verifying_contract: str | None = Field(None, description="Its address: EIP-55 or lower case.")
    reveal_live_scores: bool = Field(
        False,
        strict=True,
        description='Mint although benchmark.retire is "never": a chain shows the scores.',
    )

    @field_validator("verifying_contract")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        try:
            return None if value is None else check_wallet_address(value)
        except IdentityError as error:
            raise ValueError(str(error).removesuffix(".")) from None
