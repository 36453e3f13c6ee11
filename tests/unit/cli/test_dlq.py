"""What `hdi dlq` refuses before it asks a database, and what it prints for people."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from ingestor import errors
from ingestor.cli import reasons
from ingestor.cli.dlq_output import print_again, print_history, print_listing
from ingestor.cli.letter_files import Target
from ingestor.cli.main import cli
from ingestor.cli.output import one_line
from ingestor.errors import IngestError, LocalFault
from ingestor.insights.letters import Listing, Told, codes_known
from ingestor.insights.remedies import OTHERWISE, REMEDIES, remedy
from ingestor.store.cases import Case
from ingestor.vocabulary import ChunkState
from tests.unit.test_dead_letters import LETTER, NOON, TRIED

JOB = LETTER.job_id
CASE = Case(
    chunk_id=12, job_id=JOB, state=ChunkState.FAILED, paused=False, lettered=True, resolution="",
    note="", release_of=None,
)  # fmt: skip


def refused(*words: str) -> str:
    """What a command line that makes no sense is told."""
    result = CliRunner().invoke(cli, ["dlq", *words], standalone_mode=False)
    assert isinstance(result.exception, click.UsageError), result.exception
    assert result.exception.exit_code == 2
    return result.exception.format_message()


@pytest.mark.parametrize("command", [("retry",), ("discard", "--reason", "x")])
def test_chunks_or_filters_one_of_them(command: tuple[str, ...]) -> None:
    """Everything is meant only where somebody says so; both would be ambiguous."""
    assert refused(*command).startswith("give chunks or filters")
    assert "exclude each other" in refused(*command, "12", "--code", "X")
    assert "exclude each other" in refused(*command, "12", "--job", "x")


def test_all_letters_must_be_asked_for() -> None:
    """Only where it does no harm: to discard everything there is no option."""
    assert refused("retry").endswith("or --all for all open letters.")
    assert "exclude each other" in refused("retry", "12", "--all")
    assert "No such option" in refused("discard", "--reason", "x", "--all")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("list", "--code", "a b"), "'a b' is no code of an error"),
        (("list", "--code", ""), "'' is no code of an error"),
        (("list", "--job", " "), "a job is a prefix of its id"),
        (("list", "--limit", "-1"), "-1 is not in the range"),
        (("show", "x"), "'x' is not a valid integer"),
        (("show", str(2**31)), "is not in the range"),
        (("discard", "12"), "Missing option '--reason'"),
        (("discard", "12", "--reason", " "), "--reason is empty"),
        (("discard", "12", "--reason", "x" * 1501), "longer than 1,500 bytes"),
        (("export",), "give one of --output and --folder"),
        (("export", "-o", "x.csv", "--folder", "x"), "exclude each other"),
        (("export", "--folder", "x", "--overwrite"), "--folder has neither"),
        (("export", "-o", "x.xml"), "ends in none of .json, .jsonl and .csv"),
        (("export", "-o", "/"), "--format says which is meant"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(words: tuple[str, ...], said: str) -> None:
    """With what was found and what is allowed."""
    assert said in refused(*words)


def test_a_reason_is_kept_with_who_gave_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without secrets; a user without a name, as containers have them, is told by number."""
    said = reasons.reasoned(" see postgresql://hdi:hushhush@db/x ")
    assert said.endswith(": see postgresql://hdi:***@db/x")

    def nobody() -> str:
        raise KeyError

    monkeypatch.setattr("getpass.getuser", nobody)
    assert reasons.reasoned("x").startswith("uid ")


