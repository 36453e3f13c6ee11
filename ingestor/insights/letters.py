"""Dead letters as commands, API and page tell them.

What the ledger has was redacted when it was written; it is redacted once more on its way out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, Final
from uuid import UUID

from ingestor import errors
from ingestor.dead_letters import Letter
from ingestor.errors import Usage
from ingestor.insights.failed_chunks import known, repeating, require_lettered
from ingestor.insights.naming import resolve_job
from ingestor.insights.remedies import remedy
from ingestor.redaction import redact
from ingestor.store import cases, letters
from ingestor.store.database import Database
from ingestor.store.letters import ALL, Choice
from ingestor.vocabulary import ChunkState


@dataclass(frozen=True, slots=True)
class Told:
    """A letter, and what to do about it.

    Attributes:
        release_of: Job whose quarantined records the chunk was to store; None of a payload's chunk.
    """

    letter: Letter
    release_of: UUID | None = None

    @property
    def remedy(self) -> str:
        """What to mend first; empty where the chunk goes on or has completed."""
        return remedy(self.letter.error_code) if self._failed else ""

    @property
    def next(self) -> str:
        """The command that does the chunk's work again, or tells how it stands."""
        if not self._failed:
            return f"hdi status {str(self.letter.job_id)[:8]}"
        return self.letter.next if self.release_of is None else repeating(self.release_of)

    @property
    def _failed(self) -> bool:
        return self.letter.state is ChunkState.FAILED

    def as_json(self) -> dict[str, Any]:
        return {**self.letter.as_json(), "remedy": self.remedy, "next": self.next}


@dataclass(frozen=True, slots=True)
class Listing:
    """Letters that match.

    Attributes:
        codes: How many have each error code, most first; all that match.
        letters: The latest of them, latest first.
        hidden: Others that match but are retried or discarded; None where they were asked for.
    """

    codes: Mapping[str, int]
    letters: tuple[Told, ...]
    hidden: int | None = None

    @property
    def total(self) -> int:
        return sum(self.codes.values())

    @property
    def more(self) -> int:
        """Letters that match and are not among `letters`."""
        return max(0, self.total - len(self.letters))

    def as_json(self) -> dict[str, Any]:
        return {
            "schema_version": 1,
            "total": self.total,
            "codes": dict(self.codes),
            "letters": [each.as_json() for each in self.letters],
            "more": self.more,
            "hidden": self.hidden,
        }


async def choice(
    database: Database, job: str | None, code: str | None, *, only_open: bool = True
) -> Choice:
    """The letters that a person means.

    Args:
        job: Id prefix, name or ``@last``; None for any.
        code: Of an error; None for any.

    Raises:
        UnknownJob: No job, or more than one, is called that.
        Usage: No error has this code, and no letter either.
    """
    job_id = None if job is None else await resolve_job(database, job)
    if code is not None:
        await _require_code(database, code)
    return Choice(job_id=job_id, code=code, open=only_open)


async def _require_code(database: Database, code: str) -> None:
    there = set(_CODES)
    if code not in there:
        there |= set(await cases.codes(database, Choice(open=False)))
    if code in there:
        return
    near = get_close_matches(code, there, n=1, cutoff=0.5)
    near += [each for each in there if each.lower() == code.lower()]
    hint = f"did you mean {near[-1]}?" if near else "`hdi dlq list --all` counts letters per code"
    raise Usage(f"no error has the code {code!r}", hint=hint)


def codes_known() -> list[str]:
    """Codes of all errors that HDI raises on purpose."""
    return sorted(_CODES)


_CODES: Final = frozenset(
    name
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.IngestError)
)


async def listing(database: Database, wanted: Choice, *, limit: int) -> Listing:
    """Counts per error code, and the latest letters."""
    codes = await cases.codes(database, wanted)
    found = await told(database, wanted, limit=limit)
    hidden = None
    if wanted.open:
        every = await letters.count(database, replace(wanted, open=False))
        hidden = max(0, every - sum(codes.values()))
    return Listing(codes, tuple(found), hidden)


async def told(database: Database, wanted: Choice, *, limit: int = ALL) -> list[Told]:
    """The letters, latest first, each with what to do about it."""
    found = await letters.letters(database, wanted, limit=limit)
    chunks = await cases.cases(database, sorted({each.chunk_id for each in found}))
    releases = {each.chunk_id: each.release_of for each in chunks}
    return [Told(_clean(each), releases.get(each.chunk_id)) for each in found]


def _clean(letter: Letter) -> Letter:
    """The letter without what has the form of a secret."""
    payload = letter.payload
    return replace(
        letter,
        job_name=redact(letter.job_name),
        error_text=redact(letter.error_text),
        note=redact(letter.note),
        payload=None if payload is None else replace(payload, uri=redact(payload.uri)),
        tried=tuple(replace(each, error_text=redact(each.error_text)) for each in letter.tried),
    )


async def history(database: Database, chunk_id: int) -> list[Told]:
    """All letters of a chunk, latest first; there is one at least.

    Raises:
        Usage: There is no such chunk, or it has none.
    """
    require_lettered(await known(database, [chunk_id]))
    return await told(database, Choice(chunk_ids=(chunk_id,), open=False))
