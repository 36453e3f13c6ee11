"""The worker: ``celery -A workers.app worker`` (what `hdi worker` runs), and Flower's app.

Signals tie Celery's processes to the library; everything else is in `ingestor`.
"""

from __future__ import annotations

import asyncio
import logging
import os
from typing import Any

from celery import signals

from ingestor import logs
from ingestor.broker import Broker, create_app
from ingestor.errors import BadSettings, BrokerUnavailable, IngestError, LocalFault, WrongVault
from ingestor.logs import get_logger
from ingestor.settings import load_settings
from ingestor.store import presence
from ingestor.store.database import Database, DatabaseOptions
from ingestor.store.migrate import require_current
from ingestor.vault import Vault
from ingestor.vocabulary import Role
from workers import tasks
from workers.lifecycle import (
    Lifecycle,
    default_host,
    hand_back,
    limit_memory,
    process_name,
    same_vault,
)

log = get_logger(__name__)

settings = load_settings()
app = create_app(settings)
_current: dict[str, Lifecycle] = {}
_host = default_host()
_main = os.getpid()
EX_SOFTWARE = 70
"""Of sysexits.h; nobody is there to see it."""
tasks.register(app, _current)


@signals.setup_logging.connect
def _logging(**_: Any) -> None:
    logs.configure(settings, process="worker")
    # One canonical line per attempt is ours ("chunk loaded", "chunk failed"); Celery's would be two
    # more of the same, for each of ten thousand chunks.
    for name in ("celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(name).setLevel(logging.WARNING)


@signals.worker_init.connect
def _starting(**_: Any) -> None:
    """A Redis that may drop chunks and another vault are refused; what is away is waited for."""
    global _main  # noqa: PLW0603 - read by the children, which are forked after this
    _main = os.getpid()
    broker = Broker(settings)
    try:
        log.info("broker checked", server=broker.check())
    except BrokerUnavailable as error:
        log.warning("broker not checked", reason=error.message)
    except BadSettings as error:
        raise _not_started(error) from error
    finally:
        broker.close()
    try:
        asyncio.run(_check_vault())
    except (WrongVault, BadSettings, LocalFault) as error:
        raise _not_started(error) from error
    except IngestError as error:
        log.warning("vault not checked", reason=error.message)


def _not_started(error: IngestError) -> SystemExit:
    log.error("worker not started", reason=error.message, next=error.hint)
    return SystemExit(error.exit_code)


async def _check_vault() -> None:
    async with Database(DatabaseOptions.of(settings, Role.WORKER), name="hdi:start") as database:
        await require_current(database)
        await same_vault(database, Vault.of(settings), settings)


@signals.celeryd_after_setup.connect
def _named(sender: str, **_: Any) -> None:
    global _host  # noqa: PLW0603 - read by the children, which are forked after this
    _host = sender


@signals.worker_process_init.connect
def _forked(**_: Any) -> None:
    # Celery's processes die with their parent, once they have asked for it. Where it was killed a
    # moment before, they would wait for ever for what nobody can give them. (A solo pool has none.)
    if os.getpid() != _main and os.getppid() != _main:
        os._exit(EX_SOFTWARE)
    limit_memory(settings.worker.memory_limit_mb)
    _current["life"] = Lifecycle.start(settings, host=_host)


@signals.worker_process_shutdown.connect
def _ending(**_: Any) -> None:
    if life := _current.pop("life", None):
        life.stop()


@signals.worker_shutting_down.connect
def _shut_down_cold(how: str, **_: Any) -> None:
    """On SIGTERM Celery sends no worker_shutdown; this comes after its children have ended."""
    if how == "Cold":
        _shut_down()


@signals.worker_shutdown.connect
def _shut_down(**_: Any) -> None:
    """Gives back what killed children held, so that nobody waits for their leases to run out."""
    try:
        asyncio.run(_hand_back())
    except Exception as error:  # noqa: BLE001 - their leases run out instead
        log.warning("chunks not handed back", reason=str(error))


async def _hand_back() -> None:
    async with Database(DatabaseOptions.of(settings, Role.WORKER), name="hdi:shutdown") as database:
        mine = await presence.of_host(database, _host)
        await hand_back(database, mine)
        await presence.gone(database, mine)


__all__ = ["app", "process_name"]
