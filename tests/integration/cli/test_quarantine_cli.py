"""`hdi quarantine list`, `show`, `discard`: refused records are found by reason and explained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ingestor.simulator.market import DAY, MONDAY
from tests.integration.cli.conftest import Desk
from tests.integration.cli.quarantines import (
    NAMELESS,
    Ward,
    nameless,
    rule,
    some_trades,
    timeless,
    ward,
)

SMALL = rule("size-large", "size > 3")


@pytest.fixture(name="ward")
def made_ward(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ward:
    made = ward(desk, tmp_path)
    monkeypatch.setenv("HDI_CONFIG_DIR", str(made.settings.config_dir))
    return made


def test_the_list_counts_rules_and_then_names_the_records(ward: Ward) -> None:
    """Which rule refused most is seen first; a symbol where one is known."""
    ward.rules(SMALL)
    job = ward.load_records(timeless(some_trades(), 9))
    lines = [line.split("\t") for line in ward.quarantine("list").stdout.splitlines()]

    assert lines[:3] == [["rule", "records"], ["size-large", "3"], ["ts_recv.required", "1"]]
    assert lines[4] == ["id", "chunk", "job", "rule", "symbol", "time", "value", "reason"]
    assert lines[5] == [
        "1", "1", str(job)[:8], "size-large", "ESM4", "2024-03-11T00:00:00.000000000Z", "size 1",
        "it is not size-large",
    ]  # fmt: skip
    assert lines[8][3:6] == ["ts_recv.required", "ESM4", ""]
    assert len(lines) == 9


def test_an_empty_quarantine_is_a_sentence_not_a_record(ward: Ward) -> None:
    """A pipe must not read it as one."""
    result = ward.quarantine("list")

    assert result.stdout == ""
    assert result.stderr == "nothing in quarantine matches\n"


def test_the_list_says_how_many_more_there_are(ward: Ward) -> None:
    """Counts are of all that match, whatever the limit."""
    ward.rules(SMALL)
    ward.load_records(some_trades())
    told = ward.json("list", "--limit", "1")

    assert (told["total"], told["more"], len(told["records"])) == (3, 2, 1)
    assert told["rules"] == {"size-large": 3}
    assert "2 more of 3" in ward.quarantine("list", "--limit", "1").stderr


def test_filters_narrow_the_list_together(ward: Ward) -> None:
    """Job, rule, symbol or id, dataset, day or days."""
    ward.rules(SMALL, rule("price-known", "price is not null"))
    two_days = np.concatenate([some_trades(2), nameless(some_trades(4, start=MONDAY + DAY))])
    job = ward.load_records(two_days, days=2)

    def found(*words: str) -> list[int]:
        return [each["id"] for each in ward.json("list", *words)["records"]]

    assert found() == found("--job", str(job)[:8]) == [1, 2, 3, 4, 5]
    assert found("--rule", "size-large", "--dataset", "GLBX.MDP3") == [1, 2, 3, 4, 5]
    assert found("--rule", "price-known") == found("--dataset", "XNAS.ITCH") == []
    assert found("--symbol", "ESM4") == found("--date", "2024-03-11") == [1, 2]
    assert found("--symbol", str(NAMELESS)) == found("--start", "2024-03-12") == [3, 4, 5]
    assert found("--end", "2024-03-12", "--symbol", "ESM4") == [1, 2]
    assert found("--date", "2024-03-12", "--symbol", "ESM4") == []
    shown = ward.json("list", "--date", "2024-03-12")["records"][0]
    assert (shown["symbol"], shown["instrument_id"]) == (None, NAMELESS)


def test_a_record_without_a_time_counts_at_the_end_of_its_chunk(ward: Ward) -> None:
    """As in exports: one day has it, no other."""
    two_days = np.concatenate([some_trades(2), timeless(some_trades(2, start=MONDAY + DAY), 1)])
    ward.load_records(two_days, days=2)

    assert ward.json("list", "--date", "2024-03-11")["records"] == []
    assert [each["time"] for each in ward.json("list", "--date", "2024-03-12")["records"]] == [None]


def test_flagged_records_are_listed_and_those_not_kept_are_counted(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only so many are kept per chunk and rule; receipts have them all."""
    store = ward.settings.store.model_copy(update={"flags_kept": 2})
    settings = ward.settings.model_copy(update={"store": store})
    few = Ward(ward.place, settings, ward.folder)
    few.rules(rule("size-small", "size < 6", "flag"))
    job = few.load_records(some_trades())
    told = few.json("list", "--flagged", "--job", str(job))

    assert few.sizes() == list(range(1, 11))
    assert (told["kept"], told["rules"]) == ("flagged", {"size-small": 2})
    assert [each["value"] for each in told["records"]] == ["size 6", "size 7"]
    assert told["counted_not_kept"] == {"size-small": 3}
    said = few.quarantine("list", "--flagged").stderr
    assert "size-small: 3 more flagged in these jobs are counted in receipts and not kept" in said
    assert few.json("list", "--flagged", "--rule", "other")["counted_not_kept"] == {}


def test_flags_of_a_chunk_that_was_loaded_again_are_hidden(ward: Ward) -> None:
    """The records are stored once, and so they are flagged once, by the rules of that load."""
    ward.rules(rule("size-small", "size < 6", "flag"))
    job = ward.load_records(some_trades())
    ward.rules(rule("size-small", "size < 9", "flag"))
    ward.replay_job(job)

    told = ward.json("list", "--flagged")
    assert [each["value"] for each in told["records"]] == ["size 9", "size 10"]
    assert (told["hidden"], told["counted_not_kept"]) == (5, {})
    assert ward.json("list", "--flagged", "--all")["total"] == 7


