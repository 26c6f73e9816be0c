"""From a TOML file to a checked task: every problem is reported, not the first one."""

import difflib
import tomllib
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from hokusai_assets.errors import TaskError
from hokusai_assets.files import is_url
from hokusai_assets.task.meaning import DEFAULT_SEED
from hokusai_assets.task.section import Section
from hokusai_assets.task.sections import Task


class LoadedTask(Section):
    """A task and the folder that its relative paths start from."""

    task: Task
    folder: str

    @property
    def base(self) -> str:
        """Where the base rows lie."""
        return _resolve(self.folder, self.task.data.base)

    @property
    def benchmark(self) -> str:
        """Where the benchmark rows lie."""
        return _resolve(self.folder, self.task.data.benchmark)


def load_task(path: str | Path, default_seed: int = DEFAULT_SEED) -> LoadedTask:
    """Read and check a task file; raise TaskError listing everything that is wrong with it."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise TaskError(f"There is no task file {path}: check the path.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise TaskError(f"The task file {path} cannot be read: {error}.") from error
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TaskError(f"The task file {path} is not valid TOML: {error}.") from error
    task = parse_task(raw, str(path))
    return LoadedTask(task=task.seeded(default_seed), folder=str(path.absolute().parent))


def parse_task(raw: dict[str, Any], name: str = "task") -> Task:
    """Check a task given as plain data; `name` is what errors call it."""
    problems = list(_unknown_keys(Task, raw, ""))
    if problems:
        raise TaskError(_listing(name, problems))
    try:
        return Task.model_validate(raw)
    except ValidationError as error:
        found = [
            f"{'.'.join(str(part) for part in e['loc']) or 'task'}: "
            f"{e['msg'].removeprefix('Value error, ')}"
            for e in error.errors(include_url=False, include_input=False)
        ]
        raise TaskError(_listing(name, found)) from None


def task_json_schema() -> dict[str, Any]:
    """The JSON Schema of task files, as it stands in docs/schemas/task.schema.json."""
    schema = Task.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Hokusai task file"
    return schema


def _unknown_keys(model: type[BaseModel], raw: Any, where: str) -> Iterator[str]:
    """Unknown keys at any depth, each with the nearest known one."""
    if not isinstance(raw, dict):
        return
    for key, value in raw.items():
        place = f"{where}{key}"
        field = model.model_fields.get(key)
        if field is None:
            near = difflib.get_close_matches(key, model.model_fields, 1, 0.5)
            hint = (
                f"did you mean {near[0]!r}?" if near else "known: " + ", ".join(model.model_fields)
            )
            yield f"unknown key {place!r}; {hint}"
            continue
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _unknown_keys(inner, value, place + ".")
        elif typing.get_origin(inner) is tuple and isinstance(value, list):
            item = typing.get_args(inner)[0]
            if isinstance(item, type) and issubclass(item, BaseModel):
                for index, element in enumerate(value):
                    yield from _unknown_keys(item, element, f"{place}[{index}].")


def _listing(name: str, problems: list[str]) -> str:
    if len(problems) == 1:
        return f"The task file {name} is wrong: {problems[0]}."
    return f"The task file {name} is wrong in {len(problems)} places: " + "; ".join(
        f"({index}) {problem}" for index, problem in enumerate(problems, 1)
    )


def _resolve(folder: str, path: str) -> str:
    if is_url(path) or Path(path).is_absolute():
        return path
    return str(Path(folder) / path)
