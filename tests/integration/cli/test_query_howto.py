"""Every example of the page on reading works as it stands there."""

from __future__ import annotations

import datetime as dt
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cli.conftest import Desk
from tests.loads import Bench
from tests.stored import Told, keep

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "query.md"
MON, TUE, WED = (dt.date(2024, 3, day) for day in (11, 12, 13))


def blocks(language: str) -> list[str]:
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def loaded(desk: Desk) -> Desk:
    """Two days of trades of three contracts, with a parent and a roll."""
    desk.load(desk.submit("march"))

    async def work(bench: Bench) -> None:
        await keep(bench.database, [
            Told("GLBX.MDP3", "parent", "ES.FUT", 17_077, MON, WED),
            Told("GLBX.MDP3", "continuous", "ES.c.0", 17_077, MON, TUE),
            Told("GLBX.MDP3", "continuous", "ES.c.0", 750, TUE, WED),
        ])  # fmt: skip

    desk.do(work)
    return desk


def test_its_commands_print_something(loaded: Desk) -> None:
    """All of them, in one go: loading costs more than they do."""
    commands = [line[2:] for block in blocks("console") for line in block.splitlines()]
    assert len(commands) == 9
    for command in commands:
        program, *words = shlex.split(command)
        result = loaded.hdi(*words)

        assert program == "hdi", command
        assert result.exception is None, command
        assert result.stdout or "no contradictions" in result.stderr, command


def test_its_programs_run(loaded: Desk) -> None:
    """One after another, as in one notebook."""
    names: dict[str, Any] = {}
    for block in blocks("python"):
        exec(compile(block, str(PAGE), "exec"), names)

    assert set(names["frame"]["symbol"]) == {"ESM4", "NQM4"}
    assert {record["symbol"] for record in names["members"]} == {"ESM4"}
    assert len(names["members"]) == 10
    assert names["total"] > 200


def test_its_sql_reads_what_the_command_reads(loaded: Desk) -> None:
    """Row for row."""
    [statement] = blocks("sql")

    async def asked(bench: Bench) -> int:
        return len(await bench.database.fetch(statement))

    words = ("--symbols", "ES.c.0", "--stype-in", "continuous")
    days = ("--start", "2024-03-11", "--end", "2024-03-13")
    told = loaded.hdi("query", "trades", *words, *days)

    assert loaded.do(asked) == len(told.stdout.splitlines()) - 1 > 10
