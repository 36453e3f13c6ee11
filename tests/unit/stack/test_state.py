"""`stack.json`: kept whole, private, and silent about its passwords."""

from __future__ import annotations

import multiprocessing
import stat
import time
from pathlib import Path

import pytest

from ingestor.errors import StackUnavailable
from ingestor.stack import state
from ingestor.stack.state import PostgresState, State, ValkeyState


def a_state() -> State:
    postgres = PostgresState("tree", "17.6", "2.19.3 (apache)", 5000, prepared=True)
    return State(postgres=postgres, valkey=ValkeyState("wheel", "9.1.2", "valkey 9.1.2", 5001))


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    """Every choice and password survives."""
    kept = a_state()
    state.save(tmp_path, kept)

    assert state.load(tmp_path) == kept


def test_nothing_is_chosen_at_first(tmp_path: Path) -> None:
    """A home without the file is a fresh one."""
    assert state.load(tmp_path) == State()


def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    """It holds passwords."""
    state.save(tmp_path, a_state())

    assert stat.S_IMODE((tmp_path / "stack.json").stat().st_mode) == 0o600


def test_no_unfinished_file_is_left(tmp_path: Path) -> None:
    """A file is replaced in one step."""
    state.save(tmp_path, a_state())

    assert [path.name for path in tmp_path.iterdir()] == ["stack.json"]


def test_a_state_is_shown_without_its_passwords() -> None:
    """A repr ends up in logs and tracebacks."""
    kept = a_state()
    assert kept.postgres
    assert kept.valkey

    shown = repr(kept)

    assert kept.postgres.superuser not in shown
    assert kept.postgres.owner not in shown
    assert kept.valkey.password not in shown


@pytest.mark.parametrize("text", ["", "{", '{"format": 2}', '{"postgres": {"owner": "hush"}}'])
def test_a_damaged_file_is_refused_without_its_content(tmp_path: Path, text: str) -> None:
    """Guessing would put another server on old data; the content may be a password."""
    (tmp_path / "stack.json").write_text(text)

    with pytest.raises(StackUnavailable) as caught:
        state.load(tmp_path)

    assert "hush" not in str(caught.value)
    assert "reset" in caught.value.hint


def test_passwords_need_no_quoting_anywhere() -> None:
    """They go into URLs, conf files, SQL and shell lines as they are."""
    allowed = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    passwords = {state.new_password() for _ in range(50)}

    assert len(passwords) == 50
    assert set("".join(passwords)) <= allowed


def _hold(lock: Path, held: object, seconds: float) -> None:
    with state.locked(lock, lambda line: None):
        held.set()  # type: ignore[attr-defined]
        time.sleep(seconds)


def test_a_second_process_waits_and_says_so(tmp_path: Path) -> None:
    """Whoever waits for another `up` must not think that it hangs."""
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    holder = context.Process(target=_hold, args=(tmp_path / "lock", held, 0.3))
    holder.start()
    assert held.wait(30)
    told: list[str] = []

    with state.locked(tmp_path / "lock", told.append):
        holder.join(30)

    assert told == ["waiting for another process that is at work on the stack"]
