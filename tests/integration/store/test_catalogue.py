"""The migrated catalogue is what the Tables say, whoever migrates, however often."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from ingestor.errors import DatabaseHalted, ForeignDatabase, IngestError, SchemaOutdated
from ingestor.model import TABLES, Table, table_of
from ingestor.store.database import Database
from ingestor.store.hypertables import prepare
from ingestor.store.migrate import HEAD, REVISIONS, catalogue, migrate, require_current
from ingestor.store.migrations.generate import missing
from ingestor.store.migrations.statements import statements, tables_of
from ingestor.store.schema import comments, create_hypertable, create_ohlcv_view, create_table
from ingestor.vocabulary import Role, Schema
from tests.conftest import TIME_INDEX, Place, Servers, _admin
from tests.plans import job_plan

MIGRATIONS = Path(__file__).parents[2] / "migrations"
FROZEN = MIGRATIONS / f"{HEAD}.sql"
OLDER = [MIGRATIONS / f"{revision}.sql" for revision in REVISIONS[:-1]]
SQL_NAMES = {
    "timestamp with time zone": "TIMESTAMPTZ",
    "bigint": "BIGINT",
    "integer": "INTEGER",
    "smallint": "SMALLINT",
    "numeric": "NUMERIC",
    "numeric(20,0)": "NUMERIC(20)",
    "text": "TEXT",
}


def _empty(servers: Servers) -> Iterator[Place]:
    name = f"t_{uuid4().hex}"
    asyncio.run(_admin(servers.admin_url, f"CREATE DATABASE {name} OWNER hdi_owner"))
    try:
        yield Place({role: servers.of(role, name) for role in Role})
    finally:
        asyncio.run(_admin(servers.admin_url, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def empty_place(plain_servers: Servers) -> Iterator[Place]:
    """A database of plain PostgreSQL that was never migrated."""
    yield from _empty(plain_servers)


@pytest.fixture
def second_place(plain_servers: Servers) -> Iterator[Place]:
    """Another one."""
    yield from _empty(plain_servers)


async def migrated(place: Place, **told: Any) -> Any:
    how = {"trades_interval": "1 day", "time_index": TIME_INDEX} | told
    return await migrate(place.options(Role.OWNER), **how)


async def columns(database: Database, table: Table) -> list[tuple[str, str, bool]]:
    rows = await database.fetch(
        """SELECT attname, format_type(atttypid, atttypmod) AS type, NOT attnotnull AS nullable
           FROM pg_attribute WHERE attrelid = $1::REGCLASS AND attnum > 0 AND NOT attisdropped
           ORDER BY attnum""",
        f"public.{table.name}",
    )
    return [(row["attname"], SQL_NAMES[row["type"]], row["nullable"]) for row in rows]


async def indexes(database: Database, table: Table) -> dict[str, str]:
    rows = await database.fetch(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = $1",
        table.name,
    )
    return {row["indexname"]: row["indexdef"].partition(" btree ")[2] for row in rows}


# --- catalogue = Tables ---------------------------------------------------------------------------


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
async def test_a_migrated_table_has_the_columns_of_its_table(
    any_place: Place, table: Table
) -> None:
    """Names, types and nullability, in order."""
    async with any_place.open() as database:
        found = await columns(database, table)
    assert found == [(c.name, c.kind.sql, c.nullable) for c in table.columns]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
async def test_a_migrated_table_has_its_key_and_no_other_index(
    any_place: Place, table: Table
) -> None:
    """The key in the Table's order; a time index only where `store.time_index` names the table."""
    async with any_place.open() as database:
        found = await indexes(database, table)
    wanted = {f"{table.name}_pkey": f"({', '.join(table.key)})"}
    if table.name in TIME_INDEX:
        wanted[f"{table.name}_time_idx"] = f"({table.time_column} DESC)"
    assert found == wanted


