"""A few numbers that tell whether the service is well: for metrics, counted in one statement."""

from __future__ import annotations

from ingestor.store import insight_rows
from ingestor.store.database import Database
from ingestor.store.insight_rows import Figures

__all__ = ["Figures", "figures"]


async def figures(database: Database) -> Figures:
    """What is open, who is at work, what failed and waits for an operator."""
    return await insight_rows.figures(database)
