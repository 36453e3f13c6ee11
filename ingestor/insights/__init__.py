"""What is going on, told from the ledger: one service for commands, API and page."""

from ingestor.insights.counts import CACHE_S
from ingestor.insights.jobs import JobLine, JobStatus, job_status, jobs
from ingestor.insights.naming import AmbiguousJob, job_names, resolve_job
from ingestor.insights.processes import (
    Notice,
    chunks,
    failures,
    notices,
    presence_warnings,
    retries,
    workers,
)
from ingestor.insights.progress import Progress, follow
from ingestor.insights.readiness import Check, Readiness
from ingestor.insights.versions import Versions, versions
from ingestor.store.chunk_rows import ChunkLine, Trouble
from ingestor.store.insight_rows import Work, Worker

__all__ = [
    "CACHE_S",
    "AmbiguousJob",
    "Check",
    "ChunkLine",
    "JobLine",
    "JobStatus",
    "Notice",
    "Progress",
    "Readiness",
    "Trouble",
    "Versions",
    "Work",
    "Worker",
    "chunks",
    "failures",
    "follow",
    "job_names",
    "job_status",
    "jobs",
    "notices",
    "presence_warnings",
    "resolve_job",
    "retries",
    "versions",
    "workers",
]
