"""The turn that every call waits for: rates, connections, and holds that the provider asked for.

All workers of one key share them through Redis. While Redis is away each process keeps to a tenth
of them by itself: no new chunks are handed out then, so few processes have anything to ask. Where
no Redis is set at all there is one process, and it has the whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import random
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from ingestor.errors import RateLimited
from ingestor.logs import get_logger
from ingestor.settings import Settings
from ingestor.sources.databento.gateway import Gateway

if TYPE_CHECKING:
    from ingestor.sources.databento.local_limits import LocalLimits, Wait
    from ingestor.sources.databento.shared_limits import SharedLimits

log = get_logger(__name__)

SHARE: Final = 10
"""While Redis is away a process takes one part in so many of each limit, at least 1."""

_RETRY_REDIS_S = 5.0
_SPREAD_S = 0.02
_LEAST_PATIENCE_S = 2.0  # a turn takes up to a second where a rate is used up


class Limiter:
    """Gives turns. One per process; threads share it."""

    def __init__(self, settings: Settings, gateway: Gateway) -> None:
        section = settings.databento
        rates = {
            "timeseries": section.timeseries_per_s,
            "metadata": section.metadata_per_s,
            "symbology": section.symbology_per_s,
        }
        self._patience_s = max(section.patience_s, _LEAST_PATIENCE_S)
        self._shared = _shared(settings, gateway, rates)
        share = SHARE if self._shared is not None else 1
        self._own = _own(rates, section.connections, share)
        self._lock = threading.Lock()
        self._away_until: float | None = None

    @contextlib.contextmanager
    def turn(self, family: str) -> Iterator[None]:
        """Waits until a call of the family may begin; the call is over when the block ends.

        Raises:
            RateLimited: It would be longer than the patience of the settings.
        """
        member = uuid4().hex
        try:
            self._wait(family, member)
            yield
        finally:
            self._own.leave(member)
            if self._shared is not None:
                self._shared.leave(member)

    def hold(self, family: str, seconds: float) -> None:
        """No worker begins a call of the family for so long."""
        from redis.exceptions import RedisError

        self._own.hold(family, seconds)
        if self._shared is not None and self._due():
            try:
                self._shared.hold(family, seconds)
            except (RedisError, OSError) as error:
                self._lost(error)

    def _wait(self, family: str, member: str) -> None:
        deadline = time.monotonic() + self._patience_s
        while True:
            wait = self._take(family, member)
            if not wait.seconds:
                return
            if time.monotonic() + wait.seconds > deadline:
                raise RateLimited(
                    f"no call of {family} to the provider could begin within "
                    f"{self._patience_s:g} s: {wait.reason}",
                    retry_after_s=max(wait.seconds, 1.0),
                )
            # Never shorter: a hold is the provider's. By chance longer: not all ask at once then.
            time.sleep(wait.seconds + random.uniform(0.0, _SPREAD_S))

    def _take(self, family: str, member: str) -> Wait:
        from redis.exceptions import RedisError

        if self._shared is not None and self._due():
            try:
                wait = self._shared.take(family, member)
            except (RedisError, OSError) as error:
                self._lost(error)
            else:
                self._found()
                return wait
        return self._own.take(family, member)

    def _due(self) -> bool:
        """Whether Redis is asked; after a failure one thread asks again, once in a while."""
        with self._lock:
            if self._away_until is None:
                return True
            if time.monotonic() < self._away_until:
                return False
            self._away_until = time.monotonic() + _RETRY_REDIS_S
            return True

    def _lost(self, error: Exception) -> None:
        with self._lock:
            known = self._away_until is not None
            self._away_until = time.monotonic() + _RETRY_REDIS_S
        if not known:
            log.warning(
                "rate limits are not shared while Redis is away",
                share=f"1/{SHARE}",
                reason=type(error).__name__,
            )

    def _found(self) -> None:
        with self._lock:
            known, self._away_until = self._away_until is not None, None
        if known:
            log.info("rate limits are shared again")


def _own(rates: dict[str, int], connections: int, share: int) -> LocalLimits:
    from ingestor.sources.databento.local_limits import LocalLimits

    parts = {family: max(rate // share, 1) for family, rate in rates.items()}
    return LocalLimits(parts, max(connections // share, 1))


def _shared(settings: Settings, gateway: Gateway, rates: dict[str, int]) -> SharedLimits | None:
    if settings.redis_url is None:
        return None
    from ingestor.sources.databento.shared_limits import SharedLimits

    # Limits are the account's; its key is not for Redis to see.
    account = hashlib.blake2b(
        f"{gateway.host} {gateway.key}".encode(), digest_size=10, person=b"hdi-limiter"
    ).hexdigest()
    prefix = f"{settings.broker.queue_prefix}:databento:{account}"
    return SharedLimits(settings.redis_dsn(), prefix, rates, settings.databento.connections)
