"""Limits of the whole cluster, on Redis and by its clock: workers' clocks may be a day apart.

A call holds a lease on one of the connections; a thread renews it while the call lasts, and a
killed worker's runs out. Rates are `limits`' moving window with the server's time in its script.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any, Final

from limits import RateLimitItemPerSecond
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from ingestor.logs import get_logger
from ingestor.sources.databento.local_limits import (
    GO,
    Wait,
    connection_wait,
    hold_wait,
    rate_wait,
)

log = get_logger(__name__)

LEASE_S: Final = 30.0
_FULL = -1

_NOW_MS = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
"""

_ENTER = (
    _NOW_MS
    + """
local held = redis.call('PTTL', KEYS[2])
if held > 0 then return held end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if not redis.call('ZSCORE', KEYS[1], ARGV[1])
    and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return -1 end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 0
"""
)

_RENEW = (
    _NOW_MS
    + """
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
"""
)

_HOLD = """
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then
    redis.call('SET', KEYS[1], 1, 'PX', ARGV[1])
end
"""

# As in `limits`, but by the server's clock. A call arrives some time after its slot was taken, the
# first of a process last (it connects): with windows of 1.05 s 2 of 288 calls met a 429 on a busy
# machine; 1.25 s let a quarter of a second pass on the way.
_WINDOW = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local limit = tonumber(ARGV[2])
local amount = tonumber(ARGV[4])
if amount > limit then return false end
local entry = redis.call('LINDEX', KEYS[1], limit - amount)
if entry and tonumber(entry) >= now - ARGV[3] * 1250000 then return false end
for i = 1, amount do redis.call('LPUSH', KEYS[1], now) end
redis.call('LTRIM', KEYS[1], 0, limit - 1)
redis.call('PEXPIRE', KEYS[1], ARGV[3] * 2000)
return true
"""


class _ServerClock(RedisStorage):
    """The storage of `limits` with the server's clock."""

    STORAGE_SCHEME: list[str] = []  # noqa: RUF012 - as its base has it; no URL finds this class
    SCRIPT_ACQUIRE_MOVING_WINDOW = _WINDOW.encode()


class SharedLimits:
    """Rates, connections and holds known to every worker with the same Redis and key.

    All methods but `leave` raise RedisError or OSError where Redis does not answer.
    """

    def __init__(
        self, url: str, prefix: str, rates: Mapping[str, int], connections: int,
        *, lease_s: float = LEASE_S,
    ) -> None:  # fmt: skip
        self._redis: Any = Redis.from_url(
            url, socket_timeout=5, socket_connect_timeout=3, socket_keepalive=True,
            health_check_interval=15, retry=Retry(NoBackoff(), 1),
        )  # fmt: skip
        storage = _ServerClock(
            url, connection_pool=self._redis.connection_pool, key_prefix=f"{prefix}:rate"
        )
        self._limiter = MovingWindowRateLimiter(storage)
        self._enter = self._redis.register_script(_ENTER)
        self._renew = self._redis.register_script(_RENEW)
        self._hold = self._redis.register_script(_HOLD)
        self._rates = rates
        self._connections = connections
        self._prefix = prefix
        self._lease_s = lease_s
        self._members: set[str] = set()
        self._lock = threading.Lock()
        self._renewer: threading.Thread | None = None

    def take(self, family: str, member: str) -> Wait:
        """Begins a call, if none of the limits is in the way; a lease may be taken already."""
        answer = int(
            self._enter(
                keys=[self._leases, self._held(family)],
                args=[member, self._connections, round(self._lease_s * 1000)],
            )
        )
        if answer == _FULL:
            return connection_wait(self._connections)
        if answer > 0:
            return hold_wait(family, answer / 1000)
        self._keep(member)
        if not self._limiter.hit(RateLimitItemPerSecond(self._rates[family]), family):
            return rate_wait(family, self._rates[family])
        return GO

    def leave(self, member: str) -> None:
        """Ends a call; harmless for one that never began. Without Redis its lease runs out."""
        with self._lock:
            if member not in self._members:
                return
            self._members.discard(member)
        try:
            self._redis.zrem(self._leases, member)
        except (RedisError, OSError) as error:
            log.debug("lease left to run out", reason=type(error).__name__)

    def hold(self, family: str, seconds: float) -> None:
        """No call of the family begins for so long; a longer hold stays."""
        self._hold(keys=[self._held(family)], args=[max(round(seconds * 1000), 1)])

    @property
    def _leases(self) -> str:
        return f"{self._prefix}:leases"

    def _held(self, family: str) -> str:
        return f"{self._prefix}:hold:{family}"

    def _keep(self, member: str) -> None:
        with self._lock:
            self._members.add(member)
            if self._renewer is None or not self._renewer.is_alive():
                self._renewer = threading.Thread(
                    target=self._keep_leases, name="hdi-databento-leases", daemon=True
                )
                self._renewer.start()

    def _keep_leases(self) -> None:
        while True:
            time.sleep(self._lease_s / 3)
            with self._lock:  # a call that ends now must not get its lease back
                if not self._members:
                    self._renewer = None
                    return
                self._renew_all()

    def _renew_all(self) -> None:
        try:
            self._renew(keys=[self._leases], args=[round(self._lease_s * 1000), *self._members])
        except (RedisError, OSError) as error:
            log.debug("leases not renewed", reason=type(error).__name__)
