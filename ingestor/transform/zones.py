"""Local time → UTC by the rules of a time zone, many at once, to the second.

The zone is asked once for each quarter of an hour that occurs: 96 times for a day of ticks. No zone
has changed its offset for less than that since 1970, and where it differs within a quarter, each
second is asked for.
"""

from __future__ import annotations

import datetime as dt
from typing import Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import numpy as np
import numpy.typing as npt

from ingestor.documents import nearest

Seconds = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Offsets = tuple[int, int]

_QUARTER: Final = 900
_EPOCH: Final = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - a local time has no zone


def zone_named(name: str) -> ZoneInfo:
    """The zone of an IANA name.

    Raises:
        ValueError: This host knows none of that name.
    """
    try:
        if name != "localtime":  # Debian's name of whatever zone a host is in
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of zones
        pass
    raise ValueError(
        f"{name[:60]!r} is no time zone; IANA's names are taken, such as Europe/London"
        f"{nearest(name, sorted(available_timezones() - {'localtime'}))}"
    )


def to_utc(
    local: Seconds, zone: ZoneInfo, ambiguous: Literal["first", "second"] | None
) -> tuple[Seconds, Mask]:
    """UTC seconds since 1970 of local times, and which of them say no instant.

    Those are times that the zone skips, and, unless `ambiguous` says which is meant, times that it
    has twice.

    Args:
        local: Seconds between 1970 and the local time, as if it were UTC; years 1 to 9999.
    """
    quarters, places = np.unique(local // _QUARTER, return_inverse=True)
    found = [_of_quarter(int(each) * _QUARTER, zone) for each in quarters]
    first, second = (_column(found, fold)[places] for fold in (0, 1))
    for at in np.flatnonzero(np.array([each is None for each in found], np.bool_)[places]):
        first[at], second[at] = _offsets(int(local[at]), zone)
    bad = first < second if ambiguous else first != second
    return local - (second if ambiguous == "second" else first), bad


def _column(found: list[Offsets | None], fold: int) -> Seconds:
    return np.array([0 if each is None else each[fold] for each in found], np.int64)


def _of_quarter(start: int, zone: ZoneInfo) -> Offsets | None:
    """The offsets throughout a quarter of an hour; None where they change in it."""
    offsets = _offsets(start, zone)
    return offsets if offsets == _offsets(start + _QUARTER - 1, zone) else None


def _offsets(local: int, zone: ZoneInfo) -> Offsets:
    """Seconds east of UTC, at the first and the second occurrence of a local time (PEP 495)."""
    naive = _EPOCH + dt.timedelta(seconds=local)
    return _offset(naive, zone, 0), _offset(naive, zone, 1)


def _offset(naive: dt.datetime, zone: ZoneInfo, fold: int) -> int:
    offset = naive.replace(tzinfo=zone, fold=fold).utcoffset()
    assert offset is not None  # a ZoneInfo always has one
    return round(offset.total_seconds())
