"""The only file that configures Celery: the app, its queues, and how a chunk is put on one.

Messages carry a chunk id and nothing else: what is to be done stands in the ledger.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from ingestor import failpoint
from ingestor.errors import BadSettings, BrokerUnavailable
from ingestor.logs import get_logger
from ingestor.settings import Settings
from ingestor.vocabulary import Priority

if TYPE_CHECKING:
    from celery import Celery

log = get_logger(__name__)

LOAD_CHUNK: Final = "hdi.load_chunk"
_MESSAGE: Final = "hdi-chunk-{chunk_id}-{dispatch}"


def queue_names(settings: Settings) -> dict[Priority, str]:
    """One queue per priority; workers empty the higher ones first."""
    prefix = settings.broker.queue_prefix
    return {priority: f"{prefix}.{priority}" for priority in reversed(Priority)}


def create_app(settings: Settings) -> Celery:
    """The Celery app, the same for every process that puts or takes chunks."""
    # Read when celery.apps.worker is imported: SIGTERM then starts the soft shutdown.
    os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")
    from celery import Celery
    from kombu.transport import TRANSPORT_ALIASES

    aliases: dict[str, Any] = TRANSPORT_ALIASES
    aliases |= dict.fromkeys(("redis", "rediss"), "ingestor.redis_transport:Transport")
    app = Celery("hdi", broker=settings.redis_dsn(), set_as_current=False)
    app.conf.update(_configuration(settings))
    return app


def _configuration(settings: Settings) -> dict[str, Any]:
    """Every entry was tried; docs/decisions/0004-celery-settings.md says what each prevents."""
    from kombu.entity import Exchange, Queue

    exchange = Exchange("hdi")
    queues = queue_names(settings)
    worker = settings.worker
    memory_mb = worker.max_memory_per_child_mb
    return {
        "task_queues": [Queue(name, exchange, routing_key=name) for name in queues.values()],
        "task_default_queue": queues[Priority.NORMAL],
        "task_serializer": "json",
        "accept_content": ["json"],
        "result_backend": None,
        "task_ignore_result": True,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_retry_on_worker_lost": True,
        "worker_prefetch_multiplier": 1,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "worker_concurrency": worker.processes,
        "worker_max_tasks_per_child": worker.max_tasks_per_child,
        "worker_max_memory_per_child": memory_mb * 1024 if memory_mb else None,
        "worker_soft_shutdown_timeout": worker.soft_shutdown_s,
        "worker_enable_soft_shutdown_on_idle": False,
        "worker_send_task_events": True,
        "task_send_sent_event": True,
        "task_track_started": True,
        "task_soft_time_limit": worker.soft_limit_s,
        "task_time_limit": worker.hard_limit_s,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_channel_error_retry": True,
        "broker_transport_options": {
            "queue_order_strategy": "priority",
            "visibility_timeout": worker.hard_limit_s + settings.broker.visibility_margin_s,
            "unacked_restore_interval": 10,
            "unacked_restore_throttle": 1,
            "socket_timeout": 30,
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
            "health_check_interval": 15,
        },
    }


class Broker:
    """Puts chunks on the queue, and tells which it holds. One connection, kept."""

    def __init__(self, settings: Settings) -> None:
        self._prefix = settings.broker.queue_prefix
        self._queues = queue_names(settings)
        self._app = create_app(settings)
        # A submit that finds Redis away must say so in seconds, not after kombu's 100 tries.
        self._app.conf.update(broker_transport_options={
            **self._app.conf.broker_transport_options, "socket_timeout": 10, "max_retries": 1,
            "socket_connect_timeout": 3, "retry_on_timeout": False,
        })  # fmt: skip
        self._place = _place(settings.redis_dsn())

    def close(self) -> None:
        self._app.close()

    def publish(self, messages: Iterable[tuple[int, int, Priority]]) -> int:
        """Puts (chunk id, dispatch, priority) on the queues; how many.

        Raises:
            BrokerUnavailable: Redis cannot be reached; those not published stay marked as queued
                and are found again by the scheduler.
        """
        count = 0
        with self._talking(), self._app.producer_pool.acquire(block=True) as producer:
            for chunk_id, dispatch, priority in messages:
                failpoint.reach("before_publish")
                self._app.send_task(
                    LOAD_CHUNK,
                    args=(chunk_id,),
                    argsrepr=f"({chunk_id},)",
                    task_id=_MESSAGE.format(chunk_id=chunk_id, dispatch=dispatch),
                    queue=self._queues[priority],
                    producer=producer,
                    retry=False,
                )
                count += 1
        return count

    def held(self) -> frozenset[int]:
        """Chunk ids of all messages that wait on a queue.

        Messages that a worker took and has not acknowledged are left out: it may be dead, and
        Redis gives them back only after the visibility timeout, more than an hour. A second message
        for a chunk does no harm. Bounded by the dispatcher's window, so all of them are read.
        """
        with self._talking(), self._app.connection_for_read() as connection:
            client = connection.default_channel.client
            waiting = [raw for name in self._queues.values() for raw in client.lrange(name, 0, -1)]
        return frozenset(filter(None, map(_chunk_id, waiting)))

    def ping(self) -> None:
        """Return if Redis takes messages: it answers a PING when it is full, too.

        Raises:
            BrokerUnavailable: It cannot be reached, or refuses to write.
        """
        with self._talking(), self._app.connection_for_read() as connection:
            connection.default_channel.client.set(f"{self._prefix}:probe", 1, px=1)

    def check(self) -> str:
        """Version of the server, if it can be trusted with a queue.

        Raises:
            BrokerUnavailable: It cannot be reached.
            BadSettings: It may drop queued messages when memory runs short.
        """
        with self._talking(), self._app.connection_for_read() as connection:
            client = connection.default_channel.client
            policy = _eviction_policy(client)
            info = client.info("server")
        # allkeys-lru silently dropped a queue. A server that hides its settings is taken as it is.
        if policy not in ("noeviction", None):
            raise BadSettings(
                f"Redis at {self._place} has maxmemory-policy {policy}: it may drop queued chunks",
                hint="set maxmemory-policy noeviction on it",
            )
        name = "valkey" if "valkey_version" in info else "redis"
        return f"{name} {info.get('valkey_version') or info['redis_version']}"

    @contextlib.contextmanager
    def _talking(self) -> Iterator[None]:
        from kombu.exceptions import OperationalError
        from redis.exceptions import RedisError

        try:
            yield
        except (OperationalError, RedisError, OSError) as error:
            # Kombu wraps what the client raised.
            cause = error.__cause__ if isinstance(error, OperationalError) else error
            raise _unavailable(self._place, cause or error) from error


def _unavailable(place: str, error: BaseException) -> BrokerUnavailable:
    from redis.exceptions import OutOfMemoryError, ResponseError

    if isinstance(error, OutOfMemoryError):
        return BrokerUnavailable(
            f"Redis at {place} is full (maxmemory): it takes no more messages",
            hint="raise its maxmemory, or free memory; it must not evict",
        )
    if isinstance(error, ResponseError):
        return BrokerUnavailable(
            f"Redis at {place} refuses to work: {type(error).__name__}",
            hint="its log says why: a disk that is full, a login without rights, a replica",
        )
    return BrokerUnavailable(
        f"Redis at {place} cannot be reached: {type(error).__name__}",
        hint="start it (`hdi stack up`), or check HDI_REDIS_URL",
    )


def _eviction_policy(client: Any) -> str | None:
    """None where the server does not tell (managed ones forbid CONFIG)."""
    from redis.exceptions import ResponseError

    try:
        found: str | None = client.config_get("maxmemory-policy").get("maxmemory-policy")
    except ResponseError:
        return None
    return found


def _chunk_id(raw: bytes) -> int | None:
    """The chunk id in a message of ours; others on the same Redis are none of our business."""
    try:
        message = json.loads(raw)
        if message["headers"]["task"] != LOAD_CHUNK:
            return None
        return int(json.loads(base64.b64decode(message["body"]))[0][0])
    except (ValueError, TypeError, LookupError):
        return None


def _place(url: str) -> str:
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    return f"{parts.hostname or 'localhost'}:{parts.port or 6379}{parts.path}"
