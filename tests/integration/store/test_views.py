"""Views tell what the tables hold: no row more, none less."""

from __future__ import annotations

import datetime as dt
import os
import random
from collections import Counter, defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ingestor.model import TABLES, Table, table_of
from ingestor.model.kind import PRICE
from ingestor.store.database import Database
from ingestor.store.views import view_name
from ingestor.vocabulary import Role, Schema
from tests.conftest import Place
from tests.loads import nanoseconds
from tests.stored import Told, forget, keep
from tests.table_rows import put

STATISTICS, DEFINITIONS = table_of(Schema.STATISTICS), table_of(Schema.DEFINITION)
TRADES = table_of(Schema.TRADES)
GLBX, OPRA = "GLBX.MDP3", "OPRA.PILLAR"
GLBX_ID, OPRA_ID, NOBODY = 1, 20, 65_535
MONDAY = dt.datetime(2024, 3, 11, tzinfo=dt.UTC)
DAY, MICROSECOND = dt.timedelta(days=1), dt.timedelta(microseconds=1)
LAST_NS = 2**63 - 1

# Shrinking asks the database again and again; the first example tells enough.
few = settings(
    max_examples=40,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    derandomize=bool(os.environ.get("CI")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
every_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)


async def empty(database: Database, *tables: Table) -> None:
    async with database.connection() as connection:
        for table in tables:
            await connection.execute(f"DELETE FROM public.{table.name}")


def by_key(table: Table, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of rows that share a key the last."""
    return list({tuple(row[name] for name in table.key): row for row in rows}.values())


# --- names of statistics --------------------------------------------------------------------------


async def test_the_stat_types_are_those_of_the_client(any_place: Place) -> None:
    """Seeded from the client's own enum."""
    from databento_dbn import StatType

    async with any_place.open(Role.READER) as database:
        rows = await database.fetch("SELECT stat_type, name FROM stat_types")
    assert {tuple(row) for row in rows} == {(int(v), v.name.lower()) for v in StatType.variants()}


async def test_a_stat_type_without_a_name_is_told_by_its_number(any_place: Place) -> None:
    """The provider adds kinds between releases."""
    rows = [
        {"ts_event": MONDAY, "ts_recv": MONDAY, "publisher_id": 1, "stat_type": kind}
        for kind in (3, 64_999)
    ]
    async with any_place.open() as database:
        await put(database, STATISTICS, rows)
        for view in ("public.statistics_current", "market.statistics"):
            found = await database.fetch(f"SELECT stat_type, stat_name FROM {view}")
            assert {tuple(row) for row in found} == {(3, "settlement_price"), (64_999, "64999")}


# --- statistics_current ---------------------------------------------------------------------------

instants = st.sampled_from([MONDAY, MONDAY + MICROSECOND, MONDAY + DAY])
below = st.sampled_from([0, 1, 999])
statistic = st.fixed_dictionaries(
    {
        "publisher_id": st.sampled_from([1, 2]),
        "instrument_id": st.sampled_from([5, 6]),
        "stat_type": st.sampled_from([3, 64_999]),
        "ts_event": instants,
        "ts_event_ns": below,
        "ts_recv": instants,
        "ts_recv_ns": below,
        "sequence": st.sampled_from([0, 2**32 - 1]),
        "ordinal": st.sampled_from([0, 1]),
        "update_action": st.sampled_from([1, 1, 2]),
        "quantity": st.one_of(st.none(), st.integers(-5, 5)),
    },
    optional={"ts_ref": st.tuples(instants, below)},
).map(lambda made: {**made, **_parted(made)})


def _parted(made: dict[str, Any]) -> dict[str, Any]:
    ref = made.get("ts_ref")
    return {"ts_ref": ref[0], "ts_ref_ns": ref[1]} if ref else {}


def current(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """What statistics_current is to hold, told without SQL."""
    order = ("ts_recv", "ts_recv_ns", "ts_event", "ts_event_ns", "sequence", "ordinal")

    def told(row: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(row[name] for name in order)

    def reference(row: dict[str, Any]) -> tuple[Any, ...]:
        return row.get("ts_ref", row["ts_event"]), row.get("ts_ref_ns", row["ts_event_ns"])

    last: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in sorted(rows, key=told):
        who = row["publisher_id"], row["instrument_id"], row["stat_type"]
        last[*who, row.get("ts_ref"), row.get("ts_ref_ns")] = row
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in sorted(last.values(), key=lambda row: (reference(row), told(row))):
        if row["update_action"] != 2:
            found[row["publisher_id"], row["instrument_id"], row["stat_type"]] = row
    return list(found.values())


@few
@given(given_rows=st.lists(statistic, min_size=1, max_size=40))
async def test_the_current_statistic_is_the_last_word_on_the_latest_reference_time(
    place: Place, given_rows: list[dict[str, Any]]
) -> None:
    """Deletes take a reference time away; one of several messages about it counts, the last."""
    rows = by_key(STATISTICS, given_rows)
    async with place.open() as database:
        await empty(database, STATISTICS)
        await put(database, STATISTICS, rows)
        found = await database.fetch("SELECT * FROM statistics_current")
    names = [column.name for column in STATISTICS.columns]
    assert [*found[0].keys()] == [*names, "stat_name"] if found else True
    told = ("publisher_id", "instrument_id", "stat_type", "ts_ref", "ts_ref_ns", "ts_event",
            "ts_event_ns", "ts_recv", "ts_recv_ns", "sequence", "ordinal", "quantity")  # fmt: skip
    wanted = Counter(tuple(row.get(name) for name in told) for row in current(rows))
    assert Counter(tuple(row[name] for name in told) for row in found) == wanted


async def test_of_messages_about_one_time_the_one_received_last_counts(any_place: Place) -> None:
    """Times with their nanoseconds, received before sent; then sequence, then ordinal."""
    times = {"ts_recv": MONDAY, "ts_event": MONDAY}
    numbers = dict.fromkeys(("ts_recv_ns", "ts_event_ns", "sequence", "ordinal"), 0)
    order = ("ts_recv", "ts_recv_ns", "ts_event", "ts_event_ns", "sequence", "ordinal")
    steps: dict[str, Any] = {**dict.fromkeys(times, MICROSECOND), **dict.fromkeys(numbers, 1)}
    first: dict[str, Any] = {**times, **numbers}
    last = {name: first[name] + steps[name] for name in order}
    about = {"publisher_id": 1, "ts_ref": MONDAY, "ts_ref_ns": 0, "update_action": 1}
    rows = []
    for decided, name in enumerate(order):
        # Alike before the column that decides, the other way round behind it.
        behind = {each: last[each] for each in order[decided + 1 :]}
        rows += [
            {**about, **first, **behind, "instrument_id": decided, "quantity": 1},
            {**about, **first, name: last[name], "instrument_id": decided, "quantity": 2},
        ]
    async with any_place.open() as database:
        await put(database, STATISTICS, rows)
        found = await database.fetch("SELECT instrument_id, quantity FROM statistics_current")
    assert {tuple(row) for row in found} == {(at, 2) for at in range(len(order))}


# --- definitions_at -------------------------------------------------------------------------------

definition = st.fixed_dictionaries(
    {
        "publisher_id": st.sampled_from([1, 2]),
        "instrument_id": st.sampled_from([5, 6]),
        "at": st.tuples(instants, below),
        "legs": st.integers(0, 3),
        "security_update_action": st.sampled_from(["A", "M", "D", None]),
    }
)


def messages(given_definitions: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row per leg of each definition, numbered as a load does: over all of one microsecond."""
    seen: Counter[tuple[Any, ...]] = Counter()
    rows = []
    for number, made in enumerate(sorted(given_definitions, key=lambda made: made["at"])):
        time, rest = made["at"]
        for leg in range(max(1, made["legs"])):
            key = made["instrument_id"], time, made["publisher_id"], leg
            rows.append({
                "instrument_id": made["instrument_id"], "publisher_id": made["publisher_id"],
                "ts_recv": time, "ts_recv_ns": rest, "leg_index": leg, "ordinal": seen[key],
                "leg_count": made["legs"], "chunk_id": number,
                "security_update_action": made["security_update_action"],
            })  # fmt: skip
            seen[key] += 1
    return rows


def in_force(rows: Iterable[dict[str, Any]], at: dt.datetime) -> set[tuple[Any, ...]]:
    """What definitions_at is to hold, told without SQL: messages are numbered by chunk_id."""
    until = [row for row in rows if row["ts_recv"] <= at]
    latest: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for row in until:
        who = row["publisher_id"], row["instrument_id"]
        latest[who] = max(latest.get(who, (dt.datetime.min.replace(tzinfo=dt.UTC), 0)),
                          (row["ts_recv"], row["ts_recv_ns"]))  # fmt: skip
    legs: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in sorted(until, key=lambda row: row["ordinal"]):
        who = row["publisher_id"], row["instrument_id"]
        if (row["ts_recv"], row["ts_recv_ns"]) == latest[who]:
            legs[*who, row["leg_index"]] = row
    return {(*key, row["chunk_id"]) for key, row in legs.items()}


@few
@given(st.lists(definition, min_size=1, max_size=12, unique_by=lambda made: (
    made["publisher_id"], made["instrument_id"], made["at"])))  # fmt: skip
async def test_definitions_at_a_time_are_the_latest_until_then_with_all_their_legs(
    place: Place, given_definitions: list[dict[str, Any]]
) -> None:
    """A deleted one is not in force, nor is what came before it."""
    rows = messages(given_definitions)
    deleted = {row["chunk_id"] for row in rows if row["security_update_action"] == "D"}
    async with place.open() as database:
        await empty(database, DEFINITIONS)
        await put(database, DEFINITIONS, rows)
        for at in (MONDAY - MICROSECOND, MONDAY, MONDAY + MICROSECOND, MONDAY + 2 * DAY):
            found = await database.fetch("SELECT * FROM definitions_at($1)", at)
            told = Counter(
                (row["publisher_id"], row["instrument_id"], row["leg_index"], row["chunk_id"])
                for row in found
            )
            assert told == Counter(w for w in in_force(rows, at) if w[-1] not in deleted)


async def test_a_definition_told_twice_in_one_instant_counts_as_told_last(
    any_place: Place,
) -> None:
    """Told again with the same legs; deleted and told again; told and deleted."""
    at = {"publisher_id": 1, "ts_recv": MONDAY, "ts_recv_ns": 7}
    told = [
        (5, 0, 0, "A"), (5, 1, 0, "A"), (5, 0, 1, "M"), (5, 1, 1, "M"),
        (6, 0, 0, "D"), (6, 1, 0, "D"), (6, 0, 1, "A"),
        (7, 0, 0, "A"), (7, 1, 0, "A"), (7, 0, 1, "D"),
    ]  # fmt: skip
    rows = [
        {**at, "instrument_id": who, "leg_index": leg, "ordinal": n, "security_update_action": do}
        for who, leg, n, do in told
    ]
    async with any_place.open() as database:
        await put(database, DEFINITIONS, rows)
        found = await database.fetch("SELECT * FROM definitions_at($1)", MONDAY)
    assert {(r["instrument_id"], r["leg_index"], r["ordinal"]) for r in found} == {
        (5, 0, 1), (5, 1, 1), (6, 0, 1),
    }  # fmt: skip


async def test_definitions_at_a_time_need_no_special_right(any_place: Place) -> None:
    """A reader may call it; it gives rows of the table, column for column."""
    async with any_place.open() as database:
        await put(database, DEFINITIONS, [{"ts_recv": MONDAY, "publisher_id": 1}])
    async with any_place.open(Role.READER) as reader:
        [row] = await reader.fetch("SELECT * FROM definitions_at(now())")
    assert [*row.keys()] == [column.name for column in DEFINITIONS.columns]


# --- names ----------------------------------------------------------------------------------------

days = st.integers(0, 6)
span = st.tuples(days, days).filter(lambda pair: pair[0] < pair[1])
told_names = st.lists(
    st.builds(
        lambda dataset, symbol, number, days: Told(
            dataset, "raw_symbol", symbol, number,
            MONDAY.date() + days[0] * DAY, MONDAY.date() + days[1] * DAY,
        ),
        st.sampled_from([GLBX, OPRA]), st.sampled_from(["A", "B", "a", "é"]),
        st.sampled_from([5, 6]), span,
    ),
    max_size=12,
)  # fmt: skip


def names_by_day(told: Iterable[Told]) -> dict[tuple[str, int, dt.date], str]:
    """The first symbol by code point of each dataset, instrument and day."""
    found: dict[tuple[str, int, dt.date], set[str]] = defaultdict(set)
    for each in told:
        for day in range((each.past - each.first).days):
            found[each.dataset, each.instrument_id, each.first + day * DAY].add(each.symbol)
    return {key: min(symbols) for key, symbols in found.items()}


@few
@given(told=told_names)
async def test_an_instrument_has_one_name_a_day_and_its_rows_are_told_once(
    place: Place, told: list[Told]
) -> None:
    """Of symbols that claim the same instrument on the same day the first by alphabet has it."""
    trades = [
        {"publisher_id": publisher, "instrument_id": number, "ts_recv": time, "ts_event": MONDAY}
        for publisher in (GLBX_ID, OPRA_ID, NOBODY)
        for number in (5, 6, 7)
        for day in range(-1, 7)
        for time in (MONDAY + day * DAY, MONDAY + (day + 1) * DAY - MICROSECOND)
    ]
    async with place.open(Role.OWNER) as owner, place.open() as database:
        await forget(owner)
        await empty(database, TRADES)
        await keep(database, told)
        await put(database, TRADES, trades)
        names = await database.fetch("SELECT * FROM market.names")
        rows = await database.fetch("SELECT * FROM market.trades")
    wanted = names_by_day(told)
    listed = [
        (row["dataset"], row["instrument_id"], row["valid_from"] + n * DAY, row["symbol"])
        for row in names
        for n in range((row["valid_to"] - row["valid_from"]).days)
    ]
    assert Counter(listed) == Counter((*key, symbol) for key, symbol in wanted.items())
    dataset = {GLBX_ID: GLBX, OPRA_ID: OPRA, NOBODY: None}
    found = Counter((r["publisher_id"], r["instrument_id"], r["ts_recv"], r["dataset"], r["symbol"])
                    for r in rows)  # fmt: skip
    assert found == Counter(
        (each["publisher_id"], each["instrument_id"], each["ts_recv"], name,
         wanted.get((name or "", each["instrument_id"], each["ts_recv"].date())))
        for each in trades
        for name in [dataset[each["publisher_id"]]]
    )  # fmt: skip


async def test_a_name_without_end_holds_on_every_day(any_place: Place) -> None:
    """Mappings may be open at either end."""
    async with any_place.open(Role.OWNER) as owner, any_place.open() as database:
        async with owner.connection() as connection:
            await connection.execute(
                "INSERT INTO ingest.symbol_intervals VALUES ('GLBX.MDP3', 'raw_symbol', 'ESM4',"
                " 'instrument_id', 5, '{(,)}', 'databento')"
            )
        rows = [{"publisher_id": 1, "instrument_id": 5, "ts_recv": time, "ts_event": time}
                for time in (dt.datetime(1970, 1, 1, tzinfo=dt.UTC),
                             dt.datetime(2554, 7, 21, tzinfo=dt.UTC))]  # fmt: skip
        await put(database, TRADES, rows)
        found = await database.fetch("SELECT symbol FROM market.trades")
    assert [row["symbol"] for row in found] == ["ESM4", "ESM4"]


async def test_other_symbol_types_name_no_row(any_place: Place) -> None:
    """Parents and continuous symbols would tell a row once for each of them."""
    first, past = MONDAY.date(), MONDAY.date() + DAY
    told = [Told(GLBX, kind, symbol, 5, first, past)
            for kind, symbol in (("parent", "ES.FUT"), ("continuous", "ES.c.0"))]  # fmt: skip
    async with any_place.open() as database:
        await keep(database, told)
        await put(database, TRADES, [
            {"publisher_id": 1, "instrument_id": 5, "ts_recv": MONDAY, "ts_event": MONDAY}
        ])  # fmt: skip
        found = await database.fetch("SELECT symbol FROM market.trades")
    assert [row["symbol"] for row in found] == [None]


# --- views of tables ------------------------------------------------------------------------------


def sample(table: Table, numbers: random.Random, count: int) -> list[dict[str, Any]]:
    """Rows with every column set, or null where it may be."""
    made = []
    for _ in range(count):
        values: dict[str, Any] = {}
        for column in table.columns:
            if column.kind.sql == "TIMESTAMPTZ":
                values[column.name] = MONDAY + numbers.randrange(200_000) * dt.timedelta(seconds=1)
            elif column.kind is PRICE:
                values[column.name] = Decimal(numbers.randrange(-(2**63), 2**63)).scaleb(-9)
            elif column.name == "publisher_id":
                values[column.name] = numbers.choice([GLBX_ID, OPRA_ID, NOBODY])
            elif column.kind.sql != "TEXT":
                values[column.name] = numbers.randrange(100)
        optional = [c.name for c in table.columns if c.nullable and numbers.random() < 0.3]
        nulls = {*optional, *(c.name for c in table.columns if c.nanos_of in optional)}
        made.append({name: value for name, value in values.items() if name not in nulls})
    return by_key(table, made)


@every_table
async def test_a_view_has_the_rows_of_its_table(any_place: Place, table: Table) -> None:
    """Value for value, whether or not anything is known about instrument and publisher."""
    first, past = MONDAY.date(), MONDAY.date() + DAY
    told = [Told(GLBX, "raw_symbol", symbol, number, first, past)
            for number in range(0, 100, 2) for symbol in ("A", f"B{number}")]  # fmt: skip
    own = [column.name for column in table.columns if column.nanos_of is None]
    async with any_place.open() as database:
        await keep(database, told)
        await put(database, table, sample(table, random.Random(7), 300))
        stored = await database.fetch(f"SELECT * FROM public.{table.name}")
        found = await database.fetch(f"SELECT * FROM {view_name(table)}")
    assert len(found) == len(stored) > 200
    assert Counter(tuple(row[name] for name in own) for row in found) == Counter(
        tuple(row[name] for name in own) for row in stored
    )
    prices = [column.name for column in table.columns if column.kind is PRICE]
    for row in found:
        assert all(row[f"{name}_float"] == (None if row[name] is None else float(row[name]))
                   for name in prices)  # fmt: skip
    named = {(row["dataset"], row["symbol"]) for row in found}
    assert named == {(GLBX, "A"), (GLBX, None), (OPRA, None), (None, None)}


@every_table
async def test_a_time_has_all_its_nanoseconds_in_the_view(any_place: Place, table: Table) -> None:
    """Up to the last that BIGINT holds; a later one is NULL and no error."""
    beside = {column.nanos_of: column.name for column in table.columns if column.nanos_of}
    times = [c.name for c in table.columns if c.kind.sql == "TIMESTAMPTZ"]
    exact = any(beside)
    given_ns = [0, 1, 999, 1_710_115_200_123_456_789, LAST_NS, LAST_NS + 1, 2**64 - 2]
    if not exact:
        given_ns = [ns - ns % 10**9 for ns in (*given_ns[3:], LAST_NS + 10**9)]
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    rows = [
        {"instrument_id": number, "publisher_id": 1,
         **dict.fromkeys(times, epoch + ns // 1000 * MICROSECOND),
         **dict.fromkeys(beside.values(), ns % 1000)}
        for number, ns in enumerate(given_ns)
    ]  # fmt: skip
    async with any_place.open() as database:
        await put(database, table, rows)
        found = await database.fetch(f"SELECT * FROM {view_name(table)} ORDER BY instrument_id")
    for name in times:
        assert [row[f"{name}_unix_ns"] for row in found] == [
            ns if ns <= LAST_NS else None for ns in given_ns
        ]
        assert nanoseconds(found[-1][name]) > LAST_NS - 1000


async def test_an_unknown_time_has_no_nanoseconds(any_place: Place) -> None:
    """Null stays null."""
    async with any_place.open() as database:
        await put(database, STATISTICS, [{"ts_event": MONDAY, "ts_recv": MONDAY}])
        [row] = await database.fetch("SELECT ts_ref, ts_ref_unix_ns FROM market.statistics")
    assert tuple(row) == (None, None)


async def test_every_view_and_column_of_the_namespace_is_explained(plain_place: Place) -> None:
    """In psql's words."""
    async with plain_place.open(Role.READER) as database:
        rows = await database.fetch("""
            SELECT c.relname, obj_description(c.oid, 'pg_class') AS view_doc, a.attname,
                   col_description(c.oid, attnum) AS doc
            FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid AND attnum > 0
            WHERE relnamespace = 'market'::REGNAMESPACE AND relname <> 'names'""")
    assert {f"market.{row['relname']}" for row in rows} == {view_name(table) for table in TABLES}
    assert [row["attname"] for row in rows if not (row["doc"] and row["view_doc"])] == []
