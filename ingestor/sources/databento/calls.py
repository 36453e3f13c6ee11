"""One call to the provider: its turn, its tries, and what its failure means."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from ingestor.errors import IngestError, RateLimited, SourceUnavailable
from ingestor.logs import get_logger
from ingestor.settings import Settings
from ingestor.sources.databento.exchange import GOOD, Exchange, watched
from ingestor.sources.databento.failures import translated
from ingestor.sources.databento.gateway import Gateway, open_client
from ingestor.sources.databento.limiter import Limiter

if TYPE_CHECKING:
    import databento
    from tenacity import RetryCallState, Retrying

log = get_logger(__name__)

T = TypeVar("T")


class Calls:
    """Makes calls with one client and one limiter, both made at the first call."""

    def __init__(self, settings: Settings, gateway: Gateway) -> None:
        self._settings = settings
        self._gateway = gateway
        self._making = threading.Lock()
        self._client: databento.Historical | None = None
        self._limiter: Limiter | None = None

    def make(
        self, name: str, ask: Callable[[databento.Historical], T], *, most: int | None = None
    ) -> tuple[T, Exchange]:
        """What `ask` returned, and how its last try went over the wire.

        Args:
            name: As the API calls it: ``metadata.get_cost``.
            ask: Uses the client once, and may be called several times.
            most: Bytes that the answer may have.

        Raises:
            IngestError: The failure of the last try.
        """
        client, limiter = self._ready()
        call = _Call(name, ask, client, limiter, self._gateway, self._settings, most)
        return call.tried(), call.exchange

    def _ready(self) -> tuple[databento.Historical, Limiter]:
        with self._making:
            if self._client is None or self._limiter is None:
                self._client = open_client(self._gateway)
                self._limiter = Limiter(self._settings, self._gateway)
            return self._client, self._limiter


class _Call(Generic[T]):
    """The tries of one call; only what may pass within seconds is tried again."""

    def __init__(
        self,
        name: str,
        ask: Callable[[databento.Historical], T],
        client: databento.Historical,
        limiter: Limiter,
        gateway: Gateway,
        settings: Settings,
        most: int | None,
    ) -> None:
        self._ask = ask
        self._most = most
        self._client = client
        self._limiter = limiter
        self._gateway = gateway
        self._section = settings.databento
        self._family = name.partition(".")[0]
        self._name = name
        self.exchange = self._begun()

    def tried(self) -> T:
        from tenacity import Retrying, retry_if_exception, stop_before_delay

        tries: Retrying = Retrying(
            retry=retry_if_exception(self._passes),
            stop=stop_before_delay(self._section.patience_s),
            wait=self._wait_s,
            before_sleep=self._tell,
            reraise=True,
        )
        return tries(self._try)

    def _try(self) -> T:
        self.exchange = self._begun()
        with self._limiter.turn(self._family), watched(self.exchange):
            try:
                found = self._ask(self._client)
            except IngestError:
                raise
            except Exception as error:
                raise self._failure(error) from error
        for warning in self.exchange.warnings:
            log.warning("the provider warns", call=self._name, warning=warning)
        return found

    def _failure(self, error: Exception) -> IngestError:
        failure = translated(error, self.exchange)
        if isinstance(failure, RateLimited):
            self._limiter.hold(self._family, failure.retry_after_s)
        return failure

    def _passes(self, error: BaseException) -> bool:
        """Not once a payload has begun: a stream is billed on every call."""
        seen = self.exchange
        begun = self._family == "timeseries" and seen.status in GOOD and seen.received
        return isinstance(error, SourceUnavailable | RateLimited) and not begun

    def _wait_s(self, state: RetryCallState) -> float:
        """Full jitter, so that those who failed together do not come back together."""
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, RateLimited):
            return error.retry_after_s + random.uniform(0.0, self._section.backoff_s)
        longest = self._section.backoff_s * 2.0 ** min(state.attempt_number - 1, 20)
        return random.uniform(0.0, min(longest, max(self._section.patience_s, 1.0)))

    def _tell(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        log.info(
            "provider is asked again",
            call=self._name,
            attempt=state.attempt_number,
            wait_s=round(state.upcoming_sleep, 3),
            reason=getattr(error, "message", ""),
        )

    def _begun(self) -> Exchange:
        timeouts_s = (self._section.connect_timeout_s, self._section.read_timeout_s)
        return Exchange(self._name, self._gateway, timeouts_s, most=self._most)