async def test_the_database_holds_no_record_table_that_no_table_defines(any_place: Place) -> None:
    """Both ways: what is in namespace `public` is a Table, its view, or publishers and symbols."""
    async with any_place.open() as database:
        rows = await database.fetch("""
            SELECT relname FROM pg_class c WHERE relnamespace = 'public'::REGNAMESPACE
            AND relkind IN ('r', 'v', 'm', 'p') AND NOT EXISTS (
                SELECT 1 FROM pg_depend WHERE objid = c.oid AND deptype = 'e')""")
    wanted = {table.name for table in TABLES} | {"ohlcv_data", "publishers"}
    wanted |= {"symbol_mappings", "parent_members", "continuous_rolls"}
    wanted |= {"stat_types", "statistics_current"}
    assert {row["relname"] for row in rows} == wanted


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_the_migrations_make_what_the_tables_generate(table: Table) -> None:
    """Committed SQL and Tables cannot drift apart: table, hypertable and comments."""
    [revision] = [each for each in REVISIONS if table.name in tables_of(each)]
    records = {
        each for name in REVISIONS if tables_of(name) for each in statements(f"{name}_records")
    }
    assert {create_table(table), *comments(table)} <= records
    assert create_hypertable(table) in statements(f"{revision}_hypertables")


def test_the_view_of_all_bars_is_what_their_tables_generate() -> None:
    """Four tables of one shape, united."""
    assert create_ohlcv_view() in statements("0001_records")


def test_every_table_has_its_migration() -> None:
    """`python -m ingestor.store.migrations.generate` has nothing to write."""
    assert missing() == []


async def test_every_record_table_is_a_hypertable_of_a_real_timescaledb(place: Place) -> None:
    """Dimension and interval are the Table's."""
    async with place.open() as database:
        version = await database.fetchval(
            "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'"
        )
        rows = await database.fetch(
            "SELECT hypertable_name, column_name, time_interval "
            "FROM timescaledb_information.dimensions WHERE hypertable_schema = 'public'"
        )
    found = {r["hypertable_name"]: (r["column_name"], r["time_interval"].days) for r in rows}
    assert version
    assert found == {table.name: (table.time_column, table.interval_days) for table in TABLES}


async def test_a_hypertable_chunk_has_no_default_time_index(place: Place) -> None:
    """It doubled the load time of ticks: the key is the only index of a hypertable chunk."""
    async with place.open() as database:
        await prepare(database, table_of(Schema.TRADES), [19_793])
        rows = await database.fetch("""
            SELECT indexname FROM pg_indexes i JOIN timescaledb_information.chunks c
              ON i.schemaname = c.chunk_schema AND i.tablename = c.chunk_name""")
    assert [row["indexname"].partition("_trades")[2] for row in rows] == ["_data_pkey"]


async def test_plain_postgresql_says_that_it_has_no_hypertables(plain_place: Place) -> None:
    """What `hdi db status` and `hdi doctor` tell."""
    async with plain_place.open() as database:
        found = await catalogue(database)
    assert (found.timescaledb, found.hypertables, found.current) == (None, {}, True)


async def test_a_timescaledb_says_what_it_holds(place: Place) -> None:
    """Version, licence and hypertables."""
    async with place.open() as database:
        found = await catalogue(database)
    assert (set(found.hypertables), found.revision, bool(found.license)) == (
        {table.name for table in TABLES}, HEAD, True,
    )  # fmt: skip


async def test_the_publishers_are_those_of_the_client(any_place: Place) -> None:
    """Seeded from the client's own enum: id, dataset, venue."""
    from databento.common.publishers import Publisher

    async with any_place.open() as database:
        rows = await database.fetch("SELECT publisher_id, dataset, venue FROM publishers")
    wanted = {(each.to_int(), str(each.dataset), str(each.venue)) for each in Publisher}
    assert {tuple(row) for row in rows} == wanted


async def test_every_column_is_explained_in_the_database(plain_place: Place) -> None:
    """The sentence of each Column is its comment."""
    async with plain_place.open() as database:
        rows = await database.fetch("""
            SELECT attrelid::REGCLASS::TEXT AS name, attname,
                   col_description(attrelid, attnum) AS doc
            FROM pg_attribute WHERE attnum > 0 AND attrelid = ANY($1::REGCLASS[])""",
            [f"public.{table.name}" for table in TABLES],
        )  # fmt: skip
    found = {(row["name"], row["attname"]): row["doc"] for row in rows}
    assert found == {(t.name, c.name): c.doc for t in TABLES for c in t.columns}


# --- migrating ------------------------------------------------------------------------------------


