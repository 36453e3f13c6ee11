"""Bad input: one line of what, one of what next, the right exit code, and nothing written."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import numpy as np
import pytest

from ingestor.simulator.dbn_writer import write_dbn
from ingestor.simulator.market import DAY, MONDAY, make_bars, make_trades
from ingestor.vocabulary import Role, Schema
from tests.acceptance.commands import Here, Said, ask, hdi, here, ledger_rows, secrets, submit
from tests.conftest import Place, Servers, _admin, _place, environment, make_settings
from tests.loads import write

__all__ = ["here"]

Env = Mapping[str, str]
_OK, _ERROR, _USAGE, _UNREACHABLE = 0, 1, 2, 6


@pytest.fixture(scope="module")
def shared(servers: Servers) -> Iterator[Place]:
    """One database for all: nothing may ever be written in it."""
    yield from _place(servers)


@pytest.fixture(scope="module")
def env(shared: Place, servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Env:
    home = tmp_path_factory.mktemp("home")
    return environment(make_settings(shared, servers.redis_url, home))


@pytest.fixture
def unwritten(shared: Place) -> Iterator[None]:
    """The ledger holds as many rows after the test as before it."""
    before = ask(shared, ledger_rows)
    yield
    assert ask(shared, ledger_rows) == before


def check(said: Said, env: Env, code: int, *expected: str, hint: bool = True) -> None:
    """One line of what, one of what next; no answer, no traceback, no secret."""
    assert len(said.errors) == 1, said
    assert len(said.nexts) == hint, said
    assert said.code == code, said
    assert said.out == ""
    assert "Traceback" not in said.err
    assert not any(secret in said.err for secret in secrets(env))
    for words in expected:
        assert words in said.err, said


# --- options -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Options:
    """A command line without files, and the words that must be in the answer."""

    line: str
    words: tuple[str, ...]
    more: tuple[str, ...] = field(default=())


ASK = "--dataset GLBX.MDP3 --schema trades --symbols ESH4 --start 2024-03-11 --end 2024-03-12"
OPTIONS = {
    "a dataset in small letters": Options("--dataset glbx.mdp3", ("Did you mean 'GLBX.MDP3'?",)),
    "a dataset without a feed": Options("--dataset GLBX", ("'GLBX'", "GLBX.MDP3")),
    "an empty dataset": Options("--dataset=", ("no dataset code",)),
    "a schema misspelt": Options("--schema trade", ("'trade'", "Did you mean 'trades'?")),
    "a schema of another provider": Options("--schema klines", ("'klines'", "ohlcv-1d, trades")),
    "a schema that is not stored": Options("--schema mbo", ("'mbo'",)),
    "an empty schema in a list": Options("--schema trades,,ohlcv-1d", ("empty schema",)),
    "a symbol type misspelt": Options("--stype-in raw_symbl", ("Did you mean 'raw_symbol'?",)),
    "an unknown symbol type": Options("--stype-in isin", ("'isin'", "continuous")),
    "an unknown priority": Options("--priority urgent", ("'urgent'", "'high'")),
    "a source misspelt": Options("--source dbn-file", ("Did you mean 'dbn-files'?",)),
    "an unknown option": Options("--symbol ESH4", ("--symbol", "--symbols")),
    "a stray word": Options(f"{ASK} now", ("now",)),
    "end before start": Options(
        "--start 2024-03-12 --end 2024-03-11", ("--end", "after --start", "exclusive")
    ),
    "end equal to start": Options("--start 2024-03-11 --end 2024-03-11", ("after --start",)),
    "a time of day": Options(
        "--start 2024-03-11T09:30", ("whole UTC days", "2024-03-11 or 2024-03-12")
    ),
    "midnight spelt out": Options("--start 2024-03-11T00:00:00Z", ("write 2024-03-11",)),
    "a day that never was": Options("--start 2024-02-30", ("'2024-02-30'", "is no day")),
    "a day the wrong way round": Options("--start 11.03.2024", ("write it as 2024-03-11",)),
    "no symbol": Options("--symbols=", ("empty symbol",)),
    "commas only": Options("--symbols ,,", ("empty symbol",)),
    "an empty symbol": Options("--symbols ESH4,,NQH4", ("empty symbol",)),
    "a missing list of symbols": Options("--symbols @list.txt", ("'list.txt'", "cannot be read")),
    "no days per chunk": Options("--chunk-days 0", ("--chunk-days",)),
    "a cost below nothing": Options("--max-cost=-1", ("--max-cost",)),
    "json and quiet": Options(f"{ASK} --json --quiet", ("--json", "--quiet")),
    "a dry run that waits": Options(f"{ASK} --dry-run --wait", ("--dry-run", "--wait")),
    "a timeout without a wait": Options(f"{ASK} --timeout 5", ("--timeout", "--wait")),
    "strict without a wait": Options(f"{ASK} --strict", ("--strict", "--wait")),
    "files without a path": Options("--source dbn-files", ("--path",)),
    "a vendor's files without a path": Options(
        "--source csv-files --dataset ACME.BARS --schema ohlcv-1d", ("--path",)
    ),
    "a whole request for files": Options(f"{ASK} --source csv-files", ("csv-files", "--path")),
    "a path for a provider": Options("--source databento --path .", ("--path", "databento")),
    "symbols of files": Options("--path . --symbols ESH4", ("--symbols", "--path")),
    "a symbol type of files": Options("--path . --stype-in parent", ("--stype-in", "--path")),
    "chunks of files by symbol": Options("--path . --chunk-symbols 5", ("--chunk-symbols",)),
    "a cost cap for files": Options("--path . --max-cost 5", ("--max-cost", "--path")),
    "a copy of no files": Options(f"{ASK} --copy-to-vault", ("--copy-to-vault", "--path")),
}  # fmt: skip


@pytest.mark.parametrize("case", OPTIONS.values(), ids=OPTIONS.keys())
def test_options_that_make_no_sense_are_refused_with_exit_2(
    here: Here, env: Env, unwritten: None, case: Options
) -> None:
    """What was found, what is allowed; near misses are suggested."""
    said = here.submit(env, *case.line.split(), *case.more)

    check(said, env, _USAGE, *case.words)


def test_an_empty_file_of_symbols_is_refused_by_its_name(
    here: Here, env: Env, unwritten: None, tmp_path: Path
) -> None:
    (tmp_path / "symbols.txt").write_text("\n  \n")

    said = here.submit(env, *ASK.replace("ESH4", "@symbols.txt").split())

    check(said, env, _USAGE, "no symbol in 'symbols.txt'")


def test_an_unknown_command_suggests_the_one_that_was_meant(here: Here, env: Env) -> None:
    check(here.hdi(env, "statsu"), env, _USAGE, "Did you mean 'status'?")


@pytest.mark.parametrize("command", ["status", "watch", "cancel", "retry"])
def test_an_unknown_job_is_refused_with_exit_2(here: Here, env: Env, command: str) -> None:
    check(here.hdi(env, command, "march"), env, _USAGE, "no job is called 'march'", "hdi jobs")


def test_the_last_of_no_jobs_is_refused_with_the_command_that_makes_one(
    here: Here, env: Env
) -> None:
    check(here.hdi(env, "status", "@last"), env, _USAGE, "no job was submitted yet", "hdi-submit")


def test_retry_takes_up_no_states_but_failed_and_cancelled(here: Here, env: Env) -> None:
    check(here.hdi(env, "retry", "@last", "--only", "completed"), env, _USAGE, "'completed'")


# --- files ---------------------------------------------------------------------------------------

_RECORDS = make_trades(3_000, seed=1)


def _whole(folder: Path) -> bytes:
    return write(folder / "whole.dbn.zst", _RECORDS).read_bytes()


def half(folder: Path) -> Path:
    content = _whole(folder)
    return _file(folder / "half.dbn.zst", content[: len(content) // 2])


def bit_flipped(folder: Path) -> Path:
    content = bytearray(_whole(folder))
    content[len(content) // 2] ^= 0x10
    return _file(folder / "flipped.dbn.zst", bytes(content))


def metadata_cut(folder: Path) -> Path:
    content = write(folder / "whole.dbn", _RECORDS).read_bytes()
    return _file(folder / "metadata.dbn", content[:60])


def partial_record(folder: Path) -> Path:
    content = write(folder / "whole.dbn", _RECORDS).read_bytes()
    return _file(folder / "partial.dbn", content[:-7])


def nothing_in_it(folder: Path) -> Path:
    return _file(folder / "nothing.dbn", b"")


def no_dbn(folder: Path) -> Path:
    return _file(folder / "prices.dbn", b"ts,price\n1,2\n")


def newer_version(folder: Path) -> Path:
    content = bytearray(write(folder / "whole.dbn", _RECORDS).read_bytes())
    content[3] = 9
    return _file(folder / "newer.dbn", bytes(content))


def mixed(folder: Path) -> Path:
    return write(folder / "mixed.dbn.zst", _RECORDS, tail=make_bars(6).tobytes())


def sent_live(folder: Path) -> Path:
    return write(folder / "ts_out.dbn.zst", _RECORDS, ts_out=True)


def live_recording(folder: Path) -> Path:
    return write_dbn(
        folder / "live.dbn.zst", None, _RECORDS, dataset="GLBX.MDP3", start=MONDAY, end=None,
        stype_in=None,
    )  # fmt: skip


def outside_its_range(folder: Path) -> Path:
    return write(folder / "outside.dbn.zst", make_trades(100, days=3), days=1)


def _file(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


DAMAGED: dict[Callable[[Path], Path], str] = {
    half: "ends inside a zstd frame",
    bit_flipped: "",
    metadata_cut: "ends inside its metadata",
    partial_record: "ends inside record 2999: 41 bytes of 48",
    nothing_in_it: "is empty",
    no_dbn: "is no DBN file",
    newer_version: "DBN version 9; versions 1, 2 and 3 are known",
    mixed: "record 3000 of",
    sent_live: "ts_out",
    live_recording: "names no schema: it is a live recording",
    outside_its_range: "its metadata allows",
}


@pytest.mark.parametrize("make", DAMAGED, ids=lambda make: make.__name__)
def test_a_file_that_cannot_be_trusted_is_refused_by_name(
    here: Here, env: Env, unwritten: None, tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    """Damage is found before a job is recorded."""
    folder = tmp_path / "files"
    folder.mkdir()
    path = make(folder).rename(folder.parent / "bad.dbn.zst")

    check(here.submit(env, "--path", path), env, _ERROR, str(path), DAMAGED[make])


@pytest.mark.parametrize("make", [half, mixed, live_recording], ids=lambda make: make.__name__)
def test_one_bad_file_refuses_its_whole_folder(
    here: Here, env: Env, unwritten: None, tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    """A job without the days of one file would be a hole that nobody noticed."""
    good = tmp_path / "good"
    good.mkdir()
    bad = make(good)
    write(good / "whole.dbn.zst", _RECORDS)

    check(here.submit(env, "--path", good), env, _ERROR, str(bad))


def _of_schema(path: Path, schema: str) -> Path:
    empty = np.empty(0, _RECORDS.dtype)
    return write_dbn(path, schema, empty, dataset="GLBX.MDP3", start=MONDAY, end=MONDAY + DAY)


def test_a_file_of_a_schema_that_is_not_stored_is_refused(
    here: Here, env: Env, unwritten: None, tmp_path: Path
) -> None:
    path = _of_schema(tmp_path / "mbo.dbn.zst", "mbo")

    check(here.submit(env, "--path", path), env, _USAGE, str(path), "mbo", "ohlcv-1d, trades")


def test_a_file_of_another_schema_than_asked_for_is_refused(
    here: Here, env: Env, unwritten: None, tmp_path: Path
) -> None:
    path = write(tmp_path / "bars.dbn.zst", make_bars(10), Schema.OHLCV_1M, days=20)

    said = here.submit(env, "--path", path, "--schema", "trades,ohlcv-1d")

    check(said, env, _USAGE, "holds ohlcv-1m; trades, ohlcv-1d was asked for")


def test_a_folder_with_a_schema_that_is_not_stored_is_refused_unless_schemas_are_chosen(
    here: Here, env: Env, unwritten: None, tmp_path: Path
) -> None:
    _of_schema(tmp_path / "mbo.dbn.zst", "mbo")
    write(tmp_path / "trades.dbn.zst", _RECORDS)

    check(here.submit(env, "--path", tmp_path), env, _USAGE, "mbo", "--schema")
    chosen = here.submit(env, "--path", tmp_path, "--schema", "trades", "--dry-run")
    assert chosen.code == _OK, chosen


def test_a_file_of_another_dataset_is_refused(
    here: Here, env: Env, unwritten: None, tmp_path: Path
) -> None:
    path = write(tmp_path / "trades.dbn.zst", _RECORDS)

    said = here.submit(env, "--path", path, "--dataset", "XNAS.ITCH")

    check(said, env, _USAGE, "GLBX.MDP3", "XNAS.ITCH")


def test_a_path_that_is_not_there_is_refused(
    here: Here, env: Env, unwritten: None, tmp_path: Path
) -> None:
    check(here.submit(env, "--path", "nowhere"), env, _USAGE, str(tmp_path / "nowhere"), "--path")


@pytest.mark.parametrize("content", [(), ("prices.csv", "notes.txt", ".hidden.dbn")])
def test_a_folder_without_dbn_files_is_refused(
    here: Here, env: Env, unwritten: None, tmp_path: Path, content: tuple[str, ...]
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in content:
        (folder / name).write_text("1")

    check(here.submit(env, "--path", folder), env, _USAGE, "no .dbn or .dbn.zst files", str(folder))


# --- services ------------------------------------------------------------------------------------


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """A file there is nothing wrong with."""
    return write(tmp_path / "trades.dbn.zst", _RECORDS)


@pytest.fixture
def empty_database(servers: Servers) -> Iterator[str]:
    """Name of a database that HDI has never seen, which its owner's login owns."""
    name = f"t_{uuid4().hex}"
    asyncio.run(_admin(servers.admin_url, f"CREATE DATABASE {name} OWNER hdi_owner"))
    yield name
    asyncio.run(_admin(servers.admin_url, f"DROP DATABASE {name} WITH (FORCE)"))