def test_a_record_is_explained_field_by_field(ward: Ward) -> None:
    """As delivered, as it would be stored, why not; the rule as it is today, and what it says."""
    ward.rules(SMALL)
    ward.load_records(timeless(some_trades(), 9))
    told = ward.json("show", "1")
    fields = {each["column"]: each for each in told["fields"]}

    assert fields["price"] == {
        "column": "price", "delivered": "5200000000000", "stored": "5200.000000000", "reasons": [],
    }  # fmt: skip
    assert fields["size"]["reasons"] == ["it is not size-large"]
    assert fields["ts_recv"]["stored"] == "2024-03-11T00:00:00.000000000Z"
    assert told["rule"] == {
        "id": "size-large", "check": "size > 3", "severity": "quarantine",
        "reason": "it is not size-large",
    }  # fmt: skip
    assert (told["rules_changed"], told["today"]["accepted"]) == (False, False)
    assert told["today"]["rule"] == "size-large"


def test_what_no_row_can_hold_is_told_as_such(ward: Ward) -> None:
    """No rule file will ever let it through."""
    ward.load_records(timeless(some_trades(), 9))
    said = ward.quarantine("show", "1").stdout

    assert "the table's own: no row can hold what breaks it" in said
    assert "refused: ts_recv.required: ts_recv is undefined, and the key needs it" in said
    assert "ts_recv\t18446744073709551615\t\tts_recv is undefined" in said


def test_show_says_what_changed_rules_make_of_a_record(ward: Ward) -> None:
    """Loosened, it is accepted, maybe with a flag; taken out, the rule is in no file any more."""
    ward.rules(SMALL)
    ward.load_records(some_trades())
    ward.rules(rule("size-large", "size > 1"), rule("size-odd", "size != 2", "flag"))
    said = ward.quarantine("show", "2").stdout
    ward.rules()

    assert "size > 1 (quarantine); the rule files have changed since" in said
    assert "accepted; flagged by size-odd: `hdi quarantine replay 2` stores it" in said
    assert "is in no rule file any more" in ward.quarantine("show", "2").stdout


def test_bytes_that_are_no_record_are_shown_without_fields(ward: Ward) -> None:
    """Somebody else's table may hold anything; that is no reason to fail."""
    ward.rules(SMALL)
    ward.load_records(some_trades())
    ward.as_owner("UPDATE ingest.quarantine SET raw = '\\x00' WHERE quarantine_id = 1")

    assert "cannot be judged: its bytes are no record" in ward.quarantine("show", "1").stdout
    assert ward.json("show", "1")["fields"] == []


def test_discarded_records_keep_their_trace(ward: Ward) -> None:
    """Who, when and why; they are listed no more, unless all are."""
    ward.rules(SMALL)
    ward.load_records(some_trades())
    result = ward.quarantine("discard", "1", "2", "--reason", "test trades", "--yes")
    listed = {each["id"]: each for each in ward.json("list", "--all")["records"]}

    assert result.stdout == "2 records discarded\n"
    assert ward.waiting() == [3]
    assert listed[1]["resolution"] == "discarded"
    assert listed[1]["resolved_reason"].endswith(": test trades")
    assert "@" in listed[1]["resolved_reason"]
    assert "2 others resolved or superseded: --all" in ward.quarantine("list").stderr
    assert "discarded by" in ward.quarantine("list", "--all").stdout
    ward.require_sums()


def test_discard_takes_filters_and_leaves_what_was_resolved(ward: Ward) -> None:
    """What somebody has discarded keeps the first reason."""
    ward.rules(SMALL)
    ward.load_records(some_trades())
    ward.quarantine("discard", "1", "--reason", "first")
    result = ward.quarantine("discard", "--rule", "size-large", "--reason", "second")
    reasons = [each["resolved_reason"] for each in ward.json("list", "--all")["records"]]

    assert result.stdout == "2 records discarded\n"
    assert [reason.rpartition(": ")[2] for reason in reasons] == ["first", "second", "second"]
    again = ward.quarantine("discard", "--rule", "size-large", "--reason", "third")
    assert again.stdout == "nothing in quarantine matches\n"


def test_ids_that_are_not_there_or_not_open_are_refused_whole(ward: Ward) -> None:
    """Nothing is done where one of them is wrong."""
    ward.rules(SMALL)
    ward.load_records(some_trades())
    ward.quarantine("discard", "1", "--reason", "x")

    assert ward.refusal("show", "99") == "99 is no record of quarantine"
    assert "98, 99 are no records" in ward.refusal("discard", "2", "98", "99", "--reason", "x")
    assert "record 1 was discarded already" in ward.refusal("discard", "2", "1", "--reason", "x")
    assert "99 is no record of quarantine" in ward.refusal("replay", "2", "99")
    assert ward.waiting() == [2, 3]
    assert "is called" in ward.refusal("list", "--job", "nosuchjob")


def test_a_status_with_quarantined_records_says_how_to_see_them(ward: Ward) -> None:
    """The command can be pasted."""
    ward.rules(SMALL)
    job = ward.load_records(some_trades())
    said = ward.hdi("status", str(job)).stderr

    assert f"3 records quarantined; hdi quarantine list --job {str(job)[:8]} says why" in said