async def listing(database: Database) -> list[str]:
    """Everything a schema is made of, a line each, sorted; the same for equal schemas."""
    rows = await database.fetch(r"""
        WITH ours AS (
            SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname IN ('ingest', 'public', 'market') AND c.relkind IN ('r', 'v'))
        SELECT format('relation %s %s %s %s', oid::REGCLASS, relkind, reloptions,
                      obj_description(oid, 'pg_class')) AS line FROM ours
        UNION ALL
        SELECT format('column %s.%s %s %s null=%s default=%s identity=%s %s', attrelid::REGCLASS,
                      attname, row_number() OVER (PARTITION BY attrelid ORDER BY attnum),
                      format_type(atttypid, atttypmod), NOT attnotnull,
                      pg_get_expr(adbin, adrelid), attidentity, col_description(attrelid, attnum))
        FROM pg_attribute a JOIN ours ON ours.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE attnum > 0 AND NOT attisdropped
        UNION ALL
        SELECT format('constraint %s %s %s', conrelid::REGCLASS, conname,
                      pg_get_constraintdef(k.oid))
        FROM pg_constraint k JOIN ours ON ours.oid = k.conrelid WHERE contype <> 'n'
        UNION ALL
        SELECT format('index %s', pg_get_indexdef(indexrelid))
        FROM pg_index i JOIN ours ON ours.oid = i.indrelid
        UNION ALL
        SELECT format('view %s %s', oid::REGCLASS, pg_get_viewdef(oid))
        FROM ours WHERE relkind = 'v'
        UNION ALL
        SELECT format('grant %s %s %s', oid::REGCLASS, grantee::REGROLE, privilege_type)
        FROM ours, aclexplode(relacl) WHERE grantee::REGROLE::TEXT IN ('hdi_worker', 'hdi_reader')
        UNION ALL
        SELECT format('namespace %s %s %s', nspname, grantee::REGROLE, privilege_type)
        FROM pg_namespace, aclexplode(nspacl)
        WHERE grantee::REGROLE::TEXT IN ('hdi_worker', 'hdi_reader')
        UNION ALL
        SELECT format('publisher %s %s %s', publisher_id, dataset, venue) FROM public.publishers
        UNION ALL
        SELECT format('function %s', pg_get_functiondef(p.oid)) FROM pg_proc p
        WHERE pronamespace IN ('ingest'::REGNAMESPACE, 'public'::REGNAMESPACE)
          AND prokind = 'f' AND NOT EXISTS (
              SELECT 1 FROM pg_depend WHERE objid = p.oid AND deptype = 'e')
        UNION ALL
        SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL
        SELECT format('stat_type %s %s', stat_type, name) FROM public.stat_types
        UNION ALL
        SELECT format('revision %s', version_num) FROM ingest.alembic_version""")
    return sorted(row["line"] for row in rows)


async def test_the_migrated_schema_is_the_frozen_one(
    empty_place: Place, second_place: Place
) -> None:
    """tests/migrations/*.sql are what databases out there look like: a change of this schema is a
    new migration, never an edit of an old one.
    """
    await migrated(empty_place)
    async with second_place.open(Role.OWNER) as database, database.connection() as connection:
        await connection.execute(FROZEN.read_text())
    async with (
        empty_place.open(Role.OWNER) as ours,
        second_place.open(Role.OWNER) as frozen,
    ):
        assert await listing(ours) == await listing(frozen)


async def test_a_database_of_the_frozen_schema_needs_no_migration(empty_place: Place) -> None:
    """An older installation is recognised as current, and migrating it changes nothing."""
    async with empty_place.open(Role.OWNER) as database:
        async with database.connection() as connection:
            await connection.execute(FROZEN.read_text())
        before = await listing(database)
        found = await migrated(empty_place)
        assert (found.current, await listing(database)) == (True, before)


@pytest.mark.parametrize("older", OLDER, ids=lambda path: path.stem)
async def test_an_older_database_is_brought_to_the_frozen_schema_with_its_rows(
    empty_place: Place, second_place: Place, older: Path
) -> None:
    """An upgrade in place: what was loaded before is there afterwards, and nothing is missing."""
    async with empty_place.open(Role.OWNER) as database:
        async with database.connection() as connection:
            await connection.execute(_text(older))
        rows = await _filled(database)
        await migrated(empty_place)
        async with second_place.open(Role.OWNER) as other, other.connection() as connection:
            await connection.execute(FROZEN.read_text())
            assert await listing(database) == await listing(other)
        assert await _rows(database) == rows


