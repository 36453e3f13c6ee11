"""`hdi replay`: changed rules and mappings reach what is stored, and nobody buys anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestor.settings import Settings
from ingestor.simulator.server import Gateway
from tests.acceptance.commands import here
from tests.gateways import gateway
from tests.workshops import TWO_DAYS, Workshop, rule, workshop

__all__ = ["gateway", "here", "workshop"]
pytestmark = [pytest.mark.timescaledb, pytest.mark.redis]

KEY = "instrument_id, ts_event, ts_recv, sequence, publisher_id, ordinal"
ROWS = f"SELECT {KEY}, size, flags FROM trades_data ORDER BY {KEY}"


@pytest.fixture
def bought(workshop: Workshop) -> str:
    """A job of two chunks and 200 trades."""
    said = workshop.done(*TWO_DAYS, "--max-cost", "20", "--name", "march")
    assert said.json["state"] == "completed"
    return str(said.json["job_id"])


def payloads(settings: Settings) -> list[Path]:
    return sorted((settings.home / "vault").glob("payloads/*/*.dbn.zst"))


def test_nothing_changes_where_nothing_changed(
    workshop: Workshop, bought: str, gateway: Gateway
) -> None:
    """Each chunk is loaded again, every record is there already, no call reaches the provider."""
    before, calls, bill = workshop.fetch(ROWS), len(gateway.requests()), gateway.bill()
    job_id, records = workshop.replayed("march")
    assert workshop.fetch(ROWS) == before
    assert records == {
        "fetched": 200, "stored": 0, "quarantined": 0, "already_stored": 200, "flagged": 0,
    }  # fmt: skip
    assert (len(gateway.requests()), gateway.bill()) == (calls, bill)
    query = (
        "SELECT n.replays, o.chunk_id, n.payload_id = o.payload_id, n.start_ns = o.start_ns"
        " FROM ingest.chunks n JOIN ingest.chunks o ON o.chunk_id = n.replays"
        " WHERE n.job_id = $1::TEXT::UUID AND o.job_id = $2::TEXT::UUID"
    )
    found = workshop.fetch(query, job_id, bought)
    assert len(found) == 2
    assert all(row[0] == row[1] and row[2] and row[3] for row in found)
    workshop.require_sums()


def test_a_stricter_rule_takes_rows_out_and_a_laxer_one_brings_them_back(
    workshop: Workshop, bought: str, gateway: Gateway
) -> None:
    """Out of the table into quarantine, by the rule that refuses them; and back, all of them."""
    whole = workshop.fetch(ROWS)
    small = sum(row[-2] < 3 for row in whole)
    assert 0 < small < 200
    workshop.rules(rule("large", "size < 3"))
    job_id, records = workshop.replayed("march")
    assert (records["quarantined"], records["already_stored"]) == (200 - small, small)
    assert [row for row in whole if row[-2] < 3] == workshop.fetch(ROWS)
    receipts = workshop.receipts(job_id)
    assert sum(each["removed"] for each in receipts) == 200 - small
    assert sum(each["rejected"]["large"] for each in receipts) == 200 - small
    assert len({each["rules_hash"] for each in receipts}) == 1
    workshop.require_sums()
    workshop.rules()
    _, records = workshop.replayed(job_id)
    assert (records["stored"], records["quarantined"]) == (200 - small, 0)
    assert workshop.fetch(ROWS) == whole
    waiting = workshop.hdi("quarantine", "list", "--json").json
    assert waiting["total"] == 0
    assert gateway.bill().calls == 2
    workshop.require_sums()


def test_a_changed_mapping_corrects_values_in_place(workshop: Workshop, bought: str) -> None:
    """Under the same keys: flags become what another field of the wire holds."""
    whole = workshop.fetch(ROWS)
    workshop.column("flags", "{op: integer, field: depth}")
    job_id, records = workshop.replayed("march")
    now = workshop.fetch(ROWS)
    changed = sum(old != new for old, new in zip(whole, now, strict=True))
    assert [row[:-1] for row in now] == [row[:-1] for row in whole]
    assert {row[-1] for row in now} == {0}
    assert changed > 0
    assert sum(each["corrected"] for each in workshop.receipts(job_id)) == changed
    assert records["already_stored"] == 200 - changed
    workshop.require_sums()


def test_changed_keys_leave_no_row_behind(workshop: Workshop, bought: str) -> None:
    """Each record has one row, under the key that it has now."""
    workshop.column("sequence", "{op: integer, field: depth}")
    job_id, _ = workshop.replayed("march")
    now = workshop.fetch(ROWS)
    assert (len(now), {row[3] for row in now}) == (200, {0})
    assert sum(each["removed"] for each in workshop.receipts(job_id)) == 200
    workshop.require_sums()


def test_a_payload_that_is_gone_is_named_before_anything_is_enqueued(
    workshop: Workshop, bought: str, settings: Settings, gateway: Gateway
) -> None:
    """The others are loaded; where all are gone there is no job."""
    payloads(settings)[0].unlink()
    said = workshop.hdi("replay", "march", "--json")
    assert said.code == 0
    assert said.json["chunks"]["total"] == 1
    assert "is left out: vault:payloads/" in said.err
    workshop.work()
    workshop.require_sums()
    payloads(settings)[0].unlink()
    jobs = workshop.fetch("SELECT job_id FROM ingest.jobs")
    refused = workshop.hdi("replay", "march")
    assert refused.code == 1
    assert "none of the 2 payloads of job march is there any more" in refused.err
    assert workshop.fetch("SELECT job_id FROM ingest.jobs") == jobs
    assert gateway.bill().calls == 2


def test_while_it_is_open_the_same_replay_is_shown_and_then_another_is_made(
    workshop: Workshop, bought: str
) -> None:
    first = workshop.hdi("replay", "march", "--quiet").out.strip()
    again = workshop.hdi("replay", "march")
    assert f"job {first} is loading job {bought[:8]} again already" in again.out
    workshop.work()
    second = workshop.hdi("replay", "march", "--quiet").out.strip()
    assert second != first
    named = "SELECT name, spec->>'replay_of' FROM ingest.jobs WHERE job_id = $1::TEXT::UUID"
    for each in (first, second):
        assert workshop.fetch(named, each) == [("replay of march", bought)]


def test_the_priority_is_that_of_the_job_unless_told(workshop: Workshop, bought: str) -> None:
    priority = "SELECT priority FROM ingest.jobs WHERE job_id = $1::TEXT::UUID"
    usual = workshop.hdi("replay", "march", "--quiet").out.strip()
    assert workshop.fetch(priority, usual) == [(1,)]
    workshop.work()
    told = workshop.hdi("replay", "march", "--priority", "high", "--quiet").out.strip()
    assert workshop.fetch(priority, told) == [(2,)]


def test_what_has_no_payload_is_refused_with_the_reason(workshop: Workshop, bought: str) -> None:
    """A job that stored quarantined records, and one of which nothing has completed."""
    workshop.rules(rule("large", "size < 3"))
    workshop.replayed("march")
    workshop.rules()
    released = workshop.hdi("quarantine", "replay", "--all-matching", "--json")
    assert released.code == 0, released.err
    release = workshop.fetch("SELECT job_id::TEXT FROM ingest.chunks WHERE releases LIMIT 1")[0][0]
    said = workshop.hdi("replay", release)
    assert said.code == 2
    assert "stores quarantined records of job" in said.err
    assert "hdi replay" in said.nexts[0]
    open_job = workshop.submit(*TWO_DAYS, "--force", "--max-cost", "20", "--json").json["job_id"]
    nothing = workshop.hdi("replay", open_job)
    assert nothing.code == 2
    assert "has no completed chunk" in nothing.err


def test_options_that_make_no_sense_are_refused(workshop: Workshop) -> None:
    for options, said in (
        (("--timeout", "5"), "--timeout only makes sense with --wait"),
        (("--strict",), "--strict only makes sense with --wait"),
        (("--json", "--quiet"), "exclude each other"),
    ):
        refused = workshop.hdi("replay", "@last", *options)
        assert (refused.code, said in refused.err) == (2, True), refused.err
