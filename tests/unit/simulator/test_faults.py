"""Faults, as they are written and as they hit."""

from __future__ import annotations

import datetime as dt

import orjson
import pytest

from ingestor.errors import BadSettings
from ingestor.simulator.fault_plan import FaultPlan
from ingestor.simulator.fault_specs import parse_fault, parse_faults, parse_spec
from ingestor.simulator.faults import (
    FAULTS,
    CorrectedFault,
    CutFault,
    Match,
    PartialFault,
    SlowFault,
    StatusFault,
    WarningFault,
)

NEEDED = {"corrected": {"dataset": "GLBX.MDP3", "day": "2024-03-12"}}
RANGE = "timeseries.get_range"
TRADES = {"dataset": "GLBX.MDP3", "schema": "trades", "symbols": "ESM4,NQM4", "start": "2024-03-12"}


@pytest.mark.parametrize("kind", FAULTS)
def test_every_kind_can_be_made_by_its_name(kind):
    fault = parse_fault({"kind": kind, **NEEDED.get(kind, {})})
    assert type(fault) is FAULTS[kind]
    assert fault.name == kind


def test_the_short_form_is_the_long_form():
    short = parse_spec("status:status=429,retry_after=7,count=3,match.schema=trades")
    long = parse_spec(
        '{"kind":"status","status":429,"retry_after":7,"count":3,"match":{"schema":"trades"}}'
    )
    assert short == long
    assert short == StatusFault(status=429, retry_after=7, count=3, match=Match(schema="trades"))


def test_the_short_form_has_words_for_always_and_for_several():
    assert parse_spec("cut:how=eof,count=all") == CutFault(how="eof", count=None)
    assert parse_spec("partial:symbols=ESM4|NQM4") == PartialFault(symbols=("ESM4", "NQM4"))
    assert parse_spec("corrected:dataset=GLBX.MDP3,day=2024-03-12,seed=4") == CorrectedFault(
        dataset="GLBX.MDP3", day=dt.date(2024, 3, 12), seed=4
    )


@pytest.mark.parametrize(
    "spec",
    [
        "explode", "", "status:status=200", "status:colour=red", "cut:how=sideways", "cut:at",
        "status:count=0", "status:match.colour=red", "corrected", "{", '{"kind":"cut","at":"x"}',
    ],
)  # fmt: skip
def test_a_bad_spec_is_refused_with_what_is_wrong(spec):
    with pytest.raises(BadSettings) as caught:
        parse_spec(spec)
    assert caught.value.hint
    assert "fault" in caught.value.message


def test_an_unknown_kind_is_answered_with_the_kinds_there_are():
    with pytest.raises(BadSettings, match="kinds are status, reset"):
        parse_spec("explode")


def test_a_list_is_read_whole_or_not_at_all():
    assert len(parse_faults(orjson.dumps([{"kind": "reset"}, {"kind": "empty"}]))) == 2
    with pytest.raises(BadSettings):
        parse_faults(orjson.dumps([{"kind": "reset"}, {"kind": "explode"}]))


def test_a_fault_hits_as_often_as_it_says():
    plan = FaultPlan()
    plan.arm([StatusFault(count=2, skip=1)])
    hits = [len(plan.take(RANGE, TRADES)) for _ in range(5)]
    assert hits == [0, 1, 1, 0, 0]
    assert plan.waiting() == []


def test_a_fault_without_a_count_hits_for_ever():
    plan = FaultPlan()
    plan.arm([StatusFault(count=None)])
    assert all(plan.take(RANGE, TRADES) for _ in range(9))


@pytest.mark.parametrize(
    "match",
    [
        Match(dataset="XNAS.ITCH"), Match(schema="ohlcv-1d"), Match(symbol="ESU4"),
        Match(symbol="ES"), Match(start="2024-03-13"),
    ],
)  # fmt: skip
def test_a_fault_lets_pass_what_it_does_not_match(match):
    plan = FaultPlan()
    plan.arm([StatusFault(match=match)])
    assert plan.take(RANGE, TRADES) == []
    assert len(plan.waiting()) == 1


@pytest.mark.parametrize(
    "match",
    [
        Match(), Match(dataset="GLBX.MDP3", schema="trades"), Match(symbol="NQM4"),
        Match(start="2024-03"), Match(start="2024-03-12", symbol="ESM4"),
    ],
)  # fmt: skip
def test_a_fault_hits_what_it_matches(match):
    plan = FaultPlan()
    plan.arm([StatusFault(match=match)])
    assert len(plan.take(RANGE, TRADES)) == 1


def test_a_fault_hits_its_own_method_or_with_a_star_every_one():
    plan = FaultPlan()
    plan.arm([StatusFault(method="metadata.get_cost"), StatusFault(method="*", status=500)])
    assert [each.status for each in plan.take(RANGE, TRADES)] == [500]
    assert [each.status for each in plan.take("metadata.get_cost", TRADES)] == [503]


def test_faults_hit_one_request_after_another():
    plan = FaultPlan()
    plan.arm([StatusFault(count=2), CutFault(), StatusFault(status=429)])
    hits = [[each.name for each in plan.take(RANGE, TRADES)] for _ in range(5)]
    assert hits == [["status"], ["status"], ["cut"], ["status"], []]


def test_slowness_and_warnings_go_along_with_another_fault():
    plan = FaultPlan()
    plan.arm([SlowFault(count=None), CutFault(), WarningFault()])
    hits = [[each.name for each in plan.take(RANGE, TRADES)] for _ in range(2)]
    assert hits == [["slow", "cut", "warning"], ["slow"]]


def test_faults_can_be_taken_back():
    plan = FaultPlan()
    plan.arm([CutFault()])
    plan.reset()
    assert plan.take(RANGE, TRADES) == []
