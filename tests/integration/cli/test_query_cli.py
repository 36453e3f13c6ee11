"""`hdi query`: records on stdout and nothing else, in four forms."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from ingestor.cli import output
from ingestor.errors import Usage
from ingestor.model import table_of
from ingestor.query.records import field_names
from ingestor.simulator.market import MONDAY
from ingestor.vocabulary import Schema
from tests.conftest import environment
from tests.integration.cli.conftest import Desk
from tests.loads import Bench, blank, write
from tests.stored import Told, keep

DAYS = ("--start", "2024-03-11", "--end", "2024-03-13")


@pytest.fixture
def loaded(desk: Desk) -> Desk:
    """A desk with 200 trades of three symbols on two days."""
    desk.load(desk.submit("march"))
    return desk


def table(text: str, delimiter: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text), delimiter=delimiter))


def test_every_form_holds_the_same_records(loaded: Desk) -> None:
    """CSV, JSON and what a pipe gets: all fields, all digits."""
    asked: Sequence[str] = ("query", "trades", "--symbols", "ESM4,NQM4", *DAYS)
    piped = table(loaded.hdi(*asked).stdout, "\t")
    as_csv = table(loaded.hdi(*asked, "--csv").stdout, ",")
    answer: dict[str, Any] = json.loads(loaded.hdi(*asked, "--json").stdout)
    texts = [
        {name: "" if value is None else str(value) for name, value in record.items()}
        for record in answer["records"]
    ]

    assert len(piped) == answer["count"] > 100
    assert piped == as_csv == texts
    assert {row["symbol"] for row in piped} == {"ESM4", "NQM4"}
    assert all(len(row["ts_event"]) == len("2024-03-11T00:00:00.000000000Z") for row in piped)
    assert all(len(row["price"].partition(".")[2]) == 9 for row in piped)
    assert (answer["schema_version"], answer["datasets"], answer["by"]) == (
        1, ["GLBX.MDP3"], "event",
    )  # fmt: skip


def test_all_symbols_need_their_dataset(loaded: Desk) -> None:
    """And are all there."""
    asked = ("query", "trades", "--dataset", "GLBX.MDP3", "--all", *DAYS, "--csv")

    assert len(table(loaded.hdi(*asked).stdout, ",")) == 200


def test_a_terminal_gets_fifty_rows_and_how_many_more_there_are(
    loaded: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How many more goes to stderr."""
    monkeypatch.setattr(output, "on_terminal", lambda stream=None: stream is None)
    monkeypatch.setenv("COLUMNS", "160")
    asked = ("query", "trades", "--dataset", "GLBX.MDP3", "--all", *DAYS)
    result = loaded.hdi(*asked)
    few = loaded.hdi(*asked, "--limit", "3")

    assert len(result.stdout.splitlines()) == 51
    assert "150 more; --limit N shows more of them" in result.stderr
    assert len(few.stdout.splitlines()) == 4
    assert "197 more" in few.stderr


def test_a_day_without_records_is_no_error(loaded: Desk) -> None:
    """The header is there; a note says on which days the symbol is known."""
    days = ("--start", "2024-04-01", "--end", "2024-04-02")
    result = loaded.hdi("query", "trades", "--symbols", "ESM4", *days, "--csv")

    assert table(result.stdout, ",") == []
    assert result.stdout.startswith("ts_event,ts_recv,symbol,")
    assert "ESM4 is known on other days only: 2024-03-11 to 2024-03-13" in result.stderr


def test_an_answer_without_records_says_why(loaded: Desk) -> None:
    """A header alone would look like a day without trades; the exit code stays 0."""
    number = ("--symbols", "99999", "--stype-in", "instrument_id", "--dataset", "GLBX.MDP3")
    by_id = loaded.hdi("query", "trades", *number, *DAYS, "--csv")
    nothing = loaded.hdi("query", "trades", "--all", "--dataset", "IFEU.IMPACT", *DAYS, "--csv")

    assert len(by_id.stdout.splitlines()) == len(nothing.stdout.splitlines()) == 1
    assert by_id.stderr == (
        "note: no trades of instrument id 99999 of GLBX.MDP3 are held on these days\n"
    )
    assert nothing.stderr == "note: no trades of IFEU.IMPACT are held\n"
    assert (by_id.exception, nothing.exception) == (None, None)


def test_notes_that_are_left_out_are_counted(loaded: Desk) -> None:
    """Six symbols would fill the screen."""

    async def work(bench: Bench) -> None:
        day = dt.date(2023, 1, 2), dt.date(2023, 1, 3)
        await keep(
            bench.database,
            [Told("GLBX.MDP3", "raw_symbol", f"X{number}", number, *day) for number in range(7)],
        )

    loaded.do(work)
    asked = ",".join(f"X{number}" for number in range(7))
    said = loaded.hdi("query", "trades", "--symbols", asked, *DAYS, "--csv").stderr.splitlines()

    assert len(said) == 6
    assert said[-1] == "note: and 2 more of this kind"


