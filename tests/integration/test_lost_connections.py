"""A message outlives the connection that it came on: the worker outlives both."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from ingestor.broker import Broker, create_app
from ingestor.settings import Settings
from ingestor.vocabulary import Priority
from tests.brokers import OwnRedis, broker, running_redis

__all__ = ["broker", "running_redis"]
pytestmark = pytest.mark.redis
log = logging.getLogger(__name__)


def settings(broker: OwnRedis) -> Settings:
    """Of a worker on this Redis, with one message on the queue."""
    made = Settings.model_validate({"redis_url": broker.url})
    publisher = Broker(made)
    publisher.publish([(7, 1, Priority.NORMAL)])
    publisher.close()
    return made


def taken(app: Any, connection: Any) -> Any:
    """The one message on the queue, as a worker takes it."""
    found: list[Any] = []
    consumer = app.amqp.TaskConsumer(connection)
    consumer.on_message = found.append
    with consumer:
        connection.drain_events(timeout=5)
    return found[0]


def half_closed(channel: Any) -> None:
    """As seen once after Redis had been killed: the connection given up, its channel not closed."""
    channel._disconnect_pools()
    channel.connection.client = None


def closed(channel: Any) -> None:
    channel.close()
    channel._disconnect_pools()


@pytest.mark.parametrize("ended", [half_closed, closed])
@pytest.mark.parametrize("answer", ["ack_log_error", "reject_log_error"])
def test_what_cannot_be_said_on_a_connection_given_up_does_not_end_the_worker(
    broker: OwnRedis,
    caplog: pytest.LogCaptureFixture,
    ended: Callable[[Any], None],
    answer: str,
) -> None:
    """Celery logs what it cannot say if it is a connection error, and dies of all others."""
    with create_app(settings(broker)) as app, app.connection_for_read() as connection:
        message = taken(app, connection)
        known = connection.connection_errors
        ended(message.channel)

        getattr(message, answer)(log, known)

    assert "given up" in caplog.text


def test_a_channel_is_closed_again_after_its_connection_was_given_up(broker: OwnRedis) -> None:
    """As Celery does: it gives the connection up, which may fail half way, and then closes it.

    Kombu passes over connection errors there, and over no others.
    """
    with create_app(settings(broker)) as app, app.connection_for_read() as connection:
        message = taken(app, connection)
        half_closed(message.channel)

        connection.maybe_close_channel(message.channel)

        assert message.channel.closed
