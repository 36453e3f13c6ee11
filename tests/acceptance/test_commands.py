"""Submit, watch, read, cancel, retry: the commands' contract, with real processes behind it."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema
import pytest
import redis

from ingestor.settings import Settings
from ingestor.simulator.market import DAY, INSTRUMENTS, MONDAY, make_bars, make_trades, mappings
from ingestor.store.database import Database
from ingestor.vocabulary import Schema
from tests.acceptance.commands import BIN, ask, hdi, ledger_rows, started, submit
from tests.conftest import Place, Servers, _place, environment, make_settings
from tests.loads import write
from tests.processes import fleet, job_ended

REPO = Path(__file__).parents[2]
STATUS = json.loads((REPO / "docs/reference/status.schema.json").read_text())
TRADES = 3_000
QUERY = ("query", "trades", "--symbols", "ESM4", "--start", "2024-03-11", "--end", "2024-03-12")
LOW = 60


def write_trades(path: Path, *, seed: int, count: int = TRADES, undefined: int = 0) -> Path:
    """One Monday's trades; `seed` also moves the instruments apart from those of other files."""
    records = make_trades(count, seed=seed, undefined=undefined)
    end = MONDAY + DAY
    if not seed:
        return write(path, records, mappings=mappings(INSTRUMENTS, MONDAY, end))
    records["instrument_id"] += 1_000 * seed
    return write(path, records)


def valid(status: Mapping[str, Any]) -> Mapping[str, Any]:
    jsonschema.validate(status, STATUS)
    return status


@dataclass(frozen=True)
class Service:
    """A database, and where Redis is; `env` is what a command needs to know."""

    place: Place
    settings: Settings
    home: Path

    @property
    def env(self) -> dict[str, str]:
        return environment(self.settings)


