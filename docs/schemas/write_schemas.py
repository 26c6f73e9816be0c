"""Write the JSON Schemas beside this file from the records that define them.

python docs/schemas/write_schemas.py
"""

import json
from pathlib import Path
from typing import Any

from hokusai_assets.attestation.shapes import record_json_schemas
from hokusai_assets.contribution.validation import validation_json_schema
from hokusai_assets.reporting.delta_output import delta_output_schema
from hokusai_assets.task import task_json_schema

FOLDER = Path(__file__).parent


def schemas() -> dict[str, dict[str, Any]]:
    """Every schema by file name."""
    return {
        "delta_output.schema.json": delta_output_schema(),
        **record_json_schemas(),
        "task.schema.json": task_json_schema(),
        "validation.schema.json": validation_json_schema(),
    }


def as_text(schema: dict[str, Any]) -> str:
    """A schema as it stands in its file."""
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name, schema in schemas().items():
        (FOLDER / name).write_text(as_text(schema), encoding="utf-8")
