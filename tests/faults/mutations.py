"""The product with one guard taken out, to show that the tests notice. Never part of the product.

Each mutant changes what is loaded in this process and nothing on the disk. `mutant_run.py` runs
tests under one, `mutant_command.py` is `hdi worker` and `hdi scheduler` under one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from ingestor import lease
from ingestor.store import dispatch, ledger, loader
from ingestor.store.queries import queries
from ingestor.validate import raw

_FENCED = {
    **dict.fromkeys(("heartbeat", "lock", "finish", "fail", "withdraw"), "fence = $2"),
    "release": "k.fence = $2",
}


def cut(
    patch: pytest.MonkeyPatch, file: str, name: str, start: str, end: str = "", instead: str = ""
) -> None:
    """Takes a guard out of a statement: from `start` up to, without it, `end`."""
    statements = queries(file)
    before, found, rest = statements[name].partition(start)
    assert found, f"{file}.{name} has no guard {start!r}: the mutant is the product"
    if end:
        _, found, after = rest.partition(end)
        assert found, f"the guard of {file}.{name} does not end at {end!r}"
        rest = found + after
    patch.setitem(statements, name, before + instead + rest)


def fence(patch: pytest.MonkeyPatch) -> None:
    """Whoever once had the chunk may renew, load, give back and end it."""
    for name, guard in _FENCED.items():
        cut(patch, "chunks", name, f"AND {guard}", instead=f"AND (true OR {guard})")


def row_lock(patch: pytest.MonkeyPatch) -> None:
    """A load looks at its chunk and does not lock it."""
    cut(patch, "chunks", "lock", "FOR UPDATE")


def dispatcher(patch: pytest.MonkeyPatch) -> None:
    """What a submission did not queue itself is never queued."""

    async def nothing(*_: Any, **__: Any) -> list[dispatch.Message]:
        return []

    patch.setattr(dispatch, "enqueue", nothing)


def requeue(patch: pytest.MonkeyPatch) -> None:
    """What the queue lost is never queued again."""

    async def nothing(*_: Any, **__: Any) -> list[int]:
        return []

    patch.setattr(dispatch, "overdue", nothing)


def count_check(patch: pytest.MonkeyPatch) -> None:
    """What was loaded is not held against what was counted before."""
    patch.setattr(loader, "_count_check", lambda *_: None)


def asked_count(patch: pytest.MonkeyPatch) -> None:
    """What a payload holds is not held against what the provider said it would."""
    patch.setattr(raw, "_counted", lambda *_: ())


def claim_guard(patch: pytest.MonkeyPatch) -> None:
    """Every message gets its chunk, whoever has it and however it ended.

    The ledger's CHECK constraints refuse a completed chunk in progress even so: its receipt goes.
    """
    cut(patch, "chunks", "claim", "AND ((k.state IN", instead="AND (true OR (k.state IN")
    cut(
        patch, "chunks", "claim", "SET state = 'in_progress',",
        instead="SET receipt = NULL, finished_at = NULL, state = 'in_progress',",
    )  # fmt: skip


def halt(patch: pytest.MonkeyPatch) -> None:
    """A stopped line stops nobody."""
    cut(patch, "chunks", "claim", "AND (SELECT count(*) FROM ingest.halts", "AND ((k.state IN")


def pause(patch: pytest.MonkeyPatch) -> None:
    """A paused job's chunk goes to whoever has its message."""
    cut(patch, "chunks", "claim", "AND NOT j.paused")


def skip_locked(patch: pytest.MonkeyPatch) -> None:
    """The reaper waits for every load that is being committed."""
    cut(patch, "chunks", "reap", "SKIP LOCKED")


def poison(patch: pytest.MonkeyPatch) -> None:
    """A chunk that takes its workers down is tried for ever."""
    cut(patch, "chunks", "reap", "WHEN lapsed.lost >= $1 THEN 'failed'")
    cut(patch, "chunks", "reap", "OR lapsed.lost >= $1")


def stuck_sessions(patch: pytest.MonkeyPatch) -> None:
    """The session of a frozen load keeps its locks."""
    cut(patch, "chunks", "stuck", "WHERE k.state = 'in_progress'", instead="WHERE false")


def dead_letter(patch: pytest.MonkeyPatch) -> None:
    """A chunk fails for good and leaves nothing to an operator."""
    cut(patch, "chunks", "fail", "), lettered AS (", ")\nSELECT")


def heartbeat(patch: pytest.MonkeyPatch) -> None:
    """Nobody renews a lease, nor looks whether it is still theirs."""

    async def silent(*_: Any) -> None:
        await asyncio.Event().wait()

    patch.setattr(lease, "_keep", silent)


def lost_answer(patch: pytest.MonkeyPatch) -> None:
    """A commit whose answer was lost is taken for one that failed."""

    async def never(*_: Any) -> bool:
        return False

    patch.setattr(ledger, "settled", never)


def one_dispatcher(patch: pytest.MonkeyPatch) -> None:
    """Dispatchers do not keep out of each other's way."""
    patch.setitem(queries("dispatch"), "try_lead", "SELECT true")


def merge_alone(patch: pytest.MonkeyPatch) -> None:
    """Loads and merges of one day run side by side."""

    async def at_once(*_: Any, **__: Any) -> None:
        return

    patch.setattr(loader, "own_days", at_once)
    patch.setattr(loader, "share_days", at_once)


def control(patch: pytest.MonkeyPatch) -> None:
    """Nothing is taken out: a test that fails under this one fails of how mutants are run."""


MUTANTS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    each.__name__: each
    for each in (
        fence, row_lock, dispatcher, requeue, count_check, asked_count, claim_guard, halt, pause,
        skip_locked, poison, stuck_sessions, dead_letter, heartbeat, lost_answer, one_dispatcher,
        merge_alone, control,
    )
}  # fmt: skip

WEAKENED = {"claim_guard": "ALTER TABLE ingest.chunks DISABLE TRIGGER chunks_receipt_immutable"}
"""What is taken out of a mutant's database: there the same harm meets a second guard."""
