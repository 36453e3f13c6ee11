"""What a failure costs: one table, the same for every worker."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from ingestor.errors import (
    AuthenticationFailed,
    CorruptPayload,
    DatabaseHalted,
    DatabaseUnavailable,
    IngestError,
    KeyMissing,
    LocalFault,
    NotYetAvailable,
    PaymentRequired,
    RateLimited,
    SourceRefused,
    SourceUnavailable,
    TruncatedPayload,
    UnlikeRequest,
    Unstorable,
    VaultUnavailable,
)
from ingestor.job import Claim, PayloadRef
from ingestor.policy import decide
from ingestor.settings import Settings
from ingestor.vocabulary import ChunkId, Dataset, Fence, Schema

CLAIM = Claim(
    chunk_id=ChunkId(1), job_id=UUID(int=1), fence=Fence(3), attempt=1, max_attempts=5,
    lost_count=0, deferrals=0, first_deferred_s=0.0, source="dbn-files",
    dataset=Dataset("GLBX.MDP3"), schema=Schema.TRADES, stype_in="raw_symbol", symbols=(), start=0,
    end=1, last_slice=True, expected=1, payload=PayloadRef("f", "0" * 64, 1), predecessors=(),
    partial="",
)  # fmt: skip
SETTINGS = Settings()


@pytest.mark.parametrize("error", [CorruptPayload("x"), Unstorable("x"), ValueError("x")])
def test_what_would_fail_again_fails_now(error: Exception) -> None:
    assert decide(error, CLAIM, SETTINGS).outcome == "failed"


@pytest.mark.parametrize("kind", [SourceUnavailable, TruncatedPayload, LocalFault])
def test_what_may_pass_costs_an_attempt(kind: type[IngestError]) -> None:
    assert decide(kind("x"), CLAIM, SETTINGS).outcome == "retrying"


@pytest.mark.parametrize("kind", [SourceUnavailable, TruncatedPayload, LocalFault])
def test_the_last_attempt_is_the_last(kind: type[IngestError]) -> None:
    assert decide(kind("x"), replace(CLAIM, attempt=5), SETTINGS).outcome == "failed"


@pytest.mark.parametrize(
    "error",
    [
        DatabaseUnavailable("x"),
        DatabaseHalted("x"),
        RateLimited("x", retry_after_s=3),
        VaultUnavailable("x"),
    ],
)
def test_what_is_not_the_chunks_fault_costs_nothing(error: IngestError) -> None:
    assert decide(error, replace(CLAIM, attempt=5), SETTINGS).outcome == "deferred"


def test_deferred_too_often_is_failed() -> None:
    worn = replace(CLAIM, deferrals=SETTINGS.retry.max_deferrals)
    assert decide(DatabaseUnavailable("x"), worn, SETTINGS).outcome == "failed"


def test_deferred_for_a_day_is_failed() -> None:
    old = replace(CLAIM, deferrals=2, first_deferred_s=25 * 3600)
    assert decide(DatabaseUnavailable("x"), old, SETTINGS).outcome == "failed"


def test_a_rate_limit_is_waited_out_and_a_little_longer() -> None:
    for _ in range(50):
        delay = decide(RateLimited("x", retry_after_s=10), CLAIM, SETTINGS).delay_s
        assert 10 <= delay <= 12.5


def test_the_backoff_grows_and_is_capped() -> None:
    late = replace(CLAIM, attempt=4)
    delays = [decide(LocalFault("x"), late, SETTINGS).delay_s for _ in range(200)]
    assert max(delays) <= SETTINGS.retry.backoff_base_s * 8
    assert max(delays) > SETTINGS.retry.backoff_base_s * 4


def test_celery_carries_waits_of_a_minute_and_the_ledger_longer_ones() -> None:
    assert decide(RateLimited("x", retry_after_s=30), CLAIM, SETTINGS).carried
    assert not decide(RateLimited("x", retry_after_s=90), CLAIM, SETTINGS).carried


def test_days_that_are_not_published_yet_are_waited_for_by_the_ledger() -> None:
    """Half an hour, and it costs nothing: no failure."""
    decision = decide(NotYetAvailable("x"), replace(CLAIM, attempt=5), SETTINGS)
    assert (decision.outcome, decision.carried) == ("deferred", False)
    assert 1800 <= decision.delay_s <= 1980


def test_days_that_never_come_are_withdrawn_not_failed() -> None:
    """A dead letter would ask an operator to mend what nobody broke."""
    for worn in (
        replace(CLAIM, deferrals=SETTINGS.retry.max_deferrals),
        replace(CLAIM, deferrals=2, first_deferred_s=25 * 3600),
    ):
        assert decide(NotYetAvailable("x"), worn, SETTINGS).outcome == "withdrawn"


@pytest.mark.parametrize("error", [AuthenticationFailed("x"), PaymentRequired("x")])
def test_what_the_provider_refuses_for_the_key_or_the_account_stops_the_job(
    error: IngestError,
) -> None:
    """Every other chunk would be refused, too."""
    decision = decide(error, CLAIM, SETTINGS)
    assert (decision.outcome, decision.stops_job) == ("failed", True)


def test_a_worker_without_a_key_is_no_verdict_of_the_provider() -> None:
    """Another worker may have one: the chunk is tried again, and the job goes on."""
    assert decide(KeyMissing("x"), CLAIM, SETTINGS).outcome == "retrying"
    last = decide(KeyMissing("x"), replace(CLAIM, attempt=5), SETTINGS)
    assert (last.outcome, last.stops_job) == ("failed", False)


@pytest.mark.parametrize("error", [SourceRefused("x"), UnlikeRequest("x")])
def test_what_is_wrong_with_one_request_stops_only_its_chunk(error: IngestError) -> None:
    decision = decide(error, CLAIM, SETTINGS)
    assert (decision.outcome, decision.stops_job) == ("failed", False)


@pytest.mark.parametrize("state", ["53100", "25006", "42501"])
def test_a_server_that_can_take_nothing_is_waited_for_without_end(state: str) -> None:
    """A disk may be full for a weekend: the chunk that probed it is not to blame."""
    worn = replace(CLAIM, deferrals=SETTINGS.retry.max_deferrals, first_deferred_s=25 * 3600)
    decision = decide(DatabaseHalted("x", sqlstate=state), worn, SETTINGS)
    assert (decision.outcome, decision.counted) == ("deferred", False)
    assert SETTINGS.retry.halt_probe_s <= decision.delay_s <= 2 * SETTINGS.retry.halt_probe_s


@pytest.mark.parametrize("state", ["53200", "53400"])
def test_a_limit_that_the_chunk_may_reach_by_itself_is_not(state: str) -> None:
    """One that needs more locks than the server has would stop the line for ever."""
    error = DatabaseHalted("x", sqlstate=state)
    assert decide(error, CLAIM, SETTINGS).counted
    worn = replace(CLAIM, deferrals=SETTINGS.retry.max_deferrals)
    assert decide(error, worn, SETTINGS).outcome == "failed"


def test_the_third_local_fault_in_a_row_is_the_last() -> None:
    """However many attempts are left."""
    assert decide(LocalFault("x"), replace(CLAIM, local_faults=1), SETTINGS).local
    assert decide(LocalFault("x"), replace(CLAIM, local_faults=2), SETTINGS).outcome == "failed"
    other = decide(TruncatedPayload("x"), replace(CLAIM, local_faults=2), SETTINGS)
    assert (other.outcome, other.local) == ("retrying", False)
