"""Files cut from one delivery number their records as the whole file would."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ingestor.job import JobPlan
from ingestor.simulator.dbn_writer import write_dbn
from ingestor.simulator.market import DAY, MONDAY, make_bars, make_trades
from ingestor.sources.dbn_files import DbnFiles
from ingestor.sources.source import Ask
from ingestor.vocabulary import Priority
from tests.claims import claims_of

SOURCE = DbnFiles()
METADATA = {"dataset": "GLBX.MDP3", "start": MONDAY, "end": MONDAY + DAY, "symbols": ["ESM4"]}
_MODEL = make_trades(1)


def numbered(records: np.ndarray, before: np.ndarray | None = None) -> list[int]:
    """Ordinals by definition: how many records of the same key came before."""
    seen: Counter[tuple[int, ...]] = Counter()
    ordinals = []
    for record in np.concatenate([before, records]) if before is not None else records:
        key = (
            int(record["instrument_id"]),
            int(record["ts_event"]) // 1_000,
            int(record["ts_recv"]) // 1_000,
            int(record["sequence"]),
            int(record["publisher_id"]),
        )
        ordinals.append(seen[key])
        seen[key] += 1
    return ordinals[0 if before is None else len(before) :]


def keyed(records: np.ndarray, ordinals: list[int]) -> Counter[tuple[bytes, int]]:
    return Counter(
        (record.tobytes(), ordinal) for record, ordinal in zip(records, ordinals, strict=True)
    )


def loaded(plan: JobPlan) -> tuple[np.ndarray, list[int]]:
    """Every record of a plan, and the ordinal that a worker gives it."""
    found, ordinals = [np.empty(0, _MODEL.dtype)], []
    for claim in claims_of(plan):
        payload = SOURCE.fetch(claim)
        own = [records for records, _ in SOURCE.batches(payload, claim, 7)]
        records = np.concatenate([np.empty(0, payload.layout), *own])
        ordinals += numbered(records, SOURCE.preceding(payload, claim))
        found.append(records)
    return np.concatenate(found), ordinals


def trades_at(times: list[int], kinds: list[int] | None = None) -> np.ndarray:
    """Trades at nanoseconds after the start; those of one kind are alike but for time."""
    records = np.repeat(_MODEL, len(times))
    records["ts_recv"] = np.array(times, np.uint64) + np.uint64(MONDAY)
    records["ts_event"] = MONDAY
    records["sequence"] = kinds if kinds is not None else 1
    return records


def write_parts(folder: Path, parts: list[np.ndarray], names: list[str] | None = None) -> None:
    for at, part in enumerate(parts):
        name = names[at] if names else f"part-{at:03}.dbn"
        write_dbn(folder / name, "trades", part, compress=name.endswith(".zst"), **METADATA)


def plan_of(path: Path, **ask) -> JobPlan:
    return SOURCE.plan(Ask("t", Priority.NORMAL, path=path, **ask))


steps = st.integers(0, 3).map(lambda step: (0, 1, 700, 1_500)[step])
deliveries = st.lists(st.tuples(steps, st.integers(0, 1)), min_size=2, max_size=40)
cuts = st.lists(st.integers(0, 40), min_size=1, max_size=6)


def cut(records: np.ndarray, at: list[int]) -> list[np.ndarray]:
    return np.split(records, sorted({place for place in at if 0 < place < len(records)}))


def check_parts(records: np.ndarray, at: list[int]) -> None:
    with TemporaryDirectory() as name:
        write_parts(Path(name), cut(records, at))
        found, ordinals = loaded(plan_of(Path(name)))
    assert keyed(found, ordinals) == keyed(records, numbered(records))


@settings(max_examples=80, deadline=None)
@given(deliveries, cuts)
def test_parts_of_an_ordered_delivery_number_their_records_as_the_whole_does(drawn, at):
    times = np.cumsum([step for step, _ in drawn]).tolist()
    check_parts(trades_at(times, [kind for _, kind in drawn]), at)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_parts_of_a_disordered_delivery_do_too(data):
    drawn = data.draw(deliveries)
    times = np.cumsum([step for step, _ in drawn])
    back = data.draw(st.lists(st.integers(0, 2_500), min_size=len(times), max_size=len(times)))
    times = np.maximum(times - np.array(back), 0).tolist()
    records = trades_at(times, [kind for _, kind in drawn])
    # A record that another part repeats in all fields, out of order, cannot be told from a copy.
    records["price"] = np.arange(len(records))
    at = data.draw(cuts)
    parts = [part["ts_recv"] // 1_000 for part in cut(records, at)]
    # A later part wholly before an earlier one cannot be told from files named out of order.
    assume(not any(b.max() <= a.min() for a, b in combinations(parts, 2)))
    check_parts(records, at)


def bars_at(seconds: list[int], instruments: list[int], volumes: list[int]) -> np.ndarray:
    """Bars at seconds after the start, alike but for what is told."""
    bars = np.repeat(make_bars(1, "ohlcv-1s"), len(seconds))
    bars["ts_event"] = np.array(seconds, np.uint64) * np.uint64(10**9) + np.uint64(MONDAY)
    bars["instrument_id"], bars["volume"] = instruments, volumes
    return bars


def write_bars(folder: Path, parts: dict[str, np.ndarray]) -> None:
    for name, part in parts.items():
        write_dbn(folder / name, "ohlcv-1s", part, compress=name.endswith(".zst"), **METADATA)


def firsts_and_repeats(plan: JobPlan) -> tuple[Counter[bytes], Counter[bytes]]:
    """Bars that a worker would merge, and those that it would quarantine, whoever loads first."""
    merged, repeats = Counter(), Counter()
    for claim in claims_of(plan):
        payload = SOURCE.fetch(claim)
        own = [records for records, _ in SOURCE.batches(payload, claim, 7)]
        bars = np.concatenate(own)
        before = SOURCE.preceding(payload, claim)
        seen = set() if before is None else {bar_key(bar) for bar in before}
        for bar in bars:
            (repeats if bar_key(bar) in seen else merged)[bar.tobytes()] += 1
            seen.add(bar_key(bar))
    return merged, repeats


def bar_key(bar: np.void) -> tuple[int, int]:
    return int(bar["ts_event"]), int(bar["instrument_id"])


def bars_of_parts(parts: dict[str, np.ndarray]) -> tuple[Counter[bytes], Counter[bytes]]:
    with TemporaryDirectory() as name:
        write_bars(Path(name), parts)
        return firsts_and_repeats(plan_of(Path(name)))


BARS = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 2)), min_size=2, max_size=14)


@settings(max_examples=80, deadline=None)
@given(BARS, cuts, st.booleans())
def test_bars_cut_anywhere_are_merged_and_quarantined_as_the_wholes_are(drawn, at, ordered):
    """Repeats of a key, told apart by their volume; of one second, of several, in any order."""
    drawn = sorted(drawn) if ordered else drawn
    whole = bars_at(*([part[place] for part in drawn] for place in (0, 1)), [*range(len(drawn))])
    parts = cut(whole, at)
    if not ordered:
        times = [part["ts_event"] for part in parts]
        assume(not any(b.max() <= a.min() for a, b in combinations(times, 2)))
    found = bars_of_parts({f"part-{n}.dbn": part for n, part in enumerate(parts)})
    assert found == bars_of_parts({"whole.dbn": whole})


@settings(max_examples=80, deadline=None)
@given(BARS, cuts, st.data())
def test_bars_that_repeat_in_all_fields_never_change_what_is_stored(drawn, at, data):
    """A part that holds only what another holds too may be taken for a copy: it merges the same."""
    volumes = data.draw(st.lists(st.integers(0, 1), min_size=len(drawn), max_size=len(drawn)))
    whole = bars_at(*([part[place] for part in sorted(drawn)] for place in (0, 1)), volumes)
    parts = cut(whole, at)
    merged, _ = bars_of_parts({f"part-{n}.dbn": part for n, part in enumerate(parts)})
    assert set(merged) == set(bars_of_parts({"whole.dbn": whole})[0])


@pytest.mark.parametrize("second", [5, 7], ids=["repeat corrected", "repeat alike"])
def test_one_day_of_bars_cut_in_two_repeats_a_key_as_the_whole_does(second):
    whole = bars_at([0] * 4, [1, 2, 1, 3], [5, 6, second, 7])
    whole["volume"][0] = 7
    found = bars_of_parts({"a.dbn": whole[:2], "b.dbn": whole[2:]})
    assert found == bars_of_parts({"whole.dbn": whole})
    assert found[1] == Counter([whole[2].tobytes()])


def test_a_part_whose_bar_comes_second_in_another_is_no_copy_of_it():
    """Merged, whichever of the two was loaded last would be stored."""
    whole = bars_at([0] * 4, [1, 1, 1, 2], [5, 6, 5, 7])
    for at in (1, 2):
        found = bars_of_parts({"a.dbn": whole[at - 1 : at], "b.dbn": whole[at:]})
        assert found[0][whole[at - 1].tobytes()] == 1
        assert sum(bar_key(bar) == (MONDAY, 1) for bar in whole[at - 1 :]) == 1 + sum(
            found[1].values()
        )


def test_a_bar_alone_between_two_parts_repeats_the_one_before():
    whole = bars_at([0, 1, 1, 2], [1] * 4, [0, 1, 1, 2])
    found = bars_of_parts({"a.dbn": whole[:2], "b.dbn": whole[2:3], "c.dbn": whole[3:]})
    assert found == bars_of_parts({"whole.dbn": whole})


@pytest.mark.parametrize("seconds", [[0, 0, 0, 0], [0, 1, 2, 3]], ids=["one time", "many"])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_bars_of_a_whole_beside_its_parts_and_copies_are_no_repeats(tmp_path, seconds, at):
    whole = bars_at(seconds, [1, 2, 3, 4], [1, 2, 3, 4])
    write_bars(tmp_path, {
        "a.dbn": whole[:at], "b.dbn": whole[at:], "c.dbn": whole, "d.dbn": whole,
        "e.dbn.zst": whole,
    })  # fmt: skip
    plan = plan_of(tmp_path)
    merged, repeats = firsts_and_repeats(plan)
    assert (set(merged), repeats) == ({bar.tobytes() for bar in whole}, Counter())
    assert plan.notes == ("d.dbn is a copy of c.dbn: it will be found stored",)


def test_bars_of_one_time_given_twice_are_a_copy(tmp_path):
    bars = bars_at([0, 0], [1, 2], [1, 2])
    write_bars(tmp_path, {"a.dbn": bars, "b.dbn": bars})
    plan = plan_of(tmp_path)
    assert plan.notes == ("b.dbn is a copy of a.dbn: it will be found stored",)
    assert partials(plan) == {""}


def test_a_corrected_file_of_bars_corrects_nothing_in_the_same_folder(tmp_path):
    bars = bars_at([0, 1, 2], [1, 1, 1], [1, 2, 3])
    newer = bars.copy()
    newer["volume"][1] = 9
    write_bars(tmp_path, {"a.dbn": bars, "b.dbn": newer})
    merged, repeats = firsts_and_repeats(plan_of(tmp_path / "b.dbn"))
    assert (merged, repeats) == (Counter(), Counter(bar.tobytes() for bar in newer))


def stored(plan: JobPlan) -> Counter[tuple[bytes, int]]:
    """What a table holds after the plan: a record and ordinal delivered twice is one row."""
    return Counter(set(keyed(*loaded(plan))))


def before(plan: JobPlan) -> dict[str, list[str]]:
    """Each file's predecessors, by name."""
    return {
        Path(chunk.payload.uri).name: [Path(ref.uri).name for ref in chunk.predecessors]
        for request in plan.requests
        for chunk in request.chunks
    }


