"""What an operator mends before a failed chunk is tried again, by the code of its error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_KEY: Final = "see to the provider's key on the workers (`hdi doctor`) and what its licence allows"
_FILE: Final = "give the file that was submitted back its place and its bytes, or submit it again"
_RULES: Final = "mend the source, the mapping or the rule, or raise the table's rejection_limit"
_PASSING: Final = "nothing to mend here: it may have passed"

REMEDIES: Final[Mapping[str, str]] = {
    "AuthenticationFailed": _KEY,
    "BadRules": "mend that file (`hdi rules check`)",
    "CorruptPayload": _FILE,
    "DatabaseHalted": "mend the database server: `hdi status` says what it lacks",
    "DatabaseUnavailable": _PASSING,
    "IngestError": "the worker's log has the traceback; report it where it comes again",
    "KeyMissing": _KEY,
    "LeaseLost": "it took its workers down: look at their memory (`worker.memory_limit_mb`) and at "
    "the last lines of their logs",
    "LocalFault": "give that host room, memory or time (`worker.*` in the settings)",
    "PayloadMissing": _FILE,
    "PaymentRequired": "see to the payment details of the provider's account",
    "RateLimited": _PASSING,
    "RejectionLimit": _RULES,
    "RemovalLimit": "a retry refuses again: submit the range with --force --accept-removals, if "
    "that many rows are to go",
    "RuleStop": _RULES,
    "SchemaOutdated": "run `hdi db migrate`",
    "SourceRefused": "a retry asks the same: submit what the provider gives, and discard this",
    "SourceUnavailable": _PASSING,
    "TruncatedPayload": "a retry fetches it again; where it breaks off too, submit smaller chunks",
    "UnknownSymbols": "a retry asks the same: submit symbols of these days, and discard this",
    "UnlikeRequest": "look what was delivered; of a file, submit the one that was meant",
    "Unstorable": "no table can hold it: submit the range with smaller chunks, and discard this",
    "VaultUnavailable": "see that the vault is mounted and answers on every worker's host",
    "WrongRealm": "give simulated and real payloads a database each, then discard this",
    "WrongVault": "give every worker the same HDI_VAULT_URL",
}
"""By error code, a clause without a full stop."""

OTHERWISE: Final = "mend what the error tells of"


def remedy(code: str) -> str:
    """What to mend before a chunk that failed so is tried again."""
    return REMEDIES.get(code, OTHERWISE)
