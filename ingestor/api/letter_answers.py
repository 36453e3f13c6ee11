"""The forms of answers about dead letters, as in `ingestor.api.answers`."""

from __future__ import annotations

import datetime as dt
from typing import Literal
from uuid import UUID

from pydantic import Field

from ingestor.api.answers import Answer, Count, Nanoseconds, Text
from ingestor.vocabulary import ChunkState, Schema


class ErrorAnswer(Answer):
    """Why a chunk failed."""

    code: str = Field(description="Stable name, as in the reference of errors.")
    text: Text


class RequestAnswer(Answer):
    """What a chunk was to load; index timestamps, `end_ns` exclusive."""

    source: str
    dataset: str
    record_schema: Schema = Field(alias="schema")
    stype_in: str
    symbols: list[str] = Field(description="Empty for all of the payload's.")
    start_ns: Nanoseconds
    end_ns: Nanoseconds


class PayloadAnswer(Answer):
    """Bytes as delivered."""

    uri: Text
    sha256: str
    size: Count


class TriedAnswer(Answer):
    """One attempt at a chunk."""

    attempt: Count
    worker: Text
    started_at: dt.datetime
    ended_at: dt.datetime
    outcome: str
    error_code: str = Field(description="Empty where it did not fail.")
    error_text: Text


class DeadLetterAnswer(Answer):
    """A chunk that failed for good: the object of `hdi dlq show --json`."""

    letter_id: int
    chunk_id: int
    fence: int
    job_id: UUID
    job_name: Text
    created_at: dt.datetime
    attempts: Count
    error: ErrorAnswer
    request: RequestAnswer
    payload: PayloadAnswer | None = Field(description="Null where it never came.")
    tried: list[TriedAnswer] = Field(description="Those of the chunk's earlier lives, too.")
    state: ChunkState = Field(description="Of the chunk as it is now.")
    resolution: Literal["retried", "discarded"] | None = Field(description="Null while open.")
    resolved_at: dt.datetime | None
    note: Text | None = Field(description="Who discarded it, and why.")
    remedy: str = Field(description="What to mend; empty where the chunk goes on or completed.")
    next: str = Field(description="The command to run.")


class DeadLettersAnswer(Answer):
    """Dead letters, latest first."""

    schema_version: Literal[1] = 1
    total: Count = Field(description="Letters that match.")
    codes: dict[str, Count] = Field(description="Error code: letters; all that match.")
    letters: list[DeadLetterAnswer]
    more: Count = Field(description="Letters that match and are not among these.")
    hidden: Count | None = Field(
        description="Others that are retried or discarded; null where they were asked for."
    )
