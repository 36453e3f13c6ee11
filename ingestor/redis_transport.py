"""Kombu's Redis transport, mended where a fault ended the worker or left it standing still.

- Bytes that are no JSON ended it; a message with a broken body did so again and again, since it
  went back on the queue each time. Both are dropped.
- A Redis that is full hands messages out and refuses to note them as taken, which ended every
  worker. They are worked on unnoted: the ledger knows who has them.
- An acknowledgement that Redis did not answer (frozen for longer than socket_timeout) left the
  message counted as under way, and the worker never asked for another one.
- A channel whose connection was given up (Redis killed, and back) ended the worker when it was
  closed, or when a chunk of its was acknowledged: it looks for a host on nothing then, which is an
  AttributeError, and none of the connection errors that Celery lives with.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from kombu.transport import redis, virtual
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import OutOfMemoryError

from ingestor.logs import get_logger

log = get_logger(__name__)


class _Noted(redis.QoS):
    """What was taken and not acknowledged yet."""

    def append(self, message: Any, delivery_tag: Any) -> None:
        try:
            super().append(message, delivery_tag)  # type: ignore[no-untyped-call]
        except OutOfMemoryError:
            virtual.QoS.append(self, message, delivery_tag)

    def ack(self, delivery_tag: Any) -> None:
        with self._over(delivery_tag):
            super().ack(delivery_tag)  # type: ignore[no-untyped-call]

    def reject(self, delivery_tag: Any, requeue: bool = False) -> None:
        with self._over(delivery_tag):
            super().reject(delivery_tag, requeue)  # type: ignore[no-untyped-call]

    @contextlib.contextmanager
    def _over(self, delivery_tag: Any) -> Iterator[None]:
        try:
            yield
        except Exception:
            virtual.QoS.ack(self, delivery_tag)
            raise


class _Channel(redis.Channel):
    QoS = _Noted

    def _brpop_read(self, **options: Any) -> Any:
        held = set(self.qos._delivered)
        try:
            return super()._brpop_read(**options)  # type: ignore[no-untyped-call]
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            for tag in set(self.qos._delivered) - held:
                self.basic_reject(tag, requeue=False)  # type: ignore[no-untyped-call]
            log.warning("message dropped", reason=f"{type(error).__name__}: {error}")
            return True

    def _get_pool(self, asynchronous: bool = False) -> Any:
        if self.connection is None or self.connection.client is None:
            raise ConnectionLost("the channel's connection was given up")
        return super()._get_pool(asynchronous)  # type: ignore[no-untyped-call]


class Transport(redis.Transport):
    """Takes the place of kombu's for redis:// and rediss://; see `ingestor.broker`."""

    Channel = _Channel
