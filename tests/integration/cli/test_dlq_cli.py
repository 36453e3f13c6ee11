"""`hdi dlq`, `hdi pause`, `hdi resume`: what an operator does about chunks that failed."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import pytest
from click.testing import Result

from ingestor.errors import BrokerUnavailable, IngestError, UnknownJob
from ingestor.insights import letters
from ingestor.store import ledger
from ingestor.store.database import Database
from ingestor.vocabulary import ChunkState
from tests.integration.cli.conftest import Desk, open_chunks
from tests.loads import Bench
from tests.plans import claimed, submitted

SECRET = "hushhush"
DAMAGED = ("CorruptPayload", f"postgresql://hdi:{SECRET}@db/x is\ndamaged")
CUT = ("TruncatedPayload", "cut at 12")


def dlq(desk: Desk, *words: str) -> Result:
    """`hdi dlq …`, which must end well."""
    result = desk.hdi("dlq", *words)
    assert result.exception is None, result.exception
    assert SECRET not in result.stdout + result.stderr
    return result


def refusal(desk: Desk, *words: str) -> tuple[str, str]:
    """Message and hint of a command that is used wrongly."""
    error = desk.hdi(*words).exception
    assert getattr(error, "exit_code", None) == 2, error
    if isinstance(error, click.ClickException):
        return error.format_message(), ""
    assert isinstance(error, IngestError)
    return error.message, error.hint


def failed(desk: Desk, *errors: tuple[str, str], good: int = 0) -> tuple[UUID, list[int]]:
    """A job that ended: a chunk failed of each error, after them `good` ones that wait."""

    async def work(bench: Bench) -> tuple[UUID, list[int]]:
        job_id, ids = await submitted(bench.database, len(errors) + good)
        for chunk_id, (code, text) in zip(ids, errors, strict=False):
            await fail(bench.database, chunk_id, code, text)
        await ledger.end_job(bench.database, job_id)
        return job_id, ids

    return desk.do(work)


async def fail(database: Database, chunk_id: int, code: str, text: str) -> None:
    claim = await claimed(database, chunk_id)
    assert await ledger.fail(database, claim, code=code, text=text)


def fetch(desk: Desk, query: str, *values: Any) -> list[tuple[Any, ...]]:
    async def work(bench: Bench) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await bench.database.fetch(query, *values)]

    return desk.do(work)


def chunks(desk: Desk) -> dict[int, tuple[str, int]]:
    """State and attempt by chunk."""
    return {
        chunk: (state, attempt)
        for chunk, state, attempt in fetch(
            desk, "SELECT chunk_id, state, attempt FROM ingest.chunks ORDER BY chunk_id"
        )
    }


def closed(desk: Desk) -> dict[int, str | None]:
    """How each chunk's letter was closed."""
    query = "SELECT chunk_id, resolution FROM ingest.dead_letters ORDER BY dead_letter_id"
    return dict(fetch(desk, query))


def rows_of(result: Result, head: str) -> list[list[str]]:
    """Lines of the table whose header begins so."""
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    at = next(at for at, line in enumerate(lines) if line[0] == head)
    return [line for line in lines[at + 1 :] if len(line) == len(lines[at])]


# --- list and show -------------------------------------------------------------------------------


def test_without_letters_the_list_is_empty_and_says_so_on_stderr(desk: Desk) -> None:
    """A pipe must not read a sentence as a letter."""
    result = dlq(desk, "list")

    assert (result.stdout, result.stderr) == ("", "no dead letter matches\n")
    assert json.loads(dlq(desk, "list", "--json").stdout) == {
        "schema_version": 1, "total": 0, "codes": {}, "letters": [], "more": 0, "hidden": 0,
    }  # fmt: skip


def test_the_list_counts_per_error_and_shows_the_latest_first(desk: Desk) -> None:
    """An error of several lines is one line; passwords are taken out."""
    job_id, (a, b, c) = failed(desk, CUT, DAMAGED, CUT)
    result = dlq(desk, "list", "--limit", "2")

    assert rows_of(result, "error")[:2] == [["TruncatedPayload", "2"], ["CorruptPayload", "1"]]
    assert [(row[0], row[1], row[2], row[4]) for row in rows_of(result, "chunk")] == [
        (str(c), str(job_id)[:8], "GLBX.MDP3 trades", "1"),
        (str(b), str(job_id)[:8], "GLBX.MDP3 trades", "1"),
    ]
    assert (
        rows_of(result, "chunk")[1][-1] == "CorruptPayload: postgresql://hdi:***@db/x is\\ndamaged"
    )
    assert "1 more of 3: --limit shows more of them" in result.stderr
    assert a not in [int(row[0]) for row in rows_of(result, "chunk")]


