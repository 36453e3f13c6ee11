"""Files that were sound when they were submitted and are not when a worker opens them."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import redis

from ingestor import errors
from ingestor.settings import Settings
from ingestor.simulator.dbn_writer import compress_frames
from ingestor.simulator.market import make_trades
from ingestor.sources.dbn_files import DbnFiles
from ingestor.sources.source import Ask
from ingestor.store import ledger
from ingestor.store.database import Database
from ingestor.vocabulary import Priority
from tests.acceptance.commands import ask, hdi
from tests.conftest import Place, Servers, _place, make_settings
from tests.loads import write
from tests.processes import Fleet, fleet, job_ended

RECORDS = 2_000
_RECORD_BYTES = 48


def _head(path: Path) -> int:
    """Where the records of an uncompressed file begin."""
    return 8 + int.from_bytes(path.read_bytes()[4:8], "little")


def cut_in_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def cut_on_a_record_border(path: Path) -> None:
    os.truncate(path, _head(path) + RECORDS // 2 * _RECORD_BYTES)


def cut_on_a_record_border_and_compressed_again(path: Path) -> None:
    """A sound file in itself: whole frames, checksums, whole records."""
    plain = _plain(path)
    cut_on_a_record_border(plain)
    path.write_bytes(compress_frames(plain.read_bytes()))


def one_bit_flipped(path: Path) -> None:
    """In a price, in the middle: of an uncompressed file nothing but the hash can tell."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def replaced_by_a_good_file(path: Path) -> None:
    write(path, make_trades(RECORDS + 1, seed=99))


def replaced_by_a_good_file_of_the_same_size(path: Path) -> None:
    write(path, make_trades(RECORDS, seed=99))


def emptied(path: Path) -> None:
    os.truncate(path, 0)


def appended_to(path: Path) -> None:
    with path.open("ab") as file:
        file.write(make_trades(1).tobytes())


def removed(path: Path) -> None:
    path.unlink()


def replaced_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def written_again_with_the_same_bytes(path: Path) -> None:
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)


DAMAGE: dict[str, Callable[[Path], None]] = {
    f"{how.__name__} {suffix}": how
    for how, suffixes in {
        cut_in_half: (".dbn.zst", ".dbn"),
        cut_on_a_record_border: (".dbn",),
        cut_on_a_record_border_and_compressed_again: (".dbn.zst",),
        one_bit_flipped: (".dbn.zst", ".dbn"),
        replaced_by_a_good_file: (".dbn.zst", ".dbn"),
        replaced_by_a_good_file_of_the_same_size: (".dbn",),
        emptied: (".dbn.zst", ".dbn"),
        appended_to: (".dbn.zst", ".dbn"),
        replaced_by_a_folder: (".dbn",),
    }.items()
    for suffix in suffixes
}
GONE: dict[str, Callable[[Path], None]] = {
    "removed .dbn.zst": removed,
}
SOUND: dict[str, Callable[[Path], None]] = {
    "written_again_with_the_same_bytes .dbn": written_again_with_the_same_bytes,
}
ALL = {**DAMAGE, **GONE, **SOUND}


def _plain(path: Path) -> Path:
    return path.parent / "plain" / path.with_suffix("").name


@dataclass(frozen=True)
class Ended:
    """One file's job once it has ended."""

    path: Path
    spare: Path
    job_id: str
    chunk: asyncpg.Record
    letters: list[asyncpg.Record]
    files: list[dict[str, Any]]
    rows: int


@dataclass(frozen=True)
class Workshop:
    """A database, a worker and a scheduler, through which all the files went."""

    place: Place
    settings: Settings
    fleet: Fleet
    ended: dict[str, Ended]


