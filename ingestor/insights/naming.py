"""Which job a person means."""

from __future__ import annotations

import re
from difflib import get_close_matches
from uuid import UUID

from ingestor.errors import UnknownJob
from ingestor.store import insight_rows
from ingestor.store.database import Database

LAST = "@last"
_CANDIDATES = 5
_KNOWN = 1000
_ID_PREFIX = re.compile(r"[0-9a-fA-F]+(-[0-9a-fA-F]+)*-?")


class AmbiguousJob(UnknownJob):
    """Several jobs are called that."""


async def resolve_job(database: Database, text: str) -> UUID:
    """The job that a person means: a name, a unique prefix of an id, or ``@last``.

    A name is taken before a prefix: the id can be written out further, the name cannot.

    Raises:
        AmbiguousJob: There are several.
        UnknownJob: There is none.
    """
    if text == LAST:
        return await _last(database)
    if "\0" in text:  # which no text of PostgreSQL can hold
        raise await _unknown(database, text)
    found = await insight_rows.named(database, text, limit=_CANDIDATES + 1)
    if not found and _ID_PREFIX.fullmatch(text):
        digits = text.replace("-", "").lower()
        found = await insight_rows.prefixed(database, digits, limit=_CANDIDATES + 1)
    if len(found) == 1:
        return found[0][0]
    if found:
        raise _ambiguous(text, found)
    raise await _unknown(database, text)


async def _last(database: Database) -> UUID:
    found = await insight_rows.recent(database, limit=1)
    if not found:
        raise UnknownJob("no job was submitted yet", hint="submit one with `hdi-submit`")
    return found[0][0]


def _ambiguous(text: str, found: list[tuple[UUID, str]]) -> AmbiguousJob:
    shown = ", ".join(_called(*each) for each in found[:_CANDIDATES])
    more = ", …" if len(found) > _CANDIDATES else ""
    return AmbiguousJob(
        f"{text!r} means several jobs: {shown}{more}",
        hint="write the id of the one meant, or more of it",
    )


async def _unknown(database: Database, text: str) -> UnknownJob:
    known = await job_names(database)
    words = {str(job_id)[:8]: job_id for job_id, _ in known} | {name: i for i, name in known}
    near = get_close_matches(text, [word for word in words if word], n=3, cutoff=0.6)
    if near:
        return UnknownJob(f"no job is called {text!r}", hint=f"did you mean {' or '.join(near)}?")
    return UnknownJob(f"no job is called {text!r}", hint="`hdi jobs` lists them")


def _called(job_id: UUID, name: str) -> str:
    return f"{str(job_id)[:13]} ({name})" if name else str(job_id)[:13]


async def job_names(database: Database) -> list[tuple[UUID, str]]:
    """Id and name of recent jobs, newest first."""
    return await insight_rows.recent(database, limit=_KNOWN)
