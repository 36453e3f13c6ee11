"""Payloads that are not what was asked for, however they are made: nothing of them is stored."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import databento_dbn
import pytest
from zstandard import ZstdCompressor, ZstdDecompressor

from ingestor.dbn import METADATA_LIMIT, Header
from ingestor.errors import TruncatedPayload
from ingestor.settings import Settings
from ingestor.simulator.dbn_writer import compress_frames
from ingestor.simulator.market import DAY, MONDAY
from ingestor.simulator.server import Gateway
from ingestor.sources.databento.intake import checked
from ingestor.store.database import Database
from ingestor.vocabulary import Schema
from tests.acceptance.commands import hdi, submit
from tests.attempts import children
from tests.conftest import environment
from tests.faults.fronts import Fields, in_front
from tests.gateways import facing, gateway
from tests.invariants import check_invariants
from tests.markets import market_week
from tests.processes import Process, fleet, job_ended
from tests.values import served
from tests.vaults import request_of

__all__ = ["gateway"]
pytestmark = [pytest.mark.timescaledb, pytest.mark.redis, pytest.mark.faults]

PER_DAY = 50
RECORD = 48
BOMB = 2 << 30
SEED = 20_240_311
MEMORY_MB = 700
"""A worker's child needs a third of it for its libraries; a bomb has three times as much."""


@dataclass(frozen=True)
class Told:
    """A payload as it was delivered, its content, and what its metadata say."""

    payload: bytes
    content: bytes
    metadata: Any

    @classmethod
    def of(cls, payload: bytes) -> Told:
        content = ZstdDecompressor().stream_reader(payload).read()
        return cls(payload, content, databento_dbn.Metadata.decode(content))

    @property
    def head(self) -> bytes:
        return self.content[: 8 + int.from_bytes(self.content[4:8], "little")]

    def labelled(self, **changes: Any) -> bytes:
        """The same records under metadata that say something else."""
        told = {name: getattr(self.metadata, name) for name in ("dataset", "start", "end")}
        told |= {"schema": str(self.metadata.schema), "symbols": self.metadata.symbols} | changes
        return compress_frames(Header(**told).encode() + self.content[len(self.head) :])

    def bars(self) -> bytes:
        """Bars of its day, in the first week; as many bytes as some whole trades have."""
        week = market_week("ohlcv-1m")
        inside = (week["ts_event"] >= self.metadata.start) & (week["ts_event"] < self.metadata.end)
        return bytes(week[inside][:RECORD].tobytes())


@lru_cache(maxsize=4)
def inflating(head: bytes) -> bytes:
    """One frame of 70 kB: `head`, and 2 GB of zeros behind it."""
    writer = ZstdCompressor(level=1).compressobj()
    zeros = bytes(1 << 24)
    pieces = [writer.compress(head), *(writer.compress(zeros) for _ in range(BOMB >> 24))]
    return b"".join([*pieces, writer.flush()])


def bomb_of_zeros(told: Told) -> Iterable[bytes]:
    """Gigabytes that are no DBN."""
    del told
    return [inflating(b"")]


def bomb_behind_a_sound_head(told: Told) -> Iterable[bytes]:
    """Gigabytes of zeros where records should be."""
    return [inflating(told.head)]


def bomb_in_the_metadata(told: Told) -> Iterable[bytes]:
    """Metadata that claim gigabytes, and have them."""
    del told
    return [inflating(b"DBN\x03" + (2**32 - 1).to_bytes(4, "little"))]


def bomb_of_sound_records(told: Told) -> Iterable[bytes]:
    """Every record sound, and 40 GB of them: frames of 1 MB that are alike."""
    record = told.content[len(told.head) :][:RECORD]
    frame = compress_frames(record * 20_000)
    return [compress_frames(told.head), *(frame * 1_000 for _ in range(40))]


def bomb_of_another_dataset(told: Told) -> Iterable[bytes]:
    """The same under metadata that alone would refuse it."""
    [first, *others] = bomb_of_sound_records(told)
    del first
    return [told.labelled(dataset="XNAS.ITCH"), *others]


def body_without_end(told: Told) -> Iterator[bytes]:
    """The payload, and then bytes for as long as somebody takes them."""
    yield told.payload
    piece = random.Random(SEED).randbytes(1 << 20)
    while True:
        yield piece


def a_frame_is_missing(told: Told) -> Iterable[bytes]:
    """The first of two whole frames with checksums, cut between two records."""
    return [compress_frames(told.content[: -20 * RECORD])]


def delivered_twice(told: Told) -> Iterable[bytes]:
    return [told.payload, told.payload]


def of_another_range(told: Told) -> Iterable[bytes]:
    """A day's records under metadata that allow two days."""
    return [told.labelled(start=told.metadata.start - DAY)]


def of_other_symbols(told: Told) -> Iterable[bytes]:
    return [told.labelled(symbols=["NQM4"])]


def of_another_dataset(told: Told) -> Iterable[bytes]:
    return [told.labelled(dataset="XNAS.ITCH")]


def of_another_schema(told: Told) -> Iterable[bytes]:
    """Bars instead of trades, in the metadata and in the records."""
    head = Told.of(told.labelled(schema="ohlcv-1m")).head
    return [compress_frames(head + told.bars())]


def of_another_schemas_records(told: Told) -> Iterable[bytes]:
    """Metadata as asked for, records of another type."""
    return [compress_frames(told.head + told.bars())]


def of_a_schema_that_is_not_stored(told: Told) -> Iterable[bytes]:
    return [told.labelled(schema="mbo")]


