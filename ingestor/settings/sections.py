"""The sections of the settings: one frozen model per part of the service, units in the names.

Durations are floats, so that tests may use fractions of a second. `load.py` puts the sections
together; `docs/reference/settings.md` is made from the descriptions here.
"""

from __future__ import annotations

import os
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

_INTERVAL = re.compile(r"[1-9]\d* days?")
_TABLE = re.compile(r"[a-z_][a-z0-9_]{0,62}")


def setting(default: Any, unit: str, meaning: str, **bounds: Any) -> Any:
    """A field that the reference page can print: default, unit, one sentence, bounds."""
    if unit in ("s", "h"):
        bounds["allow_inf_nan"] = False
    return Field(default, description=meaning, json_schema_extra={"unit": unit}, **bounds)


class Section(BaseModel):
    """Base of the sections: frozen, and no name is taken that it does not know."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=True
    )


def _interval(text: str) -> str:
    if _INTERVAL.fullmatch(text) is None:
        raise ValueError("must be '<n> day(s)', e.g. '1 day'")
    return text


def _listed(given: object) -> object:
    """A variable of the environment lists its items with commas."""
    if isinstance(given, str):
        return [item.strip() for item in given.split(",") if item.strip()]
    return given


def _tables(names: tuple[str, ...]) -> tuple[str, ...]:
    if not all(_TABLE.fullmatch(name) for name in names):
        raise ValueError("must list table names: lower-case letters, digits and underscores")
    return names


Interval = Annotated[str, AfterValidator(_interval)]
TableNames = Annotated[tuple[str, ...], BeforeValidator(_listed), AfterValidator(_tables)]


class DatabaseSection(Section):
    """Connections to PostgreSQL and their patience."""

    pool_size: int = setting(2, "connections", "Connections of one process", ge=1, le=100)
    connect_timeout_s: float = setting(10, "s", "Wait for a new connection", gt=0)
    lock_timeout_s: float = setting(10, "s", "Wait for a lock before the statement fails", gt=0)
    idle_in_transaction_timeout_s: float = setting(
        60, "s", "An open transaction that does nothing is ended by the server after this", gt=0
    )
    merge_lock_timeout_s: float = setting(
        600, "s", "Wait for the turn to merge rows into a table's day that already holds some", gt=0
    )


class StoreSection(Section):
    """How rows are laid out and loaded."""

    trades_interval: Interval = setting(
        "1 day", "interval", "Span of one hypertable chunk of the tables of ticks, for new tables"
    )
    time_index: TableNames = setting(
        ("daily_ohlcv_data", "definitions_data"),
        "tables",
        "Tables that get an index on the time column alone, when they are made",
    )
    batch_records: int = setting(
        65_536, "records", "Records that go through the rooms at a time", ge=1, le=10_000_000
    )
    max_hypertable_chunks: int = setting(
        64, "hypertable chunks", "Most that one load may touch or create", ge=1
    )
    max_removal_share: float = setting(
        0.01, "share", "Most of the rows it finds that a forced load may remove: 0.01 is 1 %",
        ge=0, le=1, allow_inf_nan=False,
    )  # fmt: skip
    max_removal_rows: int = setting(
        100, "rows", "So many a forced load may always remove, whatever their share", ge=0
    )
    flags_kept: int = setting(
        10_000, "records",
        "Flagged records that are listed per chunk and rule; all of them are counted", ge=0,
    )  # fmt: skip
    synchronous_commit: bool = setting(
        True, "yes or no",
        "Whether a load waits until its commit is on disk; without, a crash of the server may undo "
        "the last of them whole, and they are loaded again from the vault",
    )  # fmt: skip
    merge_memory_mb: int | None = setting(
        None, "MiB",
        "Least work_mem of a merge, for each of its sorts and hashes; the session's own unless set",
        ge=1, le=65_536,
    )  # fmt: skip
    direct_compress: bool = setting(
        False, "yes or no",
        "Let COPY write compressed rows where the server can (TimescaleDB 2.21, Timescale License, "
        "a table without unique key); not measured here",
    )  # fmt: skip


class LeaseSection(Section):
    """How long a worker owns a chunk, by the database's clock."""

    duration_s: float = setting(
        60, "s", "A worker that is silent for this long has lost its chunk", gt=0
    )
    heartbeat_s: float = setting(20, "s", "A lease is renewed this often", gt=0)

    @model_validator(mode="after")
    def _two_beats_fit(self) -> LeaseSection:
        # One heartbeat may be lost or late without the lease running out.
        if self.heartbeat_s > self.duration_s / 2:
            raise ValueError("heartbeat_s must be at most half of duration_s")
        return self


class WorkerSection(Section):
    """The processes that work on chunks."""

    concurrency: int | None = setting(
        None, "processes", "Worker processes; the number of CPUs unless given", ge=1, le=1024
    )
    soft_limit_s: float = setting(
        3600, "s", "An attempt is asked to stop after this and may clean up", gt=0
    )
    hard_limit_s: float = setting(3900, "s", "The process of an attempt is killed after this", gt=0)
    soft_shutdown_s: float = setting(
        20, "s", "On SIGTERM, time to end or hand back chunks; below the container's grace", ge=0
    )
    max_tasks_per_child: int = setting(
        500, "chunks", "A worker process is replaced after so many", ge=1
    )
    max_memory_per_child_mb: int | None = setting(
        None, "MiB", "A worker process above this is replaced after its chunk", ge=64
    )
    memory_limit_mb: int | None = setting(
        None, "MiB",
        "Most memory of a worker process: an attempt that asks for more ends, the process stays",
        ge=512,
    )  # fmt: skip

    @property
    def processes(self) -> int:
        """`concurrency`, else the CPUs this process may run on."""
        if hasattr(os, "sched_getaffinity"):  # Linux only
            return self.concurrency or len(os.sched_getaffinity(0))
        return self.concurrency or os.cpu_count() or 1

    @model_validator(mode="after")
    def _soft_before_hard(self) -> WorkerSection:
        if self.soft_limit_s >= self.hard_limit_s:
            raise ValueError("soft_limit_s must be below hard_limit_s")
        return self


