"""Every error HDI raises on purpose.

IngestError
├── Retryable                 the same work may succeed later
│   ├── SourceUnavailable     the provider or a file share does not answer
│   │   └── VaultUnavailable  the place of the payloads does not: the attempt is given back
│   ├── RateLimited           the provider asks to wait (`retry_after_s`)
│   ├── NotYetAvailable       the provider has not published these days yet: no failure
│   ├── TruncatedPayload      a delivery ended early
│   ├── DatabaseUnavailable   connection lost, deadlock, restart: the attempt is given back
│   ├── DatabaseHalted        disk full, read-only, missing privilege: nobody can load until mended
│   ├── BrokerUnavailable     Redis cannot be reached
│   ├── LocalFault            this host: memory, disk, time limit
    │   ├── JobBusy               something else is done to the job at this moment
│   └── LeaseLost             another worker owns the chunk now: stop, write nothing
└── Terminal                  the same work will fail again
    ├── Usage                 options or values that make no sense (exit 2)
    │   ├── BadJob            a job that cannot be planned
    │   ├── BadSettings       a setting that is wrong
    │   │   └── NotConfigured a service whose address is not set (exit 6)
    │   └── UnknownJob        no such job, or several
    ├── BadRules              a mapping or validation file that is wrong
    ├── SourceRefused         the source will not give this
    │   ├── UnknownSymbols    none of the symbols means anything on these days
    │   └── PayloadMissing    a file that this host cannot see
    ├── AuthenticationFailed  a wrong key, or one that may not (exit 4)
    │   └── KeyMissing        this process has none; another worker may (exit 4)
    ├── BudgetExceeded        dearer than allowed (exit 5)
    │   └── PaymentRequired   the provider's account cannot pay (exit 5)
    ├── CorruptPayload        damaged, changed since it was submitted, or of mixed records
    │   └── UnlikeRequest     a payload of another dataset, schema or range
    ├── Unstorable            a value no table can hold and no quarantine can save
    ├── RejectionLimit        a chunk of which too much breaks the rules
    │   └── RuleStop          a record broke a rule of severity stop
    ├── RemovalLimit          a forced load would remove more rows than it may
    ├── ReplayInterrupted     quarantined records that a dead command was storing again
    ├── WrongRealm            a simulated payload for a database of real ones, or the reverse
    ├── WrongVault            a worker with another vault than the database's
    ├── ForeignDatabase       tables of our names that are not ours
    ├── SchemaOutdated        the database needs `hdi db migrate`
    ├── NotVerified           rows and receipts disagree
    ├── StackUnavailable      the embedded stack cannot be started (exit 6)
    └── WaitTimedOut          (exit 7)

A message says what it was, what was found and what is allowed; `hint` says what to do next.
Neither may hold a secret. Outside errors are translated once, in the adapter that meets them.
"""

from __future__ import annotations

from typing import ClassVar


class IngestError(Exception):
    """Base of all. Survives pickling whole, so that it crosses process borders.

    Attributes:
        message: One line: what failed, what was found, what is allowed.
        hint: One line: what to do next; empty where nothing helps.
        exit_code: What a command line ends with.
        code: Stable name for ledgers and metrics.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def code(self) -> str:
        return type(self).__name__

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.__dict__.copy()))


def _rebuild(kind: type[IngestError], state: dict[str, object]) -> IngestError:
    error = kind.__new__(kind)
    Exception.__init__(error, state["message"])
    error.__dict__.update(state)
    return error


class Retryable(IngestError):
    """The same work may succeed later."""


class SourceUnavailable(Retryable):
    exit_code = 6


class VaultUnavailable(SourceUnavailable):
    """The place where payloads are kept does not answer, or is not mounted."""


class RateLimited(Retryable):
    """The provider asks to wait.

    Attributes:
        retry_after_s: Seconds the provider named.
    """

    exit_code = 6

    def __init__(self, message: str, *, retry_after_s: float, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class NotYetAvailable(Retryable):
    """The days asked for are not published yet; asked again later, it is no failure."""


class TruncatedPayload(Retryable):
    """A delivery ended before its end."""


class DatabaseUnavailable(Retryable):
    """The database did not do a statement that it may do later.

    Attributes:
        away: Whether no statement at all went through, a heartbeat neither; False where the server
            answered, and refused this one: a deadlock, a lock that was waited for too long.
    """

    exit_code = 6

    def __init__(self, message: str, *, hint: str = "", away: bool = True) -> None:
        super().__init__(message, hint=hint)
        self.away = away


class DatabaseHalted(Retryable):
    """Nobody can load until an operator mends the server; the hint names the setting.

    Attributes:
        sqlstate: The server's code for it, five characters.
    """

    def __init__(self, message: str, *, sqlstate: str = "53000", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.sqlstate = sqlstate


class BrokerUnavailable(Retryable):
    exit_code = 6


class LocalFault(Retryable):
    """Memory, disk or time ran out on this host."""


class LeaseLost(Retryable):
    """Another worker owns the chunk now; this attempt must stop and write nothing."""


class Terminal(IngestError):
    """The same work will fail again."""


class Usage(Terminal):
    exit_code = 2


class BadJob(Usage):
    """A job that cannot be planned."""


class BadRules(Terminal):
    """A mapping or validation file that is wrong."""


class BadSettings(Usage):
    """A setting that is missing or wrong."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint or "docs/reference/settings.md says what it may be")


class NotConfigured(BadSettings):
    """A service that was never named cannot be reached either."""

    exit_code = 6


class SourceRefused(Terminal):
    """The source will not give this."""


class UnknownSymbols(SourceRefused):
    """None of the symbols asked for means anything on these days."""


class PayloadMissing(SourceRefused):
    """A file that this host cannot see."""


class AuthenticationFailed(Terminal):
    exit_code = 4


class KeyMissing(AuthenticationFailed):
    """This process has no key to send; another worker may have one."""


class BudgetExceeded(Terminal):
    exit_code = 5


class PaymentRequired(BudgetExceeded):
    """The provider's account cannot pay for more."""


class CorruptPayload(Terminal):
    """Damaged, changed since it was submitted, or of mixed records."""


class UnlikeRequest(CorruptPayload):
    """A payload of another dataset, schema or range than was asked for."""


class Unstorable(Terminal):
    """A value that no table can hold and no quarantine can save."""


class RejectionLimit(Terminal):
    """More of a chunk breaks the rules than its table's rejection limit allows."""


class RuleStop(RejectionLimit):
    """A record broke a rule of severity stop."""


class ReplayInterrupted(Terminal):
    """A release of quarantined records that lost its command; it is run again by that command."""


class RemovalLimit(Terminal):
    """A forced load would remove more of what is stored than it may without being told to."""


class WrongRealm(Terminal):
    """Simulated and real payloads never share a database."""


class WrongVault(Terminal):
    """This worker keeps payloads elsewhere than the others."""


class ForeignDatabase(Terminal):
    """The database holds tables of our names that are not ours."""


class SchemaOutdated(Terminal):
    """The database needs `hdi db migrate`."""


class UnknownJob(Usage):
    """No job, or more than one, is called that."""


class JobBusy(Retryable):
    """Something else is done to the job at this moment."""


class NotVerified(Terminal):
    """Rows in the tables are not those that receipts and supersessions tell of."""


class StackUnavailable(Terminal):
    exit_code = 6


class WaitTimedOut(Terminal):
    exit_code = 7
