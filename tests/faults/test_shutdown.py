"""Workers that are stopped, killed by a chunk or sent nonsense; and one that must not start."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import redis
from kombu import Connection, Exchange, Queue

from ingestor.broker import LOAD_CHUNK, Broker, queue_names
from ingestor.settings import Settings
from ingestor.simulator.market import make_trades
from ingestor.sources.dbn_files import DbnFiles
from ingestor.sources.source import Ask
from ingestor.store import ledger
from ingestor.store.database import Database
from ingestor.vocabulary import Priority
from tests.loads import write
from tests.processes import Fleet, Process, fleet, job_ended, until

RECORDS = 5_000
SMALL_BATCHES = {"HDI_STORE__BATCH_RECORDS": "500"}
# Far beyond the test: what comes back sooner was handed back, not reaped.
LONG_LEASE = {"HDI_LEASE__DURATION_S": "300", "HDI_LEASE__HEARTBEAT_S": "100"}


@pytest.fixture
def processes(settings: Settings, tmp_path: Path) -> Iterator[Fleet]:
    with fleet(settings, tmp_path) as started:
        yield started


async def submit(database: Database, path: Path, records: int = RECORDS) -> int:
    """Records a job of one chunk; its number."""
    write(path, make_trades(records, seed=1))
    plan = DbnFiles().plan(Ask("job", Priority.NORMAL, path=path))
    accepted = await ledger.submit(database, plan, max_attempts=5)
    return int(
        await database.fetchval(
            "SELECT chunk_id FROM ingest.chunks WHERE job_id = $1", accepted.job_id
        )
    )


async def chunk(database: Database, number: int) -> asyncpg.Record:
    row = await database.fetchrow("SELECT * FROM ingest.chunks WHERE chunk_id = $1", number)
    assert row is not None
    return row


async def outcomes(database: Database, number: int) -> list[str]:
    rows = await database.fetch(
        "SELECT outcome FROM ingest.attempts WHERE chunk_id = $1 ORDER BY attempt_id", number
    )
    return [row["outcome"] for row in rows]


async def holder(database: Database, processes: Fleet) -> int:
    """Process id of the worker that holds a chunk, once one does."""

    async def held() -> bool:
        return bool(await database.fetchval("SELECT EXISTS (SELECT 1 FROM ingest.leases)"))

    await until("a worker holds the chunk", held, timeout_s=60, fleet=processes)
    worker = await database.fetchval("SELECT worker FROM ingest.leases")
    return int(worker.rpartition("/")[2])


async def _ended(process: Process) -> int:
    """Exit code of a process that was asked to end."""
    try:
        return await asyncio.to_thread(process.wait, 45)
    except subprocess.TimeoutExpired:
        raise AssertionError(f"it does not end:\n{process.text()}") from None


def state_of(pid: int) -> str:
    """One letter of /proc: T is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


# --- SIGTERM -------------------------------------------------------------------------------------


async def test_on_sigterm_the_chunk_under_way_ends_and_so_does_the_worker(
    database: Database, settings: Settings, processes: Fleet, tmp_path: Path
) -> None:
    """The soft shutdown waits for it; nothing is given back, nothing is lost."""
    number = await submit(database, tmp_path / "trades.dbn.zst")
    processes.scheduler()
    worker = processes.worker(
        HDI_FAILPOINT="copy@50:stop", HDI_WORKER__SOFT_SHUTDOWN_S="5", **SMALL_BATCHES, **LONG_LEASE
    )
    child = await holder(database, processes)

    async def half_loaded() -> bool:
        return state_of(child) == "T"

    await until("half of it is loaded", half_loaded, timeout_s=60, fleet=processes)
    worker.terminate()

    async def shutting_down() -> bool:
        return "oft shutdown" in worker.text() or "oft Shutdown" in worker.text()

    await until("the worker shuts down", shutting_down, timeout_s=60, fleet=processes)
    os.kill(child, signal.SIGCONT)
    assert await _ended(worker) == 0, worker.text()

    assert (await chunk(database, number))["state"] == "completed"
    assert await outcomes(database, number) == ["completed"]
    assert await database.fetchval("SELECT count(*) FROM trades_data") == RECORDS
    assert not await database.fetchval("SELECT count(*) FROM ingest.workers WHERE role = 'worker'")


