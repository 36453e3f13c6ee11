"""The demo: files → Redis → two Celery workers → TimescaleDB, and what came of it.

Everything runs in a throw-away folder on loopback ports and is gone at the end (`--keep` leaves it
up until Ctrl-C). Commands are run as a person would type them, and shown.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np

from ingestor import stack
from ingestor.simulator.dbn_writer import write_dbn
from ingestor.simulator.market import INSTRUMENTS, bars, mappings, trades
from ingestor.vocabulary import Schema

BIN = Path(sys.executable).parent
DAY = 86_400 * 10**9
YEAR_START = 19_723 * DAY  # 2024-01-01
TRADES_START = 19_793 * DAY  # 2024-03-11
DATASET = "GLBX.MDP3"
_READY_S = 60


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="stay up until Ctrl-C")
    keep = parser.parse_args().keep
    for number in (signal.SIGTERM, signal.SIGINT):
        # Whoever stops us, everything that was started ends with us.
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    started = time.monotonic()
    with ExitStack() as closing:
        home = closing.enter_context(_home())
        files = _write_files(home / "dbn")
        environment = {**os.environ, "HDI_HOME": str(home), "HDI_LOG_FORMAT": "console"}
        closing.enter_context(_stack(home))
        _run(environment, "hdi", "db", "migrate")
        flower = _free_port()
        for name, command in _processes(flower).items():
            closing.enter_context(_process(name, command, environment, home / "logs"))
        _wait_for_workers(environment, 2)
        code = _tour(environment, files)
        _flower(flower)
        print(f"\nlogs: {home / 'logs'}" if keep else "")
        print(f"demo: {'ok' if code == 0 else 'failed'} after {time.monotonic() - started:.0f} s")
        if keep and code == 0:
            _stay(home, flower)
    return code


@contextmanager
def _home() -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="hdi-demo-"))
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _write_files(folder: Path) -> Path:
    """Daily bars of a year in monthly files, trades of two days, by the official encoders."""
    folder.mkdir()
    months = np.linspace(YEAR_START // DAY, YEAR_START // DAY + 366, 13).astype(int)
    for first, past in pairwise(months):
        _file(folder, Schema.OHLCV_1D, int(first) * DAY, int(past) * DAY, per_day=1)
    for day in range(2):
        start = TRADES_START + day * DAY
        _file(folder, Schema.TRADES, start, start + DAY, per_day=25_000)
    names = sorted(path.name for path in folder.iterdir())
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"wrote {len(names)} DBN files, {size / 1e6:.1f} MB: {names[0]} … {names[-1]}")
    return folder


def _file(folder: Path, schema: Schema, start: int, end: int, *, per_day: int) -> None:
    make = {"seed": 7, "per_day": per_day}
    records = (
        trades(INSTRUMENTS, start, end, **make)
        if schema is Schema.TRADES
        else bars(schema, INSTRUMENTS, start, end, **make)
    )
    day = np.datetime64(start, "ns").astype("datetime64[D]")
    write_dbn(
        folder / f"{day}.{schema}.dbn.zst", schema, records, dataset=DATASET, start=start, end=end,
        symbols=[each.symbol for each in INSTRUMENTS],
        mappings=mappings(INSTRUMENTS, start, end),
    )  # fmt: skip


@contextmanager
def _stack(home: Path) -> Iterator[None]:
    try:
        stack.up(home, report=lambda line: print(f"stack: {line}"))
        yield
    finally:
        stack.reset(home)


def _processes(flower_port: int) -> dict[str, list[str]]:
    flower = ["celery", "-A", "workers.app", "flower", "--address=127.0.0.1"]
    return {
        "worker-1": ["hdi", "worker", "--concurrency", "1", "--name", "demo-1"],
        "worker-2": ["hdi", "worker", "--concurrency", "1", "--name", "demo-2"],
        "scheduler": ["hdi", "scheduler"],
        "flower": [*flower, f"--port={flower_port}"],
    }


@contextmanager
def _process(
    name: str, command: list[str], environment: dict[str, str], logs: Path
) -> Iterator[None]:
    logs.mkdir(exist_ok=True)
    with (logs / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [str(BIN / command[0]), *command[1:]], env=environment, stdin=subprocess.DEVNULL,
            stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        print(f"started {name}: {' '.join(command)}")
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_for_workers(environment: dict[str, str], count: int) -> None:
    """Returns when so many workers have reported, or after a minute: the commands tell the rest."""
    ask = [str(BIN / "hdi"), "workers", "--json"]
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        answer = subprocess.run(
            ask, env=environment, capture_output=True, stdin=subprocess.DEVNULL, check=False
        )
        if answer.stdout.count(b'"role":"worker"') >= count:
            return


def _run(environment: dict[str, str], *command: str) -> int:
    print(f"\n$ {shlex.join(command)}", flush=True)
    return subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        env=environment,
        stdin=subprocess.DEVNULL,
        check=False,
    ).returncode


def _tour(environment: dict[str, str], files: Path) -> int:
    """Submits, follows, reads: the sum of the exit codes, 0 if all went well."""
    query = ("hdi", "query", "trades", "--symbols", INSTRUMENTS[0].symbol)
    commands: list[tuple[str, ...]] = [
        ("hdi-submit", "--path", str(files), "--name", "demo", "--wait", "--timeout", "300"),
        ("hdi", "status", "demo", "--chunks"),
        ("hdi-submit", "--path", str(files), "--name", "demo", "--wait"),
        ("hdi", "workers"),
        ("hdi", "db", "status"),
        (*query, "--start", "2024-03-11", "--end", "2024-03-12", "--limit", "5"),
    ]
    return sum(_run(environment, *command) for command in commands)


def _flower(port: int) -> None:
    """Says what Flower saw, and where it is."""
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/workers", timeout=5) as answer:
                page = answer.read().decode()
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.5)
            continue
        seen = [name for name in ("demo-1@", "demo-2@") if name in page]
        print(f"\nFlower at {url} shows {len(seen)} workers")
        return
    print(f"\nFlower did not answer at {url} within {_READY_S} s")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _stay(home: Path, flower_port: int) -> None:
    print(f"\nstill up. In another terminal:  export HDI_HOME={home}")
    print(f"Flower: http://127.0.0.1:{flower_port}   Ctrl-C ends everything and removes the data.")
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    sys.exit(main())