def test_a_listing_ends_with_what_it_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr: a pipe gets letters alone."""
    found = Listing({"CorruptPayload": 3}, (Told(LETTER),), 2)
    print_listing(found, closed=False)
    said = capsys.readouterr()

    assert said.out.splitlines()[:2] == ["error\tletters", "CorruptPayload\t3"]
    assert said.out.splitlines()[-1].endswith("\t1\t2024-03-11 12:00:00\tCorruptPayload: cut at 12")
    assert said.err.splitlines()[:2] == [
        "2 more of 3: --limit shows more of them",
        "2 others retried or discarded: --all lists them too",
    ]


@pytest.mark.parametrize(
    ("letter", "told"),
    [
        (LETTER, "open"),
        (replace(LETTER, resolution="retried", resolved_at=NOON), "retried 2024-03-11 12:00:00"),
        (
            replace(LETTER, resolution="discarded", resolved_at=NOON, note="me@host: x"),
            "discarded 2024-03-11 12:00:00 by me@host: x",
        ),
    ],
)
def test_what_became_of_a_letter_is_told(
    letter: object, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    print_history([Told(letter)])  # type: ignore[arg-type]

    assert f": {told}\n" in capsys.readouterr().out


def test_a_letter_without_payload_symbols_or_attempts_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing is made up; text of other people moves no cursor."""
    bare = replace(LETTER, payload=None, symbols=(), tried=(), error_text="a\x1b[2Jb\nc")
    print_history([Told(bare)])
    said = capsys.readouterr()

    assert "payload  none came\n" in said.out
    assert "symbols  all of the payload's\n" in said.out
    assert "a\\x1b[2Jb\\nc" in said.out
    assert "attempt\tworker" not in said.out
    many = replace(LETTER, symbols=tuple(f"S{at}" for at in range(2_000)))
    print_history([Told(many)])
    assert "symbols  S0, S1, S2, S3, S4 and 1,995 more\n" in capsys.readouterr().out


def test_the_next_command_is_of_who_can_do_it() -> None:
    """A retry, the command that stores quarantined records, or none."""
    assert Told(LETTER).next == LETTER.next == "hdi dlq retry 12"
    assert Told(LETTER, UUID(int=2)).next == "hdi quarantine replay --job 00000000"
    done = Told(replace(LETTER, state=ChunkState.COMPLETED))
    assert (done.next, done.remedy) == ("hdi status 00000000", "")


def test_a_remedy_is_of_an_error_that_there_is() -> None:
    """A code that was renamed is reminded of its words; what has none gets some all the same."""
    assert set(REMEDIES) <= set(codes_known())
    assert remedy("WordOfOld") == OTHERWISE
    for code in codes_known():
        kind: type[IngestError] = getattr(errors, code)
        assert not remedy(code).endswith("."), kind
        assert "\n" not in remedy(code)


def test_of_chunks_that_start_again_each_job_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """And what keeps the others."""
    release = replace(CASE, chunk_id=13, release_of=UUID(int=2))
    print_again({JOB: 2}, [CASE, replace(CASE, chunk_id=14, paused=True), release])
    said = capsys.readouterr()

    assert said.out == "2 chunks of job 00000000 start again\n"
    assert "chunk 13 was to store quarantined records and is left out: `hdi quarantine" in said.err
    assert "job 00000000 is paused: hdi resume 00000000 lets it go on" in said.err
    print_again({}, [])
    assert capsys.readouterr().out == "no dead letter matches\n"
    print_again({JOB: 0}, [CASE])
    assert capsys.readouterr().out == "no chunk starts again\n"


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)


@given(text=TEXT, note=TEXT, name=TEXT, symbols=st.lists(TEXT, max_size=3))
def test_a_file_gives_back_what_went_into_it(
    text: str, note: str, name: str, symbols: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Quotes, commas, line ends and tabs; a letter is a line of CSV and of JSON."""
    folder = tmp_path_factory.mktemp("letters")
    letter = replace(
        LETTER, error_text=text, note=note, job_name=name, symbols=tuple(symbols), tried=(TRIED,)
    )
    found = [Told(letter), Told(LETTER)]
    for form in ("json", "jsonl", "csv"):
        Target(folder / form, form).write(found)
    whole = json.loads((folder / "json").read_bytes())
    lines = [json.loads(each) for each in (folder / "jsonl").read_bytes().splitlines()]
    cells = list(csv.DictReader(io.StringIO((folder / "csv").read_bytes().decode(), newline="")))

    assert whole == lines
    assert whole[0]["error"]["text"] == text
    assert whole[0]["request"]["symbols"] == symbols
    assert len(cells) == 2
    assert cells[0]["job_name"] == one_line(name)
    assert cells[0]["symbols"] == one_line(",".join(symbols))
    assert cells[1]["error_text"] == "cut at 12"
    assert dt.datetime.fromisoformat(cells[0]["failed_at"]) == NOON
    assert sorted(path.name for path in folder.iterdir()) == ["csv", "json", "jsonl"]


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    """What was there is as it was."""
    (tmp_path / "x.csv").mkdir()
    with pytest.raises(LocalFault, match=r"x\.csv cannot be written"):
        Target(tmp_path / "x.csv", "csv").write([Told(LETTER)])

    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]
