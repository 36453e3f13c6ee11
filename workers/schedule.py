"""The scheduler: dispatcher, reaper, job ending. Several may run; the database keeps them apart.

``hdi scheduler`` runs it. It holds no state: killed at any moment, another one goes on.
"""

from __future__ import annotations

import asyncio
import math
import os
import signal
import time
from collections.abc import Awaitable, Callable

import ingestor
from ingestor import logs
from ingestor.broker import Broker
from ingestor.errors import DatabaseHalted, DatabaseUnavailable, IngestError
from ingestor.logs import get_logger
from ingestor.settings import Settings, load_settings
from ingestor.store import dispatch, ledger, presence, reaping, steering
from ingestor.store.database import Database, DatabaseOptions, answered
from ingestor.store.dispatch import Message
from ingestor.store.migrate import require_current
from ingestor.vocabulary import ChunkState, Role
from workers.letters import file_letters, file_missing
from workers.lifecycle import default_host, process_name

log = get_logger(__name__)

_REPORT_S = 5.0
_SILENCE_S = 120.0
"""Longer than any duty takes: a connection that says nothing must not end a duty for good."""
_CLAIM_S = 1.0
"""From a message's leaving the queue to the chunk's claim: milliseconds, unless a host is busy."""
_LONGEST_PAUSE_S = 5.0
"""Between tries of a duty that fails: a database that is back must not be waited for."""


