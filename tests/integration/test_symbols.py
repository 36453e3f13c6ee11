"""Symbols mean instruments for days: nothing of another symbol, day or dataset gets in."""

from __future__ import annotations

import datetime as dt
import os
import warnings
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ingestor.days import date_of_day
from ingestor.errors import Usage
from ingestor.query import read_frame, read_records, stream_records
from ingestor.query.meanings import Meaning, conflicts, held_symbols, meanings
from ingestor.query.symbols import resolve
from ingestor.simulator.market import DAY, MONDAY
from ingestor.store.database import Database
from ingestor.vocabulary import Dataset, Role, SType
from tests.conftest import Place
from tests.stored import Told, Trade, forget, keep, trade

GLBX, XNAS = Dataset("GLBX.MDP3"), Dataset("XNAS.ITCH")
PUBLISHER = {GLBX: 1, XNAS: 2}
FIRST = MONDAY // DAY
MON, TUE, WED, THU = (dt.date(2024, 3, day) for day in (11, 12, 13, 14))
RAW, PARENT, CONTINUOUS, ID = (
    SType.RAW_SYMBOL, SType.PARENT, SType.CONTINUOUS, SType.INSTRUMENT_ID,
)  # fmt: skip


@pytest.fixture
async def owner(place: Place) -> AsyncIterator[Database]:
    async with place.open(Role.OWNER) as opened:
        yield opened


@pytest.fixture
async def reader(place: Place) -> AsyncIterator[Database]:
    """With a reader's login: nothing here needs more."""
    async with place.open(Role.READER) as opened:
        yield opened


def told(symbol: str, instrument_id: int, first: dt.date, past: dt.date, **other: Any) -> Told:
    return Told(
        other.get("dataset", GLBX), other.get("stype_in", RAW), symbol, instrument_id, first, past,
        other.get("source", "databento"),
    )  # fmt: skip


def trades_of_three_days() -> list[Trade]:
    """Of both datasets and ids 1 to 3: one in the midst of each day, and one made before midnight
    and received after it.
    """
    made = []
    for publisher in PUBLISHER.values():
        for instrument_id in (1, 2, 3):
            for day in range(3):
                noon, midnight = MONDAY + day * DAY + DAY // 2, MONDAY + day * DAY
                made += [
                    Trade(publisher, instrument_id, noon, noon + 5, len(made)),
                    Trade(publisher, instrument_id, midnight - 7, midnight, len(made) + 1),
                ]
    return made


TRADES = trades_of_three_days()


# ---------------------------------------------------------------- every mapping there could be

