"""Which files are parts of one delivery, and whose records come first.

A provider may cut a delivery into files at any record. Records that share every key column but the
ordinal are numbered in delivery order, so that a part which begins in the very microsecond (keys
hold microseconds) in which another ends must go on with the other's numbers. Bars are numbered too,
though no column keeps it: one past the first of its key is refused, whichever part it is in.

Two files are of one delivery where their metadata are the same bytes. Two of them are

- unrelated, where their index timestamps share no microsecond, or they no instrument;
- a part and the next, where one ends in the microsecond in which the other begins;
- a re-delivery (a copy, or an ordered whole beside its part), where one's range contains the
  other's and its records too: no part follows from it, the rows merge;
- parts of a delivery that is out of order, where anything else overlaps: names tell the order.

Files that lie inside one microsecond may be all of a day's bars, but hardly of its trades: bars of
one microsecond at the edge of another file are a re-delivery where they are a copy, or where that
file holds all that is here of the delivery; else they are a part.

Files that a delivery was split into by size name their own first and last record as start and end:
they count as parts where nothing else in their metadata differs and one ends before the other
starts.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ingestor.sources.redelivery import redelivered

if TYPE_CHECKING:
    from ingestor.sources.surveyed import Surveyed

_MICROSECOND: Final = 1_000
_DIGITS: Final = re.compile(r"(\d+)")


class Relation(Enum):
    """What two files of one delivery are to each other."""

    UNRELATED = auto()
    NEXT = auto()
    DISORDERED = auto()
    AGAIN = auto()
    WITHIN = auto()
    """One range contains the other: AGAIN or DISORDERED, which only their records tell."""
    EDGE = auto()
    """One microsecond of bars, the other's first or last: AGAIN or NEXT, as their records tell."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where one file stands among the files of its delivery.

    Attributes:
        predecessors: Files whose last records may share a key with its first, in delivery order.
        parts: Files that the delivery was cut into, as far as they are here; 1 for a whole.
        copy_of: An earlier file with the very same bytes; None where there is none.
    """

    predecessors: tuple[Surveyed, ...] = ()
    parts: int = 1
    copy_of: Path | None = None


@dataclass(slots=True)
class _Related:
    """Relations of one file to others, by place in the list."""

    parts: set[int] = field(default_factory=set)
    again: set[int] = field(default_factory=set)


def natural(path: Path) -> tuple[object, ...]:
    """Sorts names as people do: part-2 before part-10."""
    return tuple(
        (0, int(piece), "") if piece.isdigit() else (1, 0, piece)
        for piece in _DIGITS.split(str(path))
        if piece
    )


def deliveries(files: Sequence[Surveyed], *, numbered: bool) -> Mapping[Path, Delivery]:
    """Finds each file's place among `files`, all of one folder and one schema.

    Args:
        files: In natural order of their names.
        numbered: Whether the table tells repeats of a key apart; if not, repeats are refused, and
            files of the same bytes can only be copies.
    """
    related = _relations(files, numbered=numbered)
    same_metadata: dict[str, list[int]] = defaultdict(list)
    for at, file in enumerate(files):
        same_metadata[file.delivery].append(at)
    order = _order(files, related)
    return {
        file.path: Delivery(
            predecessors=tuple(files[other] for other in _before(at, files, related, order)),
            parts=len(set(same_metadata[file.delivery]) - related[at].again),
            copy_of=_copied(at, files, related),
        )
        for at, file in enumerate(files)
    }


def relation(a: Surveyed, b: Surveyed, *, numbered: bool) -> Relation:
    """What two files of one folder are to each other."""
    first, second = microseconds(a.index_range), microseconds(b.index_range)
    if first is None or second is None or not a.parts_with(b):
        return Relation.UNRELATED
    if set(a.contents.instruments).isdisjoint(b.contents.instruments):
        return Relation.UNRELATED
    low, high = max(first[0], second[0]), min(first[1], second[1])
    if low > high:
        return Relation.UNRELATED
    if a.sha256 == b.sha256 and not (numbered and first[0] == first[1]):
        return Relation.AGAIN
    contains = (low, high) in (first, second)
    if low == high and (first[1] == second[0] or second[1] == first[0]):
        return Relation.EDGE if contains and not numbered else Relation.NEXT
    return Relation.WITHIN if contains else Relation.DISORDERED


def microseconds(span: tuple[int | None, int | None] | None) -> tuple[int, int] | None:
    """First and last index microsecond of a range in nanoseconds; None for one without any."""
    if span is None or span[0] is None or span[1] is None:
        return None
    return span[0] // _MICROSECOND, span[1] // _MICROSECOND


def _relations(files: Sequence[Surveyed], *, numbered: bool) -> list[_Related]:
    """Compares only files whose ranges meet: a folder of days costs one comparison per file."""
    related = [_Related() for _ in files]
    within: dict[int, dict[int, Relation]] = defaultdict(dict)
    for a, b in _meeting(files):
        found = relation(files[a], files[b], numbered=numbered)
        if found in (Relation.WITHIN, Relation.EDGE):
            whole, part = sorted((a, b), key=lambda at: _extent(files[at]), reverse=True)
            within[whole][part] = found
        elif found is not Relation.UNRELATED:
            _relate(related, a, b, again=found is Relation.AGAIN)
    # The largest first: what it holds speaks for its copies too.
    for whole in sorted(within, key=lambda at: _extent(files[at]), reverse=True):
        again = _again(whole, within[whole], files, related, numbered=numbered)
        for part in within[whole]:
            _relate(related, whole, part, again=part in again)
    return related


def _again(
    whole: int,
    parts: Mapping[int, Relation],
    files: Sequence[Surveyed],
    related: Sequence[_Related],
    *,
    numbered: bool,
) -> set[int]:
    """Which of `parts`, in the range of `whole`, are a re-delivery of something in it."""
    sure = {at for at, found in parts.items() if _comparable(files[whole], files[at], found)}
    told = redelivered(files[whole], [files[at] for at in (sure if numbered else parts)])
    held = {at for at in parts if files[at].path in told}
    if numbered or not _holds_all(whole, held | related[whole].again, files):
        return held & sure
    return held


def _comparable(whole: Surveyed, part: Surveyed, found: Relation) -> bool:
    """Whether a part all of whose records `whole` holds must be a re-delivery.

    Out of order, a part of a delivery may hold just what another part holds too, as may one of
    bars of one microsecond: taken for a re-delivery, its trades would be lost, or its repeated bars
    not be told. Only a file with as many records can be a copy of it.
    """
    ordered = whole.contents.ordered and found is Relation.WITHIN
    return ordered or part.contents.records == whole.contents.records


def _holds_all(whole: int, held: set[int], files: Sequence[Surveyed]) -> bool:
    """Whether every other file with records that is here of the delivery is in `held`."""
    return all(
        at in held or at == whole or file.index_range is None
        for at, file in enumerate(files)
        if file.parts_with(files[whole])
    )


def _relate(related: Sequence[_Related], a: int, b: int, *, again: bool) -> None:
    for one, other in ((a, b), (b, a)):
        (related[one].again if again else related[one].parts).add(other)


def _extent(file: Surveyed) -> tuple[int, int]:
    """How much a file spans and holds: the larger of two is the whole."""
    low, high = _range(file)
    return high - low, file.contents.records


def _meeting(files: Sequence[Surveyed]) -> Iterator[tuple[int, int]]:
    ranges = sorted(
        (span, at)
        for at, file in enumerate(files)
        if (span := microseconds(file.index_range)) is not None
    )
    for place, ((_, high), a) in enumerate(ranges):
        for (low, _), b in ranges[place + 1 :]:
            if low > high:
                break
            yield a, b


def _order(files: Sequence[Surveyed], related: Sequence[_Related]) -> list[int]:
    """A rank per file: delivery order within each group of parts that meet."""
    rank = list(range(len(files)))
    seen: set[int] = set()
    for at in range(len(files)):
        if at in seen or not related[at].parts:
            continue
        group = _group(at, related)
        seen |= group
        by_name = sorted(group)
        by_time = sorted(group, key=lambda member: (files[member].index_range, member))
        chosen = by_name
        if not _in_time(by_name, files, related) and _in_time(by_time, files, related):
            chosen = by_time
        for place, member in enumerate(chosen):
            rank[member] = place
    return rank


def _group(start: int, related: Sequence[_Related]) -> set[int]:
    """All parts that can be reached from `start` by stepping from part to part."""
    group: set[int] = set()
    waiting = [start]
    while waiting:
        at = waiting.pop()
        if at not in group:
            group.add(at)
            waiting.extend(related[at].parts)
    return group


def _in_time(order: Sequence[int], files: Sequence[Surveyed], related: Sequence[_Related]) -> bool:
    """Whether no file in this order ends after a later part begins.

    Within one microsecond names decide: the clock may step back by nanoseconds, and identical
    trades carry no time order at all.
    """
    place = {at: rank for rank, at in enumerate(order)}
    return all(
        _range(files[at])[1] <= _range(files[other])[0]
        for at in order
        for other in related[at].parts
        if place[at] < place[other]
    )


def _range(file: Surveyed) -> tuple[int, int]:
    span = microseconds(file.index_range)
    assert span is not None, "only files with records have relations"
    return span


def _before(
    at: int, files: Sequence[Surveyed], related: Sequence[_Related], order: Sequence[int]
) -> list[int]:
    """The parts before one file, in order; what another of them delivers too is left out."""
    earlier = [other for other in related[at].parts if order[other] < order[at]]
    # The widest first: where a whole and its part both precede, the whole speaks for both.
    widest = sorted(earlier, key=lambda other: (_range(files[other])[0], -_range(files[other])[1]))
    kept: list[int] = []
    for other in widest:
        if related[other].again.isdisjoint(kept):
            kept.append(other)
    return sorted(kept, key=lambda other: order[other])


def _copied(at: int, files: Sequence[Surveyed], related: Sequence[_Related]) -> Path | None:
    copies = [
        other
        for other in related[at].again
        if other < at and files[other].sha256 == files[at].sha256
    ]
    return files[min(copies)].path if copies else None
