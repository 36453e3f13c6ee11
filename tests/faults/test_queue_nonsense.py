"""Messages that are none: whatever lies on the queue, it harms nothing and opens nothing."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis
from kombu import Connection, Exchange, Queue

from ingestor.broker import LOAD_CHUNK, Broker, queue_names
from ingestor.settings import Settings
from ingestor.store.database import Database
from ingestor.vocabulary import Priority
from tests.attempts import online
from tests.day_files import submit_files, write_days
from tests.invariants import check_invariants
from tests.processes import fleet, job_ended, until

pytestmark = [pytest.mark.timescaledb, pytest.mark.redis, pytest.mark.faults]


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
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    """Each message is refused once; worker and scheduler go on; no pickle is opened."""
    trap = tmp_path / "trap"
    _put_all(settings, trap)
    expected = write_days(tmp_path / "dbn", 1)
    with fleet(settings, tmp_path) as started:
        both = [started.scheduler(), started.worker()]
        await online(database, started, 1)
        await submit_files(database, tmp_path / "dbn")
        await job_ended(database, started, timeout_s=60)
        client = redis.Redis.from_url(settings.redis_dsn())

        async def nothing_left() -> bool:
            waiting = client.llen(queue_names(settings)[Priority.NORMAL])
            return not waiting and not client.hlen("unacked")

        await until("every message is done with", nothing_left, timeout_s=30, fleet=started)
        client.close()
        assert await database.fetchval("SELECT count(*) FROM ingest.chunks") == 1
        assert [each.popen.poll() for each in both] == [None, None], started.logs_text()
        assert not trap.exists()
        started.stop()
        await check_invariants(database, expected=expected, fleet=started)


def test_nonsense_does_not_hide_the_chunks_that_the_queue_holds(
    settings: Settings, tmp_path: Path
) -> None:
    """The scheduler asks for them before it queues any again."""
    _put_all(settings, tmp_path / "trap")
    broker = Broker(settings)
    broker.publish([(42, 1, Priority.NORMAL), (43, 1, Priority.HIGH)])

    assert broker.held() >= {42, 43}
    broker.close()
