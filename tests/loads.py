"""Loads as a worker does them, without queue and worker: plan, submit, claim, run, read back."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from ingestor.dbn import layout, rtype
from ingestor.job import Claim
from ingestor.model import STORED, TABLES, table_of
from ingestor.origins import open_sources
from ingestor.pipeline import run_chunk
from ingestor.receipt import Receipt
from ingestor.settings import Settings, config_dir
from ingestor.simulator.dbn_writer import write_dbn
from ingestor.simulator.market import DAY, MONDAY
from ingestor.sources.dbn_files import DbnFiles
from ingestor.sources.source import Ask
from ingestor.store import ledger
from ingestor.store.database import Database
from ingestor.vocabulary import Priority, Schema
from tests.conftest import Place, make_settings

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_NO_REDIS = "redis://127.0.0.1:1/0"
UNDEFINED = {"ts_event": 2**64 - 1, "ts_recv": 2**64 - 1, "size": 2**32 - 1}
UNDEFINED_PRICE = 2**63 - 1
_ANY = 10**9
"""A limit that is none."""
_BAR_PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True)
class Bench:
    """One test's database with a worker's login and the settings of a worker.

    Its mapping files are those that are shipped. It has no rules but those that a test writes, and
    no limit of refused records.
    """

    place: Place
    settings: Settings
    database: Database

    def rule(self, schema: Schema, *rules: str, limit: int = _ANY) -> None:
        """Makes these the rules of a table from now on, each a YAML flow mapping without braces.

        Args:
            limit: Records that may be refused.
        """
        table = table_of(schema).name
        lines = [f"table: {table}", f"rejection_limit: {{records: {limit}, share: 0}}"]
        lines += ["rules:", *(f"  - {{{rule}}}" for rule in rules)] if rules else []
        path = self.settings.config_dir / "validation" / f"{table}.yaml"
        path.write_text("\n".join(lines) + "\n")

    def with_batches(self, records: int) -> Bench:
        store = self.settings.store.model_copy(update={"batch_records": records})
        settings = self.settings.model_copy(update={"store": store})
        return Bench(self.place, settings, self.database)

    async def chunks(self, path: Path, **ask: Any) -> list[int]:
        """Plans and submits, as a job of its own each time; ids of the chunks that were made."""
        plan = DbnFiles().plan(Ask("test", Priority.NORMAL, path=path, **ask))
        job = await ledger.submit(self.database, replace(plan, key=uuid4().hex), max_attempts=5)
        rows = await self.database.fetch(
            "SELECT chunk_id FROM ingest.chunks WHERE job_id = $1 ORDER BY chunk_id", job.job_id
        )
        return [row["chunk_id"] for row in rows]

    async def claim(self, chunk_id: int, *, worker: str = "w/1", lease_s: float = 60) -> Claim:
        claim = await ledger.claim(
            self.database, chunk_id, worker=worker, lease_s=lease_s, max_lost=3
        )
        assert claim is not None
        return claim

    async def run(self, claim: Claim) -> Receipt:
        return await run_chunk(
            self.database, claim, self.settings, open_sources(self.settings), worker="w/1"
        )

    async def load(self, path: Path, **ask: Any) -> list[Receipt]:
        """Loads a file or folder, chunk after chunk."""
        return [await self.run(await self.claim(n)) for n in await self.chunks(path, **ask)]

    async def race(self, chunk_ids: Iterable[int]) -> list[Receipt]:
        async def one(chunk_id: int) -> Receipt:
            async with self.place.open() as database:
                mine = Bench(self.place, self.settings, database)
                return await mine.run(await mine.claim(chunk_id, worker=f"w/{chunk_id}"))

        return await asyncio.gather(*(one(each) for each in chunk_ids))

    async def rows(self, schema: Schema, *, chunk_id: bool = False) -> list[tuple[Any, ...]]:
        """All rows of a table in the order of its key; without chunk_id unless asked for."""
        table = table_of(schema)
        names = [c.name for c in table.columns if chunk_id or c.name != "chunk_id"]
        found = await self.database.fetch(
            f"SELECT {', '.join(names)} FROM {table.name} ORDER BY {', '.join(table.key)}"
        )
        return [tuple(row) for row in found]

    async def records(self, schema: Schema) -> Counter[bytes]:
        """The wire records that rows and quarantine together stand for."""
        rows = await self.database.fetch(f"SELECT * FROM {table_of(schema).name}")
        raw = await self.database.fetch("SELECT raw FROM ingest.quarantine")
        return Counter(_wire(row, schema) for row in rows) + Counter(r["raw"] for r in raw)

    async def clear(self) -> None:
        """Empties record tables and quarantine; cheaper than a fresh database per example."""
        async with self.database.connection() as connection:
            for name in (*(f"public.{table.name}" for table in TABLES), "ingest.quarantine"):
                await connection.execute(f"DELETE FROM {name}")


@asynccontextmanager
async def bench(place: Place, home: Path) -> AsyncIterator[Bench]:
    configs = home / "configs"
    (configs / "validation").mkdir(parents=True)
    (configs / "mappings").symlink_to(config_dir() / "mappings")
    settings = make_settings(place, _NO_REDIS, home).model_copy(update={"config_dir": configs})
    async with place.open() as database:
        made = Bench(place, settings, database)
        for schema in STORED:
            made.rule(schema)
        yield made


def write(
    path: Path, records: np.ndarray, schema: Schema = Schema.TRADES, *, days: int = 1, **told: Any
) -> Path:
    """Writes a DBN file of GLBX.MDP3 that covers `days` from MONDAY."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header: dict[str, Any] = {
        "dataset": "GLBX.MDP3",
        "start": MONDAY,
        "end": MONDAY + days * DAY,
        "symbols": ["ESM4"],
    }
    return write_dbn(path, str(schema), records, compress=path.suffix == ".zst", **(header | told))


