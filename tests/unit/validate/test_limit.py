"""Too many refusals end a chunk early, with a summary per rule; a stop ends it at once."""

from __future__ import annotations

from typing import Any

import pytest

from ingestor.errors import RejectionLimit, RuleStop
from ingestor.model import table_of
from ingestor.model.verdict import Severity, Verdict
from ingestor.validate import CompiledRule, Limit, Rulebook, judge
from ingestor.validate.expression import compile_expression
from ingestor.validate.rules import WrittenLimit, WrittenRule
from ingestor.vocabulary import Schema
from tests.unit.validate.frames import frame, good

TRADES = table_of(Schema.TRADES)
BARS = table_of(Schema.OHLCV_1D)


def rule(id_: str, check: str, severity: str = "quarantine", reason: str | None = None) -> Any:
    written = WrittenRule.model_validate(
        {"id": id_, "check": check, "severity": severity, "reason": reason or f"{id_} is broken"}
    )
    return CompiledRule.of(written, compile_expression(check, TRADES))


def verdict(*changes: dict[str, Any], rules: tuple[CompiledRule, ...] = ()) -> Verdict:
    """Of one trade per change, at 100, 101 …"""
    book = Rulebook.of(TRADES, "", rules, WrittenLimit())
    return judge(frame(TRADES, [good(TRADES) | change for change in changes]), book)


PRICED = rule("priced", "price > 0", reason="the price is not above zero")
SIZED = rule("sized", "size > 0")


def test_as_many_as_allowed_pass_and_one_more_ends_the_chunk() -> None:
    """Counted over all batches of the chunk."""
    limit = Limit(TRADES, records=1_000, most=3)
    batch = verdict({"size": 1}, {"size": 0}, {"size": 2}, rules=(SIZED,))
    for _ in range(3):
        limit.note(batch)

    assert limit.refused == {"sized": 3}
    with pytest.raises(RejectionLimit) as error:
        limit.note(batch)
    assert error.value.message.startswith(
        "4 of the first 12 records are refused; of the payload's 1,000 at most 3 may be: "
        "sized 4 (sized is broken; record 101: size 0)"
    )
    assert "validation/trades_data.yaml" in error.value.hint


def test_none_allowed_means_none() -> None:
    limit = Limit(TRADES, records=10, most=0)
    limit.note(verdict({"size": 1}, rules=(SIZED,)))
    with pytest.raises(RejectionLimit):
        limit.note(verdict({"size": 0}, rules=(SIZED,)))


def test_the_summary_names_each_rule_with_an_example_the_most_frequent_first() -> None:
    """What its table cannot hold counts as what a rule refuses."""
    limit = Limit(TRADES, records=10, most=1)
    batch = verdict(
        {"price": -5 * 10**8, "size": 1}, {"size": 0}, {"size": 0, "price": 1},
        {"price": 1, "size": 0}, {"ts_recv": 2**64 - 1}, rules=(SIZED, PRICED),
    )  # fmt: skip
    with pytest.raises(RejectionLimit) as error:
        limit.note(batch)

    told = error.value.message
    assert "sized 3 (sized is broken; record 101: size 0)" in told
    assert "priced 1 (the price is not above zero; record 100: price -0.5)" in told
    assert "ts_recv.required 1 (ts_recv is undefined, and the key needs it" in told
    assert told.index("sized 3") < told.index("priced 1")


def test_the_summary_stays_short_whatever_the_rules_say() -> None:
    """It goes into the ledger and into one line of a log."""
    rules = tuple(
        rule("r" * 55 + f"-{at:02}", f"size != {at}", reason="so it is " * 30) for at in range(40)
    )
    wide = " + ".join(["ts_recv - ts_event"] * 20)
    rules = (*rules, rule("wide", f"{wide} > days(1)", reason="long"))
    limit = Limit(TRADES, records=10, most=0)
    with pytest.raises(RejectionLimit) as error:
        limit.note(verdict(*({"size": at} for at in range(41)), rules=rules))

    assert len(error.value.message) <= 1_500
    assert "by 36 other rules" in error.value.message


def test_a_rule_of_severity_stop_ends_its_chunk_at_once() -> None:
    """It names rule, place, values and reason; the limit is not asked."""
    stop = rule("never", "size != 7", "stop", "sevens are forged")
    limit = Limit(TRADES, records=1_000, most=1_000)
    batch = verdict({"size": 1}, {"size": 7}, {"size": 7}, rules=(stop,))
    assert [each.severity for each in batch.rejected.rules] == [Severity.STOP]

    with pytest.raises(RuleStop) as error:
        limit.note(batch)
    assert error.value.message == (
        "a record breaks never, which stops its chunk: sevens are forged; record 101: size 7"
    )


def test_flags_are_not_counted() -> None:
    limit = Limit(TRADES, records=10, most=0)
    limit.note(verdict({"size": 0}, rules=(rule("odd", "size > 0", "flag"),)))
    assert limit.refused == {}


def test_a_repeated_bar_is_told_by_its_place() -> None:
    """Its ordinal is no column of the table."""
    limit = Limit(BARS, records=10, most=0)
    with pytest.raises(RejectionLimit, match=r"ordinal.repeat 1 .*record 101: ordinal 1"):
        limit.note(judge(frame(BARS, [good(BARS)] * 2, ordinals=[0, 1])))
