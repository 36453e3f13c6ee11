"""A quarantined record and what today's rules say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ingestor.criteria import Criteria
from ingestor.days import DAY_NS
from ingestor.errors import CorruptPayload
from ingestor.insights.explanation import Explained, decoded, explain
from ingestor.insights.quarantine import entry_json
from ingestor.job import Contents
from ingestor.model.frame import Frame
from ingestor.model.verdict import Verdict
from ingestor.store import refused
from ingestor.store.references import read_references
from ingestor.validate import judge

if TYPE_CHECKING:
    import numpy.typing as npt

    from ingestor.settings import Settings
    from ingestor.sources.installed import Sources
    from ingestor.store.database import Database
    from ingestor.store.refused import Entry


@dataclass(frozen=True, slots=True)
class RuleNow:
    """A rule as its file has it today.

    Attributes:
        check: What must hold.
    """

    id: str
    check: str
    severity: str
    reason: str


@dataclass(frozen=True, slots=True)
class Today:
    """What today's mapping and rules say of a record.

    Attributes:
        rule: What refuses it; empty where nothing does.
        flags: Rules of severity flag that it breaks.
        undecided: Rules that a reference value is missing for.
    """

    accepted: bool
    rule: str = ""
    reason: str = ""
    flags: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that is known of a quarantined record.

    Attributes:
        fields: By column; empty where its bytes are no record of its schema.
        rule: The rule that it broke, by today's files; None where none has it, or where it is the
            table's own.
        of_table: Whether the rule that it broke is the table's own.
        rules_changed: Whether today's rule files are others than those it broke, where that is
            known.
        today: None where its bytes are no record of its schema.
    """

    entry: Entry
    fields: tuple[Explained, ...]
    rule: RuleNow | None
    of_table: bool
    rules_changed: bool
    today: Today | None

    def as_json(self) -> dict[str, Any]:
        return {
            "schema_version": 1,
            "record": entry_json(self.entry),
            "fields": [
                {"column": each.name, "delivered": each.wire, "stored": each.shown,
                 "reasons": list(each.reasons)}
                for each in self.fields
            ],
            "rule": None if self.rule is None else asdict(self.rule),
            "of_table": self.of_table,
            "rules_changed": self.rules_changed,
            "today": None if self.today is None else asdict(self.today),
        }  # fmt: skip


async def explain_entry(
    database: Database, settings: Settings, sources: Sources, entry: Entry
) -> Explanation:
    """Explains a record of quarantine by today's mapping and rules.

    Raises:
        BadRules: A mapping or validation file is missing or wrong.
        BadJob: The source that delivered it is not installed.
    """
    of = await refused.origin(database, entry.chunk_id)
    source = sources.named(of.source)
    claim = of.claim(of.chunk_id, 0, of.job_id, records=None)
    criteria = Criteria.of(settings.config_dir, source, claim)
    [raw] = await refused.raw(database, [entry.id])
    # In a rule file an id never has a dot; those of the table itself always have one.
    told = Explanation(
        entry, (), _rule_now(criteria, entry.rule), "." in entry.rule,
        entry.rules_hash is not None and entry.rules_hash != criteria.rulebook.digest, None,
    )  # fmt: skip
    try:
        records = decoded(source, raw.raw, entry.schema)
    except CorruptPayload:
        return told
    verdict = await _judged(database, criteria, records, entry)
    fields = explain(records, entry.schema, criteria.mapping)
    return replace(told, fields=_with_rules(fields, verdict), today=_today(verdict))


async def _judged(
    database: Database, criteria: Criteria, records: npt.NDArray[np.void], entry: Entry
) -> Verdict:
    """By today's rules. Where its ordinal was not kept, as the first of its key."""
    mapping, facts = criteria.mapping, criteria.facts
    made = mapping.spell(records)
    ordinal = np.array([entry.ordinal or 0], np.int16)
    position = np.array([entry.position], np.uint64)
    frame = Frame(mapping.table, made.columns, records, position, ordinal, made.unread)
    if criteria.rulebook.needs:
        found = await read_references(
            database, entry.dataset, _contents(entry), (), criteria.rulebook.needs
        )
        facts = replace(facts, references=found)
    return judge(frame, criteria.rulebook, facts)


def _contents(entry: Entry) -> Contents:
    at = entry.index_ns
    days = {} if at is None else {at // DAY_NS: 1}
    return Contents(
        1, at, at, instruments=(entry.instrument_id,), publishers=(entry.publisher_id,),
        index_days=days,
    )  # fmt: skip


def _rule_now(criteria: Criteria, rule_id: str) -> RuleNow | None:
    for each in criteria.rulebook.rules:
        if each.rule.id == rule_id:
            return RuleNow(rule_id, each.expression.text, each.rule.severity, each.rule.reason)
    return None


def _today(verdict: Verdict) -> Today:
    refusing = [verdict.rejected.rules[at] for at in verdict.rejected.rule]
    flags = tuple(verdict.flagged.counts)
    if refusing:
        return Today(False, refusing[0].id, refusing[0].reason)
    return Today(True, flags=flags, undecided=tuple(verdict.undecided))


def _with_rules(fields: Sequence[Explained], verdict: Verdict) -> tuple[Explained, ...]:
    """The columns, with what rules of files have against them: at the first column of each."""
    against: dict[str, list[str]] = {}
    for judged in (verdict.rejected, verdict.flagged):
        for rule in (judged.rules[at] for at in judged.rule):
            if not rule.of_table:
                against.setdefault(rule.columns[0], []).append(rule.reason)
    return tuple(
        replace(each, reasons=(*each.reasons, *against.get(each.name, ()))) for each in fields
    )