def _text(path: Path) -> str:
    return path.read_text()


async def _filled(database: Database) -> list[tuple[Any, ...]]:
    """A job whose one chunk has loaded one bar; what there is then to read."""
    plan = job_plan(1)
    async with database.connection() as connection:
        await connection.execute(f"""
            INSERT INTO ingest.jobs (job_id, name, idempotency_key, source, spec, chunk_count)
            VALUES (gen_random_uuid(), 'old', '{plan.key}', 'dbn-files', '{{}}', 1);
            INSERT INTO ingest.symbol_groups (hash, symbols) VALUES ('h', '{{ESM4}}');
            INSERT INTO ingest.requests
                (job_id, dataset, schema, stype_in, symbol_group_id, start_ns, end_ns)
            SELECT job_id, 'GLBX.MDP3', 'ohlcv-1d', 'raw_symbol', 1, 0, 86400 FROM ingest.jobs;
            INSERT INTO ingest.payloads (uri, sha256, size)
            VALUES ('/nowhere/a.dbn', repeat('ab', 32), 100);
            INSERT INTO ingest.chunks
                (job_id, request_id, symbol_group_id, start_ns, end_ns, max_attempts, payload_id)
            SELECT job_id, 1, 1, 0, 86400, 5, 1 FROM ingest.jobs;
            INSERT INTO ingest.coverage VALUES
                ('GLBX.MDP3', 'ohlcv-1d', 'raw_symbol', 'ESM4', '{{[2024-03-11,2024-03-12)}}');
            INSERT INTO public.daily_ohlcv_data (ts_event, instrument_id, publisher_id, open_price,
                high_price, low_price, close_price, volume, granularity, data_source, chunk_id)
            VALUES ('2024-03-11Z', 5, 1, 1, 2, 0.5, 1.5, 10, '1d', 'databento', 1)""")
    return await _rows(database)


async def _rows(database: Database) -> list[tuple[Any, ...]]:
    found = []
    for name in ("ingest.jobs", "ingest.chunks", "ingest.payloads", "ingest.coverage"):
        found += await database.fetch(f"SELECT count(*), '{name}' FROM {name}")
    found += await database.fetch("SELECT * FROM public.daily_ohlcv_data")
    return [tuple(row) for row in found]


async def test_migrating_again_changes_nothing(any_place: Place) -> None:
    """`hdi db migrate` may run at every start."""
    async with any_place.open(Role.OWNER) as database:
        before = await listing(database)
        await migrated(any_place)
        assert await listing(database) == before


def test_four_processes_that_migrate_at_once_all_succeed(empty_place: Place) -> None:
    """Hosts that start together do not fail each other: one does the work, the others wait."""
    program = (
        "import asyncio, sys; from ingestor.store.migrate import migrate; "
        "from ingestor.store.database import DatabaseOptions; "
        "asyncio.run(migrate(DatabaseOptions(sys.argv[1]), trades_interval='1 day', "
        "time_index=()))"
    )
    command = [sys.executable, "-c", program, empty_place.urls[Role.OWNER]]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(4)]
    said = [process.communicate(timeout=60)[1] for process in running]
    assert [process.returncode for process in running] == [0] * 4, said


async def test_a_time_index_is_made_where_it_is_asked_for(empty_place: Place) -> None:
    """`store.time_index` names tables; no other gets one."""
    await migrated(empty_place, time_index=("trades_data",))
    async with empty_place.open() as database:
        rows = await database.fetch(
            "SELECT indexname FROM pg_indexes WHERE indexname LIKE '%\\_time\\_idx'"
        )
    assert [row["indexname"] for row in rows] == ["trades_data_time_idx"]