def cut(folder: Path, records: np.ndarray, at: Sequence[int], schema: Schema = Schema.TRADES,
        **told: Any) -> Path:  # fmt: skip
    """Writes `records` as files of one delivery, cut before each record of `at`."""
    for number, part in enumerate(np.split(records, at)):
        write(folder / f"part-{number}.dbn", part, schema, **told)
    return folder


def blank(count: int, schema: Schema = Schema.TRADES) -> np.ndarray:
    """Records with header fields as on the wire and everything else 0."""
    made = np.zeros(count, layout(schema, 3))
    made["length"] = made.dtype.itemsize // 4
    made["rtype"] = rtype(schema)
    made["publisher_id"] = 1
    return made


def nanoseconds(time: dt.datetime, below: int = 0) -> int:
    return (time - _EPOCH) // dt.timedelta(microseconds=1) * 1000 + below


def _wire(row: Any, schema: Schema) -> bytes:
    made = blank(1, schema)
    fill = _trade if schema is Schema.TRADES else _bar
    for name, value in fill(row).items():
        made[name] = value
    return made.tobytes()


def _trade(row: Any) -> dict[str, Any]:
    return {
        **{name: row[name] for name in ("publisher_id", "instrument_id", "flags", "depth")},
        **{name: row[name] for name in ("ts_in_delta", "sequence")},
        "ts_event": nanoseconds(row["ts_event"], row["ts_event_ns"]),
        "ts_recv": nanoseconds(row["ts_recv"], row["ts_recv_ns"]),
        "price": _fixed(row["price"]),
        "size": UNDEFINED["size"] if row["size"] is None else row["size"],
        "action": (row["action"] or "\0").encode(),
        "side": (row["side"] or "\0").encode(),
    }


def _bar(row: Any) -> dict[str, Any]:
    return {
        **{name: row[name] for name in ("publisher_id", "instrument_id", "volume")},
        **{name: _fixed(row[f"{name}_price"]) for name in _BAR_PRICES},
        "ts_event": nanoseconds(row["ts_event"]),
    }


def _fixed(price: Any) -> int:
    if price is None:
        return UNDEFINED_PRICE
    scaled = price.scaleb(9)
    assert scaled == int(scaled)
    return int(scaled)
