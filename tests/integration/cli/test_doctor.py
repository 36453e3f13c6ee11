"""`hdi doctor`: what it finds, and with which exit code it says so."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from ingestor.model import TABLES
from ingestor.vocabulary import Role
from tests.integration.cli.conftest import Desk


def checks(desk: Desk) -> tuple[object, dict[str, dict[str, str]]]:
    result = desk.hdi("doctor", "--json")
    answer = json.loads(result.stdout)
    return result.return_value, {each["name"]: each for each in answer["checks"]}


async def as_owner(desk: Desk, statement: str) -> None:
    async with desk.place.open(Role.OWNER) as owner, owner.connection() as connection:
        await connection.execute(statement)


def test_a_healthy_machine_has_warnings_at_most(desk: Desk) -> None:
    """Nobody works yet: that is a warning with the command that starts one."""
    code, found = checks(desk)

    assert code == 0
    assert {each["level"] for each in found.values()} <= {"ok", "warn"}
    assert found["processes"]["level"] == "warn"
    assert "hdi scheduler" in found["processes"]["next"]
    assert found["tables"]["found"].startswith(f"{len(TABLES)} hypertables")
    assert found["worker rights"]["level"] == found["reader rights"]["level"] == "ok"


def test_lines_say_level_name_finding_and_what_next(desk: Desk) -> None:
    """For people."""
    lines = desk.hdi("doctor").stdout.splitlines()

    assert any(line.startswith("ok    migration") for line in lines)
    assert any("next: start one with `hdi worker`" in line for line in lines)


def test_a_missing_privilege_fails_with_its_remedy(desk: Desk) -> None:
    """Exit 1: everything answers, but not everything may be done."""
    revoke = "REVOKE INSERT ON public.trades_data FROM hdi_worker"
    asyncio.run(as_owner(desk, revoke))
    code, found = checks(desk)

    assert code == 1
    assert "lacks INSERT on public.trades_data" in found["worker rights"]["found"]
    assert "hdi db grant" in found["worker rights"]["next"]
    assert found["reader rights"]["level"] == "ok"


def test_a_foreign_index_is_a_warning(desk: Desk) -> None:
    """TimescaleDB's default index doubles the load time of ticks."""
    asyncio.run(as_owner(desk, "CREATE INDEX stray_idx ON public.trades_data (ts_event)"))
    code, found = checks(desk)

    assert code == 0
    assert (found["tables"]["level"], "stray_idx" in found["tables"]["found"]) == ("warn", True)


def test_services_that_are_away_end_with_6(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is told, with no password."""
    for name in ("HDI_DATABASE_URL", "HDI_WORKER_DATABASE_URL", "HDI_READER_DATABASE_URL"):
        monkeypatch.setenv(name, "postgresql://hdi:hushhush@127.0.0.1:1/hdi")
    monkeypatch.setenv("HDI_REDIS_URL", "redis://:hushhush@127.0.0.1:1/0")
    code, found = checks(desk)

    assert code == 6
    assert found["database"]["level"] == found["redis"]["level"] == "fail"
    assert "hushhush" not in desk.hdi("doctor").output


def test_a_wrong_setting_is_a_finding_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else can be looked at then."""
    monkeypatch.setenv("HDI_FLOWER__PORT", "0")
    code, found = checks(desk)

    assert code == 1
    assert list(found) == ["settings"]
    assert "HDI_FLOWER__PORT" in found["settings"]["found"]


def test_a_database_that_was_never_migrated_fails_with_the_command(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its tables are not asked about."""
    asyncio.run(as_owner(desk, "DROP TABLE ingest.alembic_version"))
    code, found = checks(desk)

    assert code == 1
    assert found["migration"]["next"] == "run `hdi db migrate`"
    assert "tables" not in found


def test_a_home_that_is_a_file_is_not_writable(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And nothing is made in looking."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("HDI_HOME", str(tmp_path / "file"))
    code, found = checks(desk)

    assert code == 1
    assert found["home"]["level"] == "fail"
    assert not (tmp_path / "dlq").exists()
