"""One call as it went over the wire: the client shows neither status nor headers of a good answer.

It calls ``requests.get`` and ``requests.post`` through the name `requests` of one of its modules. A
`_Seam` stands there: calls made while an exchange is watched go through a session of ours (two
timeouts, no redirects, warnings taken out before the client prints them), others as ever. It also
opens what it wrote, and believes whatever length the metadata claim: `_Store` looks first.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ingestor import failpoint
from ingestor.errors import SourceUnavailable, TruncatedPayload, WrongRealm
from ingestor.sources.databento.gateway import Gateway, client_name

if TYPE_CHECKING:
    import requests

SIMULATOR_HEADER: Final = "X-HDI-Simulator"
_WARNING_HEADER = "X-Warning"
GOOD = (200, 206)  # 206: some symbols did not resolve
_SHOWN_WARNING = 500

_watched: ContextVar[Exchange | None] = ContextVar("hdi_databento_exchange", default=None)
_installing = threading.Lock()


@dataclass(slots=True)
class Exchange:
    """One call: filled while the client works.

    Attributes:
        name: As the API calls it, ``metadata.get_cost``.
        status: HTTP status; None while nothing was answered.
        headers: Of the answer, whatever the case of their names.
        warnings: What the provider said in `X-Warning`.
        received: Bytes of the body that came, after decoding of the transfer.
        most: Bytes that the body may have; None for any number.
    """

    name: str
    gateway: Gateway
    timeouts_s: tuple[float, float]
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    received: int = 0
    most: int | None = None

    def see(self, response: requests.Response, **_: Any) -> None:
        """Hook of the session: an answer's status and headers are here, its body is not yet."""
        self.status = response.status_code
        self.headers = response.headers
        self.warnings = _listed(response.headers.pop(_WARNING_HEADER, None))
        response.iter_content = self._counting(response.iter_content)  # type: ignore[method-assign]
        if SIMULATOR_HEADER in response.headers and not self.gateway.loopback:
            raise WrongRealm(
                f"{self.gateway.host} is a simulator: its payloads would pass for real ones",
                hint="a simulator is used on loopback only",
            )
        if response.status_code not in GOOD and response.status_code < 400:
            raise SourceUnavailable(
                f"{self.gateway.host} answered {self.name} with {response.status_code}",
                hint="check HDI_DATABENTO_GATEWAY",
            )

    def _counting(self, content: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        def counted(*arguments: Any, **options: Any) -> Iterator[Any]:
            for piece in content(*arguments, **options):
                begun = self.received > 0
                self.received += len(piece)
                self._check_size()
                yield piece
                if not begun:
                    failpoint.reach("fetching")

        return counted

    def _check_size(self) -> None:
        """A body without end would fill the disk."""
        if self.most is not None and self.received > self.most:
            raise TruncatedPayload(
                f"{self.name} was broken off after {self.received:,} bytes: what was asked for "
                f"takes at most {self.most:,}"
            )


@contextlib.contextmanager
def watched(exchange: Exchange) -> Iterator[Exchange]:
    """What the client sends in this thread meanwhile belongs to `exchange`."""
    _install()
    token = _watched.set(exchange)
    try:
        yield exchange
    finally:
        _watched.reset(token)


class _Seam:
    """Stands for the module `requests` in the client's module that speaks HTTP."""

    def __init__(self, behind: Any) -> None:
        self._behind = behind

    def __getattr__(self, name: str) -> Any:
        return getattr(self._behind, name)

    def get(self, **options: Any) -> Any:
        return _sent("GET", self._behind.get, options)

    def post(self, **options: Any) -> Any:
        return _sent("POST", self._behind.post, options)


class _Store:
    """Stands for the client's class that opens what was delivered."""

    def __init__(self, behind: Any) -> None:
        self._behind = behind

    def __getattr__(self, name: str) -> Any:
        return getattr(self._behind, name)

    def from_file(self, path: Any) -> Any:
        """Opens a file whose metadata are not too long to be read in one go.

        Raises:
            TruncatedPayload: They claim to be.
        """
        from ingestor.sources.databento.intake import check_head

        if _watched.get() is not None:
            check_head(Path(path))
        return self._behind.from_file(path)


def _install() -> None:
    """Puts the seam in place, once for a process.

    Raises:
        SourceUnavailable: The client no longer sends its calls this way.
    """
    from databento.common import http

    with _installing:
        behind = getattr(http, "requests", None)
        if isinstance(behind, _Seam):
            return
        if not all("requests" in code.co_names for code in _senders(http)):
            raise SourceUnavailable(
                f"{client_name()} sends its calls in a way that is not known here",
                hint="install the version that requirements.txt names",
            )
        vars(http)["requests"] = _Seam(behind)
        vars(http)["DBNStore"] = _Store(vars(http)["DBNStore"])


def _senders(module: Any) -> Iterator[Any]:
    for name in ("_get", "_post", "_stream"):
        yield getattr(module.BentoHttpAPI, name).__code__


def _sent(method: str, plainly: Callable[..., Any], options: dict[str, Any]) -> Any:
    exchange = _watched.get()
    if exchange is None:
        return plainly(**options)
    import requests

    # A session per call, as the client has it: nothing is shared by threads or left over by a fork.
    with requests.Session() as session:
        session.hooks["response"].append(exchange.see)
        options["timeout"] = exchange.timeouts_s
        if exchange.gateway.loopback:
            # A proxy of the environment would carry the key off this host.
            options["proxies"] = {"no_proxy": exchange.gateway.host}
        return session.request(method, allow_redirects=False, **options)


def _listed(header: str | None) -> tuple[str, ...]:
    """A JSON list of texts; anything else is one text."""
    if header is None:
        return ()
    try:
        said = json.loads(header)
    except ValueError:
        said = header
    texts = said if isinstance(said, list) else [said]
    return tuple(str(text)[:_SHOWN_WARNING] for text in texts)
