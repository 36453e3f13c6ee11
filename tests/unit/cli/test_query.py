"""`hdi query` refuses what makes no sense before it looks for a database."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from ingestor.cli.query import query
from ingestor.model import STORED

RANGE = ["--start", "2024-03-11", "--end", "2024-03-12"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["trades", *RANGE], "give one of --symbols and --all"),
        (["trades", "--symbols", "A", "--all", *RANGE], "--symbols and --all exclude each other"),
        (["trades", "--all", *RANGE], "--all needs --dataset"),
        (["trades", "--symbols", "A", "--json", "--csv", *RANGE], "--json and --csv exclude"),
        (["trades", "--symbols", "A", "--start", "2024-03-11"], "Missing option '--end'"),
        (["trades", "--symbols", "A", *RANGE[:3], "2024-03-11"], "must be after --start"),
        (["trades", "--symbols", "A", *RANGE, "--limit", "0"], "x>=1"),
        (["trades", "--symbols", "A", *RANGE, "--by", "time"], "'time' is not one of"),
        (["trade", "--symbols", "A", *RANGE], "Did you mean 'trades'?"),
    ],
)
def test_what_makes_no_sense_is_refused_with_exit_code_2(given: list[str], said: str) -> None:
    """Options, values and ranges."""
    result = CliRunner().invoke(query, given, env={"HDI_HOME": "/nonexistent"})

    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


def test_help_gives_units_defaults_and_an_example() -> None:
    """The contract of every command's help."""
    said = " ".join(CliRunner().invoke(query, ["--help"]).output.split())

    assert "UTC with nanoseconds" in said
    assert "[default: event; index for definitions" in said
    assert f"records of SCHEMA: {', '.join(STORED)}." in said
    assert "hdi query trades --dataset GLBX.MDP3" in said
