"""Source `npy-files`: daily bars that somebody saved with `numpy.save`, one file, one chunk."""

import hashlib
import io
from pathlib import Path

import numpy as np

from ingestor.errors import BadJob, CorruptPayload
from ingestor.job import ChunkPlan, JobPlan, PayloadRef, RequestPlan
from ingestor.sources.file_plan import checked_path, key_of
from ingestor.sources.files import readable
from ingestor.sources.microseconds import together
from ingestor.sources.payload_file import check_same, visible
from ingestor.sources.source import Payload
from ingestor.sources.tally import DAY, EVERYTHING, Tally, merged
from ingestor.vocabulary import Dataset, Schema

_IDS = [("ts_event", "<u8"), ("instrument_id", "<u4"), ("publisher_id", "<u2")]
_PRICES = [(name, "<i8") for name in ("open", "high", "low", "close")]
WIRE = np.dtype([*_IDS, *_PRICES, ("volume", "<u8")])


class NpyFiles:
    name = "npy-files"
    reads_files = True
    realm = None

    def __init__(self, settings, vault, spellings):
        del settings, vault, spellings  # files are read in place, and numbers need no mapping

    def mapping_folder(self, dataset):
        return "npy-files"

    def plan(self, ask):
        path = checked_path(ask).absolute()
        if ask.dataset is None or ask.schemas != (Schema.OHLCV_1D,):
            raise BadJob("an array does not say what it holds", hint="--dataset, --schema ohlcv-1d")
        if ask.start is not None or ask.end is not None or ask.chunk_days or ask.to_vault:
            raise BadJob("an array is one chunk, loaded whole from where it lies")
        with readable(path):
            content = path.read_bytes()
        ref = PayloadRef(str(path), hashlib.sha256(content).hexdigest(), len(content))
        contents = _contents(_records(ref))
        if contents.index_min is None:
            raise BadJob(f"no bar of {path} has a time")
        start, end = contents.index_min // DAY * DAY, contents.index_max // DAY * DAY + DAY
        chunk = ChunkPlan(start, end, ref, contents, partial="nothing says what it should hold")
        dataset, schema = Dataset(ask.dataset), ask.schemas[0]
        request = RequestPlan(dataset, schema, "instrument_id", (), start, end, (chunk,))
        key, spec = key_of(self.name, [request], ask), {"path": str(path)}
        return JobPlan(key, ask.name or path.name, self.name, ask.priority, spec, (request,))

    def purchase(self, claim):
        return None

    def fetch(self, claim):
        records = _records(claim.payload)
        return Payload(claim.payload, Path(claim.payload.uri), _contents(records), (), WIRE)

    def batches(self, payload, claim, count):
        records = _records(payload.ref)
        places = np.arange(len(records), dtype=np.uint64)
        yield from together([(records, places)], "ts_event", count)

    def preceding(self, payload, claim):
        return None

    def raw(self, records):
        return [record.tobytes() for record in records]

    def decode(self, raw, schema):
        if any(len(each) != WIRE.itemsize for each in raw):
            raise CorruptPayload(f"a record of an array has {WIRE.itemsize} bytes")
        yield np.arange(len(raw)), np.frombuffer(b"".join(raw), WIRE)


def _records(ref):
    """All records, once the bytes have proven to be those that were submitted."""
    path = Path(ref.uri)
    with visible(path, ref):
        content = path.read_bytes()
    check_same(path, hashlib.sha256(content).hexdigest(), ref)
    try:
        found = np.load(io.BytesIO(content), allow_pickle=False)
    except ValueError as error:
        raise CorruptPayload(f"{path} is no array that numpy saved") from error
    if found.dtype != WIRE or found.ndim != 1 or not len(found):
        raise CorruptPayload(f"{path} holds {found.shape} of {found.dtype}, not records of {WIRE}")
    return found


def _contents(records):
    tally = Tally("ts_event", EVERYTHING)
    tally.add(records)
    return tally.contents(merged(tally.rows))
