"""Chunks as the ledger tells of them, for tests of what is compared with them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from ingestor.store.recount import Account

_ONE: Final = Account(
    chunk_id=1, job_id=UUID(int=1), dataset="GLBX.MDP3", schema="trades", state="completed",
    fetched=10, stored=7, quarantined=1, already_stored=2, corrected=0, removed=0, superseded=0,
    told_corrected=0, told_removed=0, index_min=0, index_max=0, event_min=0, event_max=0,
)  # fmt: skip


def account(**told: Any) -> Account:
    """A completed chunk of 10 records, 7 of them stored and 1 quarantined."""
    return replace(_ONE, **told)
