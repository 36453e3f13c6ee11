"""`hdi rules recheck`: rules that were undecided when records came are decided, once."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ingestor.simulator.server import Gateway
from ingestor.store.database import Database
from ingestor.store.rechecks import Flag, Recheck, Undecided, record
from tests.acceptance.commands import Said, here
from tests.gateways import gateway
from tests.plans import claimed, complete, submitted
from tests.workshops import CME, TWO_DAYS, Workshop, rule, workshop

__all__ = ["gateway", "here", "workshop"]
pytestmark = [pytest.mark.timescaledb, pytest.mark.redis]

COUNT = "SELECT count(*) FROM trades_data WHERE {}"


def counted(workshop: Workshop, condition: str) -> int:
    return int(workshop.fetch(COUNT.format(condition))[0][0])


def undecided(workshop: Workshop, *arguments: object) -> Said:
    said = workshop.hdi("rules", "recheck", "--json", *arguments)
    assert said.code == 0, said.err
    return said


def test_recheck_decides_what_definitions_have_told_since(
    workshop: Workshop, gateway: Gateway
) -> None:
    """Futures that break a rule of futures are flagged, one of shares is met by none. Once."""
    workshop.rules(
        rule("futures", "size < 3", "flag", when="{instrument_class: [F]}"),
        rule("shares", "size < 2", "quarantine", when="{instrument_class: [K]}"),
    )
    job = workshop.done(*TWO_DAYS, "--max-cost", "20", "--name", "march").json["job_id"]
    large, more = counted(workshop, "size >= 3"), counted(workshop, "size >= 2")
    found = undecided(workshop, "march").json
    assert found["rules"] == {
        "futures": {"broken": 0, "fine": 0, "undecided": large},
        "shares": {"broken": 0, "fine": 0, "undecided": more},
    }
    assert workshop.fetch("SELECT count(*) FROM ingest.rechecks") == [(0,)]
    workshop.done(*CME, "--schema", "definition", "--end", "2024-03-13", "--max-cost", "20")
    found = undecided(workshop).json
    assert found["rules"] == {
        "futures": {"broken": large, "fine": 0, "undecided": 0},
        "shares": {"broken": 0, "fine": more, "undecided": 0},
    }
    rows = (
        "SELECT rule, count(*), count(recheck_id), bool_and((readable->>'size')::INTEGER >= 3),"
        " min(field), bool_and(reason <> '' AND value <> '') FROM ingest.flagged GROUP BY rule"
    )
    assert workshop.fetch(rows) == [("futures", large, large, True, "size", True)]
    assert counted(workshop, "true") == 200
    again = undecided(workshop).json
    assert (again["chunks"], again["rules"]) == (0, {})
    assert workshop.fetch("SELECT count(*) FROM ingest.rechecks") == [(4,)]
    listed = workshop.hdi("quarantine", "list", "--flagged", "--json", "--job", job)
    assert json.loads(listed.out)["total"] == large


def test_recheck_lists_no_more_than_is_kept_and_counts_all(workshop: Workshop) -> None:
    """As a load does: so many per chunk and rule."""
    workshop._environment["HDI_STORE__FLAGS_KEPT"] = "3"
    workshop.rules(rule("futures", "size < 3", "flag", when="{instrument_class: [F]}"))
    workshop.done(*TWO_DAYS, "--max-cost", "20")
    large = counted(workshop, "size >= 3")
    workshop.done(*CME, "--schema", "definition", "--end", "2024-03-13", "--max-cost", "20")
    assert undecided(workshop).json["rules"]["futures"]["broken"] == large
    assert workshop.fetch("SELECT count(*) FROM ingest.flagged") == [(6,)]
    assert workshop.fetch("SELECT sum(broken)::BIGINT FROM ingest.rechecks") == [(large,)]


def test_recheck_leaves_chunks_alone_that_were_loaded_again(workshop: Workshop) -> None:
    """The replay decided what it could: its own receipt says what is left."""
    workshop.rules(rule("futures", "size < 3", "flag", when="{instrument_class: [F]}"))
    workshop.done(*TWO_DAYS, "--max-cost", "20", "--name", "march")
    workshop.done(*CME, "--schema", "definition", "--end", "2024-03-12", "--max-cost", "20")
    workshop.replayed("march")
    found = undecided(workshop).json
    assert found["chunks"] <= 1
    assert undecided(workshop, "march").json["chunks"] == 0


@pytest.mark.parametrize(
    "now",
    [
        (),
        (rule("futures", "size < 2", "flag", when="{instrument_class: [F]}"),),
    ],
    ids=["rule gone", "rule changed"],
)
def test_by_changed_rules_nothing_is_decided_and_a_replay_is_named(
    workshop: Workshop, now: tuple[str, ...]
) -> None:
    """What a load counted by other rules says nothing about these."""
    workshop.rules(rule("futures", "size < 3", "flag", when="{instrument_class: [F]}"))
    job = str(workshop.done(*TWO_DAYS, "--max-cost", "20").json["job_id"])
    workshop.done(*CME, "--schema", "definition", "--end", "2024-03-13", "--max-cost", "20")
    workshop.rules(*now)
    said = undecided(workshop)
    assert (said.json["chunks"], said.json["asked"], said.json["rules"]) == (2, 0, {})
    assert said.json["outdated"] == [{"job_id": job, "chunks": 2}]
    assert f"`hdi replay {job[:8]}` judges by today's" in said.err
    assert workshop.fetch("SELECT count(*) FROM ingest.rechecks") == [(0,)]
    workshop.replayed(job)
    assert undecided(workshop).json["chunks"] == 0


def test_a_changed_mapping_is_told_too(workshop: Workshop) -> None:
    """What it makes of the payload is not what is stored."""
    workshop.rules(rule("futures", "flags < 3", "flag", when="{instrument_class: [F]}"))
    job = str(workshop.done(*TWO_DAYS, "--max-cost", "20").json["job_id"])
    workshop.column("flags", "{op: integer, field: depth}")
    assert undecided(workshop).json["outdated"] == [{"job_id": job, "chunks": 2}]


def test_a_class_that_is_learned_or_changed_gives_the_counts_of_today(workshop: Workshop) -> None:
    """One of two instruments was a future when its records came; then it is the other one."""
    workshop.rules(rule("futures", "size < 3", "flag", when="{instrument_class: [F]}"))
    workshop.done(*CME, "--schema", "definition", "--end", "2024-03-13", "--max-cost", "20")
    one, other = [row[0] for row in workshop.fetch(
        "SELECT instrument_id FROM definitions_data WHERE raw_symbol IN ('ESM4', 'NQM4')"
        " GROUP BY 1 ORDER BY 1")]  # fmt: skip
    class_of = "UPDATE definitions_data SET instrument_class = $2 WHERE instrument_id = $1"
    workshop.fetch(class_of, other, None)
    job = workshop.done(*TWO_DAYS, "--max-cost", "20").json["job_id"]
    mine, others = (counted(workshop, f"size >= 3 AND instrument_id = {id_}")
                    for id_ in (one, other))  # fmt: skip
    assert min(mine, others) > 0
    workshop.fetch(class_of, one, "K")
    workshop.fetch(class_of, other, "F")
    found = undecided(workshop).json["rules"]["futures"]
    assert (found["broken"], found["undecided"]) == (others, 0)
    query = "SELECT sum(broken)::BIGINT, sum(undecided)::BIGINT FROM ingest.rechecks"
    assert workshop.fetch(query) == [(others, 0)]
    listed = "SELECT count(*) FROM ingest.flagged WHERE instrument_id = $1"
    assert workshop.fetch(listed, other) == [(others,)]
    unlisted = workshop.hdi("quarantine", "list", "--flagged", "--json", "--job", job).json
    assert unlisted["counted_not_kept"] == {}


def test_what_was_known_to_break_it_is_counted_with_what_is_found(workshop: Workshop) -> None:
    """The last recheck's count is that of the chunk."""
    workshop.rules(rule("futures", "size < 3", "flag", when="{instrument_class: [F]}"))
    workshop.done(*CME, "--schema", "definition", "--end", "2024-03-13", "--max-cost", "20")
    [(one,)] = workshop.fetch("SELECT min(instrument_id) FROM definitions_data")
    class_of = "UPDATE definitions_data SET instrument_class = $2 WHERE instrument_id = $1"
    workshop.fetch(class_of, one, None)
    workshop.done(*TWO_DAYS, "--max-cost", "20")
    large = counted(workshop, "size >= 3")
    workshop.fetch(class_of, one, "F")
    assert undecided(workshop).json["rules"]["futures"] == {
        "broken": large, "fine": 0, "undecided": 0,
    }  # fmt: skip
    assert workshop.fetch("SELECT sum(broken)::BIGINT FROM ingest.rechecks") == [(large,)]
    assert workshop.fetch("SELECT count(*) FROM ingest.flagged") == [(large,)]


