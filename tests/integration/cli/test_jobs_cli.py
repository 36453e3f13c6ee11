"""`hdi jobs`, `status`, `watch`, `workers`: answers on stdout, the rest on stderr."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import jsonschema
import pytest
from click.shell_completion import ShellComplete

from ingestor.cli.main import cli
from ingestor.errors import UnknownJob
from ingestor.store import ledger, presence
from tests.conftest import environment
from tests.integration.cli.conftest import Desk, open_chunks
from tests.loads import Bench

SCHEMA = json.loads(
    (Path(__file__).parents[3] / "docs" / "reference" / "status.schema.json").read_text()
)


def test_no_jobs_is_said_with_what_to_do(desk: Desk) -> None:
    """A pipe must not read a sentence as a job."""
    result = desk.hdi("jobs")

    assert result.stdout == ""
    assert "submit one with `hdi-submit`" in result.stderr


def test_jobs_lists_the_newest_first_and_warns_where_nobody_works(desk: Desk) -> None:
    """Only open jobs need somebody."""
    old, new = desk.submit("old"), desk.submit("new")
    desk.load(old)
    result = desk.hdi("jobs")
    head, *rows = [line.split("\t") for line in result.stdout.splitlines()]

    assert head[:4] == ["job", "name", "state", "chunks"]
    assert [row[:4] for row in rows] == [
        [str(new)[:8], "new", "pending", "0/2"],
        [str(old)[:8], "old", "completed", "2/2"],
    ]
    assert "warning: 0 workers online; start one with `hdi worker`" in result.stderr
    assert desk.hdi("jobs", "--state", "failed").stdout == ""


def test_jobs_as_json_holds_the_status_object_of_each(desk: Desk) -> None:
    """And when it was submitted, and from where."""
    desk.submit("march")
    answer = json.loads(desk.hdi("jobs", "--json").stdout)
    [job] = answer["jobs"]
    status = {name: job[name] for name in SCHEMA["required"]}

    jsonschema.validate(status, SCHEMA)
    assert (job["source"], job["priority"], job["finished_at"]) == ("dbn-files", "normal", None)
    assert job["created_at"].startswith("20")


def test_status_as_json_is_the_object_of_the_contract(desk: Desk) -> None:
    """One object, nothing else on stdout, whatever the job's state."""
    job_id = desk.submit("march")
    before = json.loads(desk.hdi("status", "@last", "--json").stdout)
    desk.load(job_id)
    after = json.loads(desk.hdi("status", "march", "--json").stdout)

    for status in (before, after):
        jsonschema.validate(status, SCHEMA)
        assert "progress" not in status
    assert (before["state"], after["state"]) == ("pending", "completed")
    assert after["records"] == {
        "fetched": 200, "stored": 200, "quarantined": 0, "already_stored": 0, "flagged": 0,
    }  # fmt: skip
    assert after["cost_usd"] == {"quoted": 0.0, "spent": 0.0}


def test_status_says_what_failed_why_and_what_next(desk: Desk) -> None:
    """The reader should not have to ask again."""
    job_id = desk.submit("march")
    desk.load(job_id, fail=1)
    result = desk.hdi("status", "march")

    assert result.exit_code == 0
    assert "completed_with_failures" in result.stdout
    assert "2 chunks: 1 completed, 1 failed" in result.stdout
    assert "CorruptPayload: the file is damaged" in result.stdout
    assert f"hdi retry {str(job_id)[:8]}" in result.stderr


def test_status_says_when_a_chunk_is_tried_again(desk: Desk) -> None:
    """Half an hour of waiting is not a job that hangs."""
    job_id = desk.submit("march", days=1)
    how = ledger.Release("NotYetAvailable", "not published", 1800, True, "deferred", False)

    async def wait(loads: Bench) -> None:
        [chunk_id] = await open_chunks(loads, job_id)
        await ledger.release(loads.database, await loads.claim(chunk_id), how)

    desk.do(wait)
    header, chunk = desk.hdi("status", "march").stdout.splitlines()[-2:]
    told = dict(zip(header.split("\t"), chunk.split("\t"), strict=True))
    assert told["state"] == "retrying"
    assert told["again in"].startswith(("29 min", "30 min"))
    assert told["error"] == "NotYetAvailable: not published"


