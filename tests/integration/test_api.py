"""What the API tells, asked of `hdi serve` on a real database and a real queue."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

import jsonschema
import pytest

from ingestor.store import ledger, presence
from ingestor.store.database import Database
from ingestor.vocabulary import ChunkState
from tests.conftest import Place, Servers, _place, make_settings
from tests.plans import claimed, complete, job_plan
from tests.serving import TOKEN, Api, serving

DOCS = Path(__file__).parents[2] / "docs" / "reference"
SCHEMA = json.loads((DOCS / "status.schema.json").read_text())


@dataclass(frozen=True)
class Known:
    """What the ledger of the module's API holds.

    Attributes:
        march: Ended: three chunks completed, one failed.
        april: Open: of 250 chunks one is in progress.
    """

    march: UUID
    april: UUID


async def submit(database: Database, name: str, chunks: int) -> tuple[UUID, list[int]]:
    plan = replace(job_plan(chunks), name=name)
    job_id = (await ledger.submit(database, plan, max_attempts=5)).job_id
    rows = await database.fetch(
        "SELECT chunk_id FROM ingest.chunks WHERE job_id = $1 ORDER BY chunk_id", job_id
    )
    return job_id, [row["chunk_id"] for row in rows]


async def filled(place: Place) -> Known:
    async with place.open() as database:
        march, (bad, *good) = await submit(database, "march", 4)
        claim = await claimed(database, bad)
        text = "postgresql://hdi:hushhush@db/x is damaged"
        await ledger.fail(database, claim, code="CorruptPayload", text=text)
        for chunk_id in good:
            assert await complete(database, await claimed(database, chunk_id), fetched=100)
        await ledger.end_job(database, march)
        for _ in range(2):
            await submit(database, "twice", 1)
        april, (first, *_) = await submit(database, "april", 250)
        for name, role in (("w/1", "worker"), ("s", "scheduler")):
            await presence.seen(database, presence.Process(name, role, "h", 1, "0.1"))
        await claimed(database, first)
    return Known(march, april)


@pytest.fixture(scope="module")
def room(servers: Servers) -> Iterator[Place]:
    """A database for the tests that only look."""
    yield from _place(servers)


@pytest.fixture(scope="module")
def known(room: Place) -> Known:
    return asyncio.run(filled(room))


@pytest.fixture(scope="module")
def api(
    room: Place, known: Known, servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    """With a token, on every address of this machine."""
    home = tmp_path_factory.mktemp("api")
    settings = make_settings(room, servers.redis_url, home)
    words = ("--address", "0.0.0.0")
    with serving(settings, home / "api.log", *words, HDI_API_TOKEN=TOKEN) as made:
        yield made


def test_a_status_is_that_of_the_commands(api: Api, known: Known) -> None:
    """By prefix of the id, name, or @last; valid by the published schema."""
    for job in (str(known.march), str(known.march)[:13], "march"):
        reply = api.get(f"/api/jobs/{job}")
        assert reply.status == 200
        jsonschema.validate(reply.json, SCHEMA)
        assert reply.json["job_id"] == str(known.march)
        assert reply.json["state"] == "completed_with_failures"
        assert reply.json["records"]["stored"] == 300
    assert api.get("/api/jobs/@last").json["job_id"] == str(known.april)


def test_metrics_tell_what_is_open_failed_and_online(api: Api, known: Known) -> None:
    """As Prometheus reads them."""
    told = {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
        for line in api.text("/metrics").splitlines()
        if not line.startswith("#")
    }
    assert told['hdi_chunks{state="pending"}'] == 249 + 2
    assert told['hdi_chunks{state="in_progress"}'] == 1
    assert told['hdi_dead_letters_open{code="CorruptPayload"}'] == 1
    assert told['hdi_line_stopped{sqlstate=""}'] == 0
    assert told["hdi_jobs_open"] == 3
    assert api.get("/metrics", headers={}).status == 401


def test_jobs_come_newest_first_and_by_state(api: Api) -> None:
    listed = api.get("/api/jobs").json["jobs"]
    ended = api.get("/api/jobs?state=completed_with_failures").json["jobs"]

    assert [job["name"] for job in listed] == ["april", "twice", "twice", "march"]
    assert [job["name"] for job in ended] == ["march"]
    assert [job["name"] for job in api.get("/api/jobs?limit=1").json["jobs"]] == ["april"]
    assert listed[0]["priority"] == "normal"
    assert listed[0]["finished_at"] is None
    assert ended[0]["finished_at"] > ended[0]["created_at"]


@pytest.mark.parametrize(
    ("job", "status", "code"),
    [
        ("nobody", 404, "UnknownJob"),
        ("twice", 409, "AmbiguousJob"),
        ("%00", 404, "UnknownJob"),
        ("%FF%FE", 404, "UnknownJob"),
        ("%25", 404, "UnknownJob"),
        ("x" * 201, 422, "BadParameter"),
    ],
)
def test_a_job_that_cannot_be_told_is_an_error(api: Api, job: str, status: int, code: str) -> None:
    for path in (f"/api/jobs/{job}", f"/api/jobs/{job}/chunks"):
        reply = api.get(path)
        assert (reply.status, reply.error["code"]) == (status, code)


def test_chunks_come_with_their_receipts_and_errors(api: Api, known: Known) -> None:
    """Passwords in the text of an error are taken out."""
    reply = api.get(f"/api/jobs/{known.march}/chunks")
    bad, *good = reply.json["chunks"]

    assert reply.json["next_after"] is None
    assert [each["receipt"]["stored"] for each in good] == [100, 100, 100]
    assert (bad["state"], bad["receipt"]) == ("failed", None)
    assert "is damaged" in bad["error_text"]
    assert "hushhush" not in json.dumps(reply.json)


def test_pages_of_chunks_hold_each_chunk_once(api: Api, known: Known) -> None:
    """In the order they were planned; the last page says that it is."""
    seen: list[int] = []
    after: int | None = 0
    while after is not None:
        page = api.get(f"/api/jobs/{known.april}/chunks?limit=100&after={after}").json
        seen += [chunk["chunk_id"] for chunk in page["chunks"]]
        after = page["next_after"]

    assert len(seen) == len(set(seen)) == 250
    assert seen == sorted(seen)
    exact = api.get(f"/api/jobs/{known.march}/chunks?limit=4").json
    assert (len(exact["chunks"]), exact["next_after"]) == (4, None)


def test_chunks_are_chosen_by_state(api: Api, known: Known) -> None:
    path = f"/api/jobs/{known.march}/chunks"
    some = api.get(f"{path}?state=failed&state=cancelled").json["chunks"]

    assert [chunk["state"] for chunk in some] == [ChunkState.FAILED]
    assert len(api.get(f"{path}?state=completed&state=failed&limit=3").json["chunks"]) == 3
    assert api.get(f"{path}?state=queued").json["chunks"] == []


def test_dead_letters_are_told_with_every_attempt(api: Api, known: Known) -> None:
    """Without what is secret; chosen by job, error and whether somebody closed them."""
    told = api.get("/api/dead-letters").json
    [letter] = told["letters"]

    assert (told["total"], told["codes"], told["more"]) == (1, {"CorruptPayload": 1}, 0)
    assert (letter["job_id"], letter["state"]) == (str(known.march), "failed")
    assert [each["outcome"] for each in letter["tried"]] == ["failed"]
    assert letter["next"] == f"hdi dlq retry {letter['chunk_id']}"
    assert "hushhush" not in json.dumps(told)
    for query, total in (
        ("job=march&code=CorruptPayload&open=false", 1),
        ("job=april", 0),
        ("code=LocalFault", 0),
    ):
        assert api.get(f"/api/dead-letters?{query}").json["total"] == total
    for job, status in (("nobody", 404), ("twice", 409), ("%00", 404)):
        assert api.get(f"/api/dead-letters?job={job}").status == status


def test_workers_are_told_with_what_they_hold(api: Api, known: Known) -> None:
    reply = api.get("/api/workers").json
    [worker] = [each for each in reply["workers"] if each["role"] == "worker"]

    assert worker["work"]["job_id"] == str(known.april)
    assert worker["work"]["schema"] == "trades"
    assert reply["notices"] == []


def test_versions_are_those_of_the_servers(api: Api) -> None:
    told = api.get("/api/version").json

    assert told["postgresql"].split(".")[0].isdigit()
    assert told["timescaledb"]
    assert told["migration"]


def test_it_is_ready(api: Api) -> None:
    """Without a token: whoever probes holds none."""
    reply = api.get("/readyz", {})

    assert (reply.status, reply.json["ready"]) == (200, True)
    assert [check["name"] for check in reply.json["checks"]] == ["database", "queue"]


def test_without_the_token_nothing_is_told(api: Api) -> None:
    for headers in ({}, {"Authorization": "Bearer another-token-altogether"}):
        reply = api.get("/api/jobs", headers)
        assert (reply.status, reply.error["code"]) == (401, "Unauthorized")


def test_every_answer_is_a_line_in_the_log(api: Api) -> None:
    """JSON, with its facts as fields; neither the token nor a traceback is in it."""
    api.get("/api/jobs/march")
    lines = [each for each in api.lines() if each.get("path") == "/api/jobs/march"]

    assert lines[-1]["event"] == "request answered"
    assert (lines[-1]["status"], lines[-1]["process"]) == (200, "api")
    assert TOKEN not in api.process.text()
    assert "Traceback" not in api.process.text()


def test_every_answer_is_as_described(api: Api, tmp_path: Path) -> None:
    """Whatever is asked, by schemathesis: no 5xx; status, form and headers as /openapi.json says;
    what it calls wrong is refused, and there is no way around the token.
    """
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{api.url}/openapi.json"),
            *("--header", f"Authorization: Bearer {TOKEN}", "--max-examples", "20"),
            *("--phases", "examples,coverage,fuzzing", "--mode", "all", "--checks", "all"),
            *("--seed", "1", "--generation-database", "none", "--request-timeout", "20"),
        ],
        cwd=tmp_path, capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert "Traceback" not in api.process.text()
