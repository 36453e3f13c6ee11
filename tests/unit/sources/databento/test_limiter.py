"""Limits of one process: nobody exceeds them, and nobody waits for ever."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from ingestor.errors import RateLimited
from ingestor.settings import Settings
from ingestor.sources.databento.gateway import gateway_of
from ingestor.sources.databento.limiter import SHARE, Limiter
from ingestor.sources.databento.local_limits import GO, LocalLimits
from tests.gateway import KEY

RATES = {"timeseries": 20, "metadata": 5, "symbology": 20}


def limiter(redis_url: str | None = None, **section: float) -> Limiter:
    settings = Settings.model_validate(
        {"databento_api_key": KEY, "redis_url": redis_url, "databento": section}
    )
    return Limiter(settings, gateway_of(settings))


def most_within(times: list[float], seconds: float) -> int:
    """Most of the times in any window of the length."""
    ordered = sorted(times)
    return max(
        sum(1 for later in ordered[at:] if later - first <= seconds)
        for at, first in enumerate(ordered)
    )


def test_no_second_sees_more_calls_than_the_rate() -> None:
    made = limiter(timeseries_per_s=20, patience_s=30)
    times: list[float] = []

    def call(_: int) -> None:
        with made.turn("timeseries"):
            times.append(time.monotonic())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(call, range(50)))

    assert most_within(times, 0.95) <= 20
    assert times[-1] - times[0] < 10, "the rate was not used"


def test_families_do_not_wait_for_each_other() -> None:
    made = limiter(metadata_per_s=1, patience_s=5)
    begun = time.monotonic()
    with made.turn("metadata"):
        pass
    for _ in range(20):
        with made.turn("symbology"):
            pass

    assert time.monotonic() - begun < 0.9


def test_no_more_calls_are_under_way_than_there_are_connections() -> None:
    made = limiter(connections=3, patience_s=30)
    now, most, lock = 0, 0, threading.Lock()

    def call(_: int) -> None:
        nonlocal now, most
        with made.turn("timeseries"):
            with lock:
                now += 1
                most = max(most, now)
            time.sleep(0.03)
            with lock:
                now -= 1

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(call, range(24)))

    assert most == 3


def test_a_call_that_failed_gives_its_connection_back() -> None:
    made = limiter(connections=1, patience_s=2)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), made.turn("timeseries"):
            raise ZeroDivisionError


def test_waiting_ends_with_rate_limited() -> None:
    made = limiter(connections=1, patience_s=0)
    with made.turn("timeseries"):
        begun = time.monotonic()
        with pytest.raises(RateLimited, match="1 calls under way") as found, made.turn("metadata"):
            pytest.fail("a second call began")

    assert time.monotonic() - begun < 5
    assert found.value.retry_after_s >= 1


def test_a_hold_keeps_one_family_back_for_its_time() -> None:
    made = limiter(patience_s=10)
    made.hold("metadata", 0.5)
    begun = time.monotonic()

    with made.turn("symbology"):
        others = time.monotonic() - begun
    with made.turn("metadata"):
        held = time.monotonic() - begun

    assert others < 0.4
    assert held >= 0.5


def test_a_shorter_hold_does_not_shorten_a_longer_one() -> None:
    limits = LocalLimits(RATES, 10)
    limits.hold("metadata", 60)
    limits.hold("metadata", 1)

    assert limits.take("metadata", "a").seconds > 50


def test_a_hold_longer_than_patience_is_told_at_once() -> None:
    made = limiter(patience_s=3)
    made.hold("metadata", 60)
    begun = time.monotonic()

    with pytest.raises(RateLimited) as found, made.turn("metadata"):
        pytest.fail("a call began")

    assert time.monotonic() - begun < 1
    assert 55 < found.value.retry_after_s <= 60


def test_without_redis_the_share_is_the_whole_and_nothing_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    made = limiter(connections=5, patience_s=0, timeseries_per_s=10_000_000)

    assert [made._own.take("timeseries", str(n)) for n in range(5)] == [GO] * 5
    assert made._own.take("timeseries", "one more") != GO
    assert not caplog.records


def test_with_redis_away_from_the_start_a_process_keeps_to_its_share(
    caplog: pytest.LogCaptureFixture,
) -> None:
    made = limiter("redis://127.0.0.1:9/0", metadata_per_s=20, patience_s=10)
    times = []
    for _ in range(5):
        with made.turn("metadata"):
            times.append(time.monotonic())

    assert most_within(times, 0.95) <= 20 // SHARE
    assert caplog.text.count("not shared") == 1
