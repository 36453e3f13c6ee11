"""`hdi stack`: what goes to stdout, what to stderr."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import ingestor.stack
from ingestor.cli.stack import stack
from ingestor.errors import StackUnavailable
from ingestor.stack import StackAddress
from ingestor.vocabulary import Role


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty HDI_HOME."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HDI_HOME", str(tmp_path))
    for name in ("HDI_DATABASE_URL", "HDI_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_env_prints_lines_for_a_shell(home: Path) -> None:
    """`eval "$(hdi stack env)"` is the example in the help."""
    (home / "stack.env").write_text("HDI_REDIS_URL=redis://:pw@127.0.0.1:5001/0\n")

    result = CliRunner().invoke(stack, ["env"])

    assert result.stdout == "export HDI_REDIS_URL='redis://:pw@127.0.0.1:5001/0'\n"


def test_env_of_a_stack_that_is_down_is_an_error(home: Path) -> None:
    """An empty answer would leave a shell with stale variables."""
    result = CliRunner().invoke(stack, ["env"])

    assert isinstance(result.exception, StackUnavailable)
    assert result.stdout == ""


def test_status_of_a_fresh_home_says_none(home: Path) -> None:
    """Looking starts nothing and makes nothing."""
    result = CliRunner().invoke(stack, ["status", "--json"])

    found = json.loads(result.stdout)
    assert found["database"]["edition"] is None
    assert not found["redis"]["running"]
    assert list(home.iterdir()) == []


def test_reset_asks_first(home: Path) -> None:
    """Data are gone for good afterwards."""
    (home / "stack").mkdir()

    result = CliRunner().invoke(stack, ["reset"], input="n\n")

    assert result.exit_code == 1
    assert (home / "stack").exists()


def test_reset_with_yes_deletes_the_data(home: Path) -> None:
    """Scripts cannot answer a question."""
    (home / "stack").mkdir()

    result = CliRunner().invoke(stack, ["reset", "--yes"])

    assert result.exit_code == 0
    assert not (home / "stack").exists()


def test_up_shows_no_password(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its output ends up in CI logs; `env` is the command that shows them."""
    reached = StackAddress(
        database_urls=dict.fromkeys(Role, "postgresql://hdi_owner:hush@127.0.0.1/hdi"),
        redis_url="redis://:hush@127.0.0.1/0",
        database_edition="timescaledb",
        redis_edition="valkey",
        timescaledb=True,
        admin_url="postgresql://postgres:hush@127.0.0.1/postgres",
        home=home,
    )
    monkeypatch.setattr(ingestor.stack, "up", lambda *args, **kwargs: reached)

    for arguments in (["up"], ["up", "--json"]):
        assert "hush" not in CliRunner().invoke(stack, arguments).output


def test_up_hands_the_settings_over(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers that are given are not started."""
    seen: dict[str, object] = {}

    def remember(home: Path, **given: object) -> None:
        seen.update(given)
        raise StackUnavailable("far enough")

    monkeypatch.setattr(ingestor.stack, "up", remember)
    monkeypatch.setenv("HDI_DATABASE_URL", "postgresql://u:p@db.example/hdi")

    CliRunner().invoke(stack, ["up", "--edition", "plain"])

    assert seen["database_url"] == "postgresql://u:p@db.example/hdi"
    assert seen["redis_url"] is None
    assert seen["edition"] == "plain"