def partials(plan: JobPlan) -> set[str]:
    """Why chunks prove no coverage, but for that these plain files prove nothing in themselves."""
    whole = "nothing proves that the file is whole"
    found = [chunk.partial for request in plan.requests for chunk in request.chunks]
    assert all(whole in partial for partial in found)
    return {"; ".join(r for r in partial.split("; ") if r != whole) for partial in found}


def test_a_whole_file_follows_nothing_and_is_not_partial(tmp_path):
    write_parts(tmp_path, [trades_at([1, 2])])
    assert before(plan_of(tmp_path)) == {"part-000.dbn": []}
    assert partials(plan_of(tmp_path)) == {""}


def test_parts_that_share_no_microsecond_are_parts_without_predecessors(tmp_path):
    write_parts(tmp_path, [trades_at([1, 2]), trades_at([1_000, 1_001])])
    assert before(plan_of(tmp_path)) == {"part-000.dbn": [], "part-001.dbn": []}
    assert partials(plan_of(tmp_path)) == {"one of 2 parts of a delivery"}


def test_all_parts_that_touch_a_microsecond_precede_in_order(tmp_path):
    parts = [[1, 5_000], [5_000], [5_000], [5_100, 9_000]]
    write_parts(tmp_path, [trades_at(part) for part in parts])
    names = [f"part-{at:03}.dbn" for at in range(4)]
    assert before(plan_of(tmp_path)) == {name: names[:at] for at, name in enumerate(names)}


