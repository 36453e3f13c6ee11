"""The broker's configuration and its reading of what lies on the queues, without a server."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from ingestor.broker import LOAD_CHUNK, Broker, _chunk_id, create_app, queue_names
from ingestor.settings import Settings
from ingestor.vocabulary import Priority

SETTINGS = Settings.model_validate({"redis_url": "redis://:secret@127.0.0.1:6390/1"})


@pytest.fixture(scope="module")
def conf() -> Any:
    return create_app(SETTINGS).conf


def message(*args: Any, task: str = LOAD_CHUNK) -> bytes:
    """A message as kombu lays it on a Redis list."""
    body = base64.b64encode(json.dumps([list(args), {}, {}]).encode()).decode()
    return json.dumps({"body": body, "headers": {"task": task}}).encode()


@pytest.mark.parametrize("chunk_id", [3, 2**31 - 1])
def test_a_chunk_id_is_read_from_our_message(chunk_id: int) -> None:
    """The one argument of the one task."""
    assert _chunk_id(message(chunk_id)) == chunk_id


@pytest.mark.parametrize(
    "raw",
    [
        message("x", task="other.task"),
        message("x"),
        message(),
        b"not json",
        b"\x80\x04\x95pickle",
        b"[]",
        b"{}",
        b'{"headers": null}',
        b'{"headers": {"task": "hdi.load_chunk"}, "body": "gASVpickle"}',
    ],
)
def test_what_is_no_message_of_ours_is_left_alone(raw: bytes) -> None:
    """Another task on the same Redis, a pickle, garbage: none of it stops the scheduler."""
    assert _chunk_id(raw) is None


def test_there_is_a_queue_for_each_priority_highest_first() -> None:
    """Workers empty them in this order."""
    assert list(queue_names(SETTINGS).items()) == [
        (Priority.HIGH, "hdi.high"), (Priority.NORMAL, "hdi.normal"), (Priority.LOW, "hdi.low"),
    ]  # fmt: skip


def test_the_queues_of_the_app_are_those(conf: Any) -> None:
    """In the same order."""
    assert [queue.name for queue in conf.task_queues] == list(queue_names(SETTINGS).values())


def test_nothing_but_json_is_taken_or_sent(conf: Any) -> None:
    """A pickle on the queue would run whatever it says."""
    assert (conf.accept_content, conf.task_serializer) == (["json"], "json")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("task_acks_late", True),
        ("task_reject_on_worker_lost", True),
        ("task_retry_on_worker_lost", True),
        ("worker_prefetch_multiplier", 1),
        ("worker_cancel_long_running_tasks_on_connection_loss", False),
        ("worker_hijack_root_logger", False),
        ("result_backend", None),
        ("worker_send_task_events", True),
        ("task_soft_time_limit", SETTINGS.worker.soft_limit_s),
        ("task_time_limit", SETTINGS.worker.hard_limit_s),
        ("worker_max_tasks_per_child", SETTINGS.worker.max_tasks_per_child),
        ("worker_soft_shutdown_timeout", SETTINGS.worker.soft_shutdown_s),
    ],
)
def test_the_app_is_configured_as_the_decision_says(conf: Any, name: str, value: Any) -> None:
    """Each setting prevents a loss that was measured."""
    assert conf[name] == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("visibility_timeout", SETTINGS.worker.hard_limit_s + SETTINGS.broker.visibility_margin_s),
        ("unacked_restore_interval", 10),
        ("unacked_restore_throttle", 1),
        ("socket_timeout", 30),
        ("socket_connect_timeout", 5),
        ("socket_keepalive", True),
        ("health_check_interval", 15),
    ],
)
def test_the_transport_is_configured_as_the_decision_says(conf: Any, name: str, value: Any) -> None:
    """No message is handed out again while its chunk may still be worked on."""
    assert conf.broker_transport_options[name] == value


def test_a_broker_that_cannot_be_reached_is_told_without_its_password() -> None:
    """Host and port, and what to start."""
    from ingestor.errors import BrokerUnavailable

    broker = Broker(Settings.model_validate({"redis_url": "redis://:secret@127.0.0.1:1/0"}))
    with pytest.raises(BrokerUnavailable) as told:
        broker.ping()
    assert "127.0.0.1:1" in told.value.message
    assert "secret" not in told.value.message + told.value.hint