SHAPES: dict[Callable[[Told], Iterable[bytes]], tuple[str, int, str]] = {
    of_another_schema: ("UnlikeRequest", 1, "has schema ohlcv-1m"),
    of_another_schemas_records: ("TruncatedPayload", 2, "trades records have rtype 0"),
    of_a_schema_that_is_not_stored: ("UnlikeRequest", 1, "holds mbo records"),
    of_another_dataset: ("UnlikeRequest", 1, "has dataset XNAS.ITCH"),
    of_another_range: ("UnlikeRequest", 1, "has start"),
    of_other_symbols: ("UnlikeRequest", 1, "2 differ, 'ESM4' among them"),
    a_frame_is_missing: ("TruncatedPayload", 2, "holds 30 records"),
    delivered_twice: ("TruncatedPayload", 2, "cut or damaged"),
    bomb_of_zeros: ("TruncatedPayload", 2, "ended, cut or damaged"),
    bomb_behind_a_sound_head: ("TruncatedPayload", 2, "mixed records or damage"),
    bomb_in_the_metadata: ("TruncatedPayload", 2, "claims 4,294,967,295 bytes of metadata"),
    bomb_of_sound_records: ("TruncatedPayload", 2, "more records than the 50"),
    bomb_of_another_dataset: ("TruncatedPayload", 2, "more records than the 50"),
    body_without_end: ("TruncatedPayload", 2, "was broken off after"),
}
"""Shape → code of the error, attempts that it costs, words of its message."""

SESSIONS = [MONDAY + day * DAY for day in range(26) if day % 7 < 5][: len(SHAPES)]


def spoilt(fields: Fields, payload: bytes) -> Iterable[bytes]:
    """Each session in a shape of its own."""
    del fields
    told = Told.of(payload)
    return list(SHAPES)[SESSIONS.index(told.metadata.start)](told)


def as_it_is(fields: Fields, payload: bytes) -> Iterable[bytes]:
    del fields
    return [payload]


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_no_payload_of_another_shape_is_stored_or_takes_the_workers_memory_or_disk(
    settings: Settings, gateway: Gateway, database: Database, tmp_path: Path
) -> None:
    """Bombs, bodies without end, missing frames, other metadata: a dead letter each that says what
    it was; the weekends between are proven empty. Asked again when the provider is sound, every
    day is stored by value.
    """
    ask = ("--dataset", "GLBX.MDP3", "--schema", "trades", "--symbols", "ESM4")
    days = ("--start", "2024-03-11", "--end", "2024-03-29")
    with in_front(gateway.url, spoilt) as front, fleet(settings, tmp_path) as started:
        facts = facing(settings, gateway).model_copy(update={"databento_gateway": front.url})
        started.settings = facts
        worker = started.worker()
        started.scheduler()
        limited = {**environment(facts), "HDI_RETRY__MAX_ATTEMPTS": "2"}
        said = submit(limited, *ask, *days, "--wait", "--timeout", "90", "--json")
        assert said.code == 3, said.err + started.logs_text()
        assert await ends(database) == list(SHAPES.values())
        assert said.json["chunks"]["completed_empty"] == 4
        await check_invariants(database, expected={Schema.TRADES: Counter()}, fleet=started)
        assert peak_mb(worker) < MEMORY_MB
        assert front.longest < 2 * METADATA_LIMIT
        front.change = as_it_is
        again = hdi(facts, "retry", said.json["job_id"])
        assert again.code == 0, again.err
        await job_ended(database, started, timeout_s=60)
        rows = served(Schema.TRADES, "2024-03-11", "2024-03-29", "ESM4", per_day=PER_DAY)
        await check_invariants(database, expected={Schema.TRADES: rows}, fleet=started)


async def ends(database: Database) -> list[tuple[str, int, str]]:
    """Of each session, in order: code, attempts, and the words that were expected, or all."""
    found = await database.fetch(
        "SELECT error_code, attempt, error_text FROM ingest.chunks WHERE state = 'failed'"
        " ORDER BY start_ns"
    )
    wanted = [words for _, _, words in SHAPES.values()]
    return [
        (row["error_code"], row["attempt"], words if words in text(row) else text(row))
        for row, words in zip(found, wanted, strict=True)
    ]


def text(row: Any) -> str:
    return str(row["error_text"])


def peak_mb(worker: Process) -> float:
    """Most memory that a child of the worker ever held."""
    peaks = [
        int(line.split()[1]) / 1024
        for pid in children(worker)
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith("VmHWM:")
    ]
    return max(peaks)


def test_no_payload_of_many_frames_that_is_cut_between_two_is_taken_in(tmp_path: Path) -> None:
    """A frame for each record, metadata in several: every border, and each half of a frame."""
    week = market_week("trades", per_day=200)
    records = week[(week["ts_recv"] < MONDAY + DAY) & (week["instrument_id"] == 17_077)]
    head = Header(
        dataset="GLBX.MDP3", schema="trades", start=MONDAY, end=MONDAY + DAY, symbols=["ESM4"]
    ).encode()
    pieces = [head[:4], head[4:100], head[100:], *(each.tobytes() for each in records)]
    frames = [compress_frames(piece) for piece in pieces]
    part, whole = tmp_path / "x.part", b"".join(frames)
    part.write_bytes(whole)
    assert checked(part, request_of(), 200).contents.records == 200
    cuts, at = [], 0
    for frame in frames:
        cuts += [at, at + len(frame) // 2]
        at += len(frame)
    assert len(cuts) > 400
    for cut in cuts:
        part.write_bytes(whole[:cut])
        with pytest.raises(TruncatedPayload):
            checked(part, request_of(), 200)
