"""What a run says of itself."""

from __future__ import annotations

from collections import Counter

from tests.chaos.oracle import Findings
from tests.chaos.report import Report
from tests.chaos.storm import Tally
from tests.chaos.sums import table


def report(seed: int = 1) -> Report:
    """A run of 12 faults in which all went well."""
    tally = Tally(
        hit=Counter({"duplicate messages": 8, "SIGKILL of a worker child": 4}),
        families={"duplicate messages": "message", "SIGKILL of a worker child": "SIGKILL"},
        beside={"duplicate messages": Counter({"messages": 40})},
    )
    findings = Findings(rows=Counter({"trades": 7}), chunks=Counter({"completed": 3}))
    return Report(seed, tally, findings, jobs=2)


def test_a_run_in_which_all_went_well_is_sound() -> None:
    assert report().sound
    assert report().lines()[-1] == "chaos: all is well"


def test_a_run_without_faults_or_jobs_or_rows_is_not_sound() -> None:
    """Nothing was lost where nothing was done: that proves nothing."""
    for spoil in (
        lambda it: it.tally.hit.clear(),
        lambda it: setattr(it, "jobs", 0),
        lambda it: it.findings.rows.clear(),
        lambda it: it.findings.chunks.clear(),
        lambda it: it.amiss.append("a row lost"),
    ):
        made = report()
        spoil(made)
        assert not made.sound
        assert made.as_json()["sound"] is False
        assert made.lines()[-1] == "chaos: FAILED"
        assert any(line.startswith("AMISS: ") for line in made.lines())


def test_a_fault_of_many_messages_counts_once_and_says_how_many_they_were() -> None:
    made = report()
    assert made.as_json()["faults"] == 12
    assert any("8  (40 messages)" in line for line in made.lines())


def test_kinds_without_an_effect_are_named() -> None:
    made = report()
    assert made.tally.unseen == []
    made.tally.families["FLUSHALL"] = "Redis"
    assert made.tally.unseen == ["FLUSHALL"]


def test_reports_are_added_up_by_family_and_kind() -> None:
    lines = list(table([report(1).as_json(), report(2).as_json()]))
    assert "| **SIGKILL** | **8** |" in lines
    assert "| duplicate messages (80 messages) | 16 |" in lines
    assert "| **all** | **24** |" in lines
    assert "2 runs, 2 of them sound; 4 jobs of 6 chunks" in lines[-1]
