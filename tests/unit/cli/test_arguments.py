"""Command-line values: what is taken, and what a refusal says."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ingestor.cli.arguments import (
    DatasetType,
    DayType,
    JobType,
    SchemasType,
    SchemaType,
    SourceType,
    SymbolsType,
    at_most_one,
    date_of,
    exactly_one,
    meant,
    today,
    whole_range,
)
from ingestor.model import STORED
from ingestor.vocabulary import Schema

DAY = 86_400 * 10**9


def refusal(kind: click.ParamType, text: str) -> str:
    with pytest.raises(click.BadParameter) as error:
        kind.convert(text, None, None)
    return error.value.message


def test_a_day_is_the_nanoseconds_of_its_midnight() -> None:
    """Jobs and the ledger count nanoseconds since 1970."""
    assert DayType().convert("2024-03-11", None, None) == 19_793 * DAY
    assert date_of(19_793 * DAY) == dt.date(2024, 3, 11)
    assert DayType().convert(5, None, None) == 5


@pytest.mark.parametrize(
    "text", ["2024-03-11T12:30", "2024-03-11 12:30:00", "2024-03-11T23:59:59.5Z"]
)
def test_a_time_of_day_is_refused_with_the_two_nearest_days(text: str) -> None:
    """Requests are whole UTC days; the person decides which one was meant."""
    said = refusal(DayType(), text)

    assert "2024-03-11 or 2024-03-12" in said
    assert text in said


@pytest.mark.parametrize("text", ["2024-03-11T00:00", "2024-03-11T00:00:00.000Z"])
def test_midnight_is_refused_with_its_day(text: str) -> None:
    """Nothing but the day is meant, so nothing else is offered."""
    assert refusal(DayType(), text).endswith("write 2024-03-11.")


@pytest.mark.parametrize(
    "text", ["", "11.03.2024", "2024-3-11", "2024-02-30", "20240311", "2024-W11-1", "latest"]
)
def test_what_is_no_day_is_refused(text: str) -> None:
    """One spelling: what Python's ISO parser takes beyond it would be a guess."""
    assert "is no day" in refusal(DayType(), text)


@click.command()
@click.option("--start", type=DayType())
@click.option("--end", type=DayType(latest=True), default=None)
def ranged(start: int | None, end: int | None) -> None:
    """A command with days, as `hdi-submit` has."""
    click.echo(
        f"{None if start is None else date_of(start)} {None if end is None else date_of(end)}"
    )


@pytest.mark.parametrize("given", [["--start=-2y"], ["--start", "-2y"]])
def test_a_day_may_begin_with_a_hyphen(given: list[str]) -> None:
    """It is no option, however it is written."""
    result = CliRunner().invoke(ranged, given)
    year = dt.datetime.now(dt.UTC).year - 2

    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"{year}-")


def test_latest_is_an_end_that_nobody_gave() -> None:
    """The end of what the provider has: None, where the command takes it."""
    result = CliRunner().invoke(ranged, ["--start", "2024-03-11", "--end", "latest"])

    assert result.stdout == "2024-03-11 None\n"
    assert "or latest" in refusal(DayType(latest=True), "latst")


def test_all_days_of_a_command_line_count_from_one_today() -> None:
    """A command that starts at midnight must not ask for a day more or less."""
    context = click.Context(ranged)
    context.meta["ingestor.today"] = dt.date(2024, 2, 29)

    assert today(context) == dt.date(2024, 2, 29)
    assert DayType().convert("-1y", None, context) == DayType().convert("2023-02-28", None, None)
    assert today(click.Context(ranged, parent=context)) == dt.date(2024, 2, 29)


def test_help_shows_the_spellings_as_they_are_written() -> None:
    """Click writes names of types in capitals, and -10D is no day."""
    said = CliRunner().invoke(ranged, ["--help"], terminal_width=120).stdout

    assert "--end YYYY-MM-DD|-10d|today|latest" in said


@pytest.mark.parametrize("text", ["1969-12-31", "2554-07-22", "9999-12-31"])
def test_a_day_that_the_wire_cannot_spell_is_refused(text: str) -> None:
    """uint64 nanoseconds since 1970 end on 2554-07-21."""
    assert "lies outside" in refusal(DayType(), text)


def test_the_last_instant_of_all_time_is_no_valid_day() -> None:
    """A day before it has no day after it to offer."""
    assert "is no day" in refusal(DayType(), "9999-12-31T12:00")


def test_a_misspelt_schema_is_told_the_near_one_and_all() -> None:
    """Near misses are suggested."""
    said = refusal(SchemaType(), "ohlcv-1min")

    assert "Did you mean 'ohlcv-1m'?" in said
    assert all(schema in said for schema in STORED)


def test_a_source_is_any_that_is_installed() -> None:
    """Others join through the entry points; the command keeps no list."""
    assert SourceType().convert("csv-files", None, None) == "csv-files"
    said = refusal(SourceType(), "csv-file")
    assert "installed are csv-files, databento, dbn-files" in said
    assert said.endswith("Did you mean 'csv-files'?")
    context, parameter = click.Context(click.Command("x")), click.Option(["--source"])
    found = SourceType().shell_complete(context, parameter, "d")
    assert [item.value for item in found] == ["databento", "dbn-files"]


def test_schemas_come_once_each_in_the_order_given() -> None:
    """A job has one request per schema."""
    found = SchemasType().convert("trades, ohlcv-1m,trades", None, None)

    assert found == (Schema.TRADES, Schema.OHLCV_1M)


