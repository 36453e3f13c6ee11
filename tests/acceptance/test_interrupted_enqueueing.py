"""A job whose enqueueing is interrupted is completed by the scheduler: not lost, not doubled."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import asyncpg
import numpy as np
import numpy.typing as npt
import pytest

from ingestor.broker import Broker
from ingestor.settings import Settings
from ingestor.simulator.market import DAY, MONDAY, make_trades
from ingestor.sources.dbn_files import DbnFiles
from ingestor.sources.source import Ask
from ingestor.store import ledger
from ingestor.store.database import Database
from ingestor.vocabulary import Priority, Schema
from tests.acceptance.commands import BIN, Said, started, submit
from tests.conftest import Place, environment
from tests.invariants import check_invariants
from tests.loads import write
from tests.processes import Process, fleet, job_ended, until
from tests.values import Row, wire_rows

CHUNKS = 5
PER_DAY = 400


def trades_of(day: int) -> npt.NDArray[np.void]:
    return make_trades(PER_DAY, seed=day, start=MONDAY + day * DAY)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Trades of five days, a file each."""
    for day in range(CHUNKS):
        start = MONDAY + day * DAY
        write(tmp_path / "dbn" / f"{day}.dbn.zst", trades_of(day), start=start, end=start + DAY)
    return tmp_path / "dbn"