@pytest.fixture(scope="module")
def busy(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with one worker and a scheduler."""
    home = tmp_path_factory.mktemp("busy")
    with redis.Redis.from_url(servers.redis_url) as client:
        client.flushall()
    for place in _place(servers):
        settings = make_settings(place, servers.redis_url, home)
        with fleet(settings, home) as processes:
            processes.worker()
            processes.scheduler()
            yield Service(place, settings, home)


@pytest.fixture
def idle(place: Place, servers: Servers, tmp_path: Path) -> Service:
    """A service in which nobody works, with a queue of its own."""
    url = f"{servers.redis_url.rpartition('/')[0]}/7"
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return Service(place, make_settings(place, url, tmp_path), tmp_path)


@pytest.fixture(scope="module")
def march(busy: Service) -> str:
    """Id of a job called `march` that was submitted and watched to its end."""
    path = write_trades(busy.home / "march.dbn.zst", seed=0)
    said = submit(busy.env, "--path", path, "--name", "march")
    assert said.code == 0, said
    job_id = re.match(r"job (\S+) accepted: march, 1 chunk\n", said.out)
    assert job_id is not None, said
    assert said.out.splitlines()[1] == f"next: hdi watch {job_id[1][:8]}"
    watched = hdi(busy.env, "watch", "march")
    assert watched.code == 0, watched
    return job_id[1]


# --- following -----------------------------------------------------------------------------------


def test_status_as_json_is_the_object_of_the_documentation(busy: Service, march: str) -> None:
    said = hdi(busy.env, "status", march, "--json")

    status = valid(said.json)
    assert (status["job_id"], status["state"]) == (march, "completed")
    assert status["chunks"]["completed"] == status["chunks"]["total"] == 1
    assert status["records"]["fetched"] == status["records"]["stored"] == TRADES


@pytest.mark.parametrize("called", ["prefix", "march", "dashes"])
def test_a_job_is_found_by_a_prefix_of_its_id_and_by_its_name(
    busy: Service, march: str, called: str
) -> None:
    word = {"prefix": march[:6], "dashes": march[:13], "march": "march"}[called]

    assert hdi(busy.env, "status", word, "--json").json["job_id"] == march


def test_last_is_the_job_that_was_submitted_last(idle: Service) -> None:
    for seed in (1, 2):
        path = write_trades(idle.home / f"{seed}.dbn.zst", seed=seed, count=5)
        submit(idle.env, "--path", path, "--name", f"number-{seed}")

    assert hdi(idle.env, "status", "@last", "--json").json["name"] == "number-2"


def test_jobs_are_listed_as_lines_that_other_programs_can_cut(busy: Service, march: str) -> None:
    said = hdi(busy.env, "jobs")

    rows = list(csv.DictReader(io.StringIO(said.out), delimiter="\t"))
    [row] = [row for row in rows if row["name"] == "march"]
    assert (row["job"], row["state"], row["chunks"]) == (march[:8], "completed", "1/1")


def test_workers_tells_worker_and_scheduler(busy: Service, march: str) -> None:
    said = hdi(busy.env, "workers", "--json")

    assert {each["role"] for each in said.json["workers"]} == {"worker", "scheduler"}
    assert all(each["online"] for each in said.json["workers"])


def test_what_was_submitted_can_be_read_by_symbol(busy: Service, march: str) -> None:
    said = hdi(busy.env, *QUERY, "--csv")

    assert said.code == 0, said
    prices = [row["price"] for row in csv.DictReader(io.StringIO(said.out))]
    records = make_trades(TRADES, seed=0)
    expected = records["price"][records["instrument_id"] == INSTRUMENTS[0].instrument_id]
    assert sorted(round(float(price) * 10**9) for price in prices) == sorted(expected.tolist())


def test_watch_as_json_prints_an_object_per_line_and_ends_with_the_job(busy: Service) -> None:
    path = write_trades(busy.home / "watched.dbn.zst", seed=3)
    job_id = submit(busy.env, "--path", path, "--quiet").out.strip()

    said = hdi(busy.env, "watch", job_id, "--json")

    lines = [valid(json.loads(line)) for line in said.out.splitlines()]
    assert said.code == 0
    assert lines[-1]["state"] == "completed"


# --- submitting ----------------------------------------------------------------------------------


def test_wait_with_json_prints_one_object_and_nothing_else(busy: Service) -> None:
    path = write_trades(busy.home / "waited.dbn.zst", seed=4)

    said = submit(busy.env, "--path", path, "--wait", "--json")

    assert said.code == 0, said
    assert len(said.out.splitlines()) == 1
    assert valid(said.json)["records"]["stored"] == TRADES


def test_quiet_prints_the_id_alone(idle: Service) -> None:
    path = write_trades(idle.home / "quiet.dbn.zst", seed=1, count=5)

    said = submit(idle.env, "--path", path, "--quiet")

    assert str(UUID(said.out.strip())) + "\n" == said.out


def test_a_job_without_a_name_gets_that_of_its_file_or_folder(idle: Service) -> None:
    path = write_trades(idle.home / "unnamed.dbn.zst", seed=1, count=5)
    submit(idle.env, "--path", path)

    said = hdi(idle.env, "status", "unnamed.dbn.zst", "--json")

    assert said.code == 0, said


def test_where_nobody_works_the_commands_that_start_someone_are_named(idle: Service) -> None:
    path = write_trades(idle.home / "lonely.dbn.zst", seed=1, count=5)

    said = submit(idle.env, "--path", path)

    assert "0 workers online; start one with `hdi worker`" in said.err
    assert "no scheduler online; start one with `hdi scheduler`" in said.err


def test_the_same_submission_again_is_the_same_job_and_says_so(busy: Service, march: str) -> None:
    """Under another name, too: the request is what counts."""
    said = submit(busy.env, "--path", busy.home / "march.dbn.zst", "--name", "april")

    assert said.code == 0, said
    assert said.out.startswith(f"job {march} is this very request, submitted before")


def test_forced_the_same_submission_is_a_new_job_that_finds_everything_stored(
    busy: Service, march: str
) -> None:
    path = busy.home / "march.dbn.zst"

    said = submit(busy.env, "--path", path, "--force", "--wait", "--json")

    assert said.json["job_id"] != march
    assert said.json["records"]["already_stored"] == TRADES
    assert said.json["records"]["stored"] == 0


def test_a_dry_run_shows_the_plan_and_writes_nothing(idle: Service) -> None:
    path = write_trades(idle.home / "dry.dbn.zst", seed=1)

    said = submit(idle.env, "--path", path, "--dry-run", "--json", "--copy-to-vault")

    [request] = said.json["requests"]
    assert (request["schema"], request["records"], request["chunks"]) == ("trades", TRADES, 1)
    assert not any(ask(idle.place, ledger_rows).values())
    assert not (idle.home / "vault").exists()


def test_a_dry_run_needs_no_service(tmp_path: Path) -> None:
    path = write_trades(tmp_path / "dry.dbn.zst", seed=1)
    env = {name: value for name, value in os.environ.items() if not name.startswith("HDI_")}

    said = submit({**env, "HDI_HOME": str(tmp_path)}, "--path", path, "--dry-run")

    assert said.code == 0, said
    assert "GLBX.MDP3 trades: 3,000 records in 1 chunk" in said.out


def test_quarantined_records_are_a_warning_unless_strict(busy: Service) -> None:
    path = write_trades(busy.home / "undefined.dbn.zst", seed=5, undefined=3)

    lenient = submit(busy.env, "--path", path, "--wait", "--json")
    strict = submit(busy.env, "--path", path, "--wait", "--json", "--strict", "--force")

    assert (lenient.code, lenient.json["records"]["quarantined"]) == (0, 3)
    assert (strict.code, strict.json["state"]) == (3, "completed")


def test_a_job_with_failed_chunks_ends_with_exit_3_and_the_next_command(busy: Service) -> None:
    """Publisher 2 is another dataset's: a worker refuses it."""
    records = make_trades(10, seed=6)
    records["publisher_id"] = 2
    path = write(busy.home / "wrong.dbn.zst", records)

    said = submit(busy.env, "--path", path, "--wait", "--json")

    assert (said.code, said.json["state"]) == (3, "failed"), said
    assert said.nexts[0].startswith(f"next: hdi status {said.json['job_id'][:8]}")
    told = hdi(busy.env, "status", said.json["job_id"])
    assert "publisher 2 belongs to XNAS.ITCH" in told.out
    assert f"hdi retry {said.json['job_id'][:8]}" in told.err


def test_a_wait_that_takes_too_long_ends_with_exit_7_and_the_way_back(idle: Service) -> None:
    path = write_trades(idle.home / "long.dbn.zst", seed=1, count=5)

    said = submit(idle.env, "--path", path, "--wait", "--timeout", 0.5, "--json")

    assert said.code == 7, said
    assert valid(said.json)["state"] == "pending"
    assert "has not ended after 0.5 s" in said.errors[0]
    assert said.nexts[-1].endswith(f"hdi watch {said.json['job_id'][:8]}")


# --- steering ------------------------------------------------------------------------------------


def test_a_cancelled_job_is_told_by_watch_and_taken_up_by_retry(idle: Service) -> None:
    """Cancelled chunks are taken up again only where they are named."""
    path = write_trades(idle.home / "cancelled.dbn.zst", seed=1, count=5)
    submit(idle.env, "--path", path, "--name", "march")

    assert hdi(idle.env, "cancel", "march").out == "1 chunk cancelled\n"
    assert hdi(idle.env, "watch", "march").code == 3
    assert hdi(idle.env, "cancel", "march").out == "nothing to cancel: the job has ended\n"
    nothing = hdi(idle.env, "retry", "march")
    assert nothing.out == "no chunk is failed\n"
    assert nothing.nexts[0].endswith("--only cancelled takes it up again"), nothing
    again = hdi(idle.env, "retry", "march", "--only", "failed,cancelled")
    assert again.out == "1 chunk starts again\n"
    assert hdi(idle.env, "status", "march", "--json").json["chunks"]["queued"] == 1


@dataclass(frozen=True)
class Overtaken:
    """What became of 60 chunks of low and one of high priority, submitted in this order."""

    ended_before: int
    rows: int
    expected: int
    original: Path


@pytest.fixture(scope="module")
def overtaken(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Overtaken]:
    """The urgent file was copied into the vault and is gone when a worker starts."""
    home = tmp_path_factory.mktemp("overtaken")
    for day in range(LOW):
        start = MONDAY - (day * 7) * DAY
        bars = make_bars(3, Schema.OHLCV_1H, start=start)
        write(home / "low" / f"{day}.dbn.zst", bars, Schema.OHLCV_1H, start=start, end=start + DAY)
    urgent = write_trades(home / "urgent.dbn.zst", seed=1)
    url = f"{servers.redis_url.rpartition('/')[0]}/8"
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    for place in _place(servers):
        settings = make_settings(place, url, home)
        assert submit(settings, "--path", home / "low", "--priority", "low").code == 0
        assert submit(settings, "--path", urgent, "--priority", "high", "--copy-to-vault").code == 0
        urgent.unlink()
        with fleet(settings, home) as processes:
            processes.scheduler()
            processes.worker()
            ask(place, partial(job_ended, fleet=processes, timeout_s=90))
        before, rows = ask(place, _overtaken)
        yield Overtaken(before, rows, TRADES, urgent)


async def _overtaken(database: Database) -> tuple[int, int]:
    row = await database.fetchrow(
        "SELECT"
        " (SELECT count(*) FROM ingest.chunks k WHERE k.finished_at < u.finished_at) AS before,"
        " (SELECT count(*) FROM trades_data) AS rows"
        " FROM ingest.chunks u JOIN ingest.jobs j USING (job_id)"
        " WHERE j.priority = 2 AND u.state = 'completed'"
    )
    assert row is not None
    return row["before"], row["rows"]


def test_a_high_chunk_behind_60_low_ones_is_among_the_first_handful(overtaken: Overtaken) -> None:
    assert overtaken.ended_before < 5


def test_a_file_in_the_vault_is_loaded_though_the_original_is_gone(overtaken: Overtaken) -> None:
    assert not overtaken.original.exists()
    assert overtaken.rows == overtaken.expected


# --- printing ------------------------------------------------------------------------------------

_COLOUR = re.compile(r"\x1b\[[0-9;]*(3[0-8]|4[0-8]|9[0-7])[;m]")


def _on_a_terminal(env: Mapping[str, str], *arguments: str) -> str:
    """What a terminal is sent by a command whose stdout and stderr it is."""
    primary, secondary = pty.openpty()
    wide = {"TERM": "xterm-256color", "COLUMNS": "200"}
    with subprocess.Popen(
        [str(BIN / "hdi"), *arguments], env={**env, **wide}, stdin=subprocess.DEVNULL,
        stdout=secondary, stderr=secondary,
    ) as process:  # fmt: skip
        os.close(secondary)
        shown = b""
        while True:
            try:
                piece = os.read(primary, 65_536)
            except OSError:  # Linux says so at the end
                break
            if not piece:
                break
            shown += piece
        os.close(primary)
        process.wait(60)
    return shown.decode()


@pytest.mark.parametrize("command", ["jobs", "workers", "watch march"])
def test_no_color_is_obeyed_on_a_terminal(busy: Service, march: str, command: str) -> None:
    shown = _on_a_terminal({**busy.env, "NO_COLOR": "1"}, *command.split())

    assert shown
    assert not _COLOUR.search(shown)


def test_a_reader_that_leaves_early_is_no_error(busy: Service, march: str) -> None:
    """`hdi query … | head -1`."""
    with started(busy.env, "hdi", *QUERY, "--csv") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert (process.stderr.read(), process.wait(60)) == ("", 0)


def test_submitting_loads_neither_pandas_nor_pandera_databento_or_the_workers(
    idle: Service,
) -> None:
    """Half a second each; a submission must not wait for them."""
    path = write_trades(idle.home / "light.dbn.zst", seed=1, count=5)
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "ingestor.cli", "submit", "--path", str(path)],
        env=idle.env, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip

    loaded = {
        line.rpartition("|")[2].strip().partition(".")[0]
        for line in done.stderr.splitlines()
        if line.startswith("import time:")
    }
    assert "asyncpg" in loaded
    assert not loaded & {"pandas", "pandera", "databento", "workers"}
