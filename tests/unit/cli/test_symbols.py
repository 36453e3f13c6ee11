"""`hdi symbols` and the catalogue commands refuse what makes no sense before they ask anybody."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from ingestor.cli.catalogue import conditions, datasets, schemas
from ingestor.cli.query import query
from ingestor.cli.symbols import symbols

RANGE = ["--start", "2024-03-11", "--end", "2024-03-12"]
GLBX = ["--dataset", "GLBX.MDP3"]


@pytest.mark.parametrize(
    ("command", "given", "said"),
    [
        (symbols, ["resolve", *GLBX, *RANGE], "Missing argument 'SYMBOL…'"),
        (symbols, ["resolve", "A", *RANGE], "Missing option '--dataset'"),
        (symbols, ["resolve", "A", *GLBX, *RANGE[:3], "2024-03-11"], "must be after --start"),
        (symbols, ["resolve", "A", *GLBX, *RANGE, "--stype-in", "rawsymbol"],
         "there are raw_symbol, instrument_id, parent, continuous. Did you mean 'raw_symbol'?"),
        (symbols, ["list"], "Missing option '--dataset'"),
        (symbols, ["list", *GLBX, "--at", "2024-03-11T09:30"], "has a time of day"),
        (symbols, ["list", *GLBX, "--limit", "0"], "is not in the range"),
        (symbols, ["conflicts", "--dataset", "glbx.mdp3"], "Did you mean 'GLBX.MDP3'?"),
        (schemas, [], "Missing option '--dataset'"),
        (conditions, GLBX, "Missing option '--start'"),
        (conditions, [*GLBX, *RANGE[:3], "2024-03-11"], "must be after --start"),
        (query, ["trades", "--all", *GLBX, *RANGE, "--stype-in", "parent"], "--all has none"),
        (query, ["trades", "--symbols", "A", *RANGE, "--stype-in", "continous"],
         "Did you mean 'continuous'?"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_exit_code_2(
    command: object, given: list[str], said: str
) -> None:
    """Options, values and ranges; near misses are suggested."""
    result = CliRunner().invoke(command, given, env={"HDI_HOME": "/nonexistent"})  # type: ignore[arg-type]

    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("command", "given", "example"),
    [
        (symbols, ["resolve"], "hdi symbols resolve ESH4 NQH4 --dataset GLBX.MDP3"),
        (symbols, ["list"], "hdi symbols list --dataset GLBX.MDP3 --like ES --at 2024-03-11"),
        (symbols, ["conflicts"], "hdi symbols conflicts --dataset GLBX.MDP3"),
        (datasets, [], "hdi datasets --json"),
        (schemas, [], "hdi schemas --dataset GLBX.MDP3"),
        (conditions, [], "hdi conditions --dataset GLBX.MDP3 --start 2024-03-01"),
    ],
)
def test_help_has_an_example(command: object, given: list[str], example: str) -> None:
    """The contract of every command's help."""
    said = " ".join(CliRunner().invoke(command, [*given, "--help"]).output.split())  # type: ignore[arg-type]

    assert example in said
    assert "UTC" in said or command is datasets or given == ["conflicts"]


def test_the_symbol_types_are_completed() -> None:
    """By a press of the tab key, without a database."""
    from ingestor.cli.symbol_types import SymbolType

    option = next(each for each in query.params if each.name == "stype_in")
    found = SymbolType().shell_complete(query.make_context("query", [], resilient_parsing=True),
                                        option, "p")  # fmt: skip
    assert [item.value for item in found] == ["parent"]


@pytest.mark.parametrize("name", ["resolve", "list"])
def test_the_default_symbol_type_is_shown_as_it_is_typed(name: str) -> None:
    """RAW_SYMBOL is the name of it in the code."""
    said = CliRunner().invoke(symbols, [name, "--help"]).output

    assert "[default: raw_symbol]" in " ".join(said.split())
    assert "RAW_SYMBOL" not in said
