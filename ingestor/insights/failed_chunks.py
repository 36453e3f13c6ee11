"""Chunks that failed for good, chosen to be retried, or left as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from ingestor.errors import Usage
from ingestor.redaction import redact
from ingestor.store import cases
from ingestor.store.cases import Case
from ingestor.store.database import Database
from ingestor.store.letters import Choice
from ingestor.vocabulary import ChunkState

_NAMED: Final = 5
"""Most ids that a message names."""


def repeating(release_of: UUID) -> str:
    """The command that repeats a chunk which was to store quarantined records of that job."""
    return f"hdi quarantine replay --job {str(release_of)[:8]}"


async def retryable(database: Database, chunk_ids: Sequence[int]) -> list[Case]:
    """The chunks, checked: those whose letter was discarded may be retried after all.

    Raises:
        Usage: Some are unknown, have no letter, or are not failed; or a retry cannot repeat them.
    """
    found = await known(database, chunk_ids)
    require_lettered(found)
    for each in found:
        _require_failed(each)
        if each.release_of is not None:
            raise Usage(
                f"chunk {each.chunk_id} was to store quarantined records, which a retry cannot",
                hint=f"`{repeating(each.release_of)}` does so; then `hdi dlq discard "
                f"{each.chunk_id}` closes the letter",
            )
    return found


async def discardable(database: Database, chunk_ids: Sequence[int]) -> list[Case]:
    """The chunks, checked.

    Raises:
        Usage: Some are unknown, or have no open letter.
    """
    found = await known(database, chunk_ids)
    require_lettered(found)
    for each in found:
        if not each.open:
            why = f": {redact(each.note)}" if each.note else ""
            raise Usage(
                f"the letter of chunk {each.chunk_id} was {each.resolution} already{why}",
                hint="leave it out",
            )
    return found


async def matching(database: Database, wanted: Choice) -> list[Case]:
    """The chunks whose letters are meant."""
    return await cases.cases(database, await cases.lettered(database, wanted))


async def known(database: Database, chunk_ids: Sequence[int]) -> list[Case]:
    """The chunks, by id, each once.

    Raises:
        Usage: Some are not in the ledger.
    """
    found = await cases.cases(database, sorted(set(chunk_ids)))
    missing = sorted(set(chunk_ids) - {each.chunk_id for each in found})
    if missing:
        are = "is no chunk" if len(missing) == 1 else "are no chunks"
        raise Usage(
            f"{_some(missing)} {are} of this ledger",
            hint="`hdi dlq list` says which have failed, `hdi status JOB --chunks` which there are",
        )
    return found


def require_lettered(found: Sequence[Case]) -> None:
    """Each of the chunks must have left a letter, open or closed.

    Raises:
        Usage: Some have not.
    """
    if without := [each for each in found if not each.lettered]:
        has = "has" if len(without) == 1 else "have"
        first = without[0]
        raise Usage(
            f"{_some([each.chunk_id for each in without])} {has} no dead letter; chunk "
            f"{first.chunk_id} is {first.state}",
            hint=f"leave it out; hdi status {str(first.job_id)[:8]} says how its job stands",
        )


def _require_failed(case: Case) -> None:
    if case.state is ChunkState.FAILED:
        return
    job = str(case.job_id)[:8]
    hint = f"leave it out; hdi status {job} says how its job stands"
    if case.state is ChunkState.CANCELLED:
        hint = f"hdi retry {job} --only cancelled takes it up again"
    raise Usage(f"chunk {case.chunk_id} is {case.state}, only failed ones are retried", hint=hint)


def _some(chunk_ids: Sequence[int]) -> str:
    more = ", …" if len(chunk_ids) > _NAMED else ""
    return ", ".join(map(str, chunk_ids[:_NAMED])) + more
