"""The verdict over a batch is that of each record alone, whatever the rules, cut anywhere."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestor.model import Column, Table
from ingestor.model.frame import Frame
from ingestor.model.kind import CHARACTER, TEXT, UINT16, UINT32, UINT64_MAX
from ingestor.model.references import Facts, Known, References
from ingestor.model.verdict import Severity, Verdict
from ingestor.validate import CompiledRule, Rulebook, judge
from ingestor.validate.expression import compile_expression
from ingestor.validate.rules import WrittenLimit, WrittenRule
from ingestor.vocabulary import Schema
from tests.unit.validate.expression_trees import EVERY, EXTREMES, WORDS, conditions
from tests.unit.validate.frames import FIRST, frame
from tests.unit.validate.plain_expression import spelled
from tests.unit.validate.plain_verdict import DAY_NS, Fate, PlainRule, fate, table_fault

_IDS = (1, 2, 2**32 - 1)
_DAYS = range(5)
_FOR_EVER = 2**32 - 1
_CLASSES = ("F", "K", "S")
_SYMBOLS = ("ES", "ESH4", "é", "A.B", "A B")
_DATASETS = ("GLBX.MDP3", "XNAS.ITCH")
_OF_AN_EVENT = (Column("publisher_id", UINT16, ""), Column("instrument_id", UINT32, ""))

NUMBERED = replace(
    EVERY,
    name="numbered",
    schemas=(Schema.TRADES,),
    columns=(*EVERY.columns, *_OF_AN_EVENT),
    key=("instrument_id", "ordinal"),
)
TELLING = replace(
    NUMBERED,
    name="telling",
    columns=(
        *NUMBERED.columns,
        Column("instrument_class", CHARACTER, "", null=0),
        Column("raw_symbol", TEXT, "", null=b""),
    ),
    key=("instrument_id",),
)
"""A table that knows class and symbol itself, and refuses a key that repeats."""

whens = st.fixed_dictionaries(
    {},
    optional={
        "dataset": st.lists(st.sampled_from(_DATASETS), min_size=1, max_size=2),
        "publisher": st.lists(st.integers(0, 3), min_size=1, max_size=2),
        "instrument_class": st.lists(st.sampled_from(_CLASSES), min_size=1, max_size=2),
        "symbol": st.lists(
            st.sampled_from([*_SYMBOLS, "*", "E*", "?", "A?B", "*4", "ES?*"]),
            min_size=1,
            max_size=2,
        ),
    },
)


_NEVER = ("null", ("column", "code"))
"""False of every record: of one that breaks a rule it often breaks others, too."""


def rules() -> Any:
    one = st.tuples(
        conditions(1) | st.just(_NEVER), st.sampled_from(Severity), st.booleans(), whens
    )
    return st.lists(one, max_size=4).map(
        lambda some: [PlainRule(f"rule-{at}", *each) for at, each in enumerate(some)]
    )


def intervals(values: tuple[str, ...]) -> Any:
    """For each instrument what it was on which days; no two overlap."""
    cuts = st.lists(st.sampled_from([*_DAYS, _FOR_EVER]), unique=True, max_size=4).map(sorted)
    of_one = st.tuples(st.sampled_from(_IDS), cuts, st.lists(st.sampled_from(values), min_size=3))
    return st.lists(of_one, max_size=3, unique_by=lambda each: each[0]).map(
        lambda some: [
            (id_, first, past, value)
            for id_, days, told in some
            for first, past, value in zip(days, days[1:], told, strict=False)
        ]
    )


def pool(column: Column) -> list[Any]:
    """Values of a column, its null and the ends of its dtype among them, storable or not."""
    match column.name:
        case "instrument_id":
            return list(_IDS)
        case "publisher_id":
            return [0, 1, 2, 3]
        case "recv":
            return [UINT64_MAX, *(day * DAY_NS + 7 for day in _DAYS)]
        case "instrument_class":
            return [0, 200, *map(ord, _CLASSES)]
        case "bar":
            return [0, 10**9, 1, UINT64_MAX]
    if column.kind is TEXT:
        return [b"", b"\xff", b"a\0b", *(each.encode() for each in (*WORDS, *_SYMBOLS))]
    info = np.iinfo(column.kind.frame)
    ends = [info.min, info.max, *b"AB~ ", *EXTREMES, *range(-3, 4)]
    held = [each for each in map(int, ends) if info.min <= each <= info.max]
    return held if column.null is None else [*held, *[column.null] * 5]


def fits(column: Column, value: Any) -> bool:
    """Whether the table takes it."""
    others = replace(NUMBERED, columns=(column,), key=("ordinal",))
    return table_fault(others, {column.name: value}) is None


_POOLS = {column: pool(column) for column in TELLING.columns}
_FITTING = {column: [v for v in of if fits(column, v)] for column, of in _POOLS.items()}


def row(table: Table, seed: int) -> dict[str, Any]:
    """A record that its table takes: else hardly one would come to the rules."""
    chance = Random(seed)
    return {column.name: chance.choice(_FITTING[column]) for column in table.columns}


@dataclass(frozen=True)
class Case:
    made: Frame
    rows: list[dict[str, Any]]
    rules: list[PlainRule]
    facts: Facts
    known: dict[str, list[tuple[int, int, int, str]]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    table = draw(st.sampled_from([NUMBERED, TELLING]))
    seeds = draw(st.lists(st.integers(0, 2**32), max_size=12))
    rows = [row(table, seed) for seed in seeds]
    for spoilt in draw(st.lists(st.sampled_from(rows), max_size=2)) if rows else []:
        column = draw(st.sampled_from(table.columns))
        spoilt[column.name] = draw(st.sampled_from(_POOLS[column]))
    masks = st.lists(st.sampled_from([False] * 5 + [True]), min_size=len(rows), max_size=len(rows))
    unread = draw(st.dictionaries(st.sampled_from(["bid", "side", "bar"]), masks, max_size=2))
    ordinals = draw(st.lists(st.sampled_from([0, 0, 0, 1]), min_size=len(rows), max_size=len(rows)))
    known = {"instrument_class": draw(intervals(_CLASSES)), "symbol": draw(intervals(_SYMBOLS))}
    references = References(*(Known.of(known[name]) for name in ("instrument_class", "symbol")))
    facts = Facts(draw(st.sampled_from(_DATASETS)), references)
    return Case(frame(table, rows, ordinals, unread), rows, draw(rules()), facts, known)


def rulebook(table: Table, some: list[PlainRule]) -> Rulebook:
    compiled = []
    for each in some:
        text = spelled(each.tree)
        written = WrittenRule.model_validate(
            {"id": each.id, "check": text, "severity": each.severity.value,
             "required": each.required, **({"when": each.when} if each.when else {})}
        )  # fmt: skip
        compiled.append(CompiledRule.of(written, compile_expression(text, table)))
    return Rulebook.of(table, "", tuple(compiled), WrittenLimit())


def plain_fates(case: Case) -> list[Fate]:
    made = case.made
    return [
        fate(made.table, row, int(made.ordinal[at]),
             [name for name, mask in made.unread.items() if mask[at]],
             case.rules, case.facts.dataset, case.known)
        for at, row in enumerate(case.rows)
    ]  # fmt: skip


def fates(verdict: Verdict) -> tuple[dict[int, Fate], Counter[str]]:
    """Place → what became of the record; and rule → how many it could not be decided for."""
    found = {int(at) - FIRST: Fate() for at in verdict.accepted.position}
    for at, rule in zip(verdict.rejected.frame.position, verdict.rejected.rule, strict=True):
        found[int(at) - FIRST] = Fate(verdict.rejected.rules[rule].id)
    for at, rule in zip(verdict.flagged.frame.position, verdict.flagged.rule, strict=True):
        found[int(at) - FIRST].flags.append(verdict.flagged.rules[rule].id)
    return found, Counter(verdict.undecided)


def check(verdict: Verdict, wanted: list[Fate]) -> None:
    found, undecided = fates(verdict)
    assert found == {at: Fate(each.refused, each.flags) for at, each in enumerate(wanted)}
    assert undecided == Counter(rule for each in wanted for rule in each.undecided)


_BOUNDED = settings(
    max_examples=40, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip


@_BOUNDED
@given(case=cases())
def test_a_batch_is_judged_as_each_of_its_records_alone(case: Case) -> None:
    """First rule that refuses, every flag, what cannot be decided: as Python says, row by row."""
    verdict = judge(case.made, rulebook(case.made.table, case.rules), case.facts)
    check(verdict, plain_fates(case))
    assert verdict.flagged_records == len(set(verdict.flagged.frame.position.tolist()))
    broken = {rule for judged in (verdict.rejected, verdict.flagged) for rule in judged.counts}
    assert broken == {r.id for r in (*verdict.rejected.rules, *verdict.flagged.rules)}


@_BOUNDED
@given(case=cases())
def test_accepted_and_rejected_are_the_records_each_once_and_in_order(case: Case) -> None:
    """With all that they had: bytes, values, place and ordinal."""
    made = case.made
    verdict = judge(made, rulebook(made.table, case.rules), case.facts)
    parts = (verdict.accepted, verdict.rejected.frame, verdict.flagged.frame)
    accepted, rejected, flagged = ((part.position - FIRST).tolist() for part in parts)

    assert sorted(accepted + rejected) == list(range(len(made)))
    assert accepted == sorted(accepted)
    assert rejected == sorted(rejected)
    assert flagged == sorted(flagged)
    assert set(flagged) <= set(accepted)
    for part, places in zip(parts, (accepted, rejected, flagged), strict=True):
        assert part.raw.tobytes() == made.raw[places].tobytes()
        assert part.ordinal.tolist() == made.ordinal[places].tolist()
        for name, values in part.columns.items():
            assert values.tolist() == made.columns[name][places].tolist()


@_BOUNDED
@given(case=cases(), data=st.data())
def test_where_a_batch_is_cut_makes_no_difference(case: Case, data: st.DataObject) -> None:
    """The verdicts of its pieces are the verdict of the whole."""
    made, book = case.made, rulebook(case.made.table, case.rules)
    whole = judge(made, book, case.facts)
    cuts = data.draw(st.lists(st.integers(0, len(made)), max_size=3).map(sorted))
    pieces = [
        judge(made.take(np.arange(low, high)), book, case.facts)
        for low, high in zip([0, *cuts], [*cuts, len(made)], strict=True)
    ]

    told = [fates(piece) for piece in pieces]
    assert {at: each for found, _ in told for at, each in found.items()} == fates(whole)[0]
    assert sum((undecided for _, undecided in told), Counter()) == Counter(whole.undecided)
    assert sum(piece.flagged_records for piece in pieces) == whole.flagged_records
