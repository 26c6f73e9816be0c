"""What a task means, apart from how it is written down: what its digest covers."""

from typing import TYPE_CHECKING, Any

from hokusai_assets.task.kinds import REGRESSION_DEFAULTS, plain_decimal

if TYPE_CHECKING:
    from hokusai_assets.task.sections import Task

DEFAULT_SEED = 42


def meaning_of(task: "Task") -> dict[str, Any]:
    """`task` as canonical JSON types: no paths, texts for people or [mint], no defaults."""
    body = task.model_dump(mode="json", exclude_defaults=True)
    body["task_schema"] = task.task_schema
    body.pop("title", None)
    body.pop("mint", None)  # what is asked of a contract afterwards; see MintSection
    body["data"] = {"labels": list(task.data.labels)} if task.data.labels else {}
    if task.kind == "regression":
        for section, defaults in REGRESSION_DEFAULTS.items():
            for key, value in defaults.items():
                if getattr(getattr(task, section), key) == value:
                    body[section].pop(key)
    if task.seed == DEFAULT_SEED:
        body.pop("seed")
    for section, key in (("model", "id"), ("benchmark", "lineage")):
        if body.get(section, {}).get(key) == task.id:
            del body[section][key]
    silent = sum(task.default_weights.values())
    if task.weights == {name: w / silent for name, w in task.default_weights.items()}:
        body.get("metrics", {}).pop("weights", None)
    body["columns"] = sorted(
        (
            {k: v for k, v in c.items() if k not in {"description", "examples"}}
            for c in body["columns"]
        ),
        key=lambda c: str(c["name"]),
    )
    return {key: _decimal_strings(value) for key, value in body.items() if value != {}}


def _decimal_strings(value: Any) -> Any:
    """Floats as plain decimal text, since canonical JSON has no floats here."""
    if isinstance(value, float):
        return plain_decimal(value)
    if isinstance(value, dict):
        return {key: _decimal_strings(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_decimal_strings(item) for item in value]
    return value
