"""A verdict lets pass what its table can hold, and names the field of what it cannot."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandera.pandas as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pandera.config import ValidationDepth, config_context

from ingestor.dbn import layout
from ingestor.insights.explanation import broken_rules
from ingestor.model import TABLES, Column, Table, table_of
from ingestor.model.frame import Frame
from ingestor.model.kind import NANOSECONDS
from ingestor.model.references import Facts
from ingestor.model.verdict import Rule, Severity, Verdict
from ingestor.settings import config_dir
from ingestor.transform import load_mapping
from ingestor.validate import NO_RULES, Finding, judge, load_rulebook
from ingestor.validate.judge import SHAPE, schema_of
from ingestor.validate.storable import storable_checks
from ingestor.vocabulary import Schema
from tests.unit.validate.frames import FIRST, frame, good
from tests.unit.validate.plain_verdict import table_fault

TRADES = table_of(Schema.TRADES)
BARS = table_of(Schema.OHLCV_1S)


def texts() -> st.SearchStrategy[bytes]:
    """Full fields, empty ones, NULs anywhere, bytes that are no UTF-8, text that is."""
    edges = [b"", b"x" * 71, b" ", b"a\0", b"a\0b", b"\0a", b"\xc3", "é".encode(), b"\xed\xa0\x80"]
    written = st.text(st.characters(exclude_categories=["Cs"]), max_size=17).map(str.encode)
    return st.sampled_from(edges) | written | st.binary(max_size=71)


def extremes(dtype: str) -> st.SearchStrategy[int]:
    info = np.iinfo(dtype)
    edges = [info.min, info.min + 1, info.max - 1, info.max, 0, 1, 0x7F, 0x80, NANOSECONDS]
    near = [e for e in edges if info.min <= e <= info.max]
    return st.sampled_from(near) | st.integers(int(info.min), int(info.max))


def anything(column: Column) -> st.SearchStrategy[Any]:
    return texts() if column.kind.frame.startswith("S") else extremes(column.kind.frame)


@st.composite
def records(draw: st.DrawFn, table: Table) -> dict[str, Any]:
    """Anything in every field, or a good record with anything in a few of them."""
    columns = list(table.frame_columns)
    if draw(st.booleans()):
        columns = draw(st.lists(st.sampled_from(columns), max_size=3))
    return good(table) | {column.name: draw(anything(column)) for column in columns}


def rules_broken(made: Frame) -> list[dict[str, list[str]]]:
    """For each record: column → every check of a batch that finds it broken."""
    found: list[dict[str, list[str]]] = [{} for _ in range(len(made))]
    for check in storable_checks(made.table):
        for row in check.find(made, Facts()).broken.tolist():
            found[row].setdefault(str(check.column), []).append(check.rule.id)
    return found


def rules_of(verdict: Verdict) -> list[str]:
    """The rule that refuses each rejected record."""
    return [verdict.rejected.rules[at].id for at in verdict.rejected.rule]


# A batch of definitions takes as long to draw as to judge: shrinking one takes minutes.
@settings(
    max_examples=25, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@given(data=st.data())
def test_a_record_is_accepted_exactly_if_its_table_can_hold_it(
    table: Table, data: st.DataObject
) -> None:
    """The record model finds the same rules broken in the same columns as the checks of a batch."""
    drawn = data.draw(st.lists(records(table), min_size=1, max_size=5))
    made = frame(table, drawn)
    rows = [{name: each[at] for name, each in made.columns.items()} for at in range(len(made))]
    verdict = judge(made)
    kept = (verdict.accepted.position - FIRST).tolist()
    faults = [table_fault(table, row) for row in drawn]

    assert kept == [at for at, fault in enumerate(faults) if fault is None]
    assert rules_of(verdict) == [fault for fault in faults if fault is not None]
    assert [broken_rules(table, row) for row in rows] == rules_broken(made)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_sentinel_of_a_nullable_column_is_accepted(table: Table) -> None:
    nulls = {c.name: c.null for c in table.frame_columns if c.null is not None}
    assert not len(judge(frame(table, [good(table) | nulls])).rejected)


def test_a_rejected_record_keeps_its_bytes_place_rule_and_reason() -> None:
    bad = good(TRADES) | {"ts_recv": 2**64 - 1}
    rejected = judge(frame(TRADES, [good(TRADES), bad], [0, 3])).rejected

    assert (rejected.frame.position.tolist(), rejected.frame.ordinal.tolist()) == ([101], [3])
    assert rejected.frame.raw.tobytes() == (1).to_bytes(4, "little")
    assert rejected.frame.columns["ts_recv"].tolist() == [2**64 - 1]
    assert rejected.rules == (
        Rule("ts_recv.required", Severity.QUARANTINE, ("ts_recv",),
             "ts_recv is undefined, and the key needs it", of_table=True),
    )  # fmt: skip
    assert rejected.counts == {"ts_recv.required": 1}


def test_a_record_that_breaks_several_rules_is_rejected_once() -> None:
    bad = good(TRADES) | {"ts_recv": 2**64 - 1, "ts_event": 2**64 - 1, "action": 200}
    verdict = judge(frame(TRADES, [bad]))
    assert rules_of(verdict) == ["ts_event.required"]
    assert len(verdict.accepted) == 0


def test_what_could_not_be_read_is_refused_before_what_cannot_be_stored() -> None:
    """The column then holds anything: nothing else is said of it."""
    bad = good(TRADES) | {"ts_event": 2**64 - 1}
    unread = {"price": [False, True, True], "action": [False, True, False]}
    verdict = judge(frame(TRADES, [good(TRADES), good(TRADES), bad], unread=unread))

    assert rules_of(verdict) == ["price.unread", "price.unread"]
    [rule] = verdict.rejected.rules
    assert rule.of_table
    assert rule.reason == "price cannot be made of what was delivered, which is no price"


def test_a_batch_without_fault_is_accepted_as_it_is() -> None:
    """Not copied: a batch of two million records is 200 MB."""
    made = frame(TRADES, [good(TRADES)])
    assert judge(made).accepted is made


def test_a_batch_without_records_is_judged() -> None:
    for table in TABLES:
        verdict = judge(frame(table, []))
        assert (len(verdict.accepted), len(verdict.rejected), len(verdict.flagged)) == (0, 0, 0)


def test_a_bar_that_repeats_a_key_is_rejected_and_a_trade_is_not() -> None:
    for table in TABLES:
        verdict = judge(frame(table, [good(table)] * 2, ordinals=[0, 1]))
        assert rules_of(verdict) == ([] if table.numbered else ["ordinal.repeat"])


def test_a_bar_off_its_second_is_rejected() -> None:
    verdict = judge(frame(BARS, [good(BARS) | {"ts_event": NANOSECONDS + 1}]))
    assert rules_of(verdict) == ["ts_event.step"]


def test_a_negative_volume_is_rejected() -> None:
    """Counted without a sign, -5 of the wire is more than 2^63; the reason says so."""
    negative = int(np.int64(-5).view(np.uint64))
    verdict = judge(frame(BARS, [good(BARS) | {"volume": negative}]))

    assert rules_of(verdict) == ["volume.range"]
    assert verdict.rejected.rules[0].reason == (
        "volume lies outside what BIGINT can hold; a negative number, read without its sign, "
        "does so"
    )


@pytest.mark.parametrize(("version", "rejected"), [(3, [1]), (2, []), (1, [])])
def test_a_reserved_byte_that_is_set_is_quarantined(version: int, rejected: list[int]) -> None:
    """No column keeps it; what older versions had there is gone in the provider's upgrade, too."""
    schema = Schema.STATISTICS
    raw = np.zeros(3, layout(schema, version))
    raw["_reserved"][1] = b"\0x"
    mapping = load_mapping(config_dir() / "mappings" / "databento", schema)
    count = np.arange(3)
    verdict = judge(
        Frame(mapping.table, mapping.columns(raw), raw, count.astype("u8"), count.astype("i2"))
    )
    assert verdict.rejected.frame.position.tolist() == rejected
    assert rules_of(verdict) == ["_reserved.reserved"] * len(rejected)
    assert verdict.rejected.frame.raw.tobytes() == raw[rejected].tobytes()