def test_a_table_leaves_out_zeros_at_the_end_and_nothing_else(
    loaded: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the page on reading says; the other forms write all nine decimals."""
    asked = ("query", "trades", "--symbols", "ESM4", *DAYS, "--limit", "9")
    exact = [row["price"] for row in table(loaded.hdi(*asked).stdout, "\t")]
    monkeypatch.setattr(output, "on_terminal", lambda stream=None: stream is None)
    monkeypatch.setenv("COLUMNS", "160")
    heading, *rows = loaded.hdi(*asked).stdout.splitlines()
    shown = [row.split()[heading.split().index("price")] for row in rows]

    assert shown == [price.rstrip("0").rstrip(".") for price in exact]
    assert all(len(price.partition(".")[2]) == 9 for price in exact)


def define(desk: Desk) -> None:
    """A definition of ESM4 on Monday, with a number of the venue's that fills 64 bits."""

    async def work(bench: Bench) -> None:
        made = blank(1, Schema.DEFINITION)
        values = {"ts_event": MONDAY, "ts_recv": MONDAY + 1, "instrument_id": 7,
                  "raw_symbol": b"ESM4", "raw_instrument_id": 2**64 - 1, "instrument_class": b"F",
                  "asset": b"ES", "exchange": b"XCME", "min_price_increment": 250_000_000,
                  "expiration": MONDAY + 10**9, "activation": 2**64 - 1, "currency": b"USD",
                  "unit_of_measure_qty": 50 * 10**9, "security_update_action": b"A",
                  "strike_price": 2**63 - 1}  # fmt: skip
        for name, value in values.items():
            made[name] = value
        day = dt.date(2024, 3, 11), dt.date(2024, 3, 12), "7"
        told: dict[str, Any] = {"symbols": ["ESM4"], "mappings": {"ESM4": [day]}}
        await bench.load(write(desk.folder / "d" / "x.dbn", made, Schema.DEFINITION, **told))

    desk.do(work)


DEFINITION = ("query", "definition", "--symbols", "ESM4", "--start", "2024-03-11",
              "--end", "2024-03-12")  # fmt: skip


def test_every_form_of_a_definition_holds_all_its_columns(desk: Desk) -> None:
    """A number of 64 bits is a number in JSON, null is null, an empty cell elsewhere."""
    define(desk)
    [piped] = table(desk.hdi(*DEFINITION).stdout, "\t")
    [record] = json.loads(desk.hdi(*DEFINITION, "--json").stdout)["records"]

    assert record["raw_instrument_id"] == 2**64 - 1
    assert (record["asset"], record["activation"], record["strike_price"]) == ("ES", None, None)
    assert piped == {key: "" if value is None else str(value) for key, value in record.items()}
    assert len(record) == len(field_names(table_of(Schema.DEFINITION)))
    assert list(record)[:5] == ["ts_event", "ts_recv", "expiration", "activation", "symbol"]


@pytest.mark.parametrize("width", [80, 200])
def test_a_terminal_gets_the_main_columns_that_it_has_room_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    """One line a record, and on stderr what was left out; a column of nulls is none."""
    define(desk)
    monkeypatch.setattr(output, "on_terminal", lambda stream=None: stream is None)
    monkeypatch.setenv("COLUMNS", str(width))
    result = desk.hdi(*DEFINITION)
    heading, row = result.stdout.splitlines()
    main = [name for name in table_of(Schema.DEFINITION).main if name != "strike_price"]
    names = ["ts_recv", "symbol", *main]  # definitions go by their index timestamp
    shown = heading.split()

    assert shown == names[: len(shown)]
    assert len(row.split()) == len(shown)
    assert max(len(heading.rstrip()), len(row.rstrip())) <= width
    assert (len(shown) == len(names)) == (width == 200)
    if width == 80:
        assert f"no room for {', '.join(names[len(shown) :])}; a wider" in result.stderr


def test_an_unknown_symbol_is_an_error_with_near_ones(loaded: Desk) -> None:
    """An empty answer would look like a day without trades."""
    error = loaded.hdi("query", "trades", "--symbols", "ESH4", *DAYS).exception

    assert isinstance(error, Usage)
    assert "ESM4" in error.hint


def test_a_reader_that_leaves_early_is_no_error(loaded: Desk) -> None:
    """`hdi query … | head -1`"""
    command = [sys.executable, "-m", "ingestor.cli", "query", "trades", "--dataset", "GLBX.MDP3",
               "--all", *DAYS]  # fmt: skip
    finished = subprocess.run(
        ["/bin/sh", "-c", '"$@" | head -1', "sh", *command],
        env=environment(loaded.settings), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip

    assert finished.stdout.startswith("ts_event\t")
    assert finished.stderr == ""
