"""A desk whose rule files the test writes, with trades of which some break them."""

from __future__ import annotations

import asyncio
import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import click
import numpy as np
from click.testing import Result

from ingestor.errors import IngestError
from ingestor.insights.verification import verify
from ingestor.origins import open_sources
from ingestor.replay.jobs import plan_replay
from ingestor.settings import config_dir
from ingestor.simulator.market import DAY, INSTRUMENTS, MONDAY, SECOND, mappings
from ingestor.sources.dbn_files import DbnFiles
from ingestor.sources.source import Ask
from ingestor.store import ledger
from ingestor.vault import Vault
from ingestor.vocabulary import Priority, Role, Schema
from tests.conftest import environment
from tests.integration.cli.conftest import Desk
from tests.loads import UNDEFINED, Bench, blank, write

ES = INSTRUMENTS[0]
NAMELESS = 7
"""An instrument id that no payload names."""


def rule(name: str, check: str, severity: str = "quarantine") -> str:
    """A rule as a line of a rule file."""
    return f'{{id: {name}, check: "{check}", severity: {severity}, reason: it is not {name}}}'


@dataclass(frozen=True)
class Ward(Desk):
    """A desk with a configuration folder of its own."""

    def rules(self, *rules: str, table: str = "trades_data") -> None:
        """Replaces the rules of a table."""
        lines = [f"table: {table}", "rejection_limit: {records: 1000, share: 1}", "rules:"]
        text = "\n".join([*lines, *(f"  - {each}" for each in rules)]) if rules else lines[0]
        folder = self.settings.config_dir / "validation"
        (folder / f"{table}.yaml").write_text(f"{text}\n")

    def submit_records(
        self, records: np.ndarray, *, days: int = 1, schema: Schema = Schema.TRADES, **ask: Any
    ) -> UUID:
        """Records a job that loads them; each time another one."""
        told: dict[str, Any] = {"mappings": mappings(INSTRUMENTS, MONDAY, MONDAY + days * DAY)}
        path = write(self.folder / uuid4().hex / "x.dbn", records, schema, days=days, **told)
        asked = Ask("ward", Priority.NORMAL, path=path, chunk_days=1, **ask)

        async def work(bench: Bench) -> UUID:
            plan = replace(DbnFiles().plan(asked), key=uuid4().hex)
            return (await ledger.submit(bench.database, plan, max_attempts=5)).job_id

        return self.do(work)

    def load_csv(self, lines: str, *, dataset: str, schema: Schema) -> UUID:
        """Loads a file of a vendor's own layout."""
        path = self.folder / f"{uuid4().hex}.csv"
        path.write_text(lines)
        asked = Ask("csv", Priority.NORMAL, path=path, dataset=dataset, schemas=(schema,))

        async def work(bench: Bench) -> UUID:
            plan = open_sources(self.settings).named("csv-files").plan(asked)
            return (await ledger.submit(bench.database, plan, max_attempts=5)).job_id

        job_id = self.do(work)
        self.load(job_id)
        return job_id

    def load_records(self, records: np.ndarray, **told: Any) -> UUID:
        job_id = self.submit_records(records, **told)
        self.load(job_id)
        return job_id

    def replay_job(self, job_id: UUID) -> UUID:
        """Loads a job's payloads again, as `hdi replay` would."""

        async def work(bench: Bench) -> UUID:
            vault = Vault.of(self.settings)
            sources = open_sources(self.settings, vault)
            plan = (await plan_replay(bench.database, job_id, vault, sources)).plan
            return (await ledger.submit(bench.database, plan, max_attempts=5)).job_id

        again = self.do(work)
        self.load(again)
        return again

    def stored(self) -> list[tuple[int, int, int]]:
        """(sequence, ordinal, size) of the stored trades, in this order."""
        query = "SELECT sequence, ordinal, size FROM trades_data ORDER BY 1, 2, 3"
        return [tuple(row) for row in self.fetch(query)]

    def sizes(self) -> list[int]:
        """Sizes of the stored trades, ascending."""
        return sorted(size for _, _, size in self.stored())

    def fetch(self, query: str, *values: Any) -> list[Any]:
        async def work(bench: Bench) -> list[Any]:
            return await bench.database.fetch(query, *values)

        return self.do(work)

    def as_owner(self, query: str) -> None:
        """What no command does."""

        async def work() -> None:
            async with self.place.open(Role.OWNER) as database:
                await database.fetch(query)

        asyncio.run(work())

    def quarantine(self, *words: str) -> Result:
        """`hdi quarantine …`, which must end well."""
        result = self.hdi("quarantine", *words)
        assert result.exception is None, result.exception
        return result

    def refusal(self, *words: str) -> str:
        """What `hdi quarantine …` says where it is used wrongly."""
        error = self.hdi("quarantine", *words).exception
        assert getattr(error, "exit_code", None) == 2, error
        return error.message if isinstance(error, IngestError | click.ClickException) else ""

    def json(self, *words: str) -> Any:
        return json.loads(self.quarantine(*words, "--json").stdout)

    def waiting(self) -> list[int]:
        """Ids of records that wait in quarantine."""
        return [each["id"] for each in self.json("list")["records"]]

    def require_sums(self) -> None:
        """What `hdi verify` says must be well."""

        async def work(bench: Bench) -> Any:
            return await verify(bench.database)

        found = self.do(work)
        assert found.adds_up, found.differences

    def environment(self) -> dict[str, str]:
        """For a process of its own."""
        return {**environment(self.settings), "HDI_CONFIG_DIR": str(self.settings.config_dir)}


def ward(desk: Desk, home: Path) -> Ward:
    """A copy of the shipped configuration whose trades have no rules yet."""
    configs = home / "configs"
    shutil.copytree(config_dir(), configs)
    settings = desk.settings.model_copy(update={"config_dir": configs})
    made = Ward(desk.place, settings, desk.folder)
    made.rules()
    return made


def some_trades(count: int = 10, *, start: int = MONDAY) -> np.ndarray:
    """Trades of sizes 1, 2, 3 …, two per second, which share their key."""
    made = blank(count)
    place = np.arange(count, dtype=np.uint64)
    made["instrument_id"] = ES.instrument_id
    made["publisher_id"] = ES.publisher_id
    made["ts_event"] = made["ts_recv"] = np.uint64(start) + place // np.uint64(2) * np.uint64(
        SECOND
    )
    made["sequence"] = place // np.uint64(2)
    made["price"] = 5_200 * 10**9
    made["size"] = place + np.uint64(1)
    made["action"], made["side"] = b"T", b"A"
    return made


def nameless(records: np.ndarray) -> np.ndarray:
    """The records, of an instrument that nothing names."""
    records["instrument_id"] = NAMELESS
    return records


def timeless(records: np.ndarray, *places: int) -> np.ndarray:
    """The records, some of which have no ts_recv: no row can hold them."""
    records["ts_recv"][list(places)] = UNDEFINED["ts_recv"]
    return records