def test_time_decides_where_names_contradict_it(tmp_path):
    names = ["c.dbn", "b.dbn.zst", "a.dbn"]
    write_parts(
        tmp_path, [trades_at(part) for part in ([1, 5_000], [5_000], [5_000, 9_000])], names
    )
    assert before(plan_of(tmp_path)) == {
        "c.dbn": [],
        "b.dbn.zst": ["c.dbn"],
        "a.dbn": ["c.dbn", "b.dbn.zst"],
    }


def test_names_are_ordered_as_people_do(tmp_path):
    names = [f"part-{at}.dbn" for at in (2, 9, 10)]
    write_parts(tmp_path, [trades_at([7])] * 3, names)
    assert before(plan_of(tmp_path))["part-10.dbn"] == ["part-2.dbn", "part-9.dbn"]


def test_a_single_part_is_numbered_after_its_siblings(tmp_path):
    write_parts(tmp_path, [trades_at([1, 5_000]), trades_at([5_000, 9_000])])
    plan = plan_of(tmp_path / "part-001.dbn")
    assert before(plan) == {"part-001.dbn": ["part-000.dbn"]}
    assert partials(plan) == {"one of 2 parts of a delivery"}


def test_a_damaged_sibling_is_passed_over_and_noted(tmp_path):
    write_parts(tmp_path, [trades_at([1, 5_000]), trades_at([5_000, 9_000])])
    part = tmp_path / "part-000.dbn"
    part.write_bytes(part.read_bytes()[:-1])
    plan = plan_of(tmp_path / "part-001.dbn")
    assert before(plan) == {"part-001.dbn": []}
    assert "part-000.dbn beside it was not looked at" in plan.notes[0]