def _away(settings: Settings) -> dict[str, str]:
    """The settings with a Redis that refuses connections."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        nobody = bound.getsockname()[1]
    return {**environment(settings), "HDI_REDIS_URL": f"redis://:hush-hush@127.0.0.1:{nobody}/0"}


async def _states(database: Database) -> dict[str, int]:
    rows = await database.fetch("SELECT state, count(*) AS n FROM ingest.chunks GROUP BY state")
    return {row["state"]: row["n"] for row in rows}


async def _complete(database: Database, settings: Settings, logs: Path) -> asyncpg.Record:
    """Scheduler and worker do what is there to do; the job's counts and how it was done.

    Afterwards every row is there once, by value, and nothing of the processes is left.
    """
    with fleet(settings, logs) as begun:
        begun.scheduler()
        begun.worker()
        await job_ended(database, begun, timeout_s=90)
        begun.stop()
        expected: Counter[Row] = Counter()
        for day in range(CHUNKS):
            expected += wire_rows(Schema.TRADES, trades_of(day))
        await check_invariants(database, expected={Schema.TRADES: expected}, fleet=begun)
    row = await database.fetchrow(
        "SELECT (SELECT count(*) FROM ingest.jobs) AS jobs,"
        " (SELECT count(*) FROM ingest.chunks WHERE state = 'completed') AS completed,"
        " (SELECT count(*) FROM ingest.attempts) AS attempts,"
        " (SELECT count(*) FROM trades_data) AS rows"
    )
    assert row is not None
    return row


EXACTLY_ONCE = (1, CHUNKS, CHUNKS, CHUNKS * PER_DAY)


async def test_with_redis_away_the_job_is_kept_and_the_message_says_so(
    database: Database, settings: Settings, folder: Path
) -> None:
    """Exit 6: accepted, not queued yet; what to do next; the password stays hidden."""
    said = await asyncio.to_thread(submit, _away(settings), "--path", folder, "--quiet")

    assert said.code == 6, said
    job_id = str(await database.fetchval("SELECT job_id FROM ingest.jobs"))
    assert said.out.strip() == job_id
    assert f"job {job_id} is accepted, not queued yet: Redis at 127.0.0.1:" in said.errors[0]
    assert "`hdi scheduler` queues it" in said.nexts[0]
    assert "hush-hush" not in said.err
    assert "Traceback" not in said.err
    assert await _states(database) == {"pending": CHUNKS}


async def test_once_redis_is_back_the_scheduler_completes_the_job_exactly_once(
    database: Database, settings: Settings, folder: Path, tmp_path: Path
) -> None:
    await asyncio.to_thread(submit, _away(settings), "--path", folder)

    assert tuple(await _complete(database, settings, tmp_path)) == EXACTLY_ONCE


async def test_submitted_again_once_redis_is_back_it_is_the_same_job(
    database: Database, settings: Settings, folder: Path
) -> None:
    """And the second submission queues what the first could not."""
    await asyncio.to_thread(submit, _away(settings), "--path", folder)

    said = await asyncio.to_thread(submit, settings, "--path", folder)

    assert said.code == 0, said
    assert "submitted before; nothing new was recorded" in said.out
    assert await _states(database) == {"queued": CHUNKS}


async def test_a_wait_with_redis_away_says_so_before_it_waits(
    database: Database, settings: Settings, folder: Path
) -> None:
    said = await asyncio.to_thread(
        submit, _away(settings), "--path", folder, "--wait", "--timeout", 1
    )

    assert said.code == 7, said
    assert "not queued yet" in said.err


@pytest.mark.parametrize("priority", ["low", "high"])
async def test_a_crash_between_commit_and_publish_is_made_good_by_the_scheduler(
    database: Database, settings: Settings, folder: Path, tmp_path: Path, priority: str
) -> None:
    """The chunks are marked as queued and no message exists: only the ledger can tell."""
    env = {**environment(settings), "HDI_FAILPOINT": "before_publish:kill"}

    said = await asyncio.to_thread(submit, env, "--path", folder, "--priority", priority)

    assert said.code == -signal.SIGKILL
    assert await _states(database) == {"queued": CHUNKS}
    assert not Broker(settings).held()
    assert tuple(await _complete(database, settings, tmp_path)) == EXACTLY_ONCE


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_ctrl_c_while_chunks_are_published_loses_none(
    database: Database, settings: Settings, folder: Path, tmp_path: Path
) -> None:
    """Exit 130, and the way back to the job; scheduler and worker complete it."""
    env = {**environment(settings), "HDI_FAILPOINT": "before_publish:stop"}
    command = [str(BIN / "hdi-submit"), "--path", str(folder)]
    process = Process(command, env, tmp_path / "submit.log")
    try:
        with fleet(settings, tmp_path) as nobody:
            await until("it stops", lambda: _stopped(process), timeout_s=60, fleet=nobody)
        process.popen.send_signal(signal.SIGINT)
        while process.popen.poll() is None:
            process.popen.send_signal(signal.SIGCONT)  # it stops at every message
            await asyncio.sleep(0.05)
    finally:
        process.stop()

    job_id = str(await database.fetchval("SELECT job_id FROM ingest.jobs"))
    assert process.popen.returncode == 130, process.text()
    assert f"the job goes on; get back to it with: hdi watch {job_id[:8]}" in process.text()
    assert "Traceback" not in process.text()
    assert tuple(await _complete(database, settings, tmp_path)) == EXACTLY_ONCE


async def _stopped(process: Process) -> bool:
    return _state(process.popen.pid) == "T"


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


async def test_ctrl_c_of_a_wait_ends_with_130_and_the_way_back(
    database: Database, settings: Settings, folder: Path
) -> None:
    """The job goes on."""
    with started(settings, "hdi-submit", "--path", folder, "--wait") as process:
        assert process.stderr is not None
        said = await asyncio.to_thread(_until_it_waits, process.stderr)
        process.send_signal(signal.SIGINT)
        assert await asyncio.to_thread(process.wait, 60) == 130
        said += process.stderr.read()

    job_id = str(await database.fetchval("SELECT job_id FROM ingest.jobs"))
    assert f"get back to it with: hdi watch {job_id[:8]}" in said
    assert "Traceback" not in said
    assert await database.fetchval("SELECT state FROM ingest.jobs") == "pending"


def _until_it_waits(stream: object) -> str:
    lines = []
    for line in stream:  # type: ignore[attr-defined]
        lines.append(line)
        if "0 of 5 chunks" in line:
            break
    return "".join(lines)


@pytest.mark.timeout(180)
async def test_the_same_folder_submitted_by_20_processes_at_once_is_one_job(
    database: Database, settings: Settings, folder: Path, tmp_path: Path
) -> None:
    """One of them is told that it was accepted, 19 that it had been; all end well."""
    env = environment(settings)

    found = await asyncio.gather(*(_submit(env, folder) for _ in range(20)))

    assert {said.code for said in found} == {0}, found
    assert sum(" accepted: " in said.out for said in found) == 1
    assert sum("submitted before; nothing new was recorded" in said.out for said in found) == 19
    assert tuple(await _complete(database, settings, tmp_path)) == EXACTLY_ONCE


async def _submit(env: Mapping[str, str], folder: Path) -> Said:
    process = await asyncio.create_subprocess_exec(
        str(BIN / "hdi-submit"), "--path", str(folder), env=dict(env),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode is not None
    return Said(process.returncode, out.decode(), err.decode())


async def test_twenty_jobs_for_the_same_symbols_submitted_at_once_are_all_recorded(
    place: Place, tmp_path: Path
) -> None:
    """They share one list of symbols, which each finds there or makes."""
    plans = [
        DbnFiles().plan(
            Ask(str(seed), Priority.NORMAL, path=write(
                tmp_path / f"{seed}" / "trades.dbn", make_trades(5, seed=seed)
            ))
        )
        for seed in range(20)
    ]  # fmt: skip

    async def record(plan: object) -> bool:
        async with place.open() as database:
            return (await ledger.submit(database, plan, max_attempts=5)).fresh  # type: ignore[arg-type]

    assert all(await asyncio.gather(*map(record, plans)))
