"""The one task: a chunk id in, the ledger moved on. What happens is decided in `ingestor`."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from billiard.exceptions import SoftTimeLimitExceeded
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_delay,
    wait_random_exponential,
)

from ingestor import policy, purchase
from ingestor.broker import LOAD_CHUNK
from ingestor.errors import DatabaseHalted, DatabaseUnavailable, IngestError, LeaseLost, LocalFault
from ingestor.job import Claim
from ingestor.logs import bound, get_logger, redact
from ingestor.pipeline import run_chunk
from ingestor.receipt import Receipt
from ingestor.store import halts, ledger, presence
from ingestor.store.database import answered
from workers.letters import file_letters
from workers.lifecycle import Lifecycle

if TYPE_CHECKING:
    from celery import Celery, Task

log = get_logger(__name__)

T = TypeVar("T")

_PATIENT_LEASES = 10
_MOST_ABANDONED = 2
"""Downloads that may go on beside the next chunk: each keeps a thread of the few there are."""


def register(app: Celery, current: dict[str, Lifecycle]) -> None:
    """Adds the task to the app. `current` holds this process's lifecycle once it has started."""

    @app.task(bind=True, name=LOAD_CHUNK, max_retries=None, shared=False, throws=(IngestError,))
    def load_chunk(task: Task[Any, Any], chunk_id: int) -> None:
        life = current["life"]
        try:
            _done(task, life, chunk_id)
        except Exception:
            if not life.spent:
                raise
        if life.spent:
            # Celery makes a new process in the place of this one; the message, which it takes for
            # lost, comes back once more and finds nothing to be had.
            log.warning("worker process replaced", reason=life.spent)
            raise SystemExit(0)


def _done(task: Task[Any, Any], life: Lifecycle, chunk_id: int) -> None:
    with bound(chunk=chunk_id, task=task.request.id):
        failure = _attempt(life, chunk_id)
    if purchase.abandoned() >= _MOST_ABANDONED:
        life.spent = "downloads that outlive their chunks"
    if failure is None:
        return
    error, decision = failure
    if decision.carried:
        raise task.retry(exc=error, countdown=decision.delay_s, argsrepr=f"({chunk_id},)")
    raise error


def _attempt(life: Lifecycle, chunk_id: int) -> tuple[IngestError, policy.Decision] | None:
    """One attempt at a chunk: None where it ended well or is not ours, else what went wrong."""
    try:
        claim = life.run(_claim(life, chunk_id))
    except IngestError as error:
        # The chunk is still marked as queued: the scheduler puts it on the queue again.
        log.warning("chunk not claimed", code=error.code, reason=redact(error.message))
        raise
    if claim is None:
        log.debug("chunk not to be had")
        return None
    with bound(job=str(claim.job_id), attempt=claim.attempt):
        try:
            failure = _work(life, claim)
        except Exception:
            life.run(_end(life, claim))
            raise
        # Not where the worker is told to go (SystemExit): it must not wait for anything any more.
        life.run(_end(life, claim))
        return failure


def _work(life: Lifecycle, claim: Claim) -> tuple[IngestError, policy.Decision] | None:
    started = time.monotonic()
    try:
        receipt = life.run(_run(life, claim))
    except LeaseLost as error:
        log.warning("chunk lost to another worker", reason=error.message)
        return None
    except Exception as error:  # noqa: BLE001 - whatever it is, the ledger must move on
        return _failed(life, claim, _translated(error, life))
    log.info(
        "chunk loaded", rows=receipt.stored, fetched=receipt.fetched, rejected=receipt.quarantined,
        already_stored=receipt.already_stored, way=receipt.way,
        total_s=round(time.monotonic() - started, 3), **_seconds(receipt.seconds),
    )  # fmt: skip
    return None


async def _run(life: Lifecycle, claim: Claim) -> Receipt:
    return await run_chunk(life.database, claim, life.settings, life.sources, worker=life.name)


def _seconds(seconds: Any) -> dict[str, float]:
    return {f"{name}_s": value for name, value in seconds.items()}


def _translated(error: Exception, life: Lifecycle) -> Exception:
    """Errors of this host become ours; a MemoryError left alone kills the worker's main process."""
    if isinstance(error, SoftTimeLimitExceeded):
        limit = life.settings.worker.soft_limit_s
        return LocalFault(f"the attempt took longer than worker.soft_limit_s ({limit:g} s)")
    if isinstance(error, MemoryError):
        # The allocator keeps what the attempt had: a small chunk was refused memory after a large
        # one, two times in a row.
        life.spent = "out of memory"
        return LocalFault(_out_of_memory(life.settings.worker.memory_limit_mb))
    if isinstance(error, OSError):
        return LocalFault(f"this host failed: {error.strerror or type(error).__name__}")
    return error


def _out_of_memory(limit_mb: int | None) -> str:
    if limit_mb is None:
        return "this host ran out of memory"
    return f"the attempt needed more than worker.memory_limit_mb ({limit_mb} MiB)"