# Shrinking a failure takes minutes; the first example tells enough.
many = settings(
    max_examples=100,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    derandomize=bool(os.environ.get("CI")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
days = st.integers(0, 2)
mappings = st.lists(
    st.builds(
        lambda dataset, stype, symbol, number, first, length: told(
            symbol,
            number,
            date_of_day(FIRST + first),
            date_of_day(FIRST + first + length),
            dataset=dataset,
            stype_in=stype,
        ),
        st.sampled_from([GLBX, XNAS]),
        st.sampled_from([RAW, RAW, PARENT, CONTINUOUS]),
        st.sampled_from(["A", "B", "ES.FUT"]),
        st.sampled_from([1, 2, 3]),
        days,
        st.integers(1, 3),
    ),
    max_size=12,
)
questions = st.fixed_dictionaries(
    {
        "dataset": st.sampled_from([None, GLBX, XNAS]),
        "stype_in": st.sampled_from([RAW, PARENT, CONTINUOUS]),
        "symbols": st.lists(st.sampled_from(["A", "B", "ES.FUT"]), min_size=1, unique=True),
        "start": days,
        "days": st.integers(1, 3),
    }
)


class Oracle:
    """The same answers by the definition, one trade and one mapping at a time."""

    def __init__(self, every: Sequence[Told], asked: dict[str, Any]) -> None:
        self.asked = asked
        self.every = every
        self.meant = [
            each for each in every
            if each.stype_in == asked["stype_in"] and each.symbol in asked["symbols"]
            and asked["dataset"] in (None, each.dataset)
        ]  # fmt: skip

    @property
    def refused(self) -> bool:
        """A symbol is unknown, or in several datasets."""
        homes = {
            symbol: {each.dataset for each in self.meant if each.symbol == symbol}
            for symbol in self.asked["symbols"]
        }
        return any(len(datasets) != 1 for datasets in homes.values())

    def answer(self) -> Counter[tuple[str | None, int]]:
        """Symbol and number of each record."""
        found: Counter[tuple[str | None, int]] = Counter()
        start = MONDAY + self.asked["start"] * DAY
        for one in TRADES:
            if not start <= one.ts_event < start + self.asked["days"] * DAY:
                continue
            symbols = {each.symbol for each in self._of(one, self.meant)}
            if self.asked["stype_in"] is PARENT:
                found.update([(self._name(one), one.number)] if symbols else [])
            else:
                found.update((symbol, one.number) for symbol in symbols)
        return found

    def _of(self, one: Trade, among: Sequence[Told]) -> list[Told]:
        day = date_of_day(one.ts_recv // DAY)
        return [
            each for each in among
            if PUBLISHER[Dataset(each.dataset)] == one.publisher_id
            and each.instrument_id == one.instrument_id and each.first <= day < each.past
        ]  # fmt: skip

    def _name(self, one: Trade) -> str | None:
        raw = [each for each in self.every if each.stype_in == RAW]
        return min((each.symbol for each in self._of(one, raw)), default=None)


@many
@given(every=mappings, asked=questions)
async def test_an_answer_holds_the_symbols_own_records_and_no_others(
    owner: Database, every: list[Told], asked: dict[str, Any]
) -> None:
    """For any mappings, contradictory ones too: ids used again, the same ids in two datasets, one
    symbol under several types. Each record once per symbol that it was on its day.
    """
    if not await owner.fetchval("SELECT EXISTS (SELECT FROM public.trades_data)"):
        await trade(owner, TRADES)
    await forget(owner)
    await keep(owner, every)
    oracle = Oracle(every, asked)
    start = date_of_day(FIRST + asked["start"])
    end = start + dt.timedelta(days=asked["days"])
    how: Any = {"dataset": asked["dataset"], "stype_in": asked["stype_in"]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if oracle.refused:
            with pytest.raises(Usage):
                await read_records(owner, "trades", asked["symbols"], start=start, end=end, **how)
            return
        found = await read_records(owner, "trades", asked["symbols"], start=start, end=end, **how)

    assert Counter((row["symbol"], row["sequence"]) for row in found) == oracle.answer()


@many
@given(every=mappings, asked=questions)
async def test_what_a_symbol_meant_is_told_day_by_day(
    owner: Database, every: list[Told], asked: dict[str, Any]
) -> None:
    """`hdi symbols resolve` says of each day what was told of it, clipped to the days asked for."""
    await forget(owner)
    await keep(owner, every)
    dataset = asked["dataset"] or GLBX
    start = date_of_day(FIRST + asked["start"])
    wanted = [start + dt.timedelta(days=n) for n in range(asked["days"])]
    found = await meanings(
        owner, asked["symbols"], dataset=dataset, stype_in=asked["stype_in"], first=start,
        past=wanted[-1] + dt.timedelta(days=1),
    )  # fmt: skip
    meant = [
        each for each in every
        if each.dataset == dataset and each.stype_in == asked["stype_in"]
        and each.symbol in asked["symbols"]
    ]  # fmt: skip

    def by_day(of: Sequence[Told] | Sequence[Meaning]) -> set[tuple[str, int, dt.date]]:
        return {
            (e.symbol, e.instrument_id, day)
            for e in of
            for day in wanted
            if e.first <= day < e.past
        }

    known = {symbol: {d for s, _, d in by_day(meant) if s == symbol} for symbol in asked["symbols"]}
    assert by_day(found.found) == by_day(meant)
    assert all(start <= each.first < each.past for each in found.found)
    assert set(found.not_found) == {symbol for symbol, some in known.items() if not some}
    assert set(found.partial) == {s for s, some in known.items() if 0 < len(some) < len(wanted)}
    assert set(found.unknown) == set(asked["symbols"]) - {each.symbol for each in meant}


# ---------------------------------------------------------------- one case each, to be read


async def numbers(reader: Database, symbols: Sequence[str], **how: Any) -> list[tuple[str, int]]:
    """(symbol, number) of the trades of three days."""
    found = await read_records(reader, "trades", symbols, start=MON, end=THU, **how)
    return [(row["symbol"], row["sequence"]) for row in found]


async def test_a_parent_is_its_members_of_the_day_by_their_own_names(
    database: Database, reader: Database
) -> None:
    """ES.FUT on Monday is not ES.FUT on Tuesday; a member of two parents comes once."""
    await trade(database, TRADES)
    await keep(database, [
        told("ESH4", 1, MON, THU), told("ESM4", 2, MON, THU),
        told("ES.FUT", 1, MON, TUE, stype_in=PARENT), told("ES.FUT", 2, TUE, WED, stype_in=PARENT),
        told("EQ.FUT", 1, MON, TUE, stype_in=PARENT),
    ])  # fmt: skip
    found = await read_records(
        reader, "trades", ["ES.FUT", "EQ.FUT"], stype_in="parent", start=MON, end=THU
    )

    assert Counter((row["symbol"], row["ts_recv"][:10]) for row in found) == {
        ("ESH4", "2024-03-11"): 1, ("ESM4", "2024-03-12"): 2,
    }  # fmt: skip


async def test_a_continuous_symbol_is_its_contract_of_the_day_under_its_own_name(
    database: Database, reader: Database
) -> None:
    """The roll is where the provider put it; the id says which contract it was."""
    await trade(database, TRADES)
    await keep(database, [
        told("ES.c.0", 1, MON, TUE, stype_in=CONTINUOUS),
        told("ES.c.0", 2, TUE, THU, stype_in=CONTINUOUS),
    ])  # fmt: skip
    found = await read_records(
        reader, "trades", "ES.c.0", stype_in="continuous", start=MON, end=THU
    )

    assert {row["symbol"] for row in found} == {"ES.c.0"}
    assert {(row["ts_recv"][:10], row["instrument_id"]) for row in found} == {
        ("2024-03-11", 1), ("2024-03-12", 2), ("2024-03-13", 2),
    }  # fmt: skip


async def test_an_id_is_read_on_all_days_under_the_name_of_each(
    database: Database, reader: Database
) -> None:
    """Numbers need a dataset: the same one means something else in another."""
    await trade(database, TRADES)
    await keep(database, [told("A", 1, MON, TUE), told("B", 1, TUE, WED),
                          told("X", 1, MON, THU, dataset=XNAS)])  # fmt: skip
    found = await numbers(reader, ["1", "01"], stype_in="instrument_id", dataset=GLBX)

    assert Counter(symbol for symbol, _ in found) == {"A": 1, "B": 2, None: 2}
    with pytest.raises(Usage, match="means nothing outside its dataset"):
        await numbers(reader, ["1"], stype_in="instrument_id")
    for wrong in ("ESH4", "-1", "4294967296", "١", ""):
        with pytest.raises(Usage, match="is no instrument id"):
            await numbers(reader, [wrong], stype_in="instrument_id", dataset=GLBX)


async def test_a_symbol_of_another_type_is_named_as_such(
    database: Database, reader: Database
) -> None:
    """Nobody should have to guess why ES.FUT is unknown; no type finds another's mappings."""
    await keep(database, [told("ES.FUT", 1, MON, TUE, stype_in=PARENT), told("ESH4", 1, MON, TUE)])
    with pytest.raises(Usage, match=r"'ES\.FUT' is not held") as as_raw:
        await numbers(reader, ["ES.FUT"])
    with pytest.raises(Usage, match=r"'ESH4' is not held in GLBX\.MDP3 as continuous") as other:
        await numbers(reader, ["ESH4"], dataset=GLBX, stype_in="continuous")
    with pytest.raises(Usage, match="'A\\\\x00' is not held"):
        await numbers(reader, ["A\0"])

    assert as_raw.value.hint.endswith("--stype-in parent")
    assert other.value.hint.endswith("--stype-in raw_symbol")


async def test_a_symbol_that_was_two_instruments_is_read_whole_and_said(
    database: Database, reader: Database
) -> None:
    """Nothing is dropped; only on days where it matters is it noted."""
    await keep(database, [told("A", 1, MON, WED), told("A", 2, TUE, THU)])
    both = await resolve(reader, ["A"], dataset=None, start=MON, end=THU)
    monday = await resolve(reader, ["A"], dataset=None, start=MON, end=TUE)

    assert [each.instrument_id for each in both.intervals] == [1, 2]
    assert both.notes == ("A was 1 and 2 on 2024-03-12: see `hdi symbols conflicts`",)
    assert monday.notes == ()


async def test_contradictions_are_listed_and_parents_are_none(
    database: Database, reader: Database
) -> None:
    """Overlapping days of one symbol and two ids; of one id and two raw symbols."""
    await keep(database, [
        told("A", 1, MON, WED), told("A", 2, TUE, THU, source="dbn-files"), told("B", 3, MON, TUE),
        told("C", 3, MON, TUE), told("D", 4, MON, TUE), told("E", 4, TUE, WED),
        told("ES.FUT", 1, MON, THU, stype_in=PARENT), told("ES.FUT", 2, MON, THU, stype_in=PARENT),
        told("ES.c.0", 1, MON, TUE, stype_in=CONTINUOUS),
        told("ES.v.0", 1, MON, TUE, stype_in=CONTINUOUS),
        told("ES.c.0", 2, MON, TUE, stype_in=CONTINUOUS),
        told("A", 1, MON, WED, dataset=XNAS), told("B", 1, TUE, WED, dataset=XNAS),
    ])  # fmt: skip
    found = await conflicts(reader, limit=100)

    assert [
        (e.dataset, e.stype_in, e.symbols, e.instrument_ids, e.first, e.past) for e in found
    ] == [
        (GLBX, "continuous", ("ES.c.0",), (1, 2), MON, TUE),
        (GLBX, "raw_symbol", ("A",), (1, 2), TUE, WED),
        (GLBX, "raw_symbol", ("B", "C"), (3,), MON, TUE),
        (XNAS, "raw_symbol", ("A", "B"), (1,), TUE, WED),
    ]
    assert found[1].sources == ("databento", "dbn-files")
    assert [each.dataset for each in await conflicts(reader, XNAS, limit=100)] == [XNAS]
    assert len(await conflicts(reader, limit=2)) == 2


async def test_names_of_members_follow_their_days(database: Database, reader: Database) -> None:
    """A contract that was renamed shows both names, each on its days; unnamed days show none."""
    await keep(database, [
        told("OLD", 1, MON, TUE), told("NEW", 1, TUE, WED),
        told("ES.c.0", 1, MON, THU, stype_in=CONTINUOUS),
    ])  # fmt: skip
    found = await meanings(
        reader, ["ES.c.0"], dataset=GLBX, stype_in=CONTINUOUS, first=MON, past=THU
    )
    by_id = await meanings(reader, ["1", "9"], dataset=GLBX, stype_in=ID, first=MON, past=THU)

    named = [(e.raw_symbol, e.first, e.past) for e in found.found]
    assert named == [("OLD", MON, TUE), ("NEW", TUE, WED), (None, WED, THU)]
    assert [(e.raw_symbol, e.first) for e in by_id.found] == [("OLD", MON), ("NEW", TUE)]
    assert (by_id.partial, by_id.not_found, by_id.unknown) == (("1",), ("9",), ("9",))


async def test_held_symbols_are_listed_by_prefix_day_and_type(
    database: Database, reader: Database
) -> None:
    """Blanks and wildcards are part of a symbol, not of a pattern."""
    await keep(database, [
        told("ESH4", 1, MON, TUE), told("ESM4", 2, TUE, WED), told("E%_", 3, MON, TUE),
        told("UD:1V: SG 2850060", 4, MON, TUE), told("ESH4", 9, MON, TUE, dataset=XNAS),
        told("ES.FUT", 1, MON, TUE, stype_in=PARENT),
    ])  # fmt: skip

    async def listed(**how: Any) -> list[str | None]:
        return [e.symbol for e in await held_symbols(reader, GLBX, **{"limit": 9, **how})]

    assert sorted(map(str, await listed())) == ["E%_", "ESH4", "ESM4", "UD:1V: SG 2850060"]
    assert await listed(prefix="ES", at=TUE) == ["ESM4"]
    assert await listed(prefix="E%") == ["E%_"]
    assert await listed(prefix="es") == []
    assert await listed(prefix="\0") == []
    assert await listed(stype_in=PARENT) == ["ES.FUT"]
    assert len(await listed(limit=2)) == 2


async def test_the_views_say_what_queries_read(database: Database, reader: Database) -> None:
    """For people who write SQL themselves."""
    await keep(database, [
        told("ES.FUT", 1, MON, TUE, stype_in=PARENT), told("ES.FUT", 1, WED, THU, stype_in=PARENT),
        told("ES.c.0", 2, MON, TUE, stype_in=CONTINUOUS), told("ESH4", 1, MON, TUE),
    ])  # fmt: skip
    members = await reader.fetch("SELECT * FROM public.parent_members ORDER BY valid_from")
    rolls = await reader.fetch("SELECT * FROM public.continuous_rolls")

    assert [tuple(row) for row in members] == [
        (GLBX, "ES.FUT", 1, MON, TUE), (GLBX, "ES.FUT", 1, WED, THU),
    ]  # fmt: skip
    assert [tuple(row) for row in rolls] == [(GLBX, "ES.c.0", 2, MON, TUE)]


async def test_members_of_two_datasets_are_named_by_their_own(
    database: Database, reader: Database
) -> None:
    """One question over both; id 1 has another name in each."""
    await trade(database, TRADES)
    await keep(database, [
        told("G", 1, MON, THU), told("X", 1, MON, THU, dataset=XNAS),
        told("G.FUT", 1, MON, THU, stype_in=PARENT),
        told("X.OPT", 1, MON, THU, stype_in=PARENT, dataset=XNAS),
    ])  # fmt: skip
    found = await read_records(
        reader, "trades", ["G.FUT", "X.OPT"], stype_in="parent", start=MON, end=THU
    )

    assert Counter((row["symbol"], row["publisher_id"]) for row in found) == {
        ("G", 1): 5, ("X", 2): 5,
    }  # fmt: skip


# ---------------------------------------------------------------- the interface for programs


async def test_records_frames_and_streams_are_the_same_answer(
    database: Database, reader: Database
) -> None:
    """Whole, as a DataFrame, or one at a time; by text or by date, one symbol or several."""
    await trade(database, TRADES)
    await keep(database, [told("A", 1, MON, THU), told("B", 2, MON, THU)])
    records = await read_records(reader, "trades", ["A"], start="2024-03-11", end="2024-03-13")
    frame = await read_frame(reader, "trades", "A", start=MON, end=WED, prices="decimal")
    streamed = [
        row async for row in stream_records(reader, "trades", "A", start=MON, end=WED, limit=2)
    ]

    assert len(records) == 4
    assert frame["sequence"].tolist() == [row["sequence"] for row in records]
    assert frame["price"].tolist() == [row["price"] for row in records]
    assert frame["symbol"].tolist() == ["A"] * 4
    assert streamed == records[:2]


async def test_all_symbols_of_a_dataset_are_asked_for_with_none(
    database: Database, reader: Database
) -> None:
    """The dataset must then be named."""
    await trade(database, TRADES)
    found = await read_records(reader, "trades", None, start=MON, end=TUE, dataset=XNAS)

    assert {row["publisher_id"] for row in found} == {2}
    with pytest.raises(Usage, match="no dataset is named"):
        await read_records(reader, "trades", None, start=MON, end=TUE)
    with pytest.raises(Usage, match=r"GLBX\.MDP4 is unknown"):
        await read_records(reader, "trades", None, start=MON, end=TUE, dataset="GLBX.MDP4")


async def test_what_a_person_should_know_of_an_answer_is_a_warning(
    database: Database, reader: Database
) -> None:
    """An empty list would look like a day without trades."""
    await keep(database, [told("A", 1, MON, TUE)])
    with pytest.warns(UserWarning, match="A is known on other days only"):
        assert await read_records(reader, "trades", "A", start=TUE, end=WED) == []
    with pytest.warns(UserWarning, match="A is known on other days only"):
        assert len(await read_frame(reader, "trades", "A", start=TUE, end=WED)) == 0


async def test_one_instrument_id_needs_no_list(database: Database, reader: Database) -> None:
    """As a number, numpy's too, as text, or several of either."""
    await trade(database, TRADES)
    how: Any = {"start": MON, "end": THU, "dataset": GLBX, "stype_in": "instrument_id"}
    found = [
        [row["sequence"] for row in await read_records(reader, "trades", asked, **how)]
        for asked in (1, "1", [1], ["1"], np.uint32(1), np.array([1], "u4"))
    ]

    assert len(found[0]) == 5
    assert all(each == found[0] for each in found)


async def test_a_symbol_known_on_some_of_the_days_is_noted(
    database: Database, reader: Database
) -> None:
    """Raw symbols, parents and continuous ones; on the other days they meant nothing."""
    await keep(database, [
        told("A", 1, MON, TUE), told("ES.FUT", 1, TUE, WED, stype_in=PARENT),
        told("ES.FUT", 2, WED, THU, stype_in=PARENT),
        told("ES.c.0", 1, MON, THU, stype_in=CONTINUOUS),
    ])  # fmt: skip

    async def notes(symbol: str, stype_in: SType) -> tuple[str, ...]:
        found = await resolve(reader, [symbol], dataset=None, start=MON, end=THU, stype_in=stype_in)
        return found.notes

    assert await notes("A", RAW) == (
        "A is known on some of these days only: 2024-03-11 to 2024-03-12 (end exclusive)",
    )
    assert await notes("ES.FUT", PARENT) == (
        "ES.FUT is known on some of these days only: 2024-03-12 to 2024-03-14 (end exclusive)",
    )
    assert await notes("ES.c.0", CONTINUOUS) == ()


async def test_a_miss_names_the_command_that_lists_what_is_held(
    database: Database, reader: Database
) -> None:
    """With the dataset that it needs."""
    with pytest.raises(Usage) as nothing:
        await numbers(reader, ["ZZZZZ"])
    await keep(database, [told("A", 1, MON, TUE)])
    with pytest.raises(Usage) as unnamed:
        await numbers(reader, ["ZZZZZ"])
    with pytest.raises(Usage) as parent:
        await numbers(reader, ["ZZZZZ"], dataset=XNAS, stype_in="parent")

    assert nothing.value.hint == "no symbols are held yet"
    assert unnamed.value.hint == "`hdi symbols list --dataset GLBX.MDP3` shows which are held"
    assert parent.value.hint == (
        "`hdi symbols list --dataset XNAS.ITCH --stype-in parent` shows which are held"
    )