def test_siblings_of_other_deliveries_say_nothing(tmp_path):
    write_parts(tmp_path, [trades_at([1, 5_000])])
    write_dbn(
        tmp_path / "b.dbn", "trades", trades_at([5_000]), compress=False,
        **(METADATA | {"symbols": ["NQM4"]}),
    )  # fmt: skip
    assert plan_of(tmp_path / "b.dbn").notes == ()
    assert before(plan_of(tmp_path)) == {"part-000.dbn": [], "b.dbn": []}


def test_a_copy_is_noted_and_stores_nothing_more(tmp_path):
    whole = trades_at([1, 1, 5_000])
    write_parts(tmp_path, [whole, whole], ["a.dbn", "b.dbn"])
    plan = plan_of(tmp_path)
    assert plan.notes == ("b.dbn is a copy of a.dbn: it will be found stored",)
    assert before(plan) == {"a.dbn": [], "b.dbn": []}
    assert partials(plan) == {""}
    assert stored(plan) == keyed(whole, numbered(whole))


def test_a_copy_in_another_compression_stores_nothing_more(tmp_path):
    whole = trades_at([1, 1, 7_000, 5_000])
    write_parts(tmp_path, [whole, whole], ["a.dbn", "a.dbn.zst"])
    plan = plan_of(tmp_path)
    assert before(plan) == {"a.dbn": [], "a.dbn.zst": []}
    assert stored(plan) == keyed(whole, numbered(whole))


def test_a_copied_part_is_followed_once(tmp_path):
    parts = [trades_at([1, 5_000, 5_000]), trades_at([5_000, 9_000])]
    write_parts(tmp_path, [*parts, parts[0]], ["a.dbn", "b.dbn", "copy of a.dbn"])
    plan = plan_of(tmp_path)
    assert len(before(plan)["b.dbn"]) == 1
    whole = np.concatenate(parts)
    assert stored(plan) == keyed(whole, numbered(whole))


def test_a_whole_beside_its_parts_stores_nothing_more(tmp_path):
    whole = trades_at([1, 1, 2_000, 5_000, 5_000, 9_000, 9_000, 12_000], [1, 1, 1, 1, 1, 2, 2, 1])
    write_parts(tmp_path, [*cut(whole, [4]), whole], ["p1.dbn", "p2.dbn", "whole.dbn"])
    plan = plan_of(tmp_path)
    assert stored(plan) == keyed(whole, numbered(whole))
    assert partials(plan) == {"one of 2 parts of a delivery", ""}


