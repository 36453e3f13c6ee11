"""What `hdi quarantine` refuses before it asks a database, and what it prints for people."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import replace
from typing import Any
from uuid import UUID

import click
import pytest
from click.testing import CliRunner

from ingestor.cli.main import cli
from ingestor.cli.quarantine_output import print_explanation, print_listing, print_replayed
from ingestor.insights.quarantine import Listing
from ingestor.insights.refusal import Explanation, RuleNow, Today
from ingestor.replay.outcome import Replayed
from ingestor.replay.retrial import Why
from ingestor.store.refused import Entry
from ingestor.vocabulary import Dataset, Schema

NOON = dt.datetime(2024, 3, 11, 12, tzinfo=dt.UTC)
ENTRY = Entry(
    id=12, chunk_id=3, job_id=UUID(int=1), source="dbn-files", dataset=Dataset("GLBX.MDP3"),
    schema=Schema.TRADES, position=17, rule="size-large", field="size", value="size 1",
    reason="it is small", publisher_id=1, instrument_id=17_077, symbol="ESM4", index_ns=5,
    ordinal=0, rules_hash="a", readable=None, recorded_at=NOON, resolution=None, resolved_at=None,
    resolved_by=None, resolved_reason=None, superseded_by=None,
)  # fmt: skip
TODAY = Explanation(
    ENTRY, (), RuleNow("size-large", "size > 3", "quarantine", "x"), False, False, Today(True)
)


def refused(*words: str) -> str:
    """What a command line that makes no sense is told."""
    result = CliRunner().invoke(cli, ["quarantine", *words], standalone_mode=False)
    assert isinstance(result.exception, click.UsageError), result.exception
    assert result.exception.exit_code == 2
    return result.exception.format_message()


@pytest.mark.parametrize("command", [("replay",), ("discard", "--reason", "x")])
def test_ids_or_filters_one_of_them(command: tuple[str, ...]) -> None:
    """Everything is meant only where somebody says so; both would be ambiguous."""
    assert refused(*command).startswith("give ids or filters")
    assert "exclude each other" in refused(*command, "12", "--rule", "x")


def test_all_of_quarantine_must_be_asked_for() -> None:
    """Only where it does no harm: to discard everything there is no option."""
    assert refused("replay").endswith("or --all-matching for everything.")
    assert "exclude each other" in refused("replay", "12", "--all-matching")
    assert "No such option" in refused("discard", "--reason", "x", "--all-matching")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("list", "--date", "2024-03-11", "--start", "2024-03-11"), "--date and --start exclude"),
        (("list", "--date", "2024-03-11", "--end", "2024-03-12"), "--date and --end exclude"),
        (("list", "--start", "2024-03-12", "--end", "2024-03-12"), "must be after --start"),
        (("list", "--rule", " "), "--rule is empty"),
        (("list", "--symbol", ""), "--symbol is empty"),
        (("list", "--dataset", "glbx.mdp3"), "Did you mean 'GLBX.MDP3'?"),
        (("show", "x"), "'x' is not a valid integer"),
        (("show", "0"), "0 is not in the range"),
        (("discard", "12"), "Missing option '--reason'"),
        (("discard", "12", "--reason", "  "), "--reason is empty"),
        (("replay", str(2**63)), "is not in the range"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(words: tuple[str, ...], said: str) -> None:
    """With what was found and what is allowed."""
    assert said in refused(*words)


def test_a_listing_ends_with_what_it_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr: a pipe gets records alone."""
    found = Listing("flagged", {"size-large": 3}, (ENTRY,), 2, {"size-large": 4})
    print_listing(found, everything=False)
    said = capsys.readouterr()

    assert said.out.splitlines()[-1].startswith("12\t3\t00000000\tsize-large\tESM4\t1970-01-01T")
    more, hidden, counted = said.err.splitlines()
    assert more == "2 more of 3: --limit shows more of them"
    assert hidden == "2 others of chunks loaded again since: --all lists them too"
    assert counted.startswith("size-large: 4 more flagged in these jobs are counted in receipts")


@pytest.mark.parametrize(
    ("entry", "state"),
    [
        (replace(ENTRY, resolution="replayed", resolved_by=9), "replayed by chunk 9"),
        (replace(ENTRY, resolution="discarded", resolved_reason="me: x"), "discarded by me: x"),
        (replace(ENTRY, superseded_by=9), "superseded by chunk 9"),
        (ENTRY, "waits"),
    ],
)
def test_the_state_of_a_record_is_told(
    entry: Entry, state: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """And only one that may still be stored is said to be replayable."""
    print_explanation(replace(TODAY, entry=entry))
    said = capsys.readouterr().out

    assert f"12 of quarantine, {state}\n" in said
    assert ("hdi quarantine replay 12" in said) == (state == "waits" or "me" in state)


def test_an_instrument_without_a_name_is_told_by_its_id(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing is made up."""
    print_listing(Listing("refused", {"x": 1}, (replace(ENTRY, symbol=None),)), everything=False)

    assert "\t17077\t" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"rule": "instrument_id.unread"}, ""),
        ({"rule": "ts_event.unread", "readable": {"instrument_id": None}}, ""),
        ({"rule": "size-large", "readable": {"instrument_id": 0}}, "0"),
        ({"rule": "size-large"}, "0"),
    ],
)
def test_an_instrument_that_could_not_be_read_is_not_told_as_0(
    changes: dict[str, Any], shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Zero stands in its column; an id of 0 that was delivered is one."""
    entry = replace(ENTRY, symbol=None, instrument_id=0, **changes)
    print_listing(Listing("refused", {"x": 1}, (entry,)), everything=False)

    assert capsys.readouterr().out.splitlines()[-1].split("\t")[4] == shown


def test_text_of_a_payload_cannot_move_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    """A symbol of a venue holds any bytes, and so does a value."""
    odd = replace(ENTRY, symbol="ES\x1b[2J", value="a\tb\n")
    print_listing(Listing("refused", {"x": 1}, (odd,)), everything=False)
    last = capsys.readouterr().out.splitlines()[-1].split("\t")

    assert (last[4], last[6]) == (r"ES\x1b[2J", r"a\tb\n")


def test_a_replay_tells_what_stays_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    """Also what another command has resolved meanwhile."""
    staying = Counter({("size-large", Why.RULE): 2, ("price-high", Why.UNPLACED): 1})
    print_replayed(Replayed(5, (), staying, 2, (UUID("ab" * 16),)))
    lines = capsys.readouterr().out.splitlines()

    assert lines[0] == "0 of 5 records replayed: 0 stored, 0 there already"
    assert lines[1] == "2 were resolved by another command meanwhile"
    assert lines[2] == "3 stay in quarantine:"
    assert lines[4] == "size-large\t2\ttoday's rules refuse it"
    assert lines[5] == "price-high\t1\tits place among records of its key was not kept"
    assert lines[6].startswith("`hdi replay abababab` loads the payloads again")
