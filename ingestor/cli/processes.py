"""`hdi worker`, `hdi scheduler`: the long-running processes, run in place of this one."""

from __future__ import annotations

import os
import sys

import click


@click.command()
@click.option(
    "--concurrency",
    type=click.IntRange(1, 1024),
    help="Processes that load chunks; the number of CPUs unless given.",
)
@click.option("--name", help="Name, unique among all hosts; hdi-PID@HOST unless given.")
def worker(concurrency: int | None, name: str | None) -> None:
    """Load chunks until stopped. This is Celery's own worker: `celery -A workers.app worker`.

    SIGTERM lets the chunks under way end for worker.soft_shutdown_s seconds, then hands them back.

    \b
    Example:  hdi worker --concurrency 4
    """
    from ingestor.settings import load_settings
    from ingestor.vocabulary import Role

    settings = load_settings()
    settings.dsn(Role.WORKER)
    settings.redis_dsn()
    if concurrency is not None:
        os.environ["HDI_WORKER__CONCURRENCY"] = str(concurrency)
    # Read when Celery's worker is imported: SIGTERM then starts the soft shutdown.
    os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")
    node = name or f"hdi-{os.getpid()}@%h"
    if "@" not in node:
        node += "@%h"
    # What the others revoked, for which a start waits a second, is in the ledger.
    _become("celery", "-A", "workers.app", "worker", "-n", node, "--loglevel", settings.log_level,
            "--without-mingle")  # fmt: skip


@click.command()
def scheduler() -> None:
    """Put chunks on the queue, take back what died, end jobs. Several may run; one is enough.

    \b
    Example:  hdi scheduler
    """
    from ingestor.settings import load_settings
    from ingestor.vocabulary import Role

    settings = load_settings()
    settings.dsn(Role.WORKER)
    settings.redis_dsn()
    _become("workers.schedule")


def _become(module: str, *arguments: str) -> None:
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606
