"""`hdi export` as a person types it."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingestor.settings import Settings
from ingestor.simulator.market import DAY, MONDAY
from ingestor.store.meta import keep_realm
from ingestor.vocabulary import Realm, Schema
from tests.acceptance.commands import BIN, Said, hdi, started, variables
from tests.conftest import Place
from tests.loads import bench, blank, write
from tests.records import arbitrary, as_version, read

DAYS = ("--start", "2024-03-11", "--end", "2024-03-14")
ALL = ("export", "trades", "--dataset", "GLBX.MDP3", "--all", *DAYS)


def trades(count: int, *, lame: int = 0, days: int = 3) -> np.ndarray:
    """Trades of three days in order; the first few have a price that no table can hold."""
    made = blank(count)
    made["instrument_id"] = 7
    made["ts_recv"] = MONDAY + np.arange(count) * (days * DAY // max(count, 1))
    made["ts_event"] = made["ts_recv"]
    made["sequence"] = np.arange(count)
    made["price"] = np.arange(count) * 10**9
    made["price"][:lame] = -(2**63)
    return made


def load(place: Place, home: Path, records: np.ndarray, *, days: int = 3, **ask: Any) -> None:
    async def work() -> None:
        async with bench(place, home) as loads:
            path = write(home / "given.dbn", records, days=days, symbols=["ESM4"])
            await loads.load(path, **ask)

    asyncio.run(work())


@pytest.fixture
def given(place: Place, settings: Settings, tmp_path: Path) -> Settings:
    """A database with 50 trades, 3 of them quarantined."""
    load(place, tmp_path, trades(50, lame=3))
    return settings


def last(said: Said) -> str:
    return said.err.splitlines()[-1]


def test_a_file_is_written_and_one_line_says_so(given: Settings, tmp_path: Path) -> None:
    """On stderr: stdout stays empty."""
    target = tmp_path / "x.dbn.zst"
    said = hdi(given, *ALL, "-o", target)
    size = target.stat().st_size
    assert (said.code, said.out) == (0, "")
    assert last(said) == f"50 records, 3 of them quarantined, {size:,} bytes: {target}"
    assert read(target, Schema.TRADES).tobytes() == trades(50, lame=3).tobytes()


def test_json_is_one_object(given: Settings, tmp_path: Path) -> None:
    """With every count, for other programs."""
    target = tmp_path / "x.dbn"
    said = hdi(given, *ALL, "-o", target, "--json", "--without-quarantined")
    assert said.json == {
        "schema_version": 1, "schema": "trades", "dataset": "GLBX.MDP3", "path": str(target),
        "records": 47, "quarantined": 0, "bytes": target.stat().st_size, "proven": False,
        "shortened": 0, "left_out": [],
    }  # fmt: skip


def test_the_days_filter_the_index_timestamp(given: Settings, tmp_path: Path) -> None:
    """The last of them is the day before --end."""
    target = tmp_path / "x.dbn"
    day = ("--start", "2024-03-12", "--end", "2024-03-13")
    hdi(given, "export", "trades", "--dataset", "GLBX.MDP3", "--all", *day, "-o", target)
    times = read(target, Schema.TRADES)["ts_recv"]
    assert len(times) > 10
    assert ((times >= MONDAY + DAY) & (times < MONDAY + 2 * DAY)).all()


def test_an_old_file_is_kept_unless_told(given: Settings, tmp_path: Path) -> None:
    """Refused before the database is asked."""
    target = tmp_path / "x.dbn"
    target.write_bytes(b"old")
    said = hdi(given, *ALL, "-o", target)
    assert (said.code, target.read_bytes()) == (2, b"old")
    assert said.errors == [f"error: {target} exists"]
    assert "--overwrite" in said.nexts[0]
    assert hdi(given, *ALL, "-o", target, "--overwrite").code == 0
    assert len(read(target, Schema.TRADES)) == 50


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*ALL, "-o", "x.parquet"), "it may end in .dbn.zst or .dbn"),
        ((*ALL[:2], "--all", *DAYS, "-o", "x.dbn"), "Missing option '--dataset'"),
        ((*ALL, "--symbols", "A", "-o", "x.dbn"), "exclude each other"),
        (("export", "mbo", *ALL[2:], "-o", "x.dbn"), "'mbo' is no schema"),
        ((*ALL[:4], "--symbols", "NOPE", *DAYS, "-o", "x.dbn"), "'NOPE' is not held in GLBX.MDP3"),
        ((*ALL[:3], "GLBX.MDP4", "--all", *DAYS, "-o", "x.dbn"), "dataset GLBX.MDP4 is unknown"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(
    given: Settings, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    """Exit code 2, and no file."""
    *words, name = arguments
    said = hdi(given, *words, tmp_path / name)
    assert said.code == 2
    assert message in said.err
    assert not (tmp_path / name).exists()


def test_an_empty_selection_is_a_valid_file(given: Settings, tmp_path: Path) -> None:
    """Exit code 0; a note says that nothing is held."""
    target = tmp_path / "x.dbn.zst"
    said = hdi(given, "export", "tbbo", *ALL[2:], "-o", target)
    assert said.code == 0
    assert "note: no tbbo of GLBX.MDP3 are held" in said.err
    assert last(said).startswith("0 records, ")
    assert len(read(target, Schema.TBBO)) == 0


def test_simulated_data_are_told(place: Place, given: Settings, tmp_path: Path) -> None:
    """As a query does: the file itself cannot say it."""

    async def simulated() -> None:
        async with place.open() as database, database.connection() as connection:
            await keep_realm(connection, Realm.SIMULATED)

    asyncio.run(simulated())
    said = hdi(given, *ALL, "-o", tmp_path / "x.dbn")
    assert "SIMULATED DATA" in said.err


def test_definitions_of_older_files_say_what_the_newest_leaves_out(
    place: Place, settings: Settings, tmp_path: Path
) -> None:
    """Four fields of DBN 1 and 2 that 3 dropped; the rows keep them."""
    newest = arbitrary(Schema.DEFINITION, 5, np.random.default_rng(1), publishers=(1,))
    older = as_version(newest, Schema.DEFINITION, 2)

    async def work() -> None:
        async with bench(place, tmp_path) as loads:
            path = write(tmp_path / "a.dbn", older, Schema.DEFINITION, days=3, version=2)
            await loads.load(path)

    asyncio.run(work())
    said = hdi(settings, "export", "definition", *ALL[2:], "-o", tmp_path / "x.dbn", "--json")
    assert (said.json["records"], said.json["shortened"]) == (5, 5)
    assert "trading_reference_price" in said.json["left_out"]
    assert "note: 5 records had values that DBN 3 has no field for" in said.err


@pytest.mark.slow
def test_an_interrupted_export_leaves_no_part(
    place: Place, settings: Settings, tmp_path: Path
) -> None:
    """Exit code 130, and the file of before is what it was."""
    load(place, tmp_path, trades(400_000))
    target, part = tmp_path / "x.dbn.zst", tmp_path / "x.dbn.zst.part"
    target.write_bytes(b"old")
    with started(settings, "hdi", *ALL, "-o", target, "--overwrite") as process:
        until = time.monotonic() + 30
        while not (part.exists() and part.stat().st_size) and time.monotonic() < until:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert (process.returncode, said.splitlines()[-1]) == (130, "interrupted")
    assert not part.exists()
    assert target.read_bytes() == b"old"


_MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def peak_kb(env: Settings, *arguments: object) -> int:
    """Most memory that a run of `hdi` held. A small process starts it: ours would count as its."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(BIN / "hdi"), *map(str, arguments)],
        env=variables(env), capture_output=True, text=True, timeout=100, check=True,
    )  # fmt: skip
    return int(done.stdout)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_range(
    place: Place, settings: Settings, tmp_path: Path
) -> None:
    """Twenty days of 60,000 trades take what one day does: their 58 MB are never held."""
    load(place, tmp_path, trades(1_200_000, lame=20_000, days=20), days=20, chunk_days=1)
    target = tmp_path / "x.dbn"
    words = ("export", "trades", "--dataset", "GLBX.MDP3", "--all", "--start", "2024-03-11",
             "-o", target, "--overwrite", "--end")  # fmt: skip
    one = peak_kb(settings, *words, "2024-03-12")
    twenty = peak_kb(settings, *words, "2024-03-31")
    assert target.stat().st_size > 1_200_000 * 48
    assert twenty - one < 16_000
