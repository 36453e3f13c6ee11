"""A simulated provider for the tests, and settings that lead a service to it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from ingestor.origins import open_sources
from ingestor.pipeline import run_chunk
from ingestor.settings import Settings
from ingestor.simulator.server import Gateway, SimulatorOptions, running
from ingestor.store import ledger
from tests.acceptance.commands import Here, Said
from tests.conftest import Place, environment

QUICK = {"patience_s": 20.0, "backoff_s": 0.1, "not_yet_s": 0.3, "read_timeout_s": 20.0}
"""Times of tests: soon asked again, and never given up because the machine is busy."""
IMPATIENT = {"patience_s": 1.5, "read_timeout_s": 2.0}
"""For tests in which calls are to be given up: silence ends one, and a second and a half of it."""


def facing(settings: Settings, gateway: Gateway, **databento: Any) -> Settings:
    """The settings of a service whose provider is `gateway`."""
    section = settings.databento.model_copy(update=QUICK | databento)
    return settings.model_copy(
        update={
            "databento_gateway": gateway.url,
            "databento_api_key": SecretStr(gateway.key),
            "databento": section,
        }
    )


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """A made-up market of 50 trades per instrument and day, without rate limits."""
    with running(SimulatorOptions(per_day=50, limits=False)) as found:
        yield found


def streams(gateway: Gateway) -> list[tuple[str, str, str]]:
    """What was bought: (schema, start, symbols) of every stream that was asked for."""
    return [
        (each.fields["schema"], each.fields["start"][:10], each.fields["symbols"])
        for each in gateway.requests("timeseries.get_range")
    ]


class Desk:
    """Commands and one worker, all in this process: a job takes a second instead of ten."""

    def __init__(self, here: Here, settings: Settings, place: Place) -> None:
        self._here = here
        self._settings = settings
        self._place = place
        self._environment = environment(settings)

    def submit(self, *arguments: object) -> Said:
        return self._here.submit(self._environment, *arguments)

    def hdi(self, *arguments: object) -> Said:
        return self._here.hdi(self._environment, *arguments)

    def done(self, *arguments: object) -> Said:
        """Submits, works until nothing is open, and says what `hdi status --json` then says."""
        said = self.submit(*arguments, "--json")
        assert said.code == 0, said.err
        self.work()
        status = self.hdi("status", said.json["job_id"], "--json")
        return Said(status.code, status.out, said.err)

    def work(self) -> None:
        """Every chunk that is due, as a worker does it, in the order they were planned."""
        asyncio.run(self._work())

    async def _work(self) -> None:
        sources = open_sources(self._settings)
        due = "SELECT chunk_id FROM ingest.chunks WHERE state IN ('pending', 'queued') ORDER BY 1"
        async with self._place.open() as database:
            for row in await database.fetch(due):
                claim = await ledger.claim(
                    database, row["chunk_id"], worker="desk/1", lease_s=60, max_lost=3
                )
                assert claim is not None
                await run_chunk(database, claim, self._settings, sources, worker="desk/1")
            await ledger.end_jobs(database)