def test_filters_choose_by_job_and_error(desk: Desk) -> None:
    """They join with *and*."""
    first, (a, b) = failed(desk, CUT, DAMAGED)
    failed(desk, CUT)

    def listed(*words: str) -> list[int]:
        found = json.loads(dlq(desk, "list", *words, "--json").stdout)
        return [each["chunk_id"] for each in found["letters"]]

    assert listed("--job", str(first)) == [b, a]
    assert len(listed("--code", "TruncatedPayload")) == 2
    assert listed("--job", str(first)[:13], "--code", "TruncatedPayload") == [a]
    assert listed("--code", "LocalFault") == []


def test_letters_that_are_closed_are_listed_where_they_are_asked_for(desk: Desk) -> None:
    """The list says that there are some."""
    _, (a, b) = failed(desk, CUT, CUT)
    dlq(desk, "discard", str(a), "--reason", "the venue was closed")
    result = dlq(desk, "list")

    assert [row[0] for row in rows_of(result, "chunk")] == [str(b)]
    assert "1 other retried or discarded: --all lists them too" in result.stderr
    every = dlq(desk, "list", "--all")
    assert [(row[0], row[6]) for row in rows_of(every, "chunk")] == [
        (str(b), "open"), (str(a), "discarded"),
    ]  # fmt: skip
    assert json.loads(dlq(desk, "list", "--all", "--json").stdout)["hidden"] is None


def test_a_letter_tells_request_payload_attempts_and_what_next(desk: Desk) -> None:
    """Those of the chunk's first life, too."""
    job_id, (chunk,) = failed(desk, CUT)
    dlq(desk, "retry", str(chunk))

    async def again(bench: Bench) -> None:
        await fail(bench.database, chunk, *DAMAGED)
        await ledger.end_job(bench.database, job_id)

    desk.do(again)
    result = dlq(desk, "show", str(chunk))
    told = json.loads(dlq(desk, "show", str(chunk), "--json").stdout)

    assert f"{chunk} of job {str(job_id)[:8]} test, failed" in result.stdout
    assert "2024-03-11T00:00:00.000000000Z to 2024-03-12" in result.stdout
    assert "ESM4" in result.stdout
    assert f"/nowhere/a.dbn (100 bytes, sha256 {'ab' * 32})" in result.stdout
    tried = rows_of(result, "attempt")
    assert [(row[0], row[1], row[4]) for row in tried] == [("1", "w/1", "failed")] * 2
    assert [row[5].split(":")[0] for row in tried] == ["TruncatedPayload", "CorruptPayload"]
    assert "before: of" in result.stderr
    assert result.stderr.endswith(f"next: hdi dlq retry {chunk}\n")
    assert (told["schema_version"], told["chunk_id"], told["fence"]) == (1, chunk, 4)
    assert [each["error"]["code"] for each in told["earlier"]] == ["TruncatedPayload"]
    assert told["earlier"][0]["resolution"] == "retried"
    assert told["remedy"]
    dlq(desk, "discard", str(chunk), "--reason", "the latest letter counts")
    assert fetch(desk, "SELECT resolution FROM ingest.dead_letters ORDER BY 1") == [
        ("discarded",), ("retried",),
    ]  # fmt: skip


def test_of_a_chunk_that_goes_on_the_letter_asks_for_nothing(desk: Desk) -> None:
    job_id, (chunk,) = failed(desk, CUT)
    dlq(desk, "retry", str(chunk))
    told = json.loads(dlq(desk, "show", str(chunk), "--json").stdout)

    assert (told["remedy"], told["next"]) == ("", f"hdi status {str(job_id)[:8]}")
    assert (told["state"], told["resolution"]) == ("queued", "retried")


@pytest.mark.parametrize(
    "words",
    [("show",), ("retry",), ("discard", "--reason", "x")],
)
def test_chunks_that_mean_nothing_are_told(desk: Desk, words: Sequence[str]) -> None:
    """Unknown ones, and those that never failed; nothing is changed for the others."""
    job_id, (chunk, good) = failed(desk, CUT, good=1)
    unknown = refusal(desk, "dlq", *words, "999")
    unlettered = refusal(desk, "dlq", *words, str(good))

    assert unknown[0] == "999 is no chunk of this ledger"
    assert "hdi dlq list" in unknown[1]
    assert unlettered[0] == f"{good} has no dead letter; chunk {good} is pending"
    assert str(job_id)[:8] in unlettered[1]
    if words != ("show",):
        refusal(desk, "dlq", *words, str(chunk), "999")
    assert closed(desk) == {chunk: None}


