"""`hdi up`: it all in the foreground, from nothing; Flower and API see it; Ctrl-C ends it all."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from ingestor import stack
from ingestor.simulator.market import make_trades
from tests.acceptance.commands import BIN, Said, hdi, submit
from tests.loads import write

T = TypeVar("T")
RECORDS = 1_000
pytestmark = pytest.mark.timeout(180)


@dataclass(frozen=True)
class Up:
    """A service that `hdi up` runs in a home of its own.

    Attributes:
        said: What `hdi-submit --wait --json` answered to a file of trades.
    """

    process: subprocess.Popen[bytes]
    env: dict[str, str]
    log: Path
    flower: str
    api: str
    said: Said


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _eventually(what: str, look: Callable[[], T], log: Path, *, timeout_s: float = 90) -> T:
    """What `look` finds, once it finds something."""
    deadline = time.monotonic() + timeout_s
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {timeout_s:g} s: {what}\n{_text(log)}"
        time.sleep(0.2)
    return found


def _text(log: Path) -> str:
    return log.read_text(errors="replace")[-6_000:]


def _ours(home: Path) -> list[str]:
    """Processes that belong to this home: by their environment or their command line."""
    word = str(home).encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            told = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except OSError:
            continue
        if word in told and int(folder.name) != os.getpid():
            found.append(f"{folder.name} {(folder / 'comm').read_text().strip()}")
    return found


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A short path: sockets must fit into 107 bytes."""
    made = Path(tempfile.mkdtemp(prefix="hdi-up-"))
    try:
        yield made
    finally:
        stack.reset(made)
        shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def up(home: Path) -> Iterator[Up]:
    port, api_port = _free_port(), _free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith("HDI_")}
    env |= {"HDI_HOME": str(home), "HDI_FLOWER__PORT": str(port)}
    env |= {"HDI_API__PORT": str(api_port)}
    env |= {"HDI_WORKER__SOFT_SHUTDOWN_S": "2", "HDI_SCHEDULER__IDLE_S": "0.5"}
    log = home / "up.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [str(BIN / "hdi"), "up", "--workers", "2"], env=env, cwd=home, stdout=file,
            stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        _eventually("the scheduler runs", lambda: b"scheduler started" in log.read_bytes(), log)
        path = write(home / "dbn" / "trades.dbn.zst", make_trades(RECORDS))
        said = submit(env, "--path", path, "--wait", "--timeout", 90, "--json")
        urls = (f"http://127.0.0.1:{port}", f"http://127.0.0.1:{api_port}")
        yield Up(process, env, log, *urls, said)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def _get(url: str) -> str | None:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return str(answer.read().decode())
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return None


def test_a_submission_completes_and_the_stack_needs_no_settings(up: Up) -> None:
    """`hdi-submit` finds database and queue through HDI_HOME alone."""
    assert up.said.code == 0, (up.said, _text(up.log))
    assert up.said.json["records"]["stored"] == RECORDS


def test_two_worker_processes_and_a_scheduler_are_online(up: Up) -> None:
    def online() -> bool:
        found = hdi(up.env, "workers", "--json").json["workers"]
        roles = sorted(each["role"] for each in found if each["online"])
        return roles == ["scheduler", "worker", "worker"]

    assert _eventually("all are online", online, up.log)


def test_the_api_tells_of_the_job(up: Up) -> None:
    """Where `hdi up` says that it is."""
    told = _eventually("the API answers", lambda: _get(f"{up.api}/api/jobs/@last"), up.log)

    assert json.loads(told)["records"]["stored"] == RECORDS
    assert f"api        {up.api}\n" in up.log.read_text()
    assert json.loads(_get(f"{up.api}/readyz") or "{}")["ready"] is True


def test_flower_shows_the_worker(up: Up) -> None:
    page = _eventually("Flower answers", lambda: _get(f"{up.flower}/workers?json=1"), up.log)

    names = [each["hostname"] for each in json.loads(page)["data"]]
    assert len(names) == 1
    assert names[0].endswith(f"@{socket.gethostname()}")


def test_flower_shows_the_task_with_its_chunk_id(up: Up) -> None:
    """Flower remembers what it heard of: the chunk is submitted once it listens."""
    _eventually("Flower answers", lambda: _get(f"{up.flower}/workers"), up.log)
    path = write(up.log.parent / "dbn" / "later.dbn.zst", make_trades(10, seed=9))
    said = submit(up.env, "--path", path, "--wait", "--timeout", 60, "--json")
    assert said.code == 0, said

    def page() -> str | None:
        """The second chunk of a new database, put on the queue once."""
        shown = _get(f"{up.flower}/task/hdi-chunk-2-1")
        return shown if shown and "SUCCESS" in shown else None

    shown = _eventually("Flower knows the task", page, up.log)
    assert "hdi.load_chunk" in shown
    assert "(2,)" in shown


def test_no_password_is_in_the_log(up: Up) -> None:
    passwords = [
        line.partition("://")[2].partition("@")[0].rpartition(":")[2]
        for line in (up.log.parent / "stack.env").read_text().splitlines()
        if "://" in line
    ]

    assert passwords
    assert not any(password in up.log.read_text() for password in passwords)


def test_ctrl_c_ends_everything(up: Up, home: Path) -> None:
    """Exit 0, and no process of this home is left: workers, scheduler, Flower, servers."""
    up.process.send_signal(signal.SIGINT)

    assert up.process.wait(90) == 0, _text(up.log)
    _eventually("nothing is left", lambda: not _ours(home), up.log, timeout_s=20)
