"""One run from the first process to the last comparison."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Final

import redis.asyncio

from ingestor.errors import IngestError
from ingestor.store.database import Database, DatabaseOptions
from tests.chaos import clerk, leftovers
from tests.chaos.clerk import Clerk
from tests.chaos.ground import Ground, market, prepared
from tests.chaos.injectors import every
from tests.chaos.options import Options
from tests.chaos.oracle import Oracle
from tests.chaos.report import Report
from tests.chaos.service import Service
from tests.chaos.storm import Storm, Tally
from tests.chaos.target import Target
from tests.chaos.watch import Watch
from tests.invariants import secrets_of

Say = Callable[[str], None]

_UP_S: Final = 60.0
_STILL_SLACK_S: Final = 5.0
"""Not one more chunk final within two leases and this after the last fault: it is given up."""

_TELL_S: Final = 10.0
_BACKLOG: Final = 12
"""Open chunks per worker process below which further jobs are submitted."""

_FINAL: Final = "SELECT count(*) FROM ingest.chunks WHERE finished_at IS NOT NULL"
_OPEN_JOBS: Final = "SELECT count(*) FROM ingest.jobs WHERE finished_at IS NULL"
_STATES: Final = "SELECT state, count(*) AS n FROM ingest.chunks GROUP BY 1 ORDER BY 1"
_ATTEMPTS: Final = """
SELECT outcome, error_code, count(*) AS n FROM ingest.attempts GROUP BY 1, 2 ORDER BY 3 DESC
"""


def run(options: Options, say: Say) -> Report:
    """Everything is started, and everything is gone at the end but what `options.keep` names."""
    began = time.monotonic()
    with prepared(options) as ground:
        say(f"seed {options.seed}: servers are up after {time.monotonic() - began:.1f} s")
        report = asyncio.run(_Campaign(options, ground, say).run())
    report.seconds = time.monotonic() - began
    if options.report is not None:
        report.write(options.report)
    return report


class _Campaign:
    def __init__(self, options: Options, ground: Ground, say: Say) -> None:
        self._options = options
        self._ground = ground
        self._say = say
        self._report = Report(options.seed, Tally())

    async def run(self) -> Report:
        """Stopped by SIGTERM, too, it ends all that it started.

        What a signal handler of Python raises is lost where it meets a weak reference's callback.
        """
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        ground = self._ground
        access = DatabaseOptions(ground.database_url, pool_size=8, connect_timeout_s=3)
        client = redis.asyncio.Redis.from_url(ground.stack.redis_url)
        service = Service(
            ground.env, ground.home / "logs",
            workers=self._options.workers, concurrency=self._options.concurrency,
        )  # fmt: skip
        async with Database(access, name="chaos") as ledger, client:
            target = Target(
                service, ground.stack, ground.gateway, ledger, client, ground.settings, ground.env,
                ground.vault, set(), market(self._options.seed).archive(),
            )  # fmt: skip
            try:
                await self._phases(target)
            finally:
                await service.stop()
        return self._report

    async def _phases(self, target: Target) -> None:
        office = Clerk(
            target.env, target.ledger, least=_BACKLOG * target.service.slots,
            chance=random.Random(f"{self._options.seed}: jobs"), running=target.submissions,
        )  # fmt: skip
        watch, report = Watch(target), self._report
        async with _beside(target.service.supervise(), watch.look_on()):
            await self._up(target)
            await self._storm(target, office)
            await self._drain(target)
            report.amiss += await leftovers.of_the_dead(target.ledger, self._ground.home / "vault")
        report.amiss += [*watch.stuck.values()] + await target.service.stop()
        report.longest_unheld_s = watch.longest_s
        report.starts = {each.name: each.starts for each in target.service.members}
        await self._examine(target, office)

    async def _up(self, target: Target) -> None:
        """Waits for the first children of every worker."""
        began = time.monotonic()
        while len(target.service.children()) < target.service.slots:
            assert time.monotonic() - began < _UP_S, "the workers do not come up"
            await asyncio.sleep(0.1)
        self._say(f"workers and schedulers are up after {time.monotonic() - began:.1f} s")

    async def _storm(self, target: Target, office: Clerk) -> None:
        storm = Storm(
            every(target, self._options.seed), target.over,
            chance=random.Random(f"{self._options.seed}: first turns"),
            seconds=self._options.seconds, faults=self._options.faults, pace=self._options.pace,
        )  # fmt: skip
        self._report.tally = storm.tally
        work = asyncio.create_task(office.work(target.over))
        async with _beside(self._tell(target, storm.tally, office)):
            await storm.rage()
        target.gateway.clear_faults()
        await asyncio.to_thread(target.servers.mend)
        target.moments.hit()
        await work
        self._note(target, storm.tally, office)

    def _note(self, target: Target, tally: Tally, office: Clerk) -> None:
        notes = self._report.notes
        if target.vault is None:
            notes.append("no file system can be mounted here: the vault's disk was not filled")
        if tally.unseen:
            notes.append(f"kinds that had no effect in this run: {', '.join(tally.unseen)}")
        notes.append(f"faults that found nothing to hit: {dict(tally.missed.most_common())}")
        notes += [f"{count}× {why}" for why, count in tally.reasons.most_common(3)]
        notes.append(f"hdi-submit ended with: {dict(office.codes)}")
        notes += [f"{count}× hdi-submit: {why}" for why, count in office.refused.most_common(12)]

    async def _tell(self, target: Target, tally: Tally, office: Clerk) -> None:
        began = time.monotonic()
        while True:
            await asyncio.sleep(_TELL_S)
            passed = time.monotonic() - began
            try:
                rows = await target.ledger.fetch(_STATES)
            except IngestError as error:
                rows, told = [], type(error).__name__
            else:
                told = ", ".join(f"{row['n']} {row['state']}" for row in rows)
            self._say(
                f"{passed:5.0f} s  {tally.total:6} faults ({tally.total / passed:.1f}/s)  "
                f"{len(office.accepted)} jobs  {told}"
            )

    async def _drain(self, target: Target) -> None:
        """Everything final. What failed is amiss; then it is retried, so that all is compared."""
        report = self._report
        if await self._final(target):
            report.drain_s = time.monotonic() - target.moments.everywhere
            self._say(f"everything is final {report.drain_s:.1f} s after the last fault")
            report.amiss += await clerk.failures(target.ledger)
            report.retried = await clerk.retry_failed(target.env, target.ledger)
            if not report.retried or await self._final(target):
                return
        left = dict(await target.ledger.fetch(_STATES))
        report.amiss.append(f"nothing more becomes final for {_still_s(target):g} s: {left}")

    async def _final(self, target: Target) -> bool:
        """Whether all jobs end, without a stretch in which no chunk does."""
        count, since = -1, time.monotonic()
        while await target.ledger.fetchval(_OPEN_JOBS):
            now = await target.ledger.fetchval(_FINAL)
            if now != count:
                count, since = now, time.monotonic()
            if time.monotonic() - since > _still_s(target):
                return False
            await asyncio.sleep(0.2)
        return True

    async def _examine(self, target: Target, office: Clerk) -> None:
        home, report = self._ground.home, self._report
        report.jobs = len(office.accepted)
        report.amiss += await leftovers.of_all(target.ledger)
        report.amiss += leftovers.in_folders(home / "vault", home / "spool")
        report.amiss += leftovers.in_logs(home / "logs", secrets_of(target.settings))
        report.attempts = {
            " ".join(filter(None, (row["outcome"], row["error_code"]))): row["n"]
            for row in await target.ledger.fetch(_ATTEMPTS)
        }
        self._confirm(target)
        report.findings = await Oracle(target.archive, office.accepted).check(target.ledger)
        report.amiss += report.findings.amiss
        said = await clerk.command(target.env, "hdi", "verify", "--json")
        if said.code != 0:
            report.amiss.append(f"hdi verify ended with {said.code}: {said.out.decode()[:500]}")

    def _confirm(self, target: Target) -> None:
        """The simulator's log must show as many faults as were counted."""
        report = self._report
        requests = target.gateway.requests()
        report.logged = dict(Counter(kind for each in requests for kind in each.faults))
        families = report.tally.by_family()
        counted, logged = families["provider"] + families["stream"], sum(report.logged.values())
        if counted > logged:
            report.amiss.append(f"{counted} faults of the provider counted, its log has {logged}")


def _still_s(target: Target) -> float:
    return 2 * target.lease_s + _STILL_SLACK_S


@contextlib.asynccontextmanager
async def _beside(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Tasks that go on for the length of a block; what one of them failed of is raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in ended:
        if isinstance(outcome, Exception):
            raise outcome
