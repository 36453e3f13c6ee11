"""Where a stack can be reached, and the `stack.env` file that tells every other command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ingestor.stack import state
from ingestor.stack.process import LOOPBACK
from ingestor.stack.state import PostgresState, ValkeyState
from ingestor.vocabulary import Role

DATABASE = "HDI_DATABASE_URL"
WORKER_DATABASE = "HDI_WORKER_DATABASE_URL"
READER_DATABASE = "HDI_READER_DATABASE_URL"
REDIS = "HDI_REDIS_URL"
EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class StackAddress:
    """A running stack. The URLs hold passwords, so it is not printed whole.

    Attributes:
        database_urls: One login per role; all the same for an external database.
        database_edition: E.g. ``timescaledb 2.19.3 (apache) on postgresql 17.6``,
            ``postgresql 18.1 without timescaledb``, ``external``.
        timescaledb: Whether this stack gives TimescaleDB; False when external, where nobody asked.
        admin_url: The superuser's; None when external.
        home: Where the stack lives.
    """

    database_urls: Mapping[Role, str]
    redis_url: str
    database_edition: str
    redis_edition: str
    timescaledb: bool
    admin_url: str | None
    home: Path

    def __repr__(self) -> str:
        return f"StackAddress({self.database_edition}, {self.redis_edition}, {self.home})"


def database_urls(kept: PostgresState, name: str) -> dict[Role, str]:
    """One login per role to the database called `name`."""
    logins = {
        Role.OWNER: ("hdi_owner", kept.owner),
        Role.WORKER: ("hdi_worker_login", kept.worker),
        Role.READER: ("hdi_reader_login", kept.reader),
    }
    return {role: _url(*login, kept.port, name) for role, login in logins.items()}


def admin_url(kept: PostgresState, name: str) -> str:
    """The superuser's way to the database called `name`."""
    return _url("postgres", kept.superuser, kept.port, name)


def redis_url(kept: ValkeyState) -> str:
    """Database 0 of the stack's own Valkey."""
    return f"redis://:{kept.password}@{LOOPBACK}:{kept.port}/0"


def _url(user: str, password: str, port: int, name: str) -> str:
    return f"postgresql://{user}:{password}@{LOOPBACK}:{port}/{name}"


def foreign(url: str | None, password: str | None) -> str | None:
    """`url`, unless it leads to the stack itself: then it holds the stack's own random password.

    Settings read `stack.env`, so a second `up` is handed what the first one wrote.
    """
    return None if url is None or (password is not None and password in url) else url


def env(address: StackAddress) -> dict[str, str]:
    """The settings that lead to `address`."""
    return {
        DATABASE: address.database_urls[Role.OWNER],
        WORKER_DATABASE: address.database_urls[Role.WORKER],
        READER_DATABASE: address.database_urls[Role.READER],
        REDIS: address.redis_url,
    }


def read_env(home: Path) -> dict[str, str]:
    """What `stack.env` says; empty where the stack is down."""
    try:
        lines = (home / "stack.env").read_text().splitlines()
    except OSError:
        return {}
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {name: value for name, _, value in pairs}


def write_env(home: Path, values: Mapping[str, str]) -> None:
    """Write `stack.env`, readable by its owner only."""
    text = "".join(f"{name}={value}\n" for name, value in values.items())
    state.write_private(home / "stack.env", text)


def remove_env(home: Path) -> None:
    """Say that the stack is down."""
    (home / "stack.env").unlink(missing_ok=True)