class SchedulerSection(Section):
    """Dispatcher and reaper."""

    dispatch_s: float = setting(0.25, "s", "Pause between dispatches while work waits", gt=0)
    idle_s: float = setting(5, "s", "Pause between dispatches while nothing waits", gt=0)
    reap_s: float = setting(15, "s", "Expired leases are looked for this often", gt=0)
    window_per_slot: int = setting(8, "chunks", "Chunks kept enqueued per worker process", ge=1)
    window_min: int = setting(32, "chunks", "Chunks kept enqueued at least", ge=1)
    requeue_grace_s: float = setting(
        15, "s", "A chunk that Redis seems to have lost is enqueued again after this", ge=0
    )


class RetrySection(Section):
    """What the retry policy allows a chunk."""

    max_attempts: int = setting(5, "attempts", "Attempts of a chunk before it fails", ge=1)
    backoff_base_s: float = setting(
        2, "s", "Longest wait before the second attempt; doubles with each one", gt=0
    )
    backoff_cap_s: float = setting(900, "s", "Longest wait between two attempts", gt=0)
    celery_countdown_max_s: float = setting(
        60, "s", "Waits up to this are left to Celery, longer ones to the ledger", ge=0
    )
    max_lost: int = setting(
        3, "leases", "A chunk that took this many workers with it fails as poison", ge=1
    )
    max_local_faults: int = setting(
        3, "attempts", "A chunk fails when its host lacked memory, disk or time so often in a row",
        ge=1,
    )  # fmt: skip
    halt_probe_s: float = setting(
        30, "s", "While the database can take nothing (disk full), one chunk is tried this often",
        gt=0,
    )  # fmt: skip
    max_deferrals: int = setting(
        50, "deferrals", "Attempts given back (rate limits, database away) before it fails", ge=1
    )
    max_deferred_h: float = setting(
        24, "h", "A chunk fails when deferred for longer than this", gt=0
    )

    @model_validator(mode="after")
    def _cap_holds_base(self) -> RetrySection:
        if self.backoff_cap_s < self.backoff_base_s:
            raise ValueError("backoff_cap_s must be at least backoff_base_s")
        return self


class BrokerSection(Section):
    """Redis as Celery's broker."""

    visibility_margin_s: float = setting(
        300, "s", "Redis hands a message out again after worker.hard_limit_s and this", ge=0
    )
    queue_prefix: str = setting(
        "hdi", "text", "Names of queues begin with this", pattern=r"^[a-z][a-z0-9_-]{0,31}$"
    )


class VaultSection(Section):
    """Where raw payloads are kept; `vault_url` says the place."""

    scope: Literal["shared", "host"] = setting(
        "shared", "shared, host",
        "shared: every worker sees one vault, and one with another does not start; "
        "host: each host keeps its own, and a retry elsewhere fetches again",
    )  # fmt: skip


class DatabentoSection(Section):
    """Databento's HTTP API. The limits are those it documents for a team, shared by all workers."""

    connect_timeout_s: float = setting(10, "s", "Wait for a connection to the gateway", gt=0)
    read_timeout_s: float = setting(
        100, "s", "A call whose stream is silent for this long is broken off", gt=0
    )
    connections: int = setting(100, "connections", "Calls under way at a time", ge=1, le=1000)
    timeseries_per_s: int = setting(100, "calls/s", "Calls of timeseries", ge=1)
    metadata_per_s: int = setting(20, "calls/s", "Calls of metadata", ge=1)
    symbology_per_s: int = setting(100, "calls/s", "Calls of symbology", ge=1)
    patience_s: float = setting(
        30, "s", "A call is repeated for this long inside an attempt; then the attempt fails", ge=0
    )
    backoff_s: float = setting(
        0.5, "s", "Longest wait before a call is repeated; doubles with each time", gt=0
    )
    not_yet_s: float = setting(
        1800, "s", "Days that are not published yet are asked for again after this", gt=0
    )


class BudgetSection(Section):
    """What jobs may cost."""

    max_usd_per_job: float | None = setting(
        None, "USD", "A job that is quoted above this is refused; asked for each time unless given",
        ge=0, allow_inf_nan=False,
    )  # fmt: skip


class FlowerSection(Section):
    """The view on Celery's workers."""

    address: str = setting("127.0.0.1", "address", "Flower listens here", min_length=1)
    port: int = setting(5555, "port", "Flower's TCP port", ge=1, le=65_535)


class ApiSection(Section):
    """What `hdi serve` answers over HTTP."""

    address: str = setting(
        "127.0.0.1", "address", "The API listens here; beyond loopback it needs `api_token`",
        min_length=1,
    )  # fmt: skip
    port: int = setting(8080, "port", "The API's TCP port", ge=1, le=65_535)
