"""The field's words as types: what a dataset, a schema and a state are called here.

Spellings are Databento's (https://databento.com/docs/schemas-and-data-formats); `docs/glossary.md`
defines every term.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NewType

Dataset = NewType("Dataset", str)
"""A dataset code, e.g. ``GLBX.MDP3``: venue, dot, feed."""

ChunkId = NewType("ChunkId", int)
Fence = NewType("Fence", int)
"""Grows by one with every change of a chunk's owner; a write that carries an old one is refused."""

_DATASET = re.compile(r"[A-Z0-9]{2,12}\.[A-Z0-9]{2,16}")


class Schema(StrEnum):
    """Record schemas that Databento has; `ingestor.model.STORED` are those that HDI stores."""

    OHLCV_1S = "ohlcv-1s"
    OHLCV_1M = "ohlcv-1m"
    OHLCV_1H = "ohlcv-1h"
    OHLCV_1D = "ohlcv-1d"
    TRADES = "trades"
    TBBO = "tbbo"
    STATISTICS = "statistics"
    DEFINITION = "definition"
    MBO = "mbo"
    MBP_1 = "mbp-1"
    MBP_10 = "mbp-10"
    BBO_1S = "bbo-1s"
    BBO_1M = "bbo-1m"
    CMBP_1 = "cmbp-1"
    CBBO_1S = "cbbo-1s"
    CBBO_1M = "cbbo-1m"
    TCBBO = "tcbbo"
    STATUS = "status"
    IMBALANCE = "imbalance"


class SType(StrEnum):
    """Symbol types, as in Databento's symbology."""

    RAW_SYMBOL = "raw_symbol"
    INSTRUMENT_ID = "instrument_id"
    PARENT = "parent"
    CONTINUOUS = "continuous"


class Priority(StrEnum):
    """How urgent a job is. Higher ones are dispatched first, equals in turn."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """0 for low … 2 for high, the order the dispatcher sorts by."""
        return list(Priority).index(self)


class JobState(StrEnum):
    """Where a job is in its life."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    COMPLETED_WITH_FAILURES = "completed_with_failures"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        return self not in (JobState.PENDING, JobState.RUNNING)


class ChunkState(StrEnum):
    """Where a chunk is in its life; `ingestor.job.CHUNK_MOVES` says what may follow what."""

    PENDING = "pending"
    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    RETRYING = "retrying"
    COMPLETED = "completed"
    COMPLETED_EMPTY = "completed_empty"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        return self in FINAL_CHUNK_STATES


FINAL_CHUNK_STATES = frozenset(
    {
        ChunkState.COMPLETED,
        ChunkState.COMPLETED_EMPTY,
        ChunkState.FAILED,
        ChunkState.CANCELLED,
    }
)


class Realm(StrEnum):
    """What kind of gateway a payload came from; one database holds payloads of one realm."""

    REAL = "real"
    SIMULATED = "simulated"


class Role(StrEnum):
    """Database roles. The worker may write rows but no DDL; the reader may only select."""

    OWNER = "hdi_owner"
    WORKER = "hdi_worker"
    READER = "hdi_reader"


ALL_SYMBOLS = "ALL_SYMBOLS"
"""How a request for every symbol of a dataset is spelled; it stands alone."""

MAX_SYMBOLS = 2_000
"""Most symbols in one request to Databento; its client does not check it."""


def is_dataset(text: str) -> bool:
    """Whether `text` has the form of a dataset code (its existence is the provider's to say)."""
    return _DATASET.fullmatch(text) is not None