class Scheduler:
    """Runs every duty at its own pace until `stop` is set."""

    def __init__(self, settings: Settings, database: Database, broker: Broker) -> None:
        self.settings = settings
        self.database = database
        self.broker = broker
        self.stop = asyncio.Event()
        self._away = False
        self._back_at = -math.inf
        self._clock: float | None = None

    async def run(self) -> None:
        plan = self.settings.scheduler
        async with asyncio.TaskGroup() as duties:
            duties.create_task(self._every(plan.idle_s, self.dispatch, busy_s=plan.dispatch_s))
            duties.create_task(self._every(plan.requeue_grace_s / 3, self.requeue))
            duties.create_task(self._every(plan.reap_s, self.reap))
            duties.create_task(self._every(plan.reap_s, self.end_sessions))
            duties.create_task(self._every(plan.reap_s, self.end))
            duties.create_task(self._every(_REPORT_S, self.report))

    async def _every(
        self, pause_s: float, duty: Callable[[], Awaitable[bool]], *, busy_s: float | None = None
    ) -> None:
        """Repeats a duty, sooner while it finds work, later while it fails."""
        failures = 0
        while not self.stop.is_set():
            try:
                worked = await answered(duty(), within_s=_SILENCE_S)
                failures = 0
                delay = busy_s if worked and busy_s is not None else pause_s
            except IngestError as error:
                failures += 1
                delay = max(pause_s, min(_LONGEST_PAUSE_S, pause_s * 2.0 ** min(failures, 5)))
                log.warning("duty failed", duty=duty.__name__, reason=error.message)
            await self._pause(delay)

    async def _pause(self, delay_s: float) -> None:
        try:
            await asyncio.wait_for(self.stop.wait(), delay_s)
        except TimeoutError:
            return

    async def dispatch(self) -> bool:
        """Fills the window; whether anything waits that may need another round soon."""
        plan = self.settings.scheduler
        slots = await presence.slots(self.database)
        window = max(plan.window_min, plan.window_per_slot * slots)
        messages = await dispatch.enqueue(
            self.database, window=window, retry_grace_s=plan.requeue_grace_s
        )
        await self._publish(messages)
        return bool(messages) or await dispatch.anything_open(self.database)

    async def requeue(self) -> bool:
        """Puts chunks back on the queue whose message Redis lost: FLUSHALL, a crash, a pop."""
        grace_s = self.settings.scheduler.requeue_grace_s
        late = await dispatch.overdue(self.database, grace_s=grace_s)
        if not late:
            return False
        missed = dispatch.lost(late, await asyncio.to_thread(self.broker.held))
        if not missed:
            return False
        # Most often a worker has just taken the message: what it claims by now is not lost.
        await self._pause(_CLAIM_S)
        lost = await dispatch.enqueue_again(self.database, missed, grace_s=grace_s)
        if lost:
            log.warning("messages lost, chunks queued again", chunks=len(lost))
            await self._publish(lost)
        return bool(lost)

    async def reap(self) -> bool:
        """Takes chunks back whose lease ran out."""
        try:
            return await self._reap()
        except DatabaseUnavailable as error:
            self._away |= error.away
            raise
        except DatabaseHalted:
            self._away = True
            raise

    async def end(self) -> bool:
        """Ends what nobody ended: half-done cancels, jobs, letters without a file."""
        for job_id, chunks in (await steering.finish_cancels(self.database)).items():
            log.info("cancel finished", job=str(job_id), chunks=chunks)
        for job_id, state in await ledger.end_jobs(self.database):
            log.info("job ended", job=str(job_id), state=state)
        await file_missing(self.database, self.settings.dlq_dir)
        return False

    async def end_sessions(self) -> bool:
        """Ends database sessions of frozen workers, which keep their locks for ever."""
        lease_s = self.settings.lease.duration_s
        found = await reaping.end_stuck_sessions(self.database, after_s=lease_s / 2)
        found += await reaping.end_stale_sessions(self.database, unseen_s=presence.ONLINE_S)
        for each in found:
            said = "stuck session ended" if each.ended else "stuck session is another login's"
            log.warning(said, backend_pid=each.pid, chunk=each.chunk_id)
        return False

    async def _reap(self) -> bool:
        lease_s = self.settings.lease.duration_s
        await self._look_at_clock(lease_s)
        if self._away:
            self._away, self._back_at = False, time.monotonic()
        if time.monotonic() < self._back_at + lease_s:
            # The database was away, recovering, read-only or frozen: nobody could renew a lease.
            return False
        reaped = await reaping.reap(
            self.database, max_lost=self.settings.retry.max_lost, grace_s=lease_s
        )
        for each in reaped:
            log.warning("lease ran out", chunk=each.chunk_id, job=str(each.job_id), now=each.state)
        poison = [each.chunk_id for each in reaped if each.state == ChunkState.FAILED]
        await file_letters(self.database, self.settings.dlq_dir, poison)
        return bool(reaped)

    async def _look_at_clock(self, lease_s: float) -> None:
        """A database, or a whole host, that stood still for a while let leases run out unheard."""
        now = await ledger.clock(self.database)
        last, self._clock = self._clock, now
        if last is not None and now - last > self.settings.scheduler.reap_s + lease_s / 2:
            log.warning("the database stood still, or nobody asked", seconds=round(now - last, 1))
            self._away = True

    async def report(self) -> bool:
        host = default_host()
        me = presence.Process(
            process_name(f"{host}#scheduler", os.getpid()), "scheduler", host, os.getpid(),
            ingestor.__version__,
        )  # fmt: skip
        await presence.seen(self.database, me)
        await presence.forget(self.database)
        return False

    async def leave(self) -> None:
        name = process_name(f"{default_host()}#scheduler", os.getpid())
        await presence.gone(self.database, [name])

    async def _publish(self, messages: list[Message]) -> None:
        if messages:
            triples = [(m.chunk_id, m.dispatch, m.priority) for m in messages]
            await asyncio.to_thread(self.broker.publish, triples)


async def main(settings: Settings) -> None:
    """Waits for database and schema, then schedules until SIGTERM or SIGINT."""
    async with _database(settings) as database:
        broker = Broker(settings)
        scheduler = Scheduler(settings, database, broker)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, scheduler.stop.set)
        log.info("scheduler started", pid=os.getpid())
        try:
            await scheduler.run()
            await scheduler.leave()
        finally:
            broker.close()
    log.info("scheduler stopped")


def _database(settings: Settings) -> _Patient:
    return _Patient(settings)


class _Patient:
    """Opens the database, waiting a minute for it to come up and be migrated."""

    def __init__(self, settings: Settings) -> None:
        self.database = Database(DatabaseOptions.of(settings, Role.WORKER), name="hdi:scheduler")

    async def __aenter__(self) -> Database:
        deadline = time.monotonic() + 60
        while True:
            try:
                await self.database.open()
                await require_current(self.database)
                return self.database
            except IngestError as error:
                log.warning("waiting for the database", reason=error.message)
                await self.database.close()
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(1)

    async def __aexit__(self, *_: object) -> None:
        await self.database.close()


if __name__ == "__main__":
    _settings = load_settings()
    logs.configure(_settings, process="scheduler")
    asyncio.run(main(_settings))
