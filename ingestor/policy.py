"""What a failure costs and when the chunk is tried again: the only place with these rules."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Literal

from ingestor.errors import (
    AuthenticationFailed,
    DatabaseHalted,
    DatabaseUnavailable,
    IngestError,
    KeyMissing,
    LocalFault,
    NotYetAvailable,
    PaymentRequired,
    RateLimited,
    Retryable,
    VaultUnavailable,
)
from ingestor.job import Claim
from ingestor.settings import Settings

_HOUR_S = 3600.0
_PASSING = (
    DatabaseUnavailable,
    DatabaseHalted,
    RateLimited,
    NotYetAvailable,
    VaultUnavailable,
)
_OWN_SIZE = frozenset({"53200", "53400"})
"""SQLSTATEs of a halt that a chunk may bring about by its own size: it cannot wait for ever."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with a chunk whose attempt failed.

    Attributes:
        outcome: ``retrying`` costs the attempt, ``deferred`` gives it back, ``failed`` is the end,
            and so is ``withdrawn``, of a chunk whose days never came: nobody failed.
        delay_s: Seconds to wait before the next attempt.
        carried: Whether a Celery retry waits it out; longer waits are the ledger's.
        stops_job: Whether the provider would refuse every other chunk of the job, too.
        counted: Whether it counts as a deferral, of which a chunk has so many.
        local: Whether this host was at fault, of which a chunk has so many in a row.
    """

    outcome: Literal["retrying", "deferred", "failed", "withdrawn"]
    delay_s: float = 0.0
    carried: bool = False
    stops_job: bool = False
    counted: bool = False
    local: bool = False


def decide(error: Exception, claim: Claim, settings: Settings) -> Decision:
    """Terminal errors and used-up attempts end the chunk; what is not its fault costs nothing."""
    if isinstance(error, KeyMissing) and claim.attempt < claim.max_attempts:
        return _after("retrying", _backoff_s(claim.attempt, settings), settings)
    if not isinstance(error, Retryable):
        return Decision("failed", stops_job=_refuses_all(error))
    if _passing(error):
        return _defer(error, claim, settings)
    local = isinstance(error, LocalFault)
    if claim.attempt >= claim.max_attempts or (
        local and claim.local_faults + 1 >= settings.retry.max_local_faults
    ):
        return Decision("failed")
    decision = _after("retrying", _backoff_s(claim.attempt, settings), settings)
    return replace(decision, local=local)


def _refuses_all(error: Exception) -> bool:
    """Whether the provider itself said no to the key or the account."""
    refused = isinstance(error, AuthenticationFailed | PaymentRequired)
    return refused and not isinstance(error, KeyMissing)


def _passing(error: IngestError) -> bool:
    return isinstance(error, _PASSING)


def _defer(error: IngestError, claim: Claim, settings: Settings) -> Decision:
    retry = settings.retry
    if isinstance(error, DatabaseHalted) and error.sqlstate not in _OWN_SIZE:
        # A disk may be full for a weekend: the chunks that probed it meanwhile did nothing wrong.
        return _halted(settings)
    too_long = claim.first_deferred_s > retry.max_deferred_h * _HOUR_S
    not_yet = isinstance(error, NotYetAvailable)
    if claim.deferrals >= retry.max_deferrals or too_long:
        return Decision("withdrawn" if not_yet else "failed")
    return replace(_deferred(error, claim, settings), counted=True)


def _deferred(error: IngestError, claim: Claim, settings: Settings) -> Decision:
    if isinstance(error, NotYetAvailable):
        delay_s = settings.databento.not_yet_s * random.uniform(1.0, 1.1)
        return _after("deferred", delay_s, settings)
    if isinstance(error, RateLimited):
        # Jitter on top, never below: all workers were told the same second.
        return _after("deferred", error.retry_after_s * random.uniform(1.0, 1.25), settings)
    if isinstance(error, DatabaseHalted):
        return _halted(settings)
    return _after("deferred", _backoff_s(claim.deferrals + 1, settings), settings)


def _halted(settings: Settings) -> Decision:
    return _after("deferred", settings.retry.halt_probe_s * random.uniform(1.0, 2.0), settings)


def _backoff_s(tries: int, settings: Settings) -> float:
    """Exponential with full jitter: workers that failed together do not come back together."""
    retry = settings.retry
    ceiling = min(retry.backoff_cap_s, retry.backoff_base_s * 2.0 ** (tries - 1))
    return random.uniform(0.0, ceiling)


def _after(
    outcome: Literal["retrying", "deferred"], delay_s: float, settings: Settings
) -> Decision:
    # A Celery countdown past the visibility timeout ran three times at once; minutes are the most.
    return Decision(outcome, delay_s, carried=delay_s <= settings.retry.celery_countdown_max_s)
