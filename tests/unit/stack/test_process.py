"""Which processes are ours, and how they end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestor.errors import StackUnavailable
from ingestor.stack import process

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True);"


@pytest.fixture
def word(tmp_path: Path) -> str:
    """The mark of the test's folder."""
    return process.mark(tmp_path)


@pytest.fixture
def sleeper(word: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that bears the mark and ignores SIGTERM."""
    command = [sys.executable, "-c", f"{DEAF} time.sleep(60)", word]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        yield child
        child.kill()


def test_a_mark_belongs_to_one_folder(tmp_path: Path) -> None:
    """Many stacks run beside each other, and a link to a folder is that folder."""
    (tmp_path / "one").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "one")

    assert process.mark(tmp_path / "one") == process.mark(tmp_path / "link")
    assert process.mark(tmp_path / "one") != process.mark(tmp_path / "other")


def test_a_process_is_ours_by_its_mark(sleeper: subprocess.Popen[bytes], word: str) -> None:
    """Alone it is found, and by its number."""
    assert process.bears(sleeper.pid, word)
    assert process.bearers(word) == [sleeper.pid]


def test_a_dead_process_is_not_ours(sleeper: subprocess.Popen[bytes], word: str) -> None:
    """Nor is one that is dead and not yet buried by its parent."""
    sleeper.kill()

    assert process.wait_until(lambda: not process.bears(sleeper.pid, word), 10)


def test_a_stranger_is_never_stopped(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    """A pid file that names somebody else counts as a server that is gone."""
    other = process.mark(tmp_path / "elsewhere")

    assert process.stop(sleeper.pid, other, [(signal.SIGKILL, 1)])
    assert sleeper.poll() is None


def test_stronger_signals_follow_weaker_ones(sleeper: subprocess.Popen[bytes], word: str) -> None:
    """A server that does not listen to the first signal gets the second."""
    gone = process.stop(sleeper.pid, word, [(signal.SIGTERM, 0.1), (signal.SIGKILL, 10)])

    assert gone
    assert sleeper.wait(10) == -signal.SIGKILL


def test_a_process_that_outlives_all_signals_is_reported(
    sleeper: subprocess.Popen[bytes], word: str
) -> None:
    """Starting another server beside it would be worse than an error."""
    assert not process.stop(sleeper.pid, word, [(signal.SIGTERM, 0.1)])


def test_a_server_somebody_started_by_hand_keeps_its_data() -> None:
    """Two servers on the same files would destroy them."""
    with subprocess.Popen(["sh", "-c", "sleep 60; : postgres -D data"]) as server:
        # The kernel shows a command line only some moments after the program has begun.
        assert process.wait_until(lambda: "postgres" in process._command(server.pid), 5)
        with pytest.raises(StackUnavailable, match=f"process {server.pid}"):
            process.refuse_unmarked(server.pid, "postgres")
        server.kill()


def test_another_stacks_server_and_other_programs_are_strangers(
    sleeper: subprocess.Popen[bytes],
) -> None:
    """Their number got into our pid file by a reboot."""
    process.refuse_unmarked(sleeper.pid, "python", "postgres")
    process.refuse_unmarked(os.getpid(), "postgres-of-nobody")
    process.refuse_unmarked(None, "postgres")


@pytest.mark.parametrize("text", [None, "", "nonsense\n"])
def test_a_broken_pid_file_names_nobody(tmp_path: Path, text: str | None) -> None:
    """A crash can cut the file short."""
    file = tmp_path / "pid"
    if text is not None:
        file.write_text(text)

    assert process.pid_in(file) is None


def test_a_port_in_use_is_not_free() -> None:
    """A port that was kept may have gone to somebody else."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]

        assert not process.is_free(taken)
    assert process.is_free(process.free_port())
