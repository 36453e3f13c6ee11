"""A host that has no room: nothing half is left, nothing is bought twice, and room is enough."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestor.settings import Settings
from ingestor.simulator.market import DAY, MONDAY
from ingestor.simulator.server import Gateway, SimulatorOptions, running
from ingestor.store.database import Database
from ingestor.vocabulary import Schema
from tests.acceptance.commands import Said, hdi, submit
from tests.attempts import frozen, holder, thaw
from tests.faults.small_disks import SmallDisk
from tests.gateways import facing, streams
from tests.invariants import check_files, check_invariants
from tests.processes import Fleet, fleet, job_ended, until
from tests.values import served

pytestmark = [pytest.mark.timescaledb, pytest.mark.redis, pytest.mark.faults]
PER_DAY = 8_000
RECORD = 48
LITTLE = 64 << 10
"""Bytes that are room for manifests, and for no payload."""


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """Payloads of 200 kB."""
    with running(SimulatorOptions(per_day=PER_DAY, limits=False)) as found:
        yield found


class Bench:
    """A worker whose vault and dead letters lie on a small disk, and a scheduler."""

    def __init__(self, database: Database, facts: Settings, gateway: Gateway, made: Fleet) -> None:
        self.database = database
        self.facts = facts
        self.gateway = gateway
        self.fleet = made
        self.arm = facts.home / "failpoint"
        self.arm.write_text("")
        self.disk = SmallDisk(facts.home / "vault")
        letters = str(facts.home / "vault" / "dlq")
        self.disk.start_worker(made, HDI_FAILPOINT=f"@{self.arm}", HDI_DLQ_DIR=letters)
        made.scheduler()
        self.jobs: list[str] = []

    async def ready(self) -> None:
        """Waits until the worker has opened its vault."""

        async def opened() -> bool:
            return self.disk.mounted and (self.disk.inside / "vault.json").exists()

        await until("the vault is open", opened, timeout_s=30, fleet=self.fleet)

    def submit(self, day: int, *options: object) -> Said:
        date = f"2024-03-{11 + day}", f"2024-03-{12 + day}"
        said = submit(
            self.facts, "--dataset", "GLBX.MDP3", "--schema", "trades", "--symbols", "ESM4",
            "--start", date[0], "--end", date[1], "--json", *options,
        )  # fmt: skip
        self.jobs.append(said.json["job_id"])
        return said

    async def failed(self, day: int) -> list[str]:
        """What each attempt at the day said, once it has failed for good of three local faults."""
        await job_ended(self.database, self.fleet, timeout_s=40)
        tried = await self.database.fetch(
            "SELECT a.outcome, a.error_code, a.error_text FROM ingest.attempts a"
            " JOIN ingest.chunks k USING (chunk_id) WHERE k.start_ns = $1 ORDER BY attempt_id",
            MONDAY + day * DAY,
        )
        ends = [(row["outcome"], row["error_code"]) for row in tried]
        fault = "LocalFault"
        assert ends == [("retrying", fault), ("retrying", fault), ("failed", fault)], ends
        letters = await self.database.fetch(
            "SELECT d.attempts, d.error_code FROM ingest.dead_letters d"
            " JOIN ingest.chunks k USING (chunk_id) WHERE k.start_ns = $1",
            MONDAY + day * DAY,
        )
        assert [tuple(row) for row in letters] == [(3, fault)]
        return [row["error_text"] for row in tried]

    def bought(self, day: int) -> int:
        return Counter(start for _, start, _ in streams(self.gateway))[f"2024-03-{11 + day}"]

    def left(self) -> dict[str, int]:
        """Files on the small disk by the end of their name."""
        found = (path for path in self.disk.inside.rglob("*") if path.is_file())
        return Counter(path.suffix for path in found)


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_a_vault_without_room_leaves_nothing_half_and_goes_on_once_there_is_some(
    settings: Settings, gateway: Gateway, database: Database, tmp_path: Path
) -> None:
    """No room for the payload; room that goes while it is written, or before it is recorded.

    Each time three faults of this host in a row are a dead letter, which stands in the ledger where
    its file cannot be written either. `hdi retry` then completes all of it, by value.
    """
    # However long a frozen worker is looked at, its lease does not run out.
    lease = settings.lease.model_copy(update={"duration_s": 120})
    facts = facing(settings, gateway).model_copy(update={"lease": lease})
    with fleet(facts, tmp_path) as made:
        bench = Bench(database, facts, gateway, made)
        await bench.ready()
        await told_before_it_is_bought(bench, day=0)
        await cleared_while_it_is_written(bench, day=1)
        await kept_while_it_is_recorded(bench, day=2)
        bench.disk.clear()
        gateway.clear_faults()
        for job_id in bench.jobs:
            again = await asyncio.to_thread(hdi, facts, "retry", job_id)
            assert again.code == 0, again.err
        await job_ended(database, made, timeout_s=60)
        check_files(bench.disk.inside)
        rows = served(Schema.TRADES, "2024-03-11", "2024-03-14", "ESM4", per_day=PER_DAY)
        await check_invariants(database, expected={Schema.TRADES: rows}, fleet=made)
        assert [bench.bought(day) for day in range(3)] == [1, 3 + 1, 1]


async def told_before_it_is_bought(bench: Bench, *, day: int) -> None:
    """Less room than the records would take; and where dead letters should lie, there is a file."""
    bench.disk.fill(but=LITTLE)
    (bench.disk.inside / "dlq").write_text("")
    bench.submit(day)
    for said in await bench.failed(day):
        assert f"{PER_DAY:,} records take up to {PER_DAY * RECORD:,}: nothing was fetched" in said
    assert bench.bought(day) == 0
    assert "dead letter not written" in bench.fleet.logs_text()
    (bench.disk.inside / "dlq").unlink()


async def cleared_while_it_is_written(bench: Bench, *, day: int) -> None:
    """The provider counts fewer records than it delivers, so that the check finds room enough."""
    start = {"start": f"2024-03-{11 + day}"}
    bench.gateway.fault("wrong_count", add=10 - PER_DAY, count=None, match=start)
    bench.submit(day)
    for said in await bench.failed(day):
        assert "timeseries.get_range cannot be written here: OSError: No space left" in said
    assert bench.disk.free >= LITTLE - (8 << 10), "the space of the part is not free again"
    assert bench.left()[".part"] == 0
    assert len(list((bench.disk.inside / "dlq").glob("*.json"))) == 1


async def kept_while_it_is_recorded(bench: Bench, *, day: int) -> None:
    """The download is whole, and was paid for: it stays, whatever room is left for its manifest."""
    bench.disk.clear()
    bench.arm.write_text("vault_payload:stop")
    bench.submit(day)
    _, pid = await holder(bench.database, bench.fleet)
    await frozen(pid, bench.fleet)
    bench.disk.fill()
    bench.arm.write_text("")
    thaw(pid)
    for said in await bench.failed(day):
        assert "No space left on device" in said
    assert bench.left()[".tmp"] == 0
    assert len(list((bench.disk.inside / "incoming").glob("*.part"))) == 1
    letters = [path.suffix for path in (bench.disk.inside / "dlq").iterdir()]
    assert letters == [".json"], "half a letter is left, or one was written where no room was"