@pytest.fixture(scope="module")
def workshop(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """Submits a file for each damage, damages them all, then lets a worker at them."""
    home = tmp_path_factory.mktemp("damaged")
    with redis.Redis.from_url(servers.redis_url) as client:
        client.flushall()
    for place in _place(servers):
        settings = make_settings(place, servers.redis_url, home)
        jobs = ask(place, lambda database: _submit(database, home))
        for name, (path, _) in jobs.items():
            ALL[name](path)
        with fleet(settings, home) as started:
            started.scheduler()
            started.worker()
            made = Workshop(place, settings, started, {})
            ask(place, lambda database: job_ended(database, started, timeout_s=90))
            made.ended.update(ask(place, partial(_all_ended, settings=settings, jobs=jobs)))
            yield made


async def _submit(database: Database, home: Path) -> dict[str, tuple[Path, str]]:
    jobs = {}
    for number, name in enumerate(ALL):
        records = make_trades(RECORDS, seed=number)
        path = write(home / f"{number}" / f"file{name.split()[1]}", records)
        write(_plain(path), records)
        shutil.copy(path, _spare(path))
        plan = DbnFiles().plan(Ask(name=name, priority=Priority.NORMAL, path=path))
        accepted = await ledger.submit(database, plan, max_attempts=5)
        jobs[name] = path, str(accepted.job_id)
    return jobs


def _spare(path: Path) -> Path:
    return path.with_name("spare")


async def _all_ended(
    database: Database, settings: Settings, jobs: dict[str, tuple[Path, str]]
) -> dict[str, Ended]:
    return {name: await _ended(database, settings, *job) for name, job in jobs.items()}


async def _ended(database: Database, settings: Settings, path: Path, job_id: str) -> Ended:
    chunk = await database.fetchrow("SELECT * FROM ingest.chunks WHERE job_id = $1::UUID", job_id)
    assert chunk is not None
    number = chunk["chunk_id"]
    letters = await database.fetch("SELECT * FROM ingest.dead_letters WHERE chunk_id = $1", number)
    rows = await database.fetchval("SELECT count(*) FROM trades_data WHERE chunk_id = $1", number)
    files = [
        json.loads(file.read_bytes()) for file in settings.dlq_dir.glob(f"chunk-{number}-*.json")
    ]
    return Ended(path, _spare(path), job_id, chunk, letters, files, rows)


each_damage = pytest.mark.parametrize("name", [*DAMAGE, *GONE])


@each_damage
def test_a_chunk_whose_file_is_not_what_was_submitted_fails_at_the_first_attempt(
    workshop: Workshop, name: str
) -> None:
    """Terminal: trying again cannot help."""
    chunk = workshop.ended[name].chunk

    assert (chunk["state"], chunk["attempt"], chunk["receipt"]) == ("failed", 1, None)
    assert issubclass(getattr(errors, chunk["error_code"]), errors.Terminal)


@each_damage
def test_the_error_names_the_file(workshop: Workshop, name: str) -> None:
    found = workshop.ended[name]

    assert str(found.path) in found.chunk["error_text"]


@each_damage
def test_no_row_of_it_is_stored(workshop: Workshop, name: str) -> None:
    assert workshop.ended[name].rows == 0


@each_damage
def test_the_dead_letter_stands_in_the_ledger_and_in_a_file(workshop: Workshop, name: str) -> None:
    """Both tell the same error, and the file tells how to do the work again."""
    found = workshop.ended[name]
    [row], [letter] = found.letters, found.files

    told = {"code": row["error_code"], "text": row["error_text"]}
    assert letter["error"] == told
    assert told == {"code": found.chunk["error_code"], "text": found.chunk["error_text"]}
    assert letter["next"] == f"hdi dlq retry {letter['chunk_id']}"


@pytest.mark.parametrize("name", GONE)
def test_a_file_that_a_worker_cannot_see_is_told_with_host_and_path(
    workshop: Workshop, name: str
) -> None:
    chunk = workshop.ended[name].chunk

    assert chunk["error_code"] == "PayloadMissing"
    assert chunk["error_text"].startswith(f"{socket.gethostname()} cannot see")


@pytest.mark.parametrize("name", SOUND)
def test_a_file_with_the_same_bytes_is_the_same_file(workshop: Workshop, name: str) -> None:
    """Neither its inode nor its times count."""
    found = workshop.ended[name]

    assert (found.chunk["state"], found.rows) == ("completed", RECORDS)


@pytest.mark.parametrize(
    "name", ["removed .dbn.zst", "cut_on_a_record_border .dbn", "one_bit_flipped .dbn.zst"]
)
def test_retry_completes_the_job_once_the_file_is_back(workshop: Workshop, name: str) -> None:
    """The trace of what went wrong stays; the dead letter is resolved."""
    found = workshop.ended[name]
    shutil.copy(found.spare, found.path)

    said = hdi(workshop.settings, "retry", found.job_id)

    assert (said.code, said.out) == (0, "1 chunk starts again\n"), said
    ask(workshop.place, lambda database: job_ended(database, workshop.fleet, timeout_s=60))
    now = ask(workshop.place, lambda db: _ended(db, workshop.settings, found.path, found.job_id))
    assert (now.chunk["state"], now.rows, now.chunk["error_code"]) == ("completed", RECORDS, None)
    assert [letter["resolution"] for letter in now.letters] == ["retried"]