def test_recheck_asks_about_released_records_too(workshop: Workshop) -> None:
    """They were refused by one rule and are undecided by another."""
    workshop.rules(
        rule("wanted", "size < 3"),
        rule("futures", "size < 3", "flag", when="{instrument_class: [F]}"),
    )
    workshop.done(*TWO_DAYS, "--max-cost", "20")
    refused = workshop.fetch("SELECT count(*) FROM ingest.quarantine")[0][0]
    workshop.rules(rule("futures", "size < 3", "flag", when="{instrument_class: [F]}"))
    released = workshop.hdi("quarantine", "replay", "--all-matching", "--json")
    assert released.code == 0, released.err
    assert undecided(workshop).json["rules"]["futures"]["undecided"] == refused
    workshop.done(*CME, "--schema", "definition", "--end", "2024-03-13", "--max-cost", "20")
    found = undecided(workshop).json
    assert found["rules"] == {"futures": {"broken": refused, "fine": 0, "undecided": 0}}
    assert workshop.fetch("SELECT count(*) FROM ingest.flagged") == [(refused,)]
    assert undecided(workshop).json["chunks"] == 0


async def test_of_two_rechecks_at_once_one_is_kept(database: Database) -> None:
    """Both saw the same state; the later one would count everything twice."""
    _, [chunk_id] = await submitted(database)
    assert await complete(database, await claimed(database, chunk_id))
    seen = Undecided(chunk_id, None, "futures", records=3, broken=1, fine=0, last_recheck=0)
    flag = Flag(7, "size 9", '{"size": 9}', 1, 2, None, 0)
    found = Recheck(seen, "ab", 2, 2, 0, "size", "it is not small", (flag,))
    assert await record(database, found, flags_kept=5)
    assert not await record(database, found, flags_kept=5)
    rows = await database.fetch("SELECT broken, fine, undecided FROM ingest.rechecks")
    assert [tuple(row) for row in rows] == [(2, 2, 0)]
    listed = await database.fetch("SELECT position, value, recheck_id > 0 FROM ingest.flagged")
    assert [tuple(row) for row in listed] == [(7, "size 9", True)]


