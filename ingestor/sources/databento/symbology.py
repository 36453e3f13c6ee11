"""Which symbols the instruments of a payload had: what it says itself, and what is asked for.

Payloads of all symbols and of instrument ids name nothing, those of a parent only its members, so
the rest is resolved (free of charge). Membership is what the request meant per day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ingestor.days import DAY_NS, date_of_day
from ingestor.job import SymbolInterval
from ingestor.vocabulary import SType

if TYPE_CHECKING:
    from ingestor.manifest import PayloadRequest
    from ingestor.sources.databento.provider import Provider
    from ingestor.sources.survey import Survey

_ID, _RAW = SType.INSTRUMENT_ID, SType.RAW_SYMBOL


def intervals_of(
    provider: Provider, request: PayloadRequest, found: Survey
) -> tuple[SymbolInterval, ...]:
    """The payload's own intervals, membership of its parents, and names of its nameless ids."""
    own = found.header.intervals
    return (*own, *_membership(provider, request), *_names(provider, request, found, own))


def _membership(provider: Provider, request: PayloadRequest) -> Iterator[SymbolInterval]:
    """Parent → instrument ids: a payload of several parents does not tell whose member is whose."""
    if request.stype_in == SType.PARENT:
        resolved = provider.resolve(
            request.dataset, request.symbols, stype_in=SType.PARENT, stype_out=_ID, **_days(request)
        )
        yield from resolved.intervals


def _names(
    provider: Provider,
    request: PayloadRequest,
    found: Survey,
    own: Sequence[SymbolInterval],
) -> Iterator[SymbolInterval]:
    """Raw symbols of the instruments that have none yet."""
    named = {each.target for each in own if each.stype_in == _RAW}
    ids = [str(each) for each in found.contents.instruments if str(each) not in named]
    if not ids:
        return
    resolved = provider.resolve(
        request.dataset, ids, stype_in=_ID, stype_out=_RAW, **_days(request)
    )
    for each in resolved.intervals:
        yield SymbolInterval(_RAW, each.target, _ID, each.symbol, each.start, each.end)


def _days(request: PayloadRequest) -> dict[str, dt.date]:
    return {
        "start": date_of_day(request.start // DAY_NS),
        "past": date_of_day(request.end // DAY_NS),
    }
