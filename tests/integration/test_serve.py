"""`hdi serve` as a process: how it starts, what it says while its servers are away, how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from ingestor.settings import Settings
from ingestor.vocabulary import Role
from tests.conftest import Place, environment
from tests.processes import HDI
from tests.serving import Api, cabled, free_port, serving


def checks(api: Api) -> dict[str, bool]:
    """What /readyz finds, looked at anew."""
    time.sleep(1.1)
    reply = api.get("/readyz", {})
    found = {check["name"]: check["ok"] for check in reply.json["checks"]}
    assert (reply.status, reply.json["ready"]) == (
        (200, True) if all(found.values()) else (503, False)
    )
    return found


@pytest.mark.parametrize("cut", ["database", "queue"])
def test_it_lives_on_without_its_servers_and_recovers(
    place: Place, settings: Settings, tmp_path: Path, cut: str
) -> None:
    """Gone under a running process, and back again: 503 meanwhile, no restart needed."""
    urls = {"database": settings.dsn(Role.READER), "queue": settings.redis_dsn()}
    with cabled(urls[cut]) as cable:
        urls[cut] = cable.url
        env = {"HDI_READER_DATABASE_URL": urls["database"], "HDI_REDIS_URL": urls["queue"]}
        with serving(settings, tmp_path / "api.log", **env) as api:
            assert api.get("/api/jobs", {}).status == 200
            assert checks(api) == {"database": True, "queue": True}
            cable.cut()
            assert checks(api) == {"database": True, "queue": True} | {cut: False}
            assert api.get("/healthz", {}).status == 200
            for path in ("/api/jobs", "/api/jobs/x", "/api/workers"):
                assert (api.get(path, {}).status == 503) == (cut == "database"), path
            cable.mend()
            assert checks(api) == {"database": True, "queue": True}
            assert api.get("/api/jobs", {}).json["jobs"] == []


def test_a_database_that_was_never_migrated_is_not_ready(
    place: Place, settings: Settings, tmp_path: Path
) -> None:
    """With the command that mends it."""

    async def forget() -> None:
        async with place.open(Role.OWNER) as owner, owner.connection() as connection:
            await connection.execute("DROP TABLE ingest.alembic_version")

    asyncio.run(forget())
    with serving(settings, tmp_path / "api.log") as api:
        reply = api.get("/readyz", {})

    assert reply.status == 503
    check = next(each for each in reply.json["checks"] if each["name"] == "database")
    assert (check["code"], check["hint"]) == ("SchemaOutdated", "run `hdi db migrate`")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_well(settings: Settings, tmp_path: Path, number: signal.Signals) -> None:
    """Exit 0, within a second or two, although its services are away and a caller stays connected.

    Whether they are there makes no difference to starting either: it waits for them.
    """
    nowhere = "postgresql://hdi:hushhush@127.0.0.1:1/hdi"
    env = {"HDI_READER_DATABASE_URL": nowhere, "HDI_REDIS_URL": "redis://127.0.0.1:1/0"}
    with serving(settings, tmp_path / "api.log", **env) as api:
        assert api.get("/readyz", {}).status == 503
        assert api.get("/api/jobs", {}).status == 503
        port = int(api.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            os.kill(api.process.popen.pid, number)
            assert api.process.wait(20) == 0, api.process.text()
        assert "hushhush" not in api.process.text()
        assert "Traceback" not in api.process.text()


def test_beyond_loopback_it_does_not_start_without_a_token(settings: Settings) -> None:
    """Exit 2, two lines, at once."""
    done = subprocess.run(
        [*HDI, "serve", "--address", "0.0.0.0", "--port", str(free_port())],
        env=environment(settings), capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip

    assert done.returncode == 2
    assert "without a token" in done.stderr
    assert done.stderr.count("\n") == 2