def test_filters_that_name_nothing_are_told(desk: Desk) -> None:
    """With near misses; a job that is none is as everywhere."""
    failed(desk, CUT)

    assert refusal(desk, "dlq", "list", "--code", "Truncated") == (
        "no error has the code 'Truncated'", "did you mean TruncatedPayload?",
    )  # fmt: skip
    assert refusal(desk, "dlq", "retry", "--code", "corruptpayload")[1] == (
        "did you mean CorruptPayload?"
    )
    error = desk.hdi("dlq", "list", "--job", "marsh").exception
    assert isinstance(error, UnknownJob)


def test_a_code_of_an_older_version_is_known_by_its_letters(desk: Desk) -> None:
    failed(desk, ("WordOfOld", "x"))

    assert "WordOfOld" in dlq(desk, "list", "--code", "WordOfOld").stdout


# --- retry ---------------------------------------------------------------------------------------


def test_a_retried_chunk_is_queued_at_once_and_its_letter_closed(desk: Desk) -> None:
    """Attempts start at 1, the trace stays, and the job runs again."""
    job_id, (a, b) = failed(desk, CUT, DAMAGED)
    result = dlq(desk, "retry", str(a), str(a))

    assert result.stdout == f"1 chunk of job {str(job_id)[:8]} starts again\n"
    assert chunks(desk) == {a: ("queued", 0), b: ("failed", 1)}
    assert closed(desk) == {a: "retried", b: None}
    assert fetch(desk, "SELECT state FROM ingest.jobs") == [("running",)]
    assert fetch(desk, "SELECT count(*) FROM ingest.attempts") == [(2,)]


def test_a_retried_chunk_loads_as_if_it_were_new(desk: Desk) -> None:
    """Its rows are there, and the job ends well."""
    job_id = desk.submit("march")
    desk.load(job_id, fail=1)
    dlq(desk, "retry", "--job", "march")
    [(chunk,)] = fetch(desk, "SELECT chunk_id FROM ingest.chunks WHERE state = 'queued'")

    async def work(bench: Bench) -> int:
        claim = await bench.claim(chunk)
        await bench.run(claim)
        await ledger.end_job(bench.database, job_id)
        return claim.attempt

    assert desk.do(work) == 1
    status = json.loads(desk.hdi("status", "march", "--json").stdout)
    assert (status["state"], status["records"]["stored"]) == ("completed", 200)
    assert json.loads(dlq(desk, "list", "--json").stdout)["total"] == 0


def test_chunks_of_several_jobs_are_retried_by_their_error(desk: Desk) -> None:
    """Grouped by job; discarded ones are left out."""
    first, (a, b) = failed(desk, CUT, DAMAGED)
    second, (c, d, e) = failed(desk, CUT, CUT, CUT)
    dlq(desk, "discard", str(e), "--reason", "x")
    result = dlq(desk, "retry", "--code", "TruncatedPayload")

    assert set(result.stdout.splitlines()) == {
        f"1 chunk of job {str(first)[:8]} starts again",
        f"2 chunks of job {str(second)[:8]} start again",
    }
    assert closed(desk) == {a: "retried", b: None, c: "retried", d: "retried", e: "discarded"}
    assert "0 workers online" in result.stderr


def test_all_open_letters_are_retried_where_somebody_says_so(desk: Desk) -> None:
    failed(desk, CUT, DAMAGED)
    failed(desk, CUT)
    dlq(desk, "retry", "--all")

    assert {state for state, _ in chunks(desk).values()} == {"queued"}
    assert dlq(desk, "retry", "--all").stdout == "no dead letter matches\n"


def test_a_discarded_chunk_is_retried_by_its_number(desk: Desk) -> None:
    """People change their minds."""
    _, (chunk,) = failed(desk, CUT)
    dlq(desk, "discard", str(chunk), "--reason", "x")
    dlq(desk, "retry", str(chunk))

    assert chunks(desk) == {chunk: ("queued", 0)}


def test_a_chunk_that_goes_on_is_not_retried(desk: Desk) -> None:
    job_id, (chunk,) = failed(desk, CUT)
    dlq(desk, "retry", str(chunk))
    message, hint = refusal(desk, "dlq", "retry", str(chunk))

    assert message == f"chunk {chunk} is queued, only failed ones are retried"
    assert f"hdi status {str(job_id)[:8]}" in hint


