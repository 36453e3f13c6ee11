"""Limits of a cluster on a real Valkey: processes that start, die, and disagree about the time."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from ingestor.errors import RateLimited, StackUnavailable
from ingestor.settings import Settings
from ingestor.sources.databento.gateway import gateway_of
from ingestor.sources.databento.limiter import SHARE, Limiter
from ingestor.sources.databento.local_limits import GO
from ingestor.sources.databento.shared_limits import SharedLimits
from ingestor.stack import valkey
from tests.gateway import KEY

pytestmark = pytest.mark.redis

RATES = {"timeseries": 30, "metadata": 5, "symbology": 30}

MEMBER = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
url, ahead_s, calls = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
real = time.time
time.time = lambda: real() + ahead_s
from ingestor.settings import Settings
from ingestor.sources.databento.gateway import gateway_of
from ingestor.sources.databento.limiter import Limiter
settings = Settings.model_validate({
    "redis_url": url, "databento_api_key": "%s",
    "databento": {"timeseries_per_s": 30, "patience_s": 60},
})
limiter = Limiter(settings, gateway_of(settings))
def call(_):
    with limiter.turn("timeseries"):
        return 1
with ThreadPoolExecutor(4) as pool:
    print("done", sum(pool.map(call, range(calls))), flush=True)
"""

HOLDER = """
import sys, time
from ingestor.sources.databento.shared_limits import SharedLimits
limits = SharedLimits(sys.argv[1], "t", {"timeseries": 100}, 2, lease_s=1.0)
assert not limits.take("timeseries", "a").seconds and not limits.take("timeseries", "b").seconds
print("held", flush=True)
time.sleep(60)
"""


class Server:
    """A Valkey of this module's own, which may be stopped, frozen and started again."""

    def __init__(self, program: Path, folder: Path) -> None:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.program = program
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [self.program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""],
            cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        client, deadline = self.client(), time.monotonic() + 20
        while time.monotonic() < deadline:
            with contextlib.suppress(redis.RedisError):
                if client.ping():
                    return
            time.sleep(0.05)
        raise AssertionError("Valkey did not start")

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url, socket_timeout=5)


def program() -> Path:
    found = valkey.on_path()
    if found is not None:
        return found
    try:
        return valkey._wheel()
    except StackUnavailable as error:
        pytest.skip(f"no Valkey here: {error.message}")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(program(), tmp_path)
    made.start()
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def started(server: Server) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes of the test; all are gone at the end."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for each in processes:
        each.kill()
        each.wait()


def run(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )  # fmt: skip


def limiter(url: str, **section: float) -> Limiter:
    settings = Settings.model_validate(
        {"redis_url": url, "databento_api_key": KEY, "databento": section}
    )
    return Limiter(settings, gateway_of(settings))


def most_within(times: list[int], length: int) -> int:
    ordered = sorted(times)
    return max(
        sum(1 for later in ordered[at:] if later - first <= length)
        for at, first in enumerate(ordered)
    )


def times_of(server: Server, processes: list[subprocess.Popen[str]]) -> list[int]:
    """When each call was let through, by the server's clock, read before the list forgets it."""
    client, seen = server.client(), set()
    while any(each.poll() is None for each in processes):
        for key in client.scan_iter("*rate*"):
            seen |= {int(entry) for entry in client.lrange(key, 0, -1)}
        time.sleep(0.05)
    return sorted(seen)


def test_no_second_sees_more_calls_of_a_cluster_than_the_rate(
    server: Server, started: list[subprocess.Popen[str]]
) -> None:
    """Three processes of four threads; the clocks of two are a day off, one each way."""
    started += [run(MEMBER % KEY, server.url, ahead, 40) for ahead in (0, 86_400, -86_400)]

    times = times_of(server, started)
    told = [each.stdout.read() for each in started if each.stdout]

    assert told == ["done 40\n"] * 3
    assert len(times) == 120
    assert most_within(times, 1_000_000) <= 30
    assert times[-1] - times[0] < 15_000_000, "the rate was not used"


