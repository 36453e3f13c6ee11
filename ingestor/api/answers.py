"""The forms of answers; `/openapi.json` is made from them.

Fields are those of the values in `ingestor.insights`, by the same names; a test keeps both in
agreement. Text that people or other services wrote is redacted once more on its way out.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ingestor.redaction import redact
from ingestor.vocabulary import ChunkState, JobState, Priority, Schema

Text = Annotated[str, AfterValidator(redact)]
Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0)]
Usd = Annotated[float, Field(ge=0)]
Nanoseconds = Annotated[int, Field(ge=0, description="Index timestamp, nanoseconds since 1970.")]


class Answer(BaseModel):
    """Base of all: exactly these fields, made from the value that carries them."""

    model_config = ConfigDict(
        from_attributes=True, frozen=True, json_schema_serialization_defaults_required=True,
        json_schema_extra={"additionalProperties": False},
    )  # fmt: skip


class FailureFacts(Answer):
    """What failed and what to do next."""

    code: str = Field(description="Stable name, as in the reference of errors.")
    message: Text
    hint: Text = Field(description="What to do next; empty where nothing helps.")


class Failure(Answer):
    """An error."""

    error: FailureFacts


class Liveness(Answer):
    """The process answers."""

    status: Literal["ok"] = "ok"


class CheckAnswer(Answer):
    """One check of readiness."""

    name: Literal["database", "queue"]
    ok: bool
    code: str = Field(description="Name of the error; empty where all is well.")
    hint: Text = Field(description="What to do next; empty where all is well.")


class ReadinessAnswer(Answer):
    """Whether the service can be used."""

    ready: bool
    checks: list[CheckAnswer]


class ChunkCounts(Answer):
    """Chunks by state; they add up to total."""

    total: Count
    pending: Count
    queued: Count
    in_progress: Count
    retrying: Count
    completed: Count
    completed_empty: Count
    failed: Count
    cancelled: Count


class RecordCounts(Answer):
    """Sums over the receipts of ended chunks: fetched = stored + quarantined + already_stored."""

    fetched: Count
    stored: Count
    quarantined: Count
    already_stored: Count
    flagged: Count


class CostUsd(Answer):
    """US dollars; 0 where nobody bills, spent is null where the provider does not tell."""

    quoted: Usd
    spent: Usd | None


class StatusAnswer(Answer):
    """The object of `hdi status --json`."""

    schema_version: Literal[1]
    job_id: UUID
    name: Text
    state: JobState
    chunks: ChunkCounts
    records: RecordCounts
    cost_usd: CostUsd
    elapsed_s: Seconds


class JobAnswer(StatusAnswer):
    """A job in the list of jobs."""

    source: str
    priority: Priority
    paused: bool
    cancelling: bool
    created_at: dt.datetime
    finished_at: dt.datetime | None


class JobsAnswer(Answer):
    """Jobs, newest first."""

    schema_version: Literal[1] = 1
    jobs: list[JobAnswer]


class ReceiptAnswer(Answer):
    """What proves a chunk: fetched = stored + quarantined + already_stored."""

    fetched: Count
    stored: Count
    quarantined: Count
    already_stored: Count
    corrected: Count
    flagged: Count
    sha256: str
    mapping_hash: str
    partial: Text = Field(description="Why it proves no coverage; empty where it does.")
    way: str
    seconds: dict[str, float]
    nameless: Count = 0
    removed: Count = 0
    rules_hash: str = Field("", description="sha256 of the validation files; empty where none.")
    rejected: dict[str, Count] = Field({}, description="Rule: records that it kept out.")
    flags: dict[str, Count] = Field({}, description="Rule: stored records that break it.")
    undecided: dict[str, Count] = Field(
        {}, description="Rule: stored records about which it could not be decided."
    )
    still_quarantined: Count = 0


class ChunkAnswer(Answer):
    """A chunk; `end` is exclusive."""

    chunk_id: int
    state: ChunkState
    dataset: str
    # BaseModel has a `schema` of its own.
    record_schema: Schema = Field(alias="schema")
    start: Nanoseconds
    end: Nanoseconds
    uri: Text = Field(description="The payload; empty where it has none.")
    error_text: Text
    attempt: Count
    receipt: ReceiptAnswer | None


class ChunksAnswer(Answer):
    """Chunks of a job in the order they were planned."""

    schema_version: Literal[1] = 1
    job_id: UUID
    chunks: list[ChunkAnswer]
    next_after: int | None = Field(description="`after` of the next page; null on the last one.")


class WorkAnswer(Answer):
    """The chunk that a worker holds; `rows` as of its last heartbeat."""

    chunk_id: int
    job_id: UUID
    dataset: str
    record_schema: Schema = Field(alias="schema")
    start: Nanoseconds
    end: Nanoseconds
    attempt: Count
    rows: Count
    expected: Count | None
    busy_s: float


class WorkerAnswer(Answer):
    """A worker process or scheduler."""

    name: Text
    role: str
    host: str
    pid: int
    version: str
    up_s: float
    silent_s: float
    online: bool
    work: WorkAnswer | None


class NoticeAnswer(Answer):
    """Something that keeps work from going on, and what to do next."""

    what: Text
    next: Text


class WorkersAnswer(Answer):
    """Who is at work, and what is missing."""

    schema_version: Literal[1] = 1
    workers: list[WorkerAnswer]
    notices: list[NoticeAnswer]


class VersionsAnswer(Answer):
    """Versions; those of the database are null where it does not answer."""

    hdi: str
    python: str
    dbn: str
    postgresql: str | None
    timescaledb: str | None
    migration: str | None
