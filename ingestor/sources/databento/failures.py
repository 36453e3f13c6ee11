"""What the client raises, as our errors: by HTTP status, by type and by the answer's `case`.

The client's own classes tell little: an error body that is a JSON list becomes an AttributeError,
an empty payload a ValueError, and a broken stream or a full disk the same BentoError. So the status
is taken from the exchange, and the rest from how far the exchange had come.

=================================================== ==========================================
401, 403                                            AuthenticationFailed
402                                                 PaymentRequired
429; 503 with Retry-After                           RateLimited
400, 403, 404, 409, 422 with a case of `NOT_YET`    NotYetAvailable
422 of symbols none of which resolves               UnknownSymbols
other 4xx but 408                                   SourceRefused
408, other 5xx; no answer; an answer in no form     SourceUnavailable
a body of a payload that breaks off                 TruncatedPayload
the file cannot be written                          LocalFault
=================================================== ==========================================
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any, Final

from ingestor.errors import (
    AuthenticationFailed,
    IngestError,
    LocalFault,
    NotYetAvailable,
    PaymentRequired,
    RateLimited,
    SourceRefused,
    SourceUnavailable,
    TruncatedPayload,
    UnknownSymbols,
)
from ingestor.redaction import redact
from ingestor.sources.databento.exchange import Exchange

NOT_YET: Final = frozenset(
    {
        "data_start_after_available_end",
        "data_end_after_available_end",
        # Newer than the licence allows; a historical one reaches it hours or a day later.
        "dataset_unavailable_range",
    }
)
UNNAMED_WAIT_S: Final = 10.0
"""Wait where the provider says "too many" and not how long."""

_UNRESOLVED = "symbology_invalid_request"
_LONGEST_WAIT_S = 3600.0
_SHOWN = 300
_DENIED_HINT = "check DATABENTO_API_KEY and what the account's licence allows"
_PAYMENT_HINT = "see to the payment details of the Databento account"


def translated(error: Exception, exchange: Exchange) -> IngestError:
    """Our error for whatever the client raised in an exchange."""
    cause = _cause(error)
    if isinstance(cause, IngestError):
        return cause
    if exchange.status is not None and exchange.status >= 400:
        return _refused(exchange.status, _detail(error), exchange)
    if _is_local(error):
        return LocalFault(f"{exchange.name} cannot be written here: {_told(cause, exchange)}")
    if exchange.status is None:
        return _unanswered(error, exchange)
    if exchange.name.startswith("timeseries.") and not _is_page(exchange):
        return _broken(error, exchange)
    return _no_answer(error, exchange)


def _broken(error: Exception, exchange: Exchange) -> IngestError:
    """A payload that ends early; before its first byte it may be asked for again at once."""
    from requests import RequestException

    cause = _cause(error)
    if isinstance(cause, RequestException) and not exchange.received:
        return _unanswered(error, exchange)
    how = "broke off" if isinstance(cause, RequestException) else "ended, cut or damaged,"
    return TruncatedPayload(
        f"{exchange.name} {how} after {exchange.received:,} bytes: {type(cause).__name__}"
    )


def _no_answer(error: Exception, exchange: Exchange) -> IngestError:
    return SourceUnavailable(
        f"{exchange.gateway.host} answered {exchange.name} with {exchange.status} and "
        f"{exchange.received:,} bytes that are no answer: {type(_cause(error)).__name__}",
        hint="check HDI_DATABENTO_GATEWAY if it stays so",
    )


def _is_page(exchange: Exchange) -> bool:
    return exchange.headers.get("Content-Type", "").startswith(("text/", "application/json"))


def _refused(status: int, detail: tuple[str, str], exchange: Exchange) -> IngestError:
    case, said = detail
    message = f"{exchange.gateway.host} answered {exchange.name} with {status}"
    message += "".join(f" {_clean(part, exchange)}" for part in (case, said) if part)
    if status == 429 or (status == 503 and "Retry-After" in exchange.headers):
        wait_s = retry_after_s(exchange)
        return RateLimited(message, retry_after_s=wait_s, hint=f"it asks to wait {wait_s:.3g} s")
    if status == 408 or status >= 500:
        return SourceUnavailable(message, hint="it may pass; see the provider's status page")
    kind, hint = _meant(status, case)
    return kind(message, hint=hint)


def _meant(status: int, case: str) -> tuple[type[IngestError], str]:
    if case in NOT_YET and status not in (401, 402):
        return NotYetAvailable, "days become available when the provider has them"
    if status in (401, 403):
        return AuthenticationFailed, _DENIED_HINT
    if status == 402:
        return PaymentRequired, _PAYMENT_HINT
    if case == _UNRESOLVED:
        return UnknownSymbols, "check spelling, symbol type and days"
    return SourceRefused, ""


def retry_after_s(exchange: Exchange) -> float:
    """Seconds that the answer asks to wait, an hour at most."""
    given = exchange.headers.get("Retry-After", "").strip()
    if given.isascii() and given.isdigit():
        return min(float(given), _LONGEST_WAIT_S)
    until = _date(given)
    if until is None:
        return UNNAMED_WAIT_S
    # The provider's clock, where it tells: this host's may be a day off.
    now = _date(exchange.headers.get("Date", "")) or dt.datetime.now(dt.UTC)
    return min(max((until - now).total_seconds(), 0.0), _LONGEST_WAIT_S)


def _date(text: str) -> dt.datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def _unanswered(error: Exception, exchange: Exchange) -> IngestError:
    from requests import RequestException

    cause = _cause(error)
    if isinstance(cause, RequestException):
        return SourceUnavailable(
            f"{exchange.gateway.host} did not answer {exchange.name}: {_told(cause, exchange)}",
            hint="check the network and HDI_DATABENTO_GATEWAY",
        )
    # Nothing was sent: the client does not take what it was given.
    return SourceRefused(f"{exchange.name} cannot be asked: {_told(cause, exchange)}")


def _is_local(error: Exception) -> bool:
    from requests import RequestException

    # An OSError in name only: all of requests' errors are.
    cause = _cause(error)
    return isinstance(cause, MemoryError) or (
        isinstance(cause, OSError) and not isinstance(cause, RequestException)
    )


def _cause(error: Exception) -> BaseException:
    """The error that the client hid in "Error streaming response", else `error`."""
    from databento.common.error import BentoError, BentoHttpError

    hidden = error.__context__
    if isinstance(error, BentoError) and not isinstance(error, BentoHttpError) and hidden:
        return hidden
    return error


def _detail(error: Exception) -> tuple[str, str]:
    """Case and message of an error body; empty where it has another form."""
    body: Any = getattr(error, "json_body", None)
    detail = body.get("detail") if isinstance(body, dict) else None
    if isinstance(detail, str):
        return "", detail
    if not isinstance(detail, dict):
        return "", ""
    case, said = detail.get("case"), detail.get("message")
    return (case if isinstance(case, str) else "", said if isinstance(said, str) else "")


def _told(error: BaseException, exchange: Exchange) -> str:
    """Type of the innermost reason, and what it says."""
    inmost = list(_reasons(error))[-1]
    words = getattr(inmost, "strerror", None) or str(inmost)
    return f"{type(inmost).__name__}: {_clean(words, exchange)}"


def _reasons(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was made of, by `args` and urllib3's `reason`."""
    for _ in range(5):
        yield error
        told = (getattr(error, "reason", None), *error.args)
        inner = next((each for each in told if isinstance(each, BaseException)), None)
        if inner is None:
            return
        error = inner


def _clean(text: str, exchange: Exchange) -> str:
    """One short line without the key."""
    key = exchange.gateway.key
    if key:
        text = text.replace(key, "***")
    line = redact(" ".join(text.split()))
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