def test_a_killed_worker_frees_its_connections(
    server: Server, started: list[subprocess.Popen[str]]
) -> None:
    holder = run(HOLDER, server.url)
    started.append(holder)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    limits = SharedLimits(server.url, "t", {"timeseries": 100}, 3, lease_s=1.0)
    assert limits.take("timeseries", "another's") == GO  # and lives on
    time.sleep(2)  # twice the lease: a living worker keeps it
    assert limits.take("timeseries", "c").seconds > 0

    holder.kill()
    holder.wait()
    deadline = time.monotonic() + 10
    while limits.take("timeseries", "c") != GO:
        assert time.monotonic() < deadline, "the dead worker's connections stay taken"
        time.sleep(0.05)


def test_a_call_that_ended_does_not_get_its_lease_back(server: Server) -> None:
    limits = SharedLimits(server.url, "t", {"timeseries": 100}, 1, lease_s=0.3)
    for number in range(20):
        assert limits.take("timeseries", str(number)) == GO
        time.sleep(0.02)
        limits.leave(str(number))

    assert server.client().zcard("t:leases") == 0
    time.sleep(0.3)
    assert server.client().zcard("t:leases") == 0


def test_a_hold_of_one_worker_keeps_all_of_them_back(server: Server) -> None:
    told, others = limiter(server.url, patience_s=10), limiter(server.url, patience_s=10)
    told.hold("metadata", 0.7)
    told.hold("metadata", 0.1)
    begun = time.monotonic()

    with others.turn("symbology"):
        free = time.monotonic() - begun
    with others.turn("metadata"):
        held = time.monotonic() - begun

    assert free < 0.6
    assert held >= 0.7


def test_a_hold_beyond_patience_is_left_to_the_ledger(server: Server) -> None:
    limiter(server.url).hold("timeseries", 90)
    begun = time.monotonic()

    with pytest.raises(RateLimited) as found, limiter(server.url).turn("timeseries"):
        pytest.fail("a call began")

    assert time.monotonic() - begun < 3
    assert 80 < found.value.retry_after_s <= 90


def test_other_accounts_have_limits_of_their_own_and_redis_sees_no_key(server: Server) -> None:
    limiter(server.url).hold("metadata", 60)
    with limiter(server.url).turn("symbology"):
        leases = [bytes(name) for name in server.client().scan_iter("*")]
    other = Settings.model_validate(
        {"redis_url": server.url, "databento_api_key": "db-" + "x" * 29}
    )
    with Limiter(other, gateway_of(other)).turn("metadata"):
        pass

    client = server.client()
    everything = b" ".join(map(bytes, client.scan_iter("*")))
    assert leases
    assert KEY.encode() not in everything
    assert KEY[3:].encode() not in everything
    assert all(bytes(name).startswith(b"hdi:databento:") for name in client.scan_iter("*"))


def test_while_redis_is_away_a_share_is_used_and_then_the_whole_again(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    made = limiter(server.url, metadata_per_s=50, patience_s=20)
    with made.turn("metadata"):
        pass
    server.stop()

    times = []
    for _ in range(11):
        with made.turn("metadata"):
            times.append(round(time.monotonic() * 1e6))
    assert most_within(times, 950_000) <= 50 // SHARE
    assert caplog.text.count("not shared") == 1

    server.start()
    deadline = time.monotonic() + 15
    while "shared again" not in caplog.text:
        assert time.monotonic() < deadline, "Redis is back and nobody noticed"
        with made.turn("symbology"):
            pass
    assert list(server.client().scan_iter("hdi:databento:*"))


def test_a_redis_that_dies_during_a_call_harms_no_call(server: Server) -> None:
    made = limiter(server.url, connections=10)
    with made.turn("metadata"):
        server.stop()
    with made.turn("metadata"):
        pass


def test_a_redis_that_refuses_to_write_is_as_good_as_away(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """Full and noeviction: every script fails, and calls go on."""
    client = server.client()
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("maxmemory", "1")

    with limiter(server.url).turn("metadata"):
        pass

    assert caplog.text.count("not shared") == 1


@pytest.mark.slow
def test_a_frozen_redis_holds_a_call_for_seconds_only(server: Server) -> None:
    made = limiter(server.url)
    with made.turn("metadata"):
        pass
    server.signal(signal.SIGSTOP)
    begun = time.monotonic()
    try:
        with made.turn("metadata"):
            first = time.monotonic() - begun
        begun = time.monotonic()
        with made.turn("metadata"):
            second = time.monotonic() - begun
    finally:
        server.signal(signal.SIGCONT)

    assert first < 20
    assert second < 2
