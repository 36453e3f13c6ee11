"""What makes no sense is refused before the database is asked."""

from __future__ import annotations

import datetime as dt
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from ingestor.errors import Usage
from ingestor.query import read_frame, read_records


class Nobody:
    """A reader that must not be asked."""

    async def fetch(self, query: str, *values: Any) -> list[Any]:
        raise AssertionError(query)

    def connection(self) -> AbstractAsyncContextManager[Any]:
        raise AssertionError("no statement is run here")


MONDAY, TUESDAY = dt.date(2024, 3, 11), dt.date(2024, 3, 12)
ASKED: dict[str, Any] = {
    "schema": "trades", "symbols": ["A"], "start": MONDAY, "end": TUESDAY, "dataset": "GLBX.MDP3",
}  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "said", "hint"),
    [
        ({"schema": "trade"}, "'trade' is no schema; there are ohlcv-1s", "did you mean 'trades'"),
        ({"stype_in": "rawsymbol"}, "'rawsymbol' is no symbol type", "did you mean 'raw_symbol'"),
        ({"stype_in": "front"}, "there are raw_symbol, instrument_id, parent, continuous", ""),
        ({"symbols": []}, "no symbol is asked for", "None asks for all"),
        ({"symbols": None, "dataset": None}, "no dataset is named", "name it"),
        ({"end": MONDAY}, "end 2024-03-11 is not after start", "exclusive"),
        ({"start": "2024-03-11T09:30"}, "is no whole UTC day", "2024-03-11"),
        ({"start": "yesterday"}, "start 'yesterday' is no whole", "2024-03-11"),
        ({"start": dt.datetime(2024, 3, 11, 9, tzinfo=dt.UTC)}, "is no whole UTC day", ""),
        ({"start": "1969-12-31"}, "from 1970-01-01 on", ""),
        ({"by": "time"}, "'time' is no time to filter on", "'event' or 'index'"),
        ({"stype_in": "instrument_id", "symbols": ["ESH4"], "dataset": None},
         "'ESH4' is no instrument id", "raw_symbol"),
        ({"symbols": 7.5}, "7.5 is no symbol", "an instrument id like 750"),
        ({"symbols": ["A", None]}, "None is no symbol", "several of them in a list"),
        ({"symbols": True}, "True is no symbol", "text like 'ESM4'"),
        ({"symbols": b"ESM4"}, "b'ESM4' is no symbol", "text like"),
    ],
)  # fmt: skip
async def test_what_makes_no_sense_is_a_usage_error(
    wrong: dict[str, Any], said: str, hint: str
) -> None:
    """It says what was given and what may be."""
    for read in (read_records, read_frame):
        with pytest.raises(Usage) as error:
            await read(Nobody(), **{**ASKED, **wrong})

        assert said in error.value.message
        assert hint in error.value.hint


async def test_an_unknown_form_of_prices_is_refused() -> None:
    """It is not taken for the other one."""
    with pytest.raises(Usage, match="'foo' is no form of prices") as error:
        await read_frame(Nobody(), **ASKED, prices="foo")  # type: ignore[arg-type]

    assert error.value.hint == "it may be 'float' or 'decimal'"
