"""What is asked for is what is wanted, there, and not held: once, on a grid, in small pieces."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.days import DAY_NS, DaySet, day_of, midnight
from ingestor.errors import BadJob
from ingestor.job import ChunkPlan
from ingestor.model import TABLES, table_of
from ingestor.plan import MAX_DAYS, Rules, Span, chunks, clamp, fitting, in_order, job_key, spans
from ingestor.vocabulary import ALL_SYMBOLS, MAX_SYMBOLS, Schema

NAMES = ("A", "B 1", "C", "D.FUT", "E", "F")
MONDAY = day_of(dt.date(2024, 3, 11))
TRADES, DAILY, SECONDS = map(table_of, (Schema.TRADES, Schema.OHLCV_1D, Schema.OHLCV_1S))
WEEKENDS = DaySet((MONDAY + 7 * week + 5, MONDAY + 7 * week + 7) for week in range(600))


def some_days(last: int = 40) -> st.SearchStrategy[DaySet]:
    """A few ranges of the sixth decade, so that cells of the grid begin anywhere in them."""
    days = st.integers(MONDAY, MONDAY + last)
    return st.lists(st.tuples(days, st.integers(1, 12)), max_size=5).map(
        lambda found: DaySet((first, first + length) for first, length in found)
    )


@dataclass(frozen=True)
class Asked:
    """The arguments of a plan, together."""

    symbols: tuple[str, ...]
    wanted: DaySet
    held: dict[str, DaySet]
    unavailable: DaySet
    rules: Rules
    most: int = 64

    def spans(self) -> tuple[Span, ...]:
        return spans(self.symbols, self.wanted, self.held, self.unavailable)

    def chunks(self, table=TRADES) -> tuple[ChunkPlan, ...]:
        return chunks(self.spans(), self.rules, table, most=self.most)

    def lacking(self) -> set[tuple[str, int]]:
        """(symbol, day) of all that must be asked, told the slow way."""
        of_all = set(self.held.get(ALL_SYMBOLS, ()))
        return {
            (symbol, day)
            for symbol in self.symbols
            for day in set(self.wanted) - of_all - set(self.held.get(symbol, ()))
            if day not in set(self.unavailable)
        }


NAMED = st.lists(st.sampled_from(NAMES), min_size=1, max_size=8).map(tuple)
ASKED = st.builds(
    Asked,
    symbols=NAMED | st.just((ALL_SYMBOLS,)),
    wanted=some_days(),
    held=st.dictionaries(st.sampled_from((*NAMES, ALL_SYMBOLS)), some_days(), max_size=4),
    unavailable=some_days() | st.just(WEEKENDS),
    rules=st.builds(Rules, days=st.integers(1, 20), symbols=st.integers(1, 4)),
)


def days_of(chunk: ChunkPlan) -> range:
    assert chunk.start % DAY_NS == chunk.end % DAY_NS == 0
    return range(chunk.start // DAY_NS, chunk.end // DAY_NS)


def pairs(chunk: ChunkPlan) -> set[tuple[str, int]]:
    return {(symbol, day) for symbol in chunk.symbols or () for day in days_of(chunk)}


# What is asked for


@given(ASKED)
def test_spans_hold_what_is_wanted_and_not_held_each_once(asked):
    """And beyond it unavailable days only, none of them held or at an end."""
    found = Counter(
        (symbol, day)
        for span in asked.spans()
        for symbol in span.symbols
        for day in range(span.first, span.past)
    )
    check_cover(found, asked)
    for span in asked.spans():
        assert span.first not in asked.unavailable
        assert span.past - 1 not in asked.unavailable
        assert set(span.unavailable) == set(range(span.first, span.past)) & set(asked.unavailable)


def check_cover(found: Counter[tuple[str, int]], asked: Asked) -> None:
    assert not found or max(found.values()) == 1
    lacking = asked.lacking()
    assert lacking <= found.keys()
    held_of_all = asked.held.get(ALL_SYMBOLS, DaySet())
    for symbol, day in found.keys() - lacking:
        assert day in asked.unavailable
        assert day not in held_of_all
        assert day not in asked.held.get(symbol, DaySet())


@given(ASKED)
def test_only_a_held_or_unwanted_available_day_divides_two_spans_of_a_symbol(asked):
    for symbol in set(asked.symbols):
        mine = [span for span in asked.spans() if symbol in span.symbols]
        held = asked.held.get(symbol, DaySet()) | asked.held.get(ALL_SYMBOLS, DaySet())
        for before, after in pairwise(mine):
            between = set(range(before.past, after.first))
            assert between - (set(asked.unavailable) - set(held))


@given(ASKED)
def test_spans_are_the_same_whether_or_not_unavailable_days_are_wanted(asked):
    available = replace(asked, wanted=asked.wanted - asked.unavailable)
    assert available.spans() == asked.spans()


@given(ASKED)
def test_spans_have_their_symbols_sorted_and_are_in_order(asked):
    found = asked.spans()
    assert all(list(span.symbols) == sorted(set(span.symbols)) for span in found)
    assert [(s.first, s.past, s.symbols) for s in found] == sorted(
        (s.first, s.past, s.symbols) for s in found
    )


def test_a_year_of_daily_bars_is_not_cut_at_its_weekends():
    year = DaySet([(MONDAY, MONDAY + 364)])
    [span] = spans(["ES"], year, {}, WEEKENDS)
    assert (span.first, span.past) == (MONDAY, MONDAY + 362)
    assert span.unavailable.ranges[0] == (MONDAY + 5, MONDAY + 7)


def test_days_that_the_provider_does_not_have_make_no_span():
    assert spans(["ES"], DaySet([(MONDAY + 5, MONDAY + 7)]), {}, WEEKENDS) == ()


def test_a_held_day_cuts_even_beside_a_weekend():
    week = DaySet([(MONDAY, MONDAY + 14)])
    found = spans(["ES"], week, {"ES": DaySet.of([MONDAY + 7])}, WEEKENDS)
    assert [(span.first - MONDAY, span.past - MONDAY) for span in found] == [(0, 5), (8, 12)]


def test_a_weekend_that_is_held_cuts():
    week = DaySet([(MONDAY, MONDAY + 14)])
    found = spans(["ES"], week, {"ES": DaySet([(MONDAY + 5, MONDAY + 6)])}, WEEKENDS)
    assert [(span.first - MONDAY, span.past - MONDAY) for span in found] == [(0, 5), (7, 12)]


def test_what_is_held_of_all_symbols_is_held_of_each():
    days = DaySet([(MONDAY, MONDAY + 5)])
    assert spans(["ES", "NQ"], days, {ALL_SYMBOLS: days}, DaySet()) == ()


def test_what_is_held_of_each_symbol_is_not_held_of_all():
    days = DaySet([(MONDAY, MONDAY + 5)])
    [span] = spans([ALL_SYMBOLS], days, {"ES": days}, DaySet())
    assert span == Span((ALL_SYMBOLS,), MONDAY, MONDAY + 5)


def test_symbols_that_lack_the_same_range_share_a_span_whatever_else_they_lack():
    days = DaySet([(MONDAY, MONDAY + 30)])
    held = {
        "ES": DaySet([(MONDAY, MONDAY + 20)]),
        "NQ": DaySet([(MONDAY + 10, MONDAY + 20)]),
    }
    assert spans(["NQ", "ES"], days, held, DaySet()) == (
        Span(("NQ",), MONDAY, MONDAY + 10),
        Span(("ES", "NQ"), MONDAY + 20, MONDAY + 30),
    )


def test_a_span_has_no_more_symbols_than_a_request_may_have():
    names = [f"S{number:05}" for number in range(2 * MAX_SYMBOLS + 1)]
    found = spans(names[::-1], DaySet.of([MONDAY]), {}, DaySet())
    assert [len(span.symbols) for span in found] == [MAX_SYMBOLS, MAX_SYMBOLS, 1]
    assert [symbol for span in found for symbol in span.symbols] == names


def test_all_symbols_stands_alone():
    with pytest.raises(BadJob, match="ALL_SYMBOLS stands beside 2 other symbols"):
        spans(["ES", ALL_SYMBOLS, "NQ"], DaySet.of([MONDAY]), {}, DaySet())


def test_no_symbols_at_all_are_refused():
    """An empty file of symbols must not become a job that is done at once."""
    with pytest.raises(BadJob, match="no symbols"):
        spans([], DaySet.of([MONDAY]), {}, DaySet())


# Chunks


@given(ASKED, st.sampled_from(TABLES))
def test_chunks_hold_what_is_wanted_and_not_held_each_once(asked, table):
    plan = asked.chunks(table)
    found = Counter(pair for chunk in plan for pair in pairs(chunk))
    check_cover(found, asked)
    for chunk in plan:
        assert days_of(chunk)[0] not in asked.unavailable
        assert days_of(chunk)[-1] not in asked.unavailable


@given(ASKED)
def test_no_chunk_crosses_the_grid_or_has_too_many_symbols(asked):
    for chunk in asked.chunks():
        assert len({day // asked.rules.days for day in days_of(chunk)}) == 1
        assert 1 <= len(chunk.symbols or ()) <= asked.rules.symbols
        assert list(chunk.symbols or ()) == sorted(set(chunk.symbols or ()))
        assert chunk.payload is None
        assert chunk.contents is None


@given(ASKED)
def test_chunks_are_ordered_by_start_then_symbols(asked):
    plan = asked.chunks()
    assert list(plan) == sorted(plan, key=lambda chunk: (chunk.start, chunk.symbols))


@given(ASKED, st.randoms(use_true_random=False))
def test_the_same_request_in_another_order_plans_the_same(asked, chance):
    shuffled = chance.sample(asked.symbols * 2, len(asked.symbols) * 2)
    held = dict(chance.sample(sorted(asked.held.items()), len(asked.held)))
    again = replace(asked, symbols=tuple(shuffled), held=held)
    assert again.chunks() == asked.chunks()


@given(ASKED, st.data())
def test_chunks_that_were_loaded_are_not_planned_again_and_the_others_are_unchanged(asked, data):
    """So what a broken job had bought is found in the vault by the next one."""
    plan = asked.chunks()
    done = set(data.draw(st.lists(st.sampled_from(plan)))) if plan else set()
    held = dict(asked.held)
    for chunk in done:
        proven = DaySet.of(days_of(chunk)) - asked.unavailable
        for symbol in chunk.symbols or ():
            held[symbol] = held.get(symbol, DaySet()) | proven
    again = replace(asked, held=held).chunks()
    assert again == tuple(chunk for chunk in plan if chunk not in done)


@given(ASKED, some_days())
def test_overlapping_requests_share_the_chunks_of_the_cells_that_both_want(asked, others):
    other = replace(asked, wanted=others)
    width = asked.rules.days
    cells = {day // width for day in (*asked.wanted, *others)}
    both = asked.wanted & others
    inner = [cell for cell in cells if both.covers(cell * width, (cell + 1) * width)]

    def within(plan: tuple[ChunkPlan, ...]) -> list[ChunkPlan]:
        return [chunk for chunk in plan if days_of(chunk)[0] // width in inner]

    assert within(other.chunks()) == within(asked.chunks())


def test_next_months_top_up_begins_where_the_last_one_ended():
    """Trades of a growing range: the first chunks stay as they were."""
    january = Asked(("ES",), DaySet([(MONDAY, MONDAY + 31)]), {}, WEEKENDS, Rules(1, 50))
    longer = replace(january, wanted=DaySet([(MONDAY, MONDAY + 59)]))
    assert longer.chunks()[: len(january.chunks())] == january.chunks()
    topped = replace(longer, held={"ES": january.wanted - WEEKENDS})
    assert topped.chunks() == longer.chunks()[len(january.chunks()) :]


def test_closed_days_make_no_chunks_of_their_own():
    year = Asked(("ES",), DaySet([(MONDAY, MONDAY + 364)]), {}, WEEKENDS, Rules(1, 50))
    assert len(year.chunks()) == 52 * 5


def test_spans_of_unequal_history_share_the_chunks_of_their_common_days():
    """2,000 symbols listed on different days must not become a chunk each from there on."""
    held = {name: DaySet([(MONDAY, MONDAY + at)]) for at, name in enumerate(NAMES)}
    asked = Asked(NAMES, DaySet([(MONDAY, MONDAY + 30)]), held, DaySet(), Rules(1, 50))
    plan = asked.chunks()
    assert len(plan) == 30
    assert plan[-1].symbols == NAMES


def test_all_symbols_is_never_split():
    asked = Asked((ALL_SYMBOLS,), DaySet([(MONDAY, MONDAY + 3)]), {}, DaySet(), Rules(1, 1))
    assert [chunk.symbols for chunk in asked.chunks()] == [(ALL_SYMBOLS,)] * 3


@pytest.mark.parametrize(
    ("days", "symbols"), [(0, 1), (MAX_DAYS + 1, 1), (1, 0), (1, MAX_SYMBOLS + 1), (-1, 1)]
)
def test_impossible_sizes_of_chunks_are_refused(days, symbols):
    with pytest.raises(BadJob, match=r"is impossible; allowed are 1 to \d+"):
        Rules(days, symbols)


# Hypertable chunks


def touched(first: int, past: int, table) -> int:
    """Hypertable chunks of the events of [first, past), some of them made just before it."""
    early = 0 if table.time_column == table.index_column else 1
    width = table.interval_days
    return len(range((first - early) // width, (past - 1) // width + 1))


@given(
    st.sampled_from(TABLES),
    st.integers(1, 3_000),
    st.integers(2, 64),
    st.integers(0, 20_000),
    st.integers(1, 4_000),
)
def test_no_chunk_touches_more_hypertable_chunks_than_allowed(table, days, most, first, length):
    asked = Asked(("ES",), DaySet([(first, first + length)]), {}, DaySet(), Rules(days, 1), most)
    plan = asked.chunks(table)
    assert sum(len(days_of(chunk)) for chunk in plan) == length
    for chunk in plan:
        assert touched(days_of(chunk)[0], days_of(chunk)[-1] + 1, table) <= most


def worst_cell(days: int, interval: int) -> int:
    """Most intervals that any cell of a grid meets; cells repeat after `interval` of them."""
    cells = ((at * days, (at + 1) * days) for at in range(interval))
    return max(len(range(a // interval, (b - 1) // interval + 1)) for a, b in cells)


@given(
    st.integers(1, 30), st.integers(1, 100), st.integers(1, 12), st.sampled_from([TRADES, DAILY])
)
def test_a_grid_is_narrowed_just_as_far_as_it_must_be(interval, days, most, like):
    """Where events may be older than the time they are asked by, one interval is set aside."""
    table = replace(like, interval_days=interval)
    room = most - 1 if like is TRADES else most
    if not room:
        with pytest.raises(BadJob, match="touches up to 2 hypertable chunks"):
            fitting(Rules(days, 1), table, most=most)
        return
    fit, notes = fitting(Rules(days, 1), table, most=most)
    assert bool(notes) is (fit.days < days)
    assert worst_cell(fit.days, interval) <= room
    assert all(worst_cell(wider, interval) > room for wider in range(fit.days + 1, days + 1))


@pytest.mark.parametrize(("table", "days"), [(TRADES, 63), (SECONDS, 448), (DAILY, MAX_DAYS)])
def test_a_grid_too_wide_is_narrowed_and_says_so(table, days):
    fit, notes = fitting(Rules(MAX_DAYS, 7), table, most=64)
    assert fit == Rules(days, 7)
    assert [f"take {days} days instead of {MAX_DAYS}" in note for note in notes] == (
        [True] if days < MAX_DAYS else []
    )


# What the provider has


def at(date: str, hours: float = 0) -> int:
    return midnight(day_of(dt.date.fromisoformat(date))) + int(hours * 3_600) * 10**9


AVAILABLE = (at("2010-06-06"), at("2024-03-15"))


def test_an_open_request_takes_all_whole_days_and_leaves_nothing_out():
    partial = (at("2010-06-06", 14.5), at("2024-03-14", 23.9))
    days, notes = clamp(None, None, partial)
    assert days.ranges == ((day_of(dt.date(2010, 6, 7)), day_of(dt.date(2024, 3, 14))),)
    assert notes == ()


def test_a_request_inside_stays_as_it_is():
    days, notes = clamp(at("2024-03-11"), at("2024-03-15"), AVAILABLE)
    assert days.ranges == ((MONDAY, MONDAY + 4),)
    assert notes == ()


def test_what_lies_outside_is_cut_and_told():
    days, notes = clamp(at("2005-01-01"), at("2030-01-01"), AVAILABLE)
    assert days == clamp(None, None, AVAILABLE)[0]
    assert [line.partition(":")[0] for line in notes] == [
        "start moved from 2005-01-01 to 2010-06-06",
        "end moved from 2030-01-01 to 2024-03-15",
    ]


@pytest.mark.parametrize(
    ("start", "end"),
    [("2024-03-15", "2024-03-20"), ("2024-03-15", None), ("2001-01-01", "2010-06-06"),
     (None, "2010-06-06"), (None, "1999-01-01")],
)  # fmt: skip
def test_a_request_wholly_outside_is_empty_and_says_what_there_is(start, end):
    days, notes = clamp(start and at(start), end and at(end), AVAILABLE)
    assert not days
    assert len(notes) == 1
    assert "2010-06-06 to 2024-03-15" in notes[0]


def test_a_range_without_a_whole_day_leaves_nothing():
    days, notes = clamp(None, None, (at("2024-03-11", 1), at("2024-03-12", 23)))
    assert not days
    assert notes == ("nothing is left: the provider has no whole day yet",)


@pytest.mark.parametrize(
    ("start", "end"), [(at("2024-03-11", 14.5), None), (None, at("2024-03-11") + 1)]
)
def test_a_time_of_day_is_refused_and_names_the_two_nearest_days(start, end):
    with pytest.raises(BadJob, match="whole UTC days") as refused:
        clamp(start, end, AVAILABLE)
    assert refused.value.hint == "give 2024-03-11 or 2024-03-12"


@pytest.mark.parametrize("end", ["2024-03-11", "2024-03-10"])
def test_an_end_that_does_not_lie_behind_its_start_is_refused(end):
    with pytest.raises(BadJob, match="does not lie behind start 2024-03-11"):
        clamp(at("2024-03-11"), at(end), AVAILABLE)


@given(
    st.none() | st.integers(0, 60), st.none() | st.integers(0, 60),
    st.integers(0, 60 * DAY_NS), st.integers(0, 60 * DAY_NS),
)  # fmt: skip
def test_days_are_those_that_lie_wholly_inside_both(start, end, low, high):
    if start is not None and end is not None and end <= start:
        return
    days, notes = clamp(
        None if start is None else midnight(start),
        None if end is None else midnight(end),
        (low, high),
    )
    there = {day for day in range(61) if low <= midnight(day) and midnight(day + 1) <= high}
    asked = set(range(start or 0, 61 if end is None else end))
    assert set(days) == there & asked
    cut = (start is not None or end is not None) and (
        (start is not None and min(there, default=99) > start)
        or (end is not None and max(there, default=-1) < end - 1)
    )
    assert bool(notes) is (cut or not days)


# The name of a request

REQUESTS = st.lists(st.tuples(st.sampled_from(Schema), some_days()), max_size=4)
LIKE = {"source": "databento", "dataset": "GLBX.MDP3", "stype_in": "raw_symbol"}


@given(NAMED, REQUESTS, st.randoms(use_true_random=False))
def test_a_request_has_one_key_however_it_is_ordered(symbols, requests, chance):
    shuffled = chance.sample(symbols * 2, len(symbols) * 2)
    turned = chance.sample(requests, len(requests))
    first = job_key(**LIKE, symbols=symbols, requests=requests)
    assert job_key(**LIKE, symbols=shuffled, requests=turned) == first


@given(NAMED, NAMED, REQUESTS, REQUESTS)
def test_keys_are_equal_just_where_symbols_schemas_and_days_are(names, others, one, other):
    def resolved(requests):
        found: dict[Schema, set[int]] = {}
        for schema, days in requests:
            found[schema] = found.get(schema, set()) | set(days)
        return found

    alike = set(names) == set(others) and resolved(one) == resolved(other)
    keys = {
        job_key(**LIKE, symbols=names, requests=one),
        job_key(**LIKE, symbols=others, requests=other),
    }
    assert len(keys) == (1 if alike else 2)


@pytest.mark.parametrize(
    "other",
    [{"source": "databento-batch"}, {"dataset": "XNAS.ITCH"}, {"stype_in": "parent"},
     {"salt": "again"}, {"symbols": ["ES,NQ"]}],
)  # fmt: skip
def test_everything_else_that_tells_requests_apart_is_in_the_key(other):
    asked = {**LIKE, "symbols": ["ES", "NQ"], "requests": [(Schema.TRADES, DaySet([(1, 9)]))]}
    assert job_key(**asked) != job_key(**(asked | other))


def test_a_key_is_the_same_in_every_process():
    """It stands in ledgers: a change of its making would plan everything anew."""
    key = job_key(**LIKE, symbols=["ES"], requests=[(Schema.TRADES, DaySet([(1, 9)]))])
    assert key == "fa732c1e5d5fd9917af1b385117bed2ad1f907e99f09c776e8094fab37447f90"


# The order of requests


@dataclass(frozen=True)
class Want:
    schema: str
    note: int = 0


def test_definitions_come_first_then_bars_from_coarse_to_fine_then_the_rest_as_given():
    given_order = ["trades", "ohlcv-1s", "tbbo", "ohlcv-1d", "definition", "ohlcv-1m", "ohlcv-1h"]
    found = [want.schema for want in in_order([Want(name) for name in given_order])]
    assert found == [
        "definition", "ohlcv-1d", "ohlcv-1h", "ohlcv-1m", "ohlcv-1s", "trades", "tbbo",
    ]  # fmt: skip


@given(st.lists(st.builds(Want, st.sampled_from(Schema), st.integers(0, 9))))
def test_requests_of_one_schema_stay_as_given(wanted):
    found = in_order(wanted)
    for schema in Schema:
        assert [w for w in found if w.schema == schema] == [w for w in wanted if w.schema == schema]
