"""What was chosen once is kept: never another server on old data."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestor.errors import StackUnavailable
from ingestor.stack import launch, postgres, state, tree, valkey
from ingestor.stack.jail import Jail
from ingestor.stack.postgres import Postgres
from ingestor.stack.state import PostgresState, State, ValkeyState

KEPT = PostgresState("tree", "17.6", "2.19.3 (apache)", 5000, prepared=True)


def say_nothing(line: str) -> None:
    """Nobody listens."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home whose cluster was made with KEPT and is down."""
    data = tmp_path / "stack/postgres/data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("17\n")
    state.save(tmp_path, State(postgres=KEPT))
    return tmp_path


@pytest.mark.parametrize(
    ("version", "timescaledb"),
    [("18.1", "2.19.3 (apache)"), ("17.6", "2.20.0 (apache)"), ("17.6", None)],
)
def test_another_server_never_gets_old_data(
    home: Path, monkeypatch: pytest.MonkeyPatch, version: str, timescaledb: str | None
) -> None:
    """A changed major version or extension is an error that names both and the way out."""
    found = Postgres(Jail(home, closed=False), "/bin", version, timescaledb)
    monkeypatch.setattr(postgres, "install", lambda folder, kind, report: found)

    with pytest.raises(StackUnavailable, match=r"belong to timescaledb 2\.19\.3") as caught:
        launch.start_postgres(home, "auto", say_nothing)

    assert "hdi stack reset --yes" in caught.value.hint


def test_another_edition_is_not_slipped_in(home: Path) -> None:
    """Who asks for plain must not be given the old TimescaleDB, nor the other way round."""
    with pytest.raises(StackUnavailable, match="asked for is plain"):
        launch.start_postgres(home, "plain", say_nothing)


def test_data_without_their_state_are_not_touched(home: Path) -> None:
    """Without the passwords nobody can use them; making a new cluster would destroy them."""
    (home / "stack.json").unlink()

    with pytest.raises(StackUnavailable, match=r"stack\.json"):
        launch.start_postgres(home, "auto", say_nothing)

    assert (home / "stack/postgres/data/PG_VERSION").exists()


def test_lost_data_are_not_replaced_by_an_empty_database(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty database in place of a full one is the worst answer to a lost disk."""
    found = Postgres(Jail(home, closed=False), "/bin", KEPT.version, KEPT.timescaledb)
    monkeypatch.setattr(postgres, "install", lambda folder, kind, report: found)
    (home / "stack/postgres/data/PG_VERSION").unlink()

    with pytest.raises(StackUnavailable, match="are gone"):
        launch.start_postgres(home, "auto", say_nothing)


def test_an_older_valkey_never_gets_newer_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It could not read them, and would begin empty."""
    state.save(tmp_path, State(valkey=ValkeyState("wheel", "9.1.2", "valkey 9.1.2", 5001)))
    found = valkey.Valkey(Jail(tmp_path, closed=False), "/bin/x", "8.0.0", "valkey 8.0.0")
    monkeypatch.setattr(valkey, "install", lambda folder, kind, binary, report: found)

    with pytest.raises(StackUnavailable, match=r"belong to version 9\.1\.2"):
        launch.start_valkey(tmp_path, "auto", say_nothing)


def test_the_machines_own_valkey_program_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wheel's is young, so it is last."""
    monkeypatch.setattr(valkey, "on_path", lambda: Path("/usr/bin/valkey-server"))

    assert launch._first_valkey("auto") == ("path", "/usr/bin/valkey-server")


def test_no_tree_is_made_for_valkey_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """400 MB for a program of 2 MB."""
    monkeypatch.setattr(valkey, "on_path", lambda: None)
    monkeypatch.setattr(tree, "find", lambda: None)

    assert launch._first_valkey("auto") == ("wheel", None)