@pytest.mark.parametrize("text", ["", "trades,", "trades,,ohlcv-1m"])
def test_an_empty_schema_is_refused(text: str) -> None:
    """A slip at the end of a list must not go unseen."""
    assert "empty schema" in refusal(SchemasType(), text)


def test_a_dataset_in_small_letters_is_offered_in_capitals() -> None:
    """The most frequent slip."""
    assert DatasetType().convert("GLBX.MDP3", None, None) == "GLBX.MDP3"
    assert "Did you mean 'GLBX.MDP3'?" in refusal(DatasetType(), "glbx.mdp3")
    assert refusal(DatasetType(), "GLBX").endswith("looks like GLBX.MDP3.")


def test_symbols_may_hold_blanks_and_come_once_each() -> None:
    """`AAPL  250221C00250000` is one symbol."""
    found = SymbolsType().convert("ESH4, AAPL  250221C00250000,ESH4", None, None)

    assert found == ("ESH4", "AAPL  250221C00250000")


@pytest.mark.parametrize("text", ["ESH4 ", " ESH4", "ESH4, NQH4 "])
def test_a_symbol_is_taken_letter_for_letter(text: str) -> None:
    """Only beside a comma blanks are no part of it; another symbol's rows would be returned."""
    assert "begins or ends with a blank" in refusal(SymbolsType(), text)
    assert SymbolsType().convert("ESH4 ,  NQH4", None, None) == ("ESH4", "NQH4")


@pytest.mark.parametrize("text", ["", " ", ",", "ESH4,", "ESH4,,NQH4"])
def test_an_empty_symbol_is_refused(text: str) -> None:
    """It would ask for nothing, or for something that nobody meant."""
    assert "symbol" in refusal(SymbolsType(), text)


def test_symbols_from_a_file_are_one_per_line(tmp_path: Path) -> None:
    """Blank lines, Windows' line ends and a byte order mark are no symbols."""
    file = tmp_path / "list.txt"
    file.write_bytes("\ufeffESH4\r\n\r\nUD:1V: SG 2850060\r\n".encode())

    assert SymbolsType().convert(f"@{file}", None, None) == ("ESH4", "UD:1V: SG 2850060")


def test_a_file_of_symbols_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """With the reason."""
    (tmp_path / "utf16").write_bytes(b"\xff\xfeE\x00")
    (tmp_path / "empty").write_bytes(b"\n")

    assert "No such file" in refusal(SymbolsType(), f"@{tmp_path / 'none'}")
    assert "no UTF-8" in refusal(SymbolsType(), f"@{tmp_path / 'utf16'}")
    assert str(tmp_path / "empty") in refusal(SymbolsType(), f"@{tmp_path / 'empty'}")


@pytest.mark.parametrize(
    ("raw", "said"), [(b"ESH4\nNQ\0\n", "line 2"), (b"ESH4\n\xff", "no UTF-8"), (b"", "no symbol")]
)
def test_what_is_no_list_on_standard_input_is_refused(raw: bytes, said: str) -> None:
    """As in a file: by the same reader."""

    @click.command()
    @click.option("--symbols", type=SymbolsType())
    def command(symbols: tuple[str, ...]) -> None:
        click.echo(symbols)

    result = CliRunner().invoke(command, ["--symbols", "-"], input=raw)

    assert result.exit_code == 2
    assert said in result.stderr
    assert "standard input" in result.stderr


def test_a_dash_reads_symbols_from_standard_input() -> None:
    """For pipes."""

    @click.command()
    @click.option("--symbols", type=SymbolsType())
    def command(symbols: tuple[str, ...]) -> None:
        click.echo("|".join(symbols))

    result = CliRunner().invoke(command, ["--symbols", "-"], input="ESH4\nNQH4\n")

    assert result.stdout == "ESH4|NQH4\n"


def test_completion_of_jobs_is_silent_without_a_database(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A press of the tab key prints no error."""
    monkeypatch.setenv("HDI_HOME", str(tmp_path))
    monkeypatch.setenv("HDI_DATABASE_URL", "postgresql://u:p@127.0.0.1:1/x")
    kind, context = JobType(), click.Context(click.Command("x"))
    parameter = click.Argument(["job"])

    assert kind.shell_complete(context, parameter, "3f") == []
    assert [item.value for item in kind.shell_complete(context, parameter, "@l")] == ["@last"]


def test_completion_of_schemas_goes_on_behind_a_comma() -> None:
    """`--schema trades,oh<tab>`"""
    context, parameter = click.Context(click.Command("x")), click.Option(["--schema"])
    found = SchemasType().shell_complete(context, parameter, "trades,ohlcv-1m")

    assert [item.value for item in found] == ["trades,ohlcv-1m"]


def test_a_near_miss_is_offered_and_a_far_one_is_not() -> None:
    """A wild guess is worse than none."""
    assert meant("trade", ["trades", "definition"]) == " Did you mean 'trades'?"
    assert meant("zzz", ["trades", "definition"]) == ""


def test_options_that_exclude_each_other_are_refused_by_name() -> None:
    """The person sees which ones."""
    with pytest.raises(click.UsageError, match="--json and --csv exclude each other"):
        at_most_one({"--json": True, "--csv": True})
    with pytest.raises(click.UsageError, match="give one of --symbols and --all"):
        exactly_one({"--symbols": False, "--all": False})
    exactly_one({"--symbols": True, "--all": False})


def test_a_range_without_a_day_is_refused() -> None:
    """--end is exclusive: the same day twice asks for nothing."""
    whole_range(0, DAY)
    with pytest.raises(click.UsageError, match="--end 1970-01-02 must be after --start 1970-01-02"):
        whole_range(DAY, DAY)
