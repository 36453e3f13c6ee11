"""The source that docs/how-to/add-a-source.md shows runs as it stands there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ingestor.errors import BadJob, CorruptPayload, PayloadMissing
from ingestor.simulator.market import DAY, MONDAY
from ingestor.sources.source import Ask, Source
from ingestor.transform import load_mapping
from ingestor.vocabulary import Priority, Schema
from tests.claims import only_claim, read
from tests.examples.npy_files import WIRE, NpyFiles

EXAMPLES = Path(__file__).parents[2] / "examples"
SOURCE = NpyFiles(None, None, None)


def bars(count: int = 30) -> np.ndarray:
    """Three instruments a day."""
    made = np.zeros(count, WIRE)
    made["ts_event"] = MONDAY + np.arange(count) // 3 * DAY
    made["instrument_id"] = np.arange(count) % 3 + 1
    made["publisher_id"] = 60_200
    for at, name in enumerate(("low", "open", "close", "high")):
        made[name] = (100 + at) * 10**9
    made["volume"] = np.arange(count)
    return made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    np.save(tmp_path / "bars.npy", bars())
    return tmp_path / "bars.npy"


def asked(path: Path, **ask: object) -> Ask:
    given = {"dataset": "NPY.MADE", "schemas": (Schema.OHLCV_1D,)} | ask
    return Ask("example", Priority.NORMAL, path=path, **given)


def test_it_is_a_source() -> None:
    assert isinstance(SOURCE, Source)


@pytest.mark.parametrize("count", [1, 7, 65_536])
def test_what_was_saved_is_planned_fetched_and_read(file: Path, count: int) -> None:
    """Whole, in order, with places, whatever the size of a batch."""
    plan = SOURCE.plan(asked(file))
    claim = only_claim(plan)
    payload, records = read(SOURCE, claim, count)
    places = [each for _, at in SOURCE.batches(payload, claim, count) for each in at.tolist()]

    assert (claim.start, claim.end, claim.expected) == (MONDAY, MONDAY + 10 * DAY, 30)
    assert payload.contents == plan.requests[0].chunks[0].contents
    assert records.tobytes() == bars().tobytes()
    assert places == list(range(30))
    assert plan.key == SOURCE.plan(asked(file)).key != SOURCE.plan(asked(file, force=True)).key


def test_its_mapping_fills_the_table(file: Path) -> None:
    _, records = read(SOURCE, only_claim(SOURCE.plan(asked(file))))
    folder = EXAMPLES / SOURCE.mapping_folder("NPY.MADE")
    made = load_mapping(folder, Schema.OHLCV_1D).columns(records)

    assert made["close_price"].tolist() == [102 * 10**9] * 30
    assert made["volume"].tolist() == list(range(30))


def test_quarantine_gives_its_records_back() -> None:
    [(places, records)] = SOURCE.decode(SOURCE.raw(bars()), Schema.OHLCV_1D)
    assert (places.tolist(), records.tobytes()) == (list(range(30)), bars().tobytes())
    with pytest.raises(CorruptPayload, match="has 54 bytes"):
        list(SOURCE.decode([b"short"], Schema.OHLCV_1D))


def test_a_file_that_changed_or_is_gone_is_not_loaded(file: Path) -> None:
    """Neither before a row is written, nor while the file is read."""
    claim = only_claim(SOURCE.plan(asked(file)))
    payload = SOURCE.fetch(claim)
    np.save(file, bars(29))
    with pytest.raises(CorruptPayload, match="changed since it was submitted"):
        SOURCE.fetch(claim)
    with pytest.raises(CorruptPayload, match="changed since it was submitted"):
        list(SOURCE.batches(payload, claim, 10))
    file.unlink()
    with pytest.raises(PayloadMissing, match="cannot see"):
        SOURCE.fetch(claim)


def test_what_it_cannot_know_must_be_said(file: Path) -> None:
    with pytest.raises(BadJob, match="does not say"):
        SOURCE.plan(asked(file, dataset=None))
    with pytest.raises(BadJob, match="loaded whole"):
        SOURCE.plan(asked(file, start=MONDAY))
    timeless = bars(3)
    timeless["ts_event"] = 2**64 - 1
    np.save(file, timeless)
    with pytest.raises(BadJob, match="has a time"):
        SOURCE.plan(asked(file))
    file.write_bytes(b"no array")
    with pytest.raises(CorruptPayload, match="no array"):
        SOURCE.plan(asked(file))
