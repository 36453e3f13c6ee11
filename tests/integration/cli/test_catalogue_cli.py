"""`hdi datasets`, `hdi schemas`, `hdi conditions`, asked of the simulator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ingestor.cli.main import cli
from ingestor.errors import AuthenticationFailed, Usage
from ingestor.simulator.market import DAY, MONDAY
from ingestor.simulator.options import SimulatorOptions
from ingestor.simulator.server import Gateway, running
from tests.integration.cli.conftest import Desk
from tests.loads import Bench
from tests.stored import cover

GLBX = ("--dataset", "GLBX.MDP3")
WEEK = ("--start", "2024-03-11", "--end", "2024-03-18")
FIRST = MONDAY // DAY


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with running(SimulatorOptions(per_day=10, limits=False)) as opened:
        yield opened


@pytest.fixture
def alone(gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway, and no database."""
    monkeypatch.delenv("HDI_DATABASE_URL", raising=False)
    monkeypatch.setenv("HDI_HOME", str(tmp_path))
    monkeypatch.setenv("HDI_DATABENTO_GATEWAY", gateway.url)
    monkeypatch.chdir(tmp_path)
    gateway.reset()


@pytest.fixture
def holding(desk: Desk, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk whose database holds Monday and Tuesday of trades and Tuesday of daily bars."""

    async def work(bench: Bench) -> None:
        await cover(bench.database, "GLBX.MDP3", "trades", FIRST, FIRST + 2)
        await cover(bench.database, "GLBX.MDP3", "ohlcv-1d", FIRST + 1, FIRST + 2)

    desk.do(work)
    monkeypatch.setenv("HDI_DATABENTO_GATEWAY", gateway.url)
    return desk


def hdi(*words: str) -> Result:
    return CliRunner().invoke(cli, words, standalone_mode=False)


def rows(text: str) -> list[dict[str, str]]:
    head, *lines = (line.split("\t") for line in text.splitlines())
    return [dict(zip(head, line, strict=True)) for line in lines]


@pytest.mark.usefixtures("alone")
def test_without_a_database_the_provider_alone_is_shown() -> None:
    """No column claims that nothing is held where nobody knows."""
    result = hdi("datasets")
    answer: dict[str, Any] = json.loads(hdi("datasets", "--json").stdout)

    assert rows(result.stdout) == [
        {"dataset": "GLBX.MDP3"}, {"dataset": "OPRA.PILLAR"}, {"dataset": "XNAS.ITCH"},
    ]  # fmt: skip
    assert result.stderr.startswith("SIMULATED DATA")
    assert answer["datasets"][0] == {"dataset": "GLBX.MDP3", "held": None}
    assert "held" not in hdi("conditions", *GLBX, *WEEK).stdout
    assert "held" not in hdi("schemas", *GLBX).stdout


def test_what_is_held_stands_beside_what_there_is(holding: Desk) -> None:
    """By dataset, by schema and by day."""
    datasets = rows(holding.hdi("datasets").stdout)
    schemas = {row["schema"]: row for row in rows(holding.hdi("schemas", *GLBX).stdout)}
    days = {row["day"]: row for row in rows(holding.hdi("conditions", *GLBX, *WEEK).stdout)}

    assert {row["dataset"]: row["held"] for row in datasets} == {
        "GLBX.MDP3": "ohlcv-1d, trades", "OPRA.PILLAR": "", "XNAS.ITCH": "",
    }  # fmt: skip
    assert schemas["trades"] == {
        "schema": "trades", "stored": "yes", "start": "2024-01-01T00:00:00Z",
        "end": "2025-07-01T00:00:00Z", "held_days": "2", "held_first": "2024-03-11",
        "held_last": "2024-03-12",
    }  # fmt: skip
    assert (schemas["ohlcv-1h"]["held_days"], schemas["ohlcv-1h"]["held_first"]) == ("0", "")
    assert [days[f"2024-03-{day}"]["held"] for day in (11, 12, 13)] == [
        "trades", "ohlcv-1d, trades", "",
    ]  # fmt: skip


@pytest.mark.usefixtures("alone")
def test_conditions_are_those_of_the_days_asked_for(gateway: Gateway) -> None:
    """End exclusive, although the provider's is not; degraded days are named, weekends unlisted."""
    gateway.condition("GLBX.MDP3", "2024-03-13", "degraded")
    answer = json.loads(hdi("conditions", *GLBX, *WEEK, "--json").stdout)
    said = {each["day"]: each["condition"] for each in answer["conditions"]}

    assert said == {
        "2024-03-11": "available", "2024-03-12": "available", "2024-03-13": "degraded",
        "2024-03-14": "available", "2024-03-15": "available",
    }  # fmt: skip
    assert (answer["schema_version"], answer["dataset"]) == (1, "GLBX.MDP3")
    day = hdi("conditions", *GLBX, "--start", "2024-03-11", "--end", "2024-03-12")
    assert [row["day"] for row in rows(day.stdout)] == ["2024-03-11"]


@pytest.mark.usefixtures("alone")
def test_an_unknown_dataset_is_told_with_near_ones() -> None:
    """Not as an answer without lines."""
    near = hdi("schemas", "--dataset", "GLBX.MDP4").exception
    far = hdi("conditions", "--dataset", "QQQQ.QQQQ", *WEEK).exception

    assert isinstance(near, Usage)
    assert near.message == "the provider has no dataset GLBX.MDP4"
    assert near.hint == "did you mean GLBX.MDP3?"
    assert isinstance(far, Usage)
    assert far.hint == "`hdi datasets` lists them"


@pytest.mark.parametrize(
    "words",
    [
        ("datasets",),
        ("schemas", *GLBX),
        ("conditions", *GLBX, *WEEK),
        ("symbols", "resolve", "ESM4", *GLBX, *WEEK, "--provider"),
    ],
)
@pytest.mark.usefixtures("alone")
def test_without_key_and_gateway_nobody_is_asked(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 4."""
    monkeypatch.delenv("HDI_DATABENTO_GATEWAY")
    for name in ("DATABENTO_API_KEY", "HDI_DATABENTO_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    error = hdi(*words).exception

    assert isinstance(error, AuthenticationFailed)
    assert error.exit_code == 4


@pytest.mark.usefixtures("alone")
def test_a_database_that_is_away_is_a_note_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the provider has is worth showing without."""
    monkeypatch.setenv("HDI_DATABASE_URL", "postgresql://nobody:x@127.0.0.1:1/nothing")
    result = hdi("datasets")

    assert len(rows(result.stdout)) == 3
    assert "note: what is held is not shown" in result.stderr