@pytest.mark.parametrize("how", ["busy", "stuck"])
async def test_a_chunk_longer_than_the_grace_is_handed_back_at_once_and_costs_no_attempt(
    database: Database, settings: Settings, processes: Fleet, tmp_path: Path, how: str
) -> None:
    """Another worker completes it long before the lease would have run out."""
    slowly = {
        # A batch per record takes a minute; asleep, the worker's event loop hears nothing.
        "busy": {"HDI_STORE__BATCH_RECORDS": "1"},
        "stuck": {"HDI_FAILPOINT": "copy@50:sleep", **SMALL_BATCHES},
    }[how]
    records = 100_000 if how == "busy" else RECORDS
    number = await submit(database, tmp_path / "trades.dbn.zst", records)
    processes.scheduler()
    leaving = processes.worker("leaving", HDI_WORKER__SOFT_SHUTDOWN_S="1", **slowly, **LONG_LEASE)
    await holder(database, processes)
    other = processes.worker("staying", **LONG_LEASE)

    async def both_online() -> bool:
        online = "SELECT count(*) FROM ingest.workers WHERE role = 'worker'"
        return await database.fetchval(online) == 2

    await until("both workers are online", both_online, timeout_s=60, fleet=processes)
    leaving.terminate()
    await _ended(leaving)
    await job_ended(database, processes, timeout_s=30)

    found = await chunk(database, number)
    assert (found["state"], found["attempt"], found["lost_count"]) == ("completed", 1, 0)
    assert await outcomes(database, number) == ["handed_back", "completed"]
    assert "chunks handed back" in leaving.text()
    assert "chunk loaded" in other.text()
    assert await database.fetchval("SELECT count(*) FROM trades_data") == records


# --- poison --------------------------------------------------------------------------------------


async def test_a_chunk_that_kills_three_workers_fails_as_poison_and_the_others_go_on(
    database: Database, settings: Settings, processes: Fleet, tmp_path: Path
) -> None:
    """Nobody retries it for ever; the dead letter says why."""
    number = await submit(database, tmp_path / "trades.dbn.zst")
    arm = tmp_path / "failpoint"
    arm.write_text("claimed:kill")
    short = {"HDI_LEASE__DURATION_S": "1", "HDI_LEASE__HEARTBEAT_S": "0.4"}
    processes.scheduler(**short)
    processes.worker(HDI_FAILPOINT=f"@{arm}", **short)
    await job_ended(database, processes, timeout_s=90)
    arm.write_text("")
    next_one = tmp_path / "other" / "trades.dbn.zst"
    later = await submit(database, next_one)
    await job_ended(database, processes, timeout_s=60)

    found = await chunk(database, number)
    assert (found["state"], found["lost_count"]) == ("failed", 3)
    assert found["error_text"].startswith("poison: it took 3 workers down")
    letter = await database.fetchrow("SELECT * FROM ingest.dead_letters")
    assert letter is not None
    assert (letter["chunk_id"], letter["error_text"]) == (number, found["error_text"])
    [file] = (settings.home / "dlq").glob(f"chunk-{number}-*.json")
    assert json.loads(file.read_text())["error"]["text"] == found["error_text"]
    assert await outcomes(database, number) == ["lost"] * 3
    assert (await chunk(database, later))["state"] == "completed"


# --- a Redis that may forget ---------------------------------------------------------------------


@pytest.fixture
def forgetful(settings: Settings) -> Iterator[None]:
    """The test's Redis evicts keys when memory runs short."""
    with redis.Redis.from_url(settings.redis_dsn()) as client:
        before = client.config_get("maxmemory-policy")["maxmemory-policy"]
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            yield
        finally:
            client.config_set("maxmemory-policy", before)


async def test_a_worker_refuses_to_start_on_a_redis_that_may_drop_its_queue(
    forgetful: None, processes: Fleet
) -> None:
    """It names the setting and the value it must have."""
    worker = processes.worker()

    assert await _ended(worker) == 2, worker.text()
    assert "maxmemory-policy allkeys-lru" in worker.text()
    assert "set maxmemory-policy noeviction" in worker.text()
    assert "Traceback" not in worker.text()


# --- messages that are none ----------------------------------------------------------------------


