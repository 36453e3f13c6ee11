"""What the stack chose and must keep: `stack.json`, and the lock that makes one `up` at a time."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from ingestor.errors import StackUnavailable

PostgresKind = Literal["tree", "wheel"]
ValkeyKind = Literal["path", "tree", "wheel"]


def new_password() -> str:
    """192 random bits that need no quoting in a URL, a conf file or SQL."""
    return secrets.token_urlsafe(24)


@dataclass(frozen=True, slots=True)
class PostgresState:
    """One cluster.

    Attributes:
        version: Full version that made the data; the major one is kept.
        timescaledb: Version and licence, e.g. ``2.19.3 (apache)``; None without it.
        prepared: False until roles and database exist: before that nobody ever used the data.
        port: The last one; tried first the next time.
    """

    kind: PostgresKind
    version: str
    timescaledb: str | None
    port: int
    prepared: bool = False
    superuser: str = field(default_factory=new_password, repr=False)
    owner: str = field(default_factory=new_password, repr=False)
    worker: str = field(default_factory=new_password, repr=False)
    reader: str = field(default_factory=new_password, repr=False)

    @property
    def major(self) -> str:
        return self.version.split(".")[0]

    @property
    def edition(self) -> str:
        if self.timescaledb is None:
            return f"postgresql {self.version} without timescaledb"
        return f"timescaledb {self.timescaledb} on postgresql {self.version}"


@dataclass(frozen=True, slots=True)
class ValkeyState:
    """One Valkey (or Redis) server; `binary` is the program's path for kind ``path``."""

    kind: ValkeyKind
    version: str
    edition: str
    port: int
    binary: str | None = None
    password: str = field(default_factory=new_password, repr=False)

    @property
    def major(self) -> str:
        return self.version.split(".")[0]


@dataclass(frozen=True, slots=True)
class State:
    """`stack.json`. None: nothing chosen yet."""

    format: Literal[1] = 1
    postgres: PostgresState | None = None
    valkey: ValkeyState | None = None


_STATE = TypeAdapter(State)


def load(home: Path) -> State:
    """The state kept in `home`.

    Raises:
        StackUnavailable: The file is damaged or of another version.
    """
    file = home / "stack.json"
    try:
        return _STATE.validate_json(file.read_bytes())
    except FileNotFoundError:
        return State()
    except (OSError, ValidationError) as exc:
        # the cause is dropped from the text: pydantic quotes the input, which holds passwords
        raise StackUnavailable(
            f"{file} cannot be used: {type(exc).__name__}",
            hint="restore the file, or delete the stack and its data with `hdi stack reset --yes`",
        ) from None


def save(home: Path, state: State) -> None:
    """Write `stack.json`; it holds passwords, so only its owner can read it."""
    write_private(home / "stack.json", _STATE.dump_json(state, indent=2).decode() + "\n")


def write_private(file: Path, text: str) -> None:
    """Replace `file` in one step by one that only its owner can read."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600, exist_ok=False)
    with fresh.open("w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(file)


@contextmanager
def locked(file: Path, report: Callable[[str], None]) -> Iterator[None]:
    """Hold `file`'s lock; it ends with the process, so a crash leaves none behind.

    Raises:
        StackUnavailable: The file cannot be made.
    """
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as exc:
        raise StackUnavailable(f"{file} cannot be opened: {exc.strerror}") from exc
    try:
        _acquire(handle, report)
        yield
    finally:
        os.close(handle)


def _acquire(handle: int, report: Callable[[str], None]) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        report("waiting for another process that is at work on the stack")
        fcntl.flock(handle, fcntl.LOCK_EX)
