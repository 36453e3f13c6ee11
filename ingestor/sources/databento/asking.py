"""A request as the client is asked it: the fields of a `PayloadRequest`, and nothing made up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from ingestor.days import DAY_NS, date_of_day
from ingestor.errors import BadJob
from ingestor.manifest import PayloadRequest
from ingestor.vocabulary import ALL_SYMBOLS, MAX_SYMBOLS

_NS = 1_000_000_000


def fields(request: PayloadRequest) -> dict[str, Any]:
    """Arguments of ``get_range`` and of the calls that count and quote it.

    Raises:
        BadJob: More symbols than one request may name, or one that the client would change.
    """
    if len(request.symbols) > MAX_SYMBOLS:
        raise BadJob(
            f"{len(request.symbols):,} symbols in one request; {MAX_SYMBOLS:,} are allowed",
            hint="give fewer, or ask for more chunks with --chunk-symbols",
        )
    return {
        "dataset": request.dataset,
        "schema": request.schema_name,
        "symbols": spelled(request.symbols, request.stype_in),
        "stype_in": request.stype_in,
        "start": moment(request.start),
        "end": moment(request.end),
    }


def groups(symbols: Sequence[str], stype_in: str) -> Iterator[list[str]]:
    """Symbols in as many as one request may name."""
    listed = spelled(symbols, stype_in)
    for at in range(0, len(listed), MAX_SYMBOLS):
        yield listed[at : at + MAX_SYMBOLS]


def spelled(symbols: Sequence[str], stype_in: str) -> list[str]:
    """The symbols, if the client sends them as they are.

    It turns them to capitals, strips blanks and parts them at commas; the answer would then be
    about symbols that nobody asked for.

    Raises:
        BadJob: It would.
    """
    from databento.common.parsing import symbols_list_to_list
    from databento_dbn import DBNError, SType

    for symbol in symbols:
        try:
            sent = symbols_list_to_list(symbol, SType(stype_in))
        except (ValueError, DBNError) as error:
            raise BadJob(
                f"{symbol!r} is no {stype_in}",
                hint="continuous contracts are spelled ES.c.0, parents ES.FUT",
            ) from error
        if sent != [symbol]:
            raise BadJob(
                f"{stype_in} {symbol!r} would be asked for as {', '.join(sent)}",
                hint="spell it as the provider does",
            )
    return list(symbols) or [ALL_SYMBOLS]


def moment(nanoseconds: int) -> str:
    """A whole UTC day as its date, anything else to the nanosecond."""
    if nanoseconds % DAY_NS == 0:
        return date_of_day(nanoseconds // DAY_NS).isoformat()
    seconds, rest = divmod(nanoseconds, _NS)
    whole = dt.datetime.fromtimestamp(seconds, dt.UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"
