"""Environment variables: defaults, wrong values, and the file that lists them."""

from pathlib import Path

import pytest

from hokusai_assets.errors import UsageError
from hokusai_assets.settings import VARIABLES, Settings, plan_nonce

ROOT = Path(__file__).parents[1]


def test_defaults() -> None:
    settings = Settings.from_environment({})
    assert (settings.random_seed, settings.test_mode, settings.log_level) == (42, False, "INFO")
    assert settings.experiment_name == "hokusai-pipeline"
    assert settings.home == Path(".hokusai").absolute()


@pytest.mark.parametrize("text", ["true", "TRUE", "1", "yes", "on"])
def test_test_mode_is_on(text: str) -> None:
    assert Settings.from_environment({"HOKUSAI_TEST_MODE": text}).test_mode


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOKUSAI_TEST_MODE", "maybe"),
        ("RANDOM_SEED", "-1"),
        ("RANDOM_SEED", "4294967296"),
        ("RANDOM_SEED", "٣"),
        ("PIPELINE_LOG_LEVEL", "LOUD"),
    ],
)
def test_wrong_values_are_named(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=name):
        Settings.from_environment({name: value})


def test_a_nonce_is_hexadecimal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOKUSAI_PLAN_NONCE", "00ff")
    assert plan_nonce() == b"\x00\xff"
    monkeypatch.setenv("HOKUSAI_PLAN_NONCE", "secret!")
    with pytest.raises(UsageError, match="hexadecimal") as raised:
        plan_nonce()
    assert "secret!" not in str(raised.value)


def test_the_example_file_lists_every_variable_with_its_default() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    listed = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert listed == {name: default for name, (default, _) in VARIABLES.items()}