async def test_a_record_that_is_listed_is_not_listed_again(database: Database) -> None:
    """A load listed it, or an earlier recheck."""
    _, [chunk_id] = await submitted(database)
    assert await complete(database, await claimed(database, chunk_id))
    seen = Undecided(chunk_id, None, "futures", records=3, broken=0, fine=0, last_recheck=0)
    flags = tuple(Flag(n, "size 9", "{}", 1, 2, n, 0) for n in range(4))
    one = Recheck(seen, "ab", 2, 0, 1, "size", "it is not small", flags[:2])
    assert await record(database, one, flags_kept=3)
    [last] = await database.fetch("SELECT recheck_id FROM ingest.rechecks")
    again = replace(seen, records=1, broken=2, last_recheck=last["recheck_id"])
    assert await record(database, replace(one, of=again, broken=4, flags=flags), flags_kept=3)
    rows = await database.fetch("SELECT position FROM ingest.flagged ORDER BY 1")
    assert [row["position"] for row in rows] == [0, 1, 2]


def test_recheck_asks_about_stored_records_alone(workshop: Workshop) -> None:
    """What another rule keeps in quarantine breaks this one, too, and is not listed for it."""
    workshop.rules(
        rule("wanted", "size < 3"),
        rule("futures", "size < 2", "flag", when="{instrument_class: [F]}"),
    )
    workshop.done(*TWO_DAYS, "--max-cost", "20")
    stored = counted(workshop, "size = 2")
    workshop.done(*CME, "--schema", "definition", "--end", "2024-03-13", "--max-cost", "20")
    assert undecided(workshop).json["rules"]["futures"]["broken"] == stored
    sizes = "SELECT readable->>'size', count(*) FROM ingest.flagged GROUP BY 1"
    assert workshop.fetch(sizes) == [("2", stored)]