def _message(task: str, *arguments: object, **changed: object) -> dict[str, Any]:
    """A message as Celery 5 puts it on Redis."""
    tag = uuid4().hex
    body = json.dumps([arguments, {}, {"callbacks": None, "errbacks": None, "chain": None,
                                       "chord": None}])  # fmt: skip
    return {
        "body": base64.b64encode(body.encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"lang": "py", "task": task, "id": tag, "root_id": tag,
                    "parent_id": None, "group": None, "retries": 0, "timelimit": [None, None],
                    "argsrepr": "", "kwargsrepr": "", "origin": "test"},
        "properties": {"correlation_id": tag, "delivery_mode": 2, "delivery_tag": tag,
                       "delivery_info": {"exchange": "hdi", "routing_key": "hdi.normal"},
                       "priority": 0, "body_encoding": "base64"},
        **changed,
    }  # fmt: skip


RAW: dict[str, object] = {
    "no JSON": b"\x80\x04garbage",
    "a cut message": json.dumps(_message(LOAD_CHUNK, 1)).encode()[:100],
    "JSON that is no message": b"[1, 2, 3]",
    "an empty object": b"{}",
    "a number": b"7",
    "an unknown task": _message("os.system", "true"),
    "an unknown chunk": _message(LOAD_CHUNK, 999_999),
    "a chunk that is no number": _message(LOAD_CHUNK, "DROP TABLE"),
    "a number that no chunk has": _message(LOAD_CHUNK, 2**70),
    "no chunk at all": _message(LOAD_CHUNK),
    "too many arguments": _message(LOAD_CHUNK, 1, 2, 3),
    "a body that is no base64": _message(LOAD_CHUNK, 1, body="%%%"),
    "a body that is no JSON": _message(LOAD_CHUNK, 1, body="bm8ganNvbg=="),
    "no task named": _message(LOAD_CHUNK, 1, headers={}),
    "another serializer named": _message(
        LOAD_CHUNK, 1, **{"content-type": "application/x-python-serialize"}
    ),
}


class _Trap:
    """Unpickled, it makes a file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path(self.path),))


def _put_all(settings: Settings, trap: Path) -> None:
    """All of it on the queue, and a pickled message of its own."""
    queue = queue_names(settings)[Priority.NORMAL]
    with redis.Redis.from_url(settings.redis_dsn()) as client:
        for raw in RAW.values():
            client.lpush(queue, raw if isinstance(raw, bytes) else json.dumps(raw).encode())
    with Connection(settings.redis_dsn()) as connection:
        exchange = Exchange("hdi")
        Queue(queue, exchange, routing_key=queue, channel=connection).declare()
        connection.Producer(exchange=exchange, routing_key=queue).publish(
            _Trap(str(trap)), serializer="pickle", headers={"task": LOAD_CHUNK, "id": "pickle"}
        )


async def test_nonsense_on_the_queue_harms_nothing_and_later_chunks_complete(
    database: Database, settings: Settings, processes: Fleet, tmp_path: Path
) -> None:
    """Each message is refused once; worker and scheduler go on; no pickle is opened."""
    trap = tmp_path / "trap"
    _put_all(settings, trap)
    scheduler, worker = processes.scheduler(), processes.worker()

    async def online() -> bool:
        return await database.fetchval("SELECT count(*) FROM ingest.workers") == 2

    await until("both are online", online, timeout_s=60, fleet=processes)
    number = await submit(database, tmp_path / "trades.dbn.zst")
    await job_ended(database, processes, timeout_s=60)
    client = redis.Redis.from_url(settings.redis_dsn())

    async def nothing_left() -> bool:
        waiting = client.llen(queue_names(settings)[Priority.NORMAL])
        return not waiting and not client.hlen("unacked")

    await until("every message is done with", nothing_left, timeout_s=30, fleet=processes)
    client.close()
    assert (await chunk(database, number))["state"] == "completed"
    assert await database.fetchval("SELECT count(*) FROM ingest.chunks") == 1
    assert (scheduler.popen.poll(), worker.popen.poll()) == (None, None), processes.logs_text()
    assert not trap.exists()


def test_nonsense_does_not_hide_the_chunks_that_the_queue_holds(
    settings: Settings, tmp_path: Path
) -> None:
    """The scheduler asks for them before it queues any again."""
    _put_all(settings, tmp_path / "trap")
    broker = Broker(settings)
    broker.publish([(42, 1, Priority.NORMAL), (43, 1, Priority.HIGH)])

    assert broker.held() >= {42, 43}
    broker.close()