def test_identical_trades_cut_apart_are_all_stored(tmp_path):
    whole = trades_at([5_000] * 4)
    write_parts(tmp_path, cut(whole, [2]))
    assert stored(plan_of(tmp_path)) == keyed(whole, numbered(whole))


def test_a_part_of_a_disordered_delivery_within_anothers_range_is_no_copy(tmp_path):
    whole = trades_at([1, 3_000, 9_000, 3_100, 4_000])
    write_parts(tmp_path, cut(whole, [3]))
    plan = plan_of(tmp_path)
    assert before(plan)["part-001.dbn"] == ["part-000.dbn"]
    assert stored(plan) == keyed(whole, numbered(whole))


def test_a_part_whose_predecessor_reaches_into_it_counts_as_out_of_order(tmp_path):
    """Its records must be numbered all at once: any of them may repeat a key of the predecessor."""
    whole = trades_at([1, 5_000, 9_000, 5_100, 12_000])
    write_parts(tmp_path, cut(whole, [3]))
    first, second = (SOURCE.fetch(claim) for claim in claims_of(plan_of(tmp_path)))
    assert first.contents.ordered
    assert not second.contents.ordered


def test_a_part_whose_predecessor_ends_where_it_begins_is_in_order(tmp_path):
    write_parts(tmp_path, [trades_at([1, 5_000]), trades_at([5_100, 12_000])])
    assert all(SOURCE.fetch(claim).contents.ordered for claim in claims_of(plan_of(tmp_path)))


def test_parts_split_by_size_name_their_own_bounds_and_still_follow(tmp_path):
    parts = [trades_at([1, 5_000, 5_000]), trades_at([5_000, 9_000])]
    for at, part in enumerate(parts):
        bounds = {"start": int(part["ts_recv"][0]), "end": int(part["ts_recv"][-1])}
        write_dbn(tmp_path / f"p{at}.dbn", "trades", part, compress=False, **(METADATA | bounds))
    plan = plan_of(tmp_path)
    assert before(plan) == {"p0.dbn": [], "p1.dbn": ["p0.dbn"]}
    assert partials(plan) == {"bounds are no whole days"}
    whole = np.concatenate(parts)
    assert stored(plan) == keyed(whole, numbered(whole))


def test_requests_that_overlap_are_no_parts(tmp_path):
    """Each holds the middle day: its one record is the last of one file, the first of the other."""
    for name, start, times in (("a.dbn", 0, [1, DAY + 5]), ("b.dbn", 1, [DAY + 5, 2 * DAY + 1])):
        bounds = {"start": MONDAY + start * DAY, "end": MONDAY + (start + 2) * DAY}
        write_dbn(
            tmp_path / name, "trades", trades_at(times), compress=False, **(METADATA | bounds)
        )
    assert before(plan_of(tmp_path)) == {"a.dbn": [], "b.dbn": []}


@pytest.mark.timeout(20)
def test_two_thousand_parts_are_related_in_no_time(tmp_path):
    from dataclasses import replace
    from time import perf_counter

    from ingestor.sources.deliveries import deliveries as place
    from ingestor.sources.survey import survey

    write_parts(tmp_path, [trades_at([1, 2])])
    model = survey(tmp_path / "part-000.dbn")
    files = [
        replace(
            model, path=Path(f"{at}"), sha256=f"{at}", index_range=(at * 9_000, at * 9_000 + 9_000)
        )
        for at in range(2_000)
    ]
    began = perf_counter()
    places = place(files, numbered=True)
    assert perf_counter() - began < 2
    assert len(places[Path("1999")].predecessors) == 1


def test_files_of_different_instruments_do_not_follow_from_each_other(tmp_path):
    """Keys hold the instrument: one file per symbol must not read all the others."""
    for at, instrument in enumerate((7, 8)):
        records = trades_at([0, 1, 2])
        records["instrument_id"] = instrument
        write_parts(tmp_path, [records], [f"part-{at}.dbn"])
    chunks = [chunk for request in plan_of(tmp_path).requests for chunk in request.chunks]
    assert [chunk.predecessors for chunk in chunks] == [(), ()]