def test_a_cancelled_chunk_is_taken_up_by_its_job(desk: Desk) -> None:
    job_id, (chunk,) = failed(desk, CUT)
    dlq(desk, "retry", str(chunk))
    desk.hdi("cancel", str(job_id))

    assert refusal(desk, "dlq", "retry", str(chunk))[1] == (
        f"hdi retry {str(job_id)[:8]} --only cancelled takes it up again"
    )


@pytest.mark.parametrize("command", ["dlq retry --all", "retry @last"])
def test_with_redis_away_chunks_wait_and_it_is_said(
    desk: Desk, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger has them; a scheduler queues them later. Exit code 6."""
    _, (chunk,) = failed(desk, CUT)
    monkeypatch.setenv("HDI_REDIS_URL", "redis://127.0.0.1:1/0")
    result = desk.hdi(*command.split())
    error = result.exception

    assert isinstance(error, BrokerUnavailable)
    assert error.exit_code == 6
    assert error.message.startswith("not queued yet: ")
    assert "nothing is lost" in error.hint
    assert result.stdout.startswith("1 chunk ")
    assert chunks(desk) == {chunk: ("pending", 0)}


def released(desk: Desk) -> tuple[int, UUID, UUID]:
    """A chunk that was to store quarantined records and failed; its job, and theirs."""
    origin, (refused,) = failed(desk, CUT)
    job_id, (chunk,) = failed(desk, ("ReplayInterrupted", "its command died"))

    async def work(bench: Bench) -> None:
        await bench.database.fetch(
            "UPDATE ingest.chunks SET releases = true, replays = $2 WHERE chunk_id = $1",
            chunk, refused,
        )  # fmt: skip

    desk.do(work)
    return chunk, job_id, origin


def test_a_release_is_told_with_the_command_that_repeats_it(desk: Desk) -> None:
    """By its number it is refused; among others it is left out. `hdi retry` says the same."""
    chunk, job_id, origin = released(desk)
    repeats = f"`hdi quarantine replay --job {str(origin)[:8]}`"
    message, hint = refusal(desk, "dlq", "retry", str(chunk))
    result = dlq(desk, "retry", "--all")

    assert message == f"chunk {chunk} was to store quarantined records, which a retry cannot"
    assert hint.startswith(repeats)
    assert result.stdout == f"1 chunk of job {str(origin)[:8]} starts again\n"
    assert f"chunk {chunk} was to store quarantined records" in result.stderr
    assert repeats in result.stderr
    assert chunks(desk)[chunk][0] == "failed"
    assert json.loads(dlq(desk, "show", str(chunk), "--json").stdout)["next"] == repeats.strip("`")
    assert repeats in desk.hdi("retry", str(job_id)).stdout


# --- discard -------------------------------------------------------------------------------------


def test_a_discarded_letter_is_kept_with_who_and_why(desk: Desk) -> None:
    """Its chunk stays failed, and its job as it ended; a secret in the reason is taken out."""
    _, (a, b) = failed(desk, CUT, CUT)
    result = dlq(desk, "discard", str(a), "--reason", f"known; password={SECRET}")

    assert result.stdout == "1 letter discarded; its chunk stays failed\n"
    assert closed(desk) == {a: "discarded", b: None}
    assert chunks(desk) == {a: ("failed", 1), b: ("failed", 1)}
    [(note,)] = fetch(desk, "SELECT note FROM ingest.dead_letters WHERE chunk_id = $1", a)
    assert "@" in note.partition(": ")[0]
    assert note.partition(": ")[2] == "known; password=***"
    assert "discarded 20" in dlq(desk, "show", str(a)).stdout


def test_letters_are_discarded_by_filters(desk: Desk) -> None:
    job_id, (a, b, c) = failed(desk, CUT, DAMAGED, CUT)
    words = ("discard", "--job", str(job_id), "--code", "TruncatedPayload", "--reason", "x")

    assert dlq(desk, *words).stdout == "2 letters discarded; their chunks stay failed\n"
    assert closed(desk) == {a: "discarded", b: None, c: "discarded"}
    assert dlq(desk, *words).stdout == "no dead letter matches\n"


def test_a_letter_is_discarded_once(desk: Desk) -> None:
    _, (chunk,) = failed(desk, CUT)
    dlq(desk, "discard", str(chunk), "--reason", "first")
    message, hint = refusal(desk, "dlq", "discard", str(chunk), "--reason", "second")

    assert message.startswith(f"the letter of chunk {chunk} was discarded already: ")
    assert message.endswith(": first")
    assert hint == "leave it out"


# --- export --------------------------------------------------------------------------------------


@pytest.fixture
def letters_of(desk: Desk) -> tuple[Desk, list[int]]:
    """Two open letters and a discarded one; their chunks, latest first."""
    _, (a, b, c) = failed(desk, CUT, DAMAGED, CUT)
    dlq(desk, "discard", str(a), "--reason", "x")
    return desk, [c, b, a]


def test_letters_are_exported_as_json_lines_and_csv(letters_of: tuple[Desk, list[int]]) -> None:
    """By the ending of the file; the same letters in each."""
    desk, [c, b, a] = letters_of
    for name in ("x.json", "x.jsonl", "x.csv"):
        result = dlq(desk, "export", "--output", name)
        assert (result.stdout, result.stderr) == ("", f"2 letters to {name}\n")
    whole = json.loads(Path("x.json").read_text())
    lines = [json.loads(line) for line in Path("x.jsonl").read_text().splitlines()]
    with Path("x.csv").open(newline="") as file:
        cells = list(csv.DictReader(file))

    assert [each["chunk_id"] for each in whole] == [c, b]
    assert lines == whole
    assert [int(each["chunk_id"]) for each in cells] == [c, b]
    assert cells[1]["error_text"] == "postgresql://hdi:***@db/x is\\ndamaged"
    assert cells[1]["next"] == f"hdi dlq retry {b}"
    assert cells[1]["start"] == "2024-03-12T00:00:00.000000000Z"
    assert not [path for path in Path().glob("x.*") if SECRET in path.read_text()]
    dlq(desk, "export", "--all", "--code", "TruncatedPayload", "-o", "x.csv", "--overwrite")
    with Path("x.csv").open(newline="") as file:
        assert [int(each["chunk_id"]) for each in csv.DictReader(file)] == [c, a]


def test_letters_are_exported_to_standard_output(letters_of: tuple[Desk, list[int]]) -> None:
    """Lines of JSON, unless another form is asked for."""
    desk, [c, b, _] = letters_of
    lines = dlq(desk, "export", "-o", "-").stdout.splitlines()

    assert [json.loads(line)["chunk_id"] for line in lines] == [c, b]
    assert len(json.loads(dlq(desk, "export", "-o", "-", "--format", "json").stdout)) == 2
    assert dlq(desk, "export", "-o", "-", "--format", "csv").stdout.startswith("letter_id,chunk_id")


def test_a_folder_gets_the_files_that_workers_write(letters_of: tuple[Desk, list[int]]) -> None:
    """For a host that lost them."""
    desk, [c, b, a] = letters_of
    dlq(desk, "export", "--all", "--folder", "lost/dlq")
    files = {path.name: json.loads(path.read_text()) for path in Path("lost/dlq").iterdir()}

    assert set(files) == {f"chunk-{chunk}-1.json" for chunk in (a, b, c)}
    assert files[f"chunk-{b}-1.json"]["next"] == f"hdi dlq retry {b}"
    assert files[f"chunk-{a}-1.json"]["resolution"] == "discarded"
    assert not [name for name, told in files.items() if SECRET in json.dumps(told)]


def test_the_file_of_a_letter_tells_when_somebody_closed_it(desk: Desk) -> None:
    """Files that this host does not have are not made."""
    _, [a, b, c] = failed(desk, CUT, CUT, CUT)
    folder = desk.settings.dlq_dir
    dlq(desk, "export", "--all", "--folder", str(folder))
    (folder / f"chunk-{c}-1.json").unlink()

    dlq(desk, "discard", str(a), str(c), "--reason", "not needed")
    dlq(desk, "retry", str(b))
    told = {path.name: json.loads(path.read_text()) for path in folder.iterdir()}
    assert {name: (each["resolution"], each["state"]) for name, each in told.items()} == {
        f"chunk-{a}-1.json": ("discarded", "failed"),
        f"chunk-{b}-1.json": ("retried", "pending"),
    }


def test_an_export_that_cannot_be_written_says_where(letters_of: tuple[Desk, list[int]]) -> None:
    """And leaves nothing half behind; what is there is not replaced unasked."""
    desk, _ = letters_of
    Path("there.csv").write_text("mine")
    Path("blocked").write_text("")

    assert "exists; --overwrite" in refusal(desk, "dlq", "export", "-o", "there.csv")[0]
    assert "does not exist" in refusal(desk, "dlq", "export", "-o", "nowhere/x.csv")[0]
    assert ".json, .jsonl and .csv" in refusal(desk, "dlq", "export", "-o", "x.txt")[0]
    assert Path("there.csv").read_text() == "mine"
    result = desk.hdi("dlq", "export", "--folder", "blocked/dlq")
    assert getattr(result.exception, "code", None) == "LocalFault"
    assert "blocked/dlq cannot be made" in str(result.exception)
    Path("full/chunk-3-1.json").mkdir(parents=True)
    result = desk.hdi("dlq", "export", "--folder", "full")
    assert "cannot be written after 0 of 2 letters" in str(result.exception)
    assert sorted(path.name for path in Path().iterdir() if path.is_file()) == [
        "blocked", "there.csv",
    ]  # fmt: skip


# --- pause and resume ----------------------------------------------------------------------------


def test_a_paused_job_rests_until_it_is_resumed(desk: Desk) -> None:
    """What waits and what is in progress is said; the status shows it."""
    job_id = desk.submit("march", days=3)

    async def one(bench: Bench) -> None:
        await bench.claim((await open_chunks(bench, job_id))[0])

    desk.do(one)
    paused = desk.hdi("pause", "march")
    short = str(job_id)[:8]

    assert paused.stdout == (
        f"job {short} paused: 2 chunks wait\n1 chunk is in progress and will complete\n"
    )
    assert f"next: hdi resume {short}" in paused.stderr
    assert desk.hdi("pause", "march").stdout.startswith(
        f"job {short} was paused already: 2 chunks wait\n"
    )
    status = desk.hdi("status", "march")
    assert "state    running, paused\n" in status.stdout
    assert f"next: hdi resume {short} lets it go on" in status.stderr
    assert "\trunning, paused\t" in desk.hdi("jobs").stdout

    resumed = desk.hdi("resume", "march")
    assert resumed.stdout == f"job {short} goes on: 2 chunks wait, 1 in progress\n"
    assert "0 workers online" in resumed.stderr
    assert sorted(state for state, _ in chunks(desk).values()) == [
        "in_progress", "queued", "queued",
    ]  # fmt: skip
    assert desk.hdi("resume", "march").stdout == "nothing to resume: the job is not paused\n"
    assert "paused" not in desk.hdi("status", "march").stdout


def test_a_job_that_has_ended_neither_rests_nor_goes_on(desk: Desk) -> None:
    """As `hdi cancel`: said, exit code 0."""
    desk.load(desk.submit("march"))
    for command in ("pause", "resume"):
        result = desk.hdi(command, "march")
        assert result.exception is None
        assert result.stdout == f"nothing to {command}: the job has ended\n"
    assert isinstance(desk.hdi("pause", "marsh").exception, UnknownJob)


@pytest.mark.parametrize("command", ["dlq retry --all", "retry @last"])
def test_chunks_of_a_paused_job_that_start_again_wait_for_it(desk: Desk, command: str) -> None:
    """It is said: nothing would move."""
    job_id, (chunk, _) = failed(desk, CUT, good=1)
    desk.hdi("pause", str(job_id))
    result = desk.hdi(*command.split())

    assert f"job {str(job_id)[:8]} is paused: hdi resume {str(job_id)[:8]}" in result.stderr
    assert chunks(desk)[chunk] == ("pending", 0)


def test_a_resumed_job_waits_for_redis_where_it_is_away(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.submit("march")
    desk.hdi("pause", "march")
    monkeypatch.setenv("HDI_REDIS_URL", "redis://127.0.0.1:1/0")
    result = desk.hdi("resume", "march")

    assert isinstance(result.exception, BrokerUnavailable)
    assert "goes on: 2 chunks wait" in result.stdout
    assert fetch(desk, "SELECT paused FROM ingest.jobs") == [(False,)]


# --- the service behind it -----------------------------------------------------------------------


def test_every_error_that_failed_a_chunk_has_words_of_what_to_do(desk: Desk) -> None:
    """Whatever its code is."""
    failed(desk, CUT, ("IngestError", "unforeseen"), ("WordOfOld", "x"))

    async def work(bench: Bench) -> list[letters.Told]:
        return await letters.told(bench.database, await letters.choice(bench.database, None, None))

    assert all(each.remedy for each in desk.do(work))
    assert {each.letter.state for each in desk.do(work)} == {ChunkState.FAILED}
