"""How many records of a chunk may be refused: beyond it the data are not what they seem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from ingestor.errors import RejectionLimit, RuleStop
from ingestor.model.readable import readable
from ingestor.model.verdict import Severity

if TYPE_CHECKING:
    from ingestor.model import Table
    from ingestor.model.verdict import Judged, Rule, Verdict

_RULES_TOLD: Final = 5
_EXAMPLE: Final = 100
_REASON: Final = 80


class Limit:
    """Counts what is refused of one payload, and ends its chunk early.

    Attributes:
        records: Records of the payload, as its check pass counted them.
        most: So many may be refused.
        refused: So many were, by rule.
    """

    def __init__(self, table: Table, *, records: int, most: int) -> None:
        self.table = table
        self.records = records
        self.most = most
        self.refused: dict[str, int] = {}
        self._reasons: dict[str, str] = {}
        self._examples: dict[str, str] = {}
        self._judged = 0

    def note(self, verdict: Verdict) -> None:
        """Counts the refusals of one more batch.

        Raises:
            RuleStop: A record breaks a rule of severity stop.
            RejectionLimit: More records are refused than may be; has a summary by rule.
        """
        self._judged += len(verdict.accepted) + len(verdict.rejected)
        if not len(verdict.rejected):
            return
        _refuse_stops(verdict.rejected)
        for rule, count in verdict.rejected.counts.items():
            self.refused[rule] = self.refused.get(rule, 0) + count
        self._keep_examples(verdict.rejected)
        if sum(self.refused.values()) > self.most:
            raise self._exceeded()

    def _keep_examples(self, rejected: Judged) -> None:
        for at, rule in enumerate(rejected.rules):
            if rule.id not in self._examples:
                self._reasons[rule.id] = rule.reason
                self._examples[rule.id] = _example(rejected, int(np.argmax(rejected.rule == at)))

    def _exceeded(self) -> RejectionLimit:
        refused = sum(self.refused.values())
        by_count = sorted(self.refused.items(), key=lambda item: -item[1])
        told = [self._told(rule, count) for rule, count in by_count[:_RULES_TOLD]]
        if more := by_count[_RULES_TOLD:]:
            told.append(f"{sum(count for _, count in more):,} by {len(more)} other rules")
        return RejectionLimit(
            f"{refused:,} of the first {self._judged:,} records are refused; of the payload's "
            f"{self.records:,} at most {self.most:,} may be: {'; '.join(told)}",
            hint="nothing of the chunk is stored; mend the source, the mapping or the rules, or "
            f"raise rejection_limit in validation/{self.table.name}.yaml, and retry",
        )

    def _told(self, rule: str, count: int) -> str:
        reason = _cut(self._reasons[rule], _REASON)
        return f"{rule} {count:,} ({reason}; {self._examples[rule]})"


def _refuse_stops(rejected: Judged) -> None:
    for at, rule in enumerate(rejected.rules):
        if rule.severity is Severity.STOP:
            first = int(np.argmax(rejected.rule == at))
            raise RuleStop(
                f"a record breaks {rule.id}, which stops its chunk: {rule.reason}; "
                f"{_example(rejected, first)}",
                hint="nothing of the chunk is stored; mend the source, or change the rule's "
                f"severity in validation/{rejected.frame.table.name}.yaml, and retry",
            )


def _example(rejected: Judged, row: int) -> str:
    """``record 17: price null``, its place in the payload and what the rule looks at."""
    frame, rule = rejected.frame, rejected.rules[rejected.rule[row]]
    names = [name for name in _looked_at(rule) if name in frame.columns or name == "ordinal"]
    [values] = readable(frame, names, [row])
    told = ", ".join(f"{name} {_word(value)}" for name, value in values.items())
    return _cut(f"record {int(frame.position[row])}: {told}" if told else
                f"record {int(frame.position[row])}", _EXAMPLE)  # fmt: skip


def _looked_at(rule: Rule) -> tuple[str, ...]:
    return rule.columns[:4]


def _word(value: str | int | None) -> str:
    return "null" if value is None else str(value)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
