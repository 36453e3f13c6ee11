"""The demo: a simulated provider → the official client → two Celery workers → TimescaleDB.

Everything runs in a throw-away folder on loopback ports and is gone at the end (`--keep` leaves it
up until Ctrl-C). Commands are run as a person would type them, and shown. No key is needed, and
nothing is bought: the simulator is used because this script names it.
"""

from __future__ import annotations

import argparse
import json
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
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from ingestor import stack

BIN = Path(sys.executable).parent
JOB = Path(__file__).with_name("demo-job.yaml")
TRADES_PER_DAY = 20_000
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
        environment = {**_clean(), "HDI_HOME": str(home), "HDI_LOG_FORMAT": "console"}
        closing.enter_context(_stack(home))
        _run(environment, "hdi", "db", "migrate")
        ports = {name: _free_port() for name in ("simulator", "flower", "api")}
        simulator = f"http://127.0.0.1:{ports['simulator']}"
        environment |= {
            "HDI_DATABENTO_GATEWAY": simulator,
            "DATABENTO_API_KEY": "db-" + "demo" * 7 + "k",
            # Flower listens on loopback here; elsewhere its API wants a login.
            "FLOWER_UNAUTHENTICATED_API": "true",
        }
        for name, command in _processes(ports).items():
            closing.enter_context(_process(name, command, environment, home / "logs"))
        _answer(f"{simulator}/simulator/bill")
        _wait_for_workers(environment, 2)
        code = _tour(environment, simulator)
        code += _flower(ports["flower"]) + _api(ports["api"])
        print(f"\nlogs: {home / 'logs'}" if keep else "")
        print(f"demo: {'ok' if code == 0 else 'failed'} after {time.monotonic() - started:.0f} s")
        if keep and code == 0:
            _stay(home, environment, ports)
    return code


def _clean() -> dict[str, str]:
    """The caller's variables without any of HDI: a demo never reaches a real provider."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("HDI_") and name != "DATABENTO_API_KEY"
    }


@contextmanager
def _home() -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="hdi-demo-"))
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _stack(home: Path) -> Iterator[None]:
    try:
        stack.up(home, report=lambda line: print(f"stack: {line}"))
        yield
    finally:
        stack.reset(home)


def _processes(ports: dict[str, int]) -> dict[str, list[str]]:
    flower = ["celery", "-A", "workers.app", "flower", "--address=127.0.0.1"]
    market = ["--per-day", str(TRADES_PER_DAY), "--seed", "7", "--quiet"]
    return {
        "simulator": ["hdi", "simulate", "--port", str(ports["simulator"]), *market],
        "worker-1": ["hdi", "worker", "--concurrency", "1", "--name", "demo-1"],
        "worker-2": ["hdi", "worker", "--concurrency", "1", "--name", "demo-2"],
        "scheduler": ["hdi", "scheduler"],
        "flower": [*flower, f"--port={ports['flower']}"],
        "api": ["hdi", "serve", "--port", str(ports["api"])],
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


def _tour(environment: dict[str, str], simulator: str) -> int:
    """Submits, follows, reads, asks again: the sum of the exit codes, 0 if all went well."""
    submit = ("hdi-submit", "--job", str(JOB), "--wait", "--timeout", "300")
    query = ("hdi", "query", "trades", "--dataset", "GLBX.MDP3", "--symbols", "ESM4")
    bars = ("hdi", "query", "ohlcv-1d", "--dataset", "GLBX.MDP3", "--symbols", "ESM4-ESU4")
    listed = ("hdi", "query", "definition", "--dataset", "GLBX.MDP3", "--symbols", "ESM4,ESM4-ESU4")
    told = ("hdi", "query", "statistics", "--dataset", "GLBX.MDP3", "--symbols", "ESM4")
    commands: list[tuple[str, ...]] = [
        ("hdi-submit", "--job", str(JOB), "--dry-run"),
        submit,
        ("hdi", "status", "demo", "--chunks"),
    ]
    code = sum(_run(environment, *command) for command in commands)
    before = _billed(simulator)
    commands = [
        submit,  # found, not done twice
        ("hdi", "symbols", "list", "--dataset", "GLBX.MDP3", "--limit", "8"),
        (*query, "--start", "2024-03-11", "--end", "2024-03-12", "--limit", "5"),
        (*bars, "--start", "2024-06-10", "--end", "2024-06-15"),
        (*listed, "--start", "2024-03-11", "--end", "2024-03-12"),
        (*told, "--start", "2024-03-11", "--end", "2024-03-12", "--limit", "5"),
        ("hdi", "workers"),
        ("hdi", "db", "status"),
    ]
    code += sum(_run(environment, *command) for command in commands)
    calls, records = _billed(simulator)
    print(f"\nthe simulator billed {calls} streams, {records:,} records; asked again, it billed "
          f"{calls - before[0]} more")  # fmt: skip
    return code + (calls != before[0])


def _billed(simulator: str) -> tuple[int, int]:
    """Streams and records that the simulator has billed."""
    lines = _answer(f"{simulator}/simulator/bill")["lines"]
    return sum(each["calls"] for each in lines), sum(each["records"] for each in lines)


def _answer(url: str) -> Any:
    """The JSON at a URL, waited for; None where nothing answers within a minute."""
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return json.load(answer)
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.5)
    print(f"\n{url} did not answer within {_READY_S} s")
    return None


def _flower(port: int) -> int:
    """What Flower's HTTP API tells of the tasks; 0 where both workers have done some."""
    url = f"http://127.0.0.1:{port}"
    tasks = _answer(f"{url}/api/tasks?limit=1000") or {}
    states = Counter(each["state"] for each in tasks.values())
    workers = {str(each["worker"]).partition("@")[0] for each in tasks.values()}
    told = ", ".join(f"{count} {state}" for state, count in states.items()) or "no tasks"
    print(f"Flower at {url} shows {told} by {len(workers)} workers")
    return 0 if states["SUCCESS"] and workers == {"demo-1", "demo-2"} else 1


def _api(port: int) -> int:
    """Jobs as `hdi serve` tells them; 0 where the demo's is among them."""
    url = f"http://127.0.0.1:{port}/api/jobs"
    jobs = (_answer(url) or {}).get("jobs", [])
    told = ", ".join(f"{job['name']}: {job['state']}" for job in jobs)
    print(f"the API at {url} shows {told or 'no job'}")
    return 0 if [job["state"] for job in jobs] == ["completed"] else 1


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _stay(home: Path, environment: dict[str, str], ports: dict[str, int]) -> None:
    gateway = environment["HDI_DATABENTO_GATEWAY"]
    print(f"\nstill up. In another terminal:  export HDI_HOME={home}")
    print(f"  export HDI_DATABENTO_GATEWAY={gateway}")
    print(f"  export DATABENTO_API_KEY={environment['DATABENTO_API_KEY']}")
    print(f"Flower: http://127.0.0.1:{ports['flower']}   API: http://127.0.0.1:{ports['api']}")
    print("Ctrl-C ends everything and removes the data.")
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    sys.exit(main())