@pytest.mark.parametrize("change", ["narrower", "missing", "more", "objects"])
def test_a_frame_of_another_shape_is_a_fault_of_ours(change: str) -> None:
    """Pandera holds every frame against the Table: dtypes, no column less, none more."""
    made = frame(TRADES, [good(TRADES)])
    columns = dict(made.columns)
    match change:
        case "narrower":
            columns["size"] = columns["size"].astype("u2")
        case "missing":
            del columns["sequence"]
        case "more":
            columns["colour"] = columns["size"]
        case "objects":
            columns["price"] = columns["price"].astype(object)

    with pytest.raises(pa.errors.SchemaErrors):
        judge(Frame(TRADES, columns, made.raw, made.position, made.ordinal))


@pytest.mark.parametrize(
    "switched",
    [{"validation_enabled": False}, {"validation_depth": ValidationDepth.SCHEMA_ONLY}],
)
def test_pandera_cannot_be_switched_off_from_outside(switched: dict[str, Any]) -> None:
    """By PANDERA_VALIDATION_ENABLED in the environment, say: everything would be accepted."""
    bad = frame(TRADES, [good(TRADES) | {"ts_recv": 2**64 - 1}])
    with config_context(**switched):
        assert rules_of(judge(bad)) == ["ts_recv.required"]


def test_a_check_that_fails_itself_is_no_verdict() -> None:
    """Pandera would make text of it, and call it one more failure of the data."""

    def broken(given: Frame, facts: Facts) -> Finding:
        raise MemoryError("no room")

    rule = SimpleNamespace(rule=Rule("odd", Severity.FLAG, ("price",), "odd"), find=broken)
    book = replace(NO_RULES(TRADES), rules=(rule,))
    with pytest.raises(MemoryError, match="no room"):
        judge(frame(TRADES, [good(TRADES)]), book)


def test_every_check_stands_in_the_schema_by_name() -> None:
    """Unread, storable, reserved, and the rules of the file."""
    book = load_rulebook(config_dir() / "validation", TRADES)
    schema = schema_of(book, unread=True)

    assert {check.name for check in schema.checks} == {
        SHAPE,
        *(f"{column.name}.unread" for column in TRADES.frame_columns),
        "ts_event.required", "ts_recv.required", "price.range", "action.range", "side.range",
        *(each.rule.id for each in book.rules),
    }  # fmt: skip
    assert schema_of(book, unread=True) is schema
