"""Settings of the stack's own PostgreSQL."""

from __future__ import annotations

import pytest

from ingestor.stack import postgres_conf


@pytest.mark.parametrize("timescaledb", [True, False])
def test_only_loopback_is_listened_to(timescaledb: bool) -> None:
    """No other machine and no other user's socket reaches a private server."""
    lines = postgres_conf.text(5000, timescaledb=timescaledb).splitlines()

    assert "listen_addresses = '127.0.0.1'" in lines
    assert "unix_socket_directories = ''" in lines
    assert "port = '5000'" in lines


def test_durability_is_not_traded_for_speed() -> None:
    """Receipts are proofs only while a commit survives a power cut."""
    text = postgres_conf.text(5000, timescaledb=True)

    assert "fsync" not in text
    assert "synchronous_commit" not in text


def test_timescaledb_is_loaded_and_does_not_phone_home() -> None:
    """Telemetry is off by default in nothing but this file."""
    lines = postgres_conf.text(5000, timescaledb=True).splitlines()

    assert "shared_preload_libraries = 'timescaledb'" in lines
    assert "timescaledb.telemetry_level = 'off'" in lines


def test_plain_postgresql_is_not_told_of_timescaledb() -> None:
    """It would not start."""
    assert "timescaledb" not in postgres_conf.text(5000, timescaledb=False)


def test_memory_stays_within_reason() -> None:
    """A demo on a laptop must leave memory to its workers."""
    assert 32 <= postgres_conf.shared_buffers_mb() <= 1024