async def test_an_unmigrated_database_is_told_so(empty_place: Place) -> None:
    """Workers refuse it, and name the command."""
    async with empty_place.open() as database:
        with pytest.raises(SchemaOutdated) as told:
            await require_current(database)
    assert "hdi db migrate" in told.value.hint


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE public.trades_data (id INTEGER)",
        "CREATE VIEW public.ohlcv_data AS SELECT 1 AS one",
        "CREATE MATERIALIZED VIEW public.publishers AS SELECT 1 AS one",
        "CREATE SCHEMA ingest",
    ],
)
async def test_foreign_relations_of_our_names_are_refused_and_kept(
    empty_place: Place, statement: str
) -> None:
    """Somebody's own table is neither taken over nor touched, and nothing is made beside it."""
    everything = """SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
                    WHERE nspname IN ('public', 'ingest')"""
    async with empty_place.open(Role.OWNER) as database:
        async with database.connection() as connection:
            await connection.execute(statement)
        before = await database.fetchval(everything)
        with pytest.raises(ForeignDatabase):
            await migrated(empty_place)
        assert await database.fetchval(everything) == before


# --- roles ----------------------------------------------------------------------------------------

RECORDS = [table.name for table in TABLES]
FORBIDDEN = {
    Role.WORKER: [
        "CREATE TABLE public.x (id INTEGER)",
        "CREATE TABLE ingest.x (id INTEGER)",
        "DROP TABLE public.trades_data",
        "TRUNCATE public.trades_data",
        "UPDATE ingest.attempts SET outcome = 'lost'",
        "DELETE FROM ingest.attempts",
        "UPDATE ingest.supersessions SET rows = 1",
        "DELETE FROM ingest.supersessions",
        "DELETE FROM ingest.chunks",
        "DELETE FROM ingest.jobs",
        "DELETE FROM ingest.dead_letters",
        "UPDATE ingest.payloads SET size = 0",
        "UPDATE public.publishers SET dataset = 'X'",
        "UPDATE ingest.alembic_version SET version_num = '0000'",
    ],
    Role.READER: [
        *(f"INSERT INTO public.{name} DEFAULT VALUES" for name in RECORDS),
        "DELETE FROM public.trades_data",
        "UPDATE public.trades_data SET price = 0",
        "INSERT INTO ingest.meta VALUES ('a', '1')",
        "UPDATE ingest.jobs SET paused = true",
        "CREATE TABLE public.x (id INTEGER)",
    ],
}


@pytest.mark.parametrize(
    ("role", "statement"),
    [(role, statement) for role, some in FORBIDDEN.items() for statement in some],
)
async def test_a_role_may_not(plain_place: Place, role: Role, statement: str) -> None:
    """Least privilege: workers write rows and append history, readers read."""
    async with plain_place.open(role) as database:
        with pytest.raises(IngestError) as told:
            await database.fetchval(statement)
    assert isinstance(told.value, DatabaseHalted)
    assert getattr(told.value.__cause__, "sqlstate", "") == "42501"


async def test_a_receipt_cannot_be_changed_by_anybody(plain_place: Place) -> None:
    """It says what was true when it was committed; not even the owner rewrites it."""
    async with plain_place.open(Role.OWNER) as database:
        await _filled(database)
        async with database.connection() as connection:
            await connection.execute("""
                UPDATE ingest.chunks SET state = 'completed', finished_at = clock_timestamp(),
                    receipt = '{"fetched": 1, "stored": 1, "quarantined": 0,
                                "already_stored": 0}'""")
            await connection.execute("UPDATE ingest.chunks SET event_min = 0")
        for change in ('receipt = receipt || \'{"way": "x"}\'::JSONB', "receipt = NULL"):
            with pytest.raises(Exception, match="immutable"):
                await database.fetchval(f"UPDATE ingest.chunks SET {change} RETURNING 1")


@pytest.mark.parametrize("role", [Role.WORKER, Role.READER])
async def test_a_role_may_read_everything_of_ours(plain_place: Place, role: Role) -> None:
    """Tables and views of both namespaces."""
    async with plain_place.open(role) as database:
        rows = await database.fetch("""
            SELECT c.oid::REGCLASS::TEXT AS name FROM pg_class c
            JOIN pg_namespace n ON n.oid = relnamespace
            WHERE nspname IN ('public', 'ingest', 'market') AND relkind IN ('r', 'v')
              AND NOT has_table_privilege(c.oid, 'SELECT')""")
    assert [row["name"] for row in rows] == []