def test_status_of_an_open_job_warns_where_nobody_works(desk: Desk) -> None:
    """The most frequent reason why nothing moves."""
    desk.submit("march")
    result = desk.hdi("status", "march")

    assert "next: hdi watch" in result.stderr
    assert "no scheduler online; start one with `hdi scheduler`" in result.stderr


def test_an_unknown_job_is_an_error_of_usage(desk: Desk) -> None:
    """With near misses."""
    desk.submit("march")
    for command in ("status", "watch"):
        error = desk.hdi(command, "marsh").exception
        assert isinstance(error, UnknownJob)
        assert error.hint == "did you mean march?"


@pytest.mark.parametrize(("fail", "code"), [(0, 0), (1, 3), (2, 3)])
def test_watch_ends_with_the_job(desk: Desk, fail: int, code: int) -> None:
    """0 where everything is there, 3 where chunks failed; the last line says how it ended."""
    job_id = desk.submit("march")
    work = threading.Timer(0.3, lambda: desk.load(job_id, fail=fail))
    work.start()
    result = desk.hdi("watch", str(job_id))
    work.join()

    assert result.return_value == code
    assert result.stdout == ""
    assert "2 of 2 chunks" in [line for line in result.stderr.splitlines() if "chunks" in line][-1]


def test_watch_as_json_is_a_line_per_change_and_ends_with_the_end(desk: Desk) -> None:
    """Every line validates; the status object, and how far it is."""
    job_id = desk.submit("march")
    work = threading.Timer(0.3, lambda: desk.load(job_id))
    work.start()
    lines = [json.loads(line) for line in desk.hdi("watch", "@last", "--json").stdout.splitlines()]
    work.join()

    for line in lines:
        jsonschema.validate(line, SCHEMA)
    assert lines[0]["progress"]["rows"] == 0
    assert lines[-1]["state"] == "completed"
    assert lines[-1]["progress"]["rows"] == lines[-1]["progress"]["expected"] == 200


def test_watch_that_is_interrupted_says_how_to_get_back(desk: Desk) -> None:
    """Ctrl-C: exit 130, and the job goes on."""
    desk.submit("march")
    watching = subprocess.Popen(
        [sys.executable, "-m", "ingestor.cli", "watch", "march"],
        env=environment(desk.settings), stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert watching.stderr is not None
    first = watching.stderr.readline()
    time.sleep(0.2)
    watching.send_signal(signal.SIGINT)
    rest = watching.stderr.read()

    assert first.startswith("pending: 0 of 2 chunks")
    assert watching.wait(20) == 130
    assert "the job goes on; get back to it with: hdi watch march" in rest
    assert "Traceback" not in rest


def test_workers_shows_who_is_there_and_what_they_hold(desk: Desk) -> None:
    """Rows so far as of the last heartbeat."""
    job_id = desk.submit("march")

    async def work(bench: Bench) -> None:
        process = presence.Process("w/1", "worker", "host", 1, "0.1")
        await presence.seen(bench.database, process)
        await bench.claim((await open_chunks(bench, job_id))[0])

    desk.do(work)
    row = desk.hdi("workers").stdout.splitlines()[1].split("\t")
    [held] = json.loads(desk.hdi("workers", "--json").stdout)["workers"]

    assert row[:3] == ["w/1", "worker", "yes"]
    assert row[4:7] == ["GLBX.MDP3 trades", "1", "0/100"]
    assert held["work"]["job_id"] == str(job_id)
    assert "no scheduler online" in desk.hdi("workers").stderr


def test_a_shell_completes_jobs_from_the_ledger(desk: Desk) -> None:
    """Ids and names; `@last` always."""
    job_id = desk.submit("march")
    complete = ShellComplete(cli, {}, "hdi", "_HDI_COMPLETE")

    def offered(incomplete: str) -> list[str]:
        return [item.value for item in complete.get_completions(["status"], incomplete)]

    assert offered("") == ["@last", str(job_id)[:8], "march"]
    assert offered("mar") == ["march"]
    assert offered(str(job_id)[:3]) == [str(job_id)[:8]]
