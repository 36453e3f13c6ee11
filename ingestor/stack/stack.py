"""The embedded stack: up, down, reset, status. Data live below `<home>/stack`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ingestor.errors import StackUnavailable
from ingestor.stack import address, databases, launch, postgres, state, valkey
from ingestor.stack.address import EXTERNAL, StackAddress
from ingestor.stack.launch import Edition, Redis, Report
from ingestor.stack.postgres import Postgres
from ingestor.stack.state import PostgresState, ValkeyState
from ingestor.vocabulary import Role

_PLAIN = (
    "WARNING: this database is without TimescaleDB, so hypertables and compression are off: good "
    "for a trial. For real data name a TimescaleDB in HDI_DATABASE_URL"
)


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """One server: what was chosen (None: nothing yet), its data, its process while it runs."""

    edition: str | None
    data: Path
    pid: int | None
    port: int | None


@dataclass(frozen=True, slots=True)
class StackStatus:
    """Both servers of a home."""

    home: Path
    database: ServerStatus
    redis: ServerStatus


def up(
    home: Path,
    *,
    database_url: str | None = None,
    redis_url: str | None = None,
    edition: Edition = "auto",
    redis: Redis = "auto",
    report: Report,
) -> StackAddress:
    """Start what is not given and not running yet; safe to call again and at the same time.

    Args:
        home: Folder of the stack, made when missing.
        database_url: A database to use instead; this stack's own URL does not count as given.
        redis_url: The same for Redis.
        edition: What a first start chooses; later ones must agree with what was chosen.
        redis: The same for Valkey.
        report: Takes one line for people at a time.

    Raises:
        StackUnavailable: Something cannot be started; the hint is the way out.
    """
    home = home.absolute()
    with _locked(home, report):
        kept = state.load(home)
        reached = _address(
            home,
            address.foreign(database_url, kept.postgres.owner if kept.postgres else None)
            or launch.start_postgres(home, edition, report),
            address.foreign(redis_url, kept.valkey.password if kept.valkey else None)
            or launch.start_valkey(home, redis, report),
        )
        _write_env(reached)
    report(f"database: {reached.database_edition}; redis: {reached.redis_edition}")
    if reached.admin_url and not reached.timescaledb:
        report(_PLAIN)
    return reached


def down(home: Path, *, report: Report = lambda line: None) -> None:
    """Stop this home's servers; data stay."""
    home = home.absolute()
    if home.exists():
        with _locked(home, report):
            _stop(home)


def reset(home: Path, *, report: Report = lambda line: None) -> None:
    """Stop this home's servers and delete their data, passwords and the choice that was kept."""
    home = home.absolute()
    if not home.exists():
        return
    with _locked(home, report):
        _stop(home)
        if (home / "stack").exists():
            shutil.rmtree(home / "stack")
        (home / "stack.json").unlink(missing_ok=True)


def status(home: Path) -> StackStatus:
    """What was chosen and what of it runs; starts nothing."""
    home = home.absolute()
    kept = state.load(home)
    database, redis = launch.folder(home, "postgres"), launch.folder(home, "valkey")
    return StackStatus(
        home,
        ServerStatus(
            kept.postgres.edition if kept.postgres else None,
            database / "data",
            postgres.running(database),
            postgres.port_of(database),
        ),
        ServerStatus(
            kept.valkey.edition if kept.valkey else None,
            redis / "data",
            valkey.running(redis),
            valkey.port_of(redis),
        ),
    )


def create_database(
    reached: StackAddress, name: str, *, template: str | None = None
) -> StackAddress:
    """Make a database that hdi_owner owns, with the extension; returns where it is.

    Raises:
        StackUnavailable: The database is external, or the name is taken.
    """
    server, kept = _own_postgres(reached)
    databases.create(server, kept, name, template or "template0")
    urls = address.database_urls(kept, name)
    return replace(reached, database_urls=urls, admin_url=address.admin_url(kept, name))


def freeze_database(reached: StackAddress, name: str) -> None:
    """Make `name` a template that nobody can connect to, so that cloning it never fails."""
    databases.run(*_own_postgres(reached), "freeze", {"name": name})


def drop_database(reached: StackAddress, name: str) -> None:
    """Drop `name`, a frozen one too, and whoever is connected; none of that name is fine."""
    databases.run(*_own_postgres(reached), "drop", {"name": name})


@contextmanager
def _locked(home: Path, report: Report) -> Iterator[None]:
    """One at a time in `home`; what the file system refuses becomes an error of ours."""
    with state.locked(home / "stack.lock", report):
        try:
            yield
        except OSError as exc:
            raise StackUnavailable(f"{exc.filename or home}: {exc.strerror}") from exc


def _stop(home: Path) -> None:
    address.remove_env(home)
    valkey.stop(launch.folder(home, "valkey"))
    postgres.stop(launch.folder(home, "postgres"))


def _address(home: Path, database: PostgresState | str, redis: ValkeyState | str) -> StackAddress:
    own = database if isinstance(database, PostgresState) else None
    return StackAddress(
        database_urls=address.database_urls(own, databases.MAIN)
        if own
        else dict.fromkeys(Role, str(database)),
        redis_url=redis if isinstance(redis, str) else address.redis_url(redis),
        database_edition=own.edition if own else EXTERNAL,
        redis_edition=EXTERNAL if isinstance(redis, str) else redis.edition,
        timescaledb=own is not None and own.timescaledb is not None,
        admin_url=address.admin_url(own, "postgres") if own else None,
        home=home,
    )


def _write_env(reached: StackAddress) -> None:
    """Tell other commands what this stack runs; what was given from outside is not repeated."""
    values = address.env(reached)
    if reached.admin_url is None:
        values = {address.REDIS: values[address.REDIS]}
    if reached.redis_edition == EXTERNAL:
        del values[address.REDIS]
    address.write_env(reached.home, values)


def _own_postgres(reached: StackAddress) -> tuple[Postgres, PostgresState]:
    kept = state.load(reached.home).postgres
    if reached.admin_url is None or kept is None:
        raise StackUnavailable(
            "databases can only be made in the stack's own PostgreSQL",
            hint="unset HDI_DATABASE_URL, then `hdi stack up`",
        )
    place = launch.folder(reached.home, "postgres")
    return postgres.install(place, kept.kind, lambda line: None), kept