def _without(env: Env, *words: str) -> dict[str, str]:
    return {name: value for name, value in env.items() if not any(word in name for word in words)}


def _on(env: Env, servers: Servers, database: str) -> dict[str, str]:
    urls = {
        "HDI_DATABASE_URL": Role.OWNER,
        "HDI_WORKER_DATABASE_URL": Role.WORKER,
        "HDI_READER_DATABASE_URL": Role.READER,
    }
    return {**env, **{name: servers.of(role, database) for name, role in urls.items()}}


def _nobody() -> str:
    """An address that refuses connections."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{bound.getsockname()[1]}"


def test_no_database_configured_is_told_with_the_variable_that_names_one(
    env: Env, unwritten: None, sound: Path
) -> None:
    said = submit(_without(env, "DATABASE_URL"), "--path", sound)

    check(said, env, _UNREACHABLE, "HDI_DATABASE_URL is not set", "hdi stack up")


def test_no_queue_configured_is_told_with_the_variable_that_names_one(
    here: Here, env: Env, unwritten: None, sound: Path
) -> None:
    said = here.submit(_without(env, "REDIS_URL"), "--path", sound)

    check(said, env, _UNREACHABLE, "HDI_REDIS_URL is not set", "hdi stack up")


def test_a_setting_that_is_wrong_is_told_without_its_secret(
    here: Here, env: Env, unwritten: None, sound: Path
) -> None:
    said = here.submit({**env, "HDI_REDIS_URL": "http://:hush-hush@host/0"}, "--path", sound)

    check(said, env, _USAGE, "HDI_REDIS_URL", hint=bool(said.nexts))
    assert "hush-hush" not in said.err


def test_a_database_that_does_not_answer_ends_with_exit_6(
    env: Env, unwritten: None, sound: Path
) -> None:
    away = f"postgresql://hdi_worker:hush-hush@{_nobody()}/hdi"

    said = submit({**env, "HDI_WORKER_DATABASE_URL": away}, "--path", sound)

    check(said, {**env, "AWAY_URL": away}, _UNREACHABLE, "cannot be reached", "HDI_DATABASE_URL")


@pytest.mark.parametrize("command", ["jobs", "workers", "status @last", "db status"])
def test_reading_commands_too_end_with_exit_6_where_the_database_is_away(
    here: Here, env: Env, command: str
) -> None:
    away = f"postgresql://hdi_reader:hush-hush@{_nobody()}/hdi"

    said = here.hdi({**env, "HDI_READER_DATABASE_URL": away}, *command.split())

    check(said, {**env, "AWAY_URL": away}, _UNREACHABLE, "cannot be reached")


def test_a_wrong_password_ends_with_exit_6_and_is_not_shown(
    here: Here, env: Env, unwritten: None, sound: Path
) -> None:
    right = env["HDI_WORKER_DATABASE_URL"]
    wrong = right.replace(urlsplit(right).password or "", "hush-hush")

    said = here.submit({**env, "HDI_WORKER_DATABASE_URL": wrong}, "--path", sound)

    check(said, {**env, "WRONG_URL": wrong}, _UNREACHABLE, "refuses the login")


def test_a_database_that_is_not_there_ends_with_exit_6(
    here: Here, env: Env, servers: Servers, sound: Path
) -> None:
    said = here.submit(_on(env, servers, "nowhere"), "--path", sound)

    check(said, env, _UNREACHABLE, "nowhere")


def test_a_database_that_was_never_migrated_names_the_command_that_does(
    env: Env, servers: Servers, empty_database: str, sound: Path
) -> None:
    said = submit(_on(env, servers, empty_database), "--path", sound)

    check(said, env, _ERROR, "never migrated", "hdi db migrate")


def test_a_migration_needs_the_owner_and_says_so(
    here: Here, env: Env, servers: Servers, empty_database: str
) -> None:
    only_worker = {**env, "HDI_DATABASE_URL": servers.of(Role.WORKER, empty_database)}

    check(here.hdi(only_worker, "db", "migrate"), env, _ERROR)


@pytest.mark.parametrize("table", ["trades_data", "publishers"])
def test_a_database_that_holds_tables_of_our_names_is_refused_and_left_as_it_is(
    env: Env, servers: Servers, empty_database: str, table: str
) -> None:
    """They are someone's data."""
    owner = servers.of(Role.OWNER, empty_database)
    asyncio.run(_admin(owner, f"CREATE TABLE {table} AS SELECT 42 AS answer"))

    said = hdi(_on(env, servers, empty_database), "db", "migrate")

    check(said, env, _ERROR, f"already holds public.{table}", "database of its own")
    assert asyncio.run(_tables(owner)) == [("public", table)]


async def _tables(url: str) -> list[tuple[str, str]]:
    from ingestor.store.database import Database, DatabaseOptions

    async with Database(DatabaseOptions(url), name="hdi:tests") as database:
        rows = await database.fetch(
            "SELECT table_schema, table_name FROM information_schema.tables"
            " WHERE table_schema IN ('public', 'ingest') ORDER BY 1, 2"
        )
        return [tuple(row) for row in rows]


def test_debug_shows_the_traceback_and_no_secret(here: Here, env: Env, sound: Path) -> None:
    """The one way to see it on the console."""
    away = f"postgresql://hdi_worker:hush-hush@{_nobody()}/hdi"

    said = here.submit({**env, "HDI_WORKER_DATABASE_URL": away}, "--path", sound, "--debug")

    assert said.code == _UNREACHABLE
    assert "Traceback" in said.err
    assert "hush-hush" not in said.err