def _failed(
    life: Lifecycle, claim: Claim, error: Exception
) -> tuple[IngestError, policy.Decision] | None:
    decision = policy.decide(error, claim, life.settings)
    known = error if isinstance(error, IngestError) else _unforeseen(error)
    text = redact(known.message)
    log.warning(
        "chunk failed", outcome=decision.outcome, code=known.code, reason=text,
        retry_in_s=round(decision.delay_s, 1), exc_info=error if _telling(error) else None,
    )  # fmt: skip
    if isinstance(known, DatabaseHalted):
        life.run(_halt(life, known))
    if not life.run(_told(life, claim, known.code, text, decision)):
        return None
    return known, decision


def _telling(error: Exception) -> bool:
    """Whether its traceback tells more than its message: an error of ours names its cause."""
    return not isinstance(error, IngestError) or error.__cause__ is not None


def _unforeseen(error: Exception) -> IngestError:
    return IngestError(f"unforeseen {type(error).__name__}: {redact(str(error))}")


async def _claim(life: Lifecycle, chunk_id: int) -> Claim | None:
    await life.ready()
    lease_s, retry = life.settings.lease.duration_s, life.settings.retry
    claiming = ledger.claim(
        life.database, chunk_id, worker=life.name, lease_s=lease_s, max_lost=retry.max_lost,
        probe_s=retry.halt_probe_s, grace_s=lease_s,
    )  # fmt: skip
    # What is heard of later than that is no lease any more.
    return await answered(claiming, within_s=lease_s)


async def _halt(life: Lifecycle, error: DatabaseHalted) -> None:
    """Stops the line. A server that takes not even this refuses claims, too."""
    try:
        await halts.raise_halt(
            life.database, error, worker=life.name, probe_s=life.settings.retry.halt_probe_s
        )
    except IngestError as refusal:
        log.warning("halt not recorded", reason=redact(refusal.message))


async def _patiently(life: Lifecycle, move: Callable[[], Awaitable[T]]) -> T:
    """Makes one move of the ledger, waiting for a database that is away, or read-only for a while.

    A chunk whose failure is not recorded counts as lost with its worker: a server that restarts
    three times would make poison of it. The wait may outlast the lease, which nobody can take over
    meanwhile either; the move is fenced.
    """
    lease_s = life.settings.lease.duration_s
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type((DatabaseUnavailable, DatabaseHalted)),
        stop=stop_after_delay(_PATIENT_LEASES * lease_s),
        wait=wait_random_exponential(multiplier=0.1, max=2),
        reraise=True,
    ):
        with attempt:
            return await answered(move(), within_s=lease_s)
    raise AssertionError("unreachable: the last attempt raises")


async def _told(
    life: Lifecycle, claim: Claim, code: str, text: str, decision: policy.Decision
) -> bool:
    """Moves the ledger and tells of it; False where the chunk has another owner already."""
    ours = await _patiently(life, lambda: _record(life, claim, code, text, decision)) or (
        # Moved already, by a commit whose answer was lost.
        await _patiently(life, lambda: ledger.outcome(life.database, claim)) == decision.outcome
    )
    if ours and decision.outcome == "failed":
        await file_letters(life.database, life.settings.dlq_dir, [claim.chunk_id])
    if ours and decision.stops_job:
        await _patiently(life, lambda: _refuse_rest(life, claim, code, text))
    return ours


async def _record(
    life: Lifecycle, claim: Claim, code: str, text: str, decision: policy.Decision
) -> bool:
    """Moves the ledger; False where the chunk has another owner already."""
    match decision.outcome:
        case "failed":
            return await ledger.fail(life.database, claim, code=code, text=text)
        case "withdrawn":
            return await ledger.withdraw(life.database, claim, code=code, text=text)
    how = ledger.Release(
        code, text, decision.delay_s, give_back=decision.outcome == "deferred",
        outcome=decision.outcome, carried=decision.carried, counted=decision.counted,
        local=decision.local,
    )  # fmt: skip
    return await ledger.release(life.database, claim, how) is not None


async def _refuse_rest(life: Lifecycle, claim: Claim, code: str, text: str) -> None:
    """The provider would refuse the job's other chunks, too: none of them asks any more."""
    rest = await ledger.refuse_rest(
        life.database, claim.job_id, code=code, text=f"not asked, as chunk {claim.chunk_id}: {text}"
    )
    log.warning("job refused by the provider", chunks_not_asked=len(rest), code=code)
    await file_letters(life.database, life.settings.dlq_dir, rest)


async def _end(life: Lifecycle, claim: Claim) -> None:
    """Bookkeeping after every attempt; the scheduler repeats what fails here."""
    try:
        within_s = life.settings.lease.duration_s
        await answered(ledger.end_job(life.database, claim.job_id), within_s=within_s)
        await answered(presence.idle(life.database, life.name), within_s=within_s)
    except IngestError as error:
        log.warning("job end not recorded", reason=error.message)
