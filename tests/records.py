"""Arbitrary wire records of any stored schema: the full range of every field, derived from layout
and Table.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import databento_dbn
import numpy as np

from ingestor.dbn import index_field, layout
from ingestor.model import Column, table_of
from ingestor.model.kind import TEXT
from ingestor.settings import config_dir
from ingestor.simulator.market import DAY, MONDAY, SECOND
from ingestor.sources.dbn_stream import DbnStream
from ingestor.transform import Mapping, load_mapping
from ingestor.transform.inverse import Inverse
from ingestor.vocabulary import Schema
from tests.loads import blank

MAPPINGS: Final = config_dir() / "mappings"
OPRA: Final = "OPRA.PILLAR"
PUBLISHERS: Final = (20, 22, 25, 30)
"""Some of those of OPRA.PILLAR."""

DAYS: Final = 3
_LETTERS: Final = "ABC xyz019:.-éλ€"
_WILD: Final = 0.25

Values = np.ndarray


def mapping_of(schema: Schema) -> Mapping:
    return load_mapping(MAPPINGS / "databento", schema)


def inverse_of(schema: Schema) -> Inverse:
    return Inverse(mapping_of(schema), schema)


def arbitrary(
    schema: Schema,
    count: int,
    rng: np.random.Generator,
    *,
    publishers: Sequence[int] = PUBLISHERS,
) -> Values:
    """Records whose fields are anything that a wire can carry. About a quarter of them have one
    field that may be beyond what its column can hold.

    Index timestamps lie on `DAYS` days from MONDAY or are undefined; key columns have few values,
    so that records meet in one key.
    """
    made = blank(count, schema)
    inverse, table = inverse_of(schema), table_of(schema)
    fields = {field: table[name] for name, field in inverse.fields.items()}
    names = [name for name in made.dtype.names or () if name in fields and name != "rtype"]
    for name in names:
        made[name] = _column(made.dtype[name], fields[name], count, rng, wild=False)
    for at in np.flatnonzero(rng.random(count) < _WILD):
        name = names[rng.integers(len(names))]
        made[name][at] = _column(made.dtype[name], fields[name], 1, rng, wild=True)[0]
    for name in names:
        column = fields[name]
        if column.name in table.key or name == index_field(schema):
            made[name] = _key(made[name], column, count, rng)
    made["publisher_id"] = rng.choice(publishers, count)
    made["instrument_id"] = rng.choice([0, 1, 2**32 - 1], count)
    made[index_field(schema)] = _times(count, rng, table[table.index_column])
    return made


def _column(
    dtype: np.dtype[Any], column: Column, count: int, rng: np.random.Generator, *, wild: bool
) -> Values:
    if dtype.kind == "S":
        return _bytes(dtype, column, count, rng, wild=wild)
    info = np.iinfo(dtype)
    low, high, step = int(info.min), int(info.max), 1
    spared = [each for each in (column.null,) if isinstance(each, int)]
    special = [low, low + 1, high - 1, high, 0, 1, *spared]
    if not wild:
        kind = column.kind
        low = low if kind.lowest is None else max(low, kind.lowest)
        high = high if kind.highest is None else min(high, kind.highest)
        step = kind.step
        special = [each for each in special if low <= each <= high or each in spared]
        special = [each for each in special if each % step == 0 or each in spared]
        special = [each for each in special if each != column.required]
    anything = rng.integers(low, high, count, dtype=dtype, endpoint=True)
    anything -= anything % dtype.type(step) if step != 1 else dtype.type(0)
    chosen = np.array(special, dtype=object)[rng.integers(len(special), size=count)].astype(dtype)
    return np.where(rng.random(count) < 0.5, chosen, anything)


def _bytes(
    dtype: np.dtype[Any], column: Column, count: int, rng: np.random.Generator, *, wild: bool
) -> Values:
    width = dtype.itemsize
    if wild:
        return np.array([rng.bytes(width) for _ in range(count)], dtype)
    if column.kind is not TEXT:
        return rng.integers(0, 128, count, dtype=np.uint8).view(dtype)
    return np.array([_text(width, rng) for _ in range(count)], dtype)


def _text(width: int, rng: np.random.Generator) -> bytes:
    """Empty, short, or as long as the field, with blanks and letters of several bytes."""
    length = rng.choice([0, 1, width // 2, width])
    made = b""
    for letter in rng.choice(list(_LETTERS), int(length)):
        if len(made) + len(letter.encode()) <= length:
            made += letter.encode()
    return made if length < width else made.ljust(width, b"Z")


def _times(count: int, rng: np.random.Generator, column: Column) -> Values:
    """Times of a few days that meet and cross each other; some undefined, some at an edge."""
    edge = np.array([MONDAY, MONDAY + DAY, MONDAY + DAYS * DAY - SECOND], np.uint64)
    moment = rng.choice([*edge, *(MONDAY + rng.integers(0, DAYS * 86_400, 2) * SECOND)], count)
    below = rng.choice([0, 1, 999, 1000, 1999], count) * (rng.random(count) < 0.5)
    if column.kind.step != 1:
        below *= rng.random(count) < 0.2
    times = moment.astype(np.uint64) + below.astype(np.uint64)
    return np.where(rng.random(count) < 0.06, np.uint64(2**64 - 1), times)


def _key(values: Values, column: Column, count: int, rng: np.random.Generator) -> Values:
    """Of key columns mostly few values; ts_event may be anything, and need not be in order."""
    if column.kind.sql != "TIMESTAMPTZ":
        top = np.iinfo(values.dtype).max
        return rng.choice(np.array([0, 1, top], values.dtype), count)
    near = _times(count, rng, column)
    far = np.array([0, 2**63, 2**64 - 2, 2**64 - 1], np.uint64)[rng.integers(4, size=count)]
    return np.where(rng.random(count) < 0.08, far, near)


def in_order(schema: Schema, records: Values) -> Values:
    """The records as they must come out: index timestamp, instrument, key, then delivery."""
    table, columns = table_of(schema), mapping_of(schema).columns(records)
    keys: list[Values] = [columns[table.index_column], columns["instrument_id"]]
    for name in table.key:
        if name not in ("ordinal", "instrument_id"):
            sort = columns[name]
            keys.append(sort // np.uint64(1000) if table[name].kind.sql == "TIMESTAMPTZ" else sort)
    return records[np.lexsort(keys[::-1])]


def read(path: Path, schema: Schema) -> Values:
    """All records of a DBN file."""
    with DbnStream(path) as stream:
        parts = list(stream.arrays(65_536))
        wire = stream.layout
    return np.concatenate(parts) if parts else np.zeros(0, wire)


def as_version(records: Values, schema: Schema, version: int) -> Values:
    """The records in the layout of an older DBN: what it has no field for is left out."""
    made = np.zeros(len(records), layout(schema, version))
    for name in made.dtype.names or ():
        if name in (records.dtype.names or ()):
            made[name] = _narrowed(records[name], made.dtype[name])
    made["length"] = made.dtype.itemsize // 4
    return made


def client_upgrade(content: bytes) -> bytes:
    """The records of an uncompressed file as Databento's own client upgrades them."""
    newest = databento_dbn.VersionUpgradePolicy.UPGRADE_TO_V3
    decoder = databento_dbn.DBNDecoder(upgrade_policy=newest)
    decoder.write(content)
    every = decoder.decode()
    return b"".join(bytes(each) for each in every if not isinstance(each, databento_dbn.Metadata))


def _narrowed(values: Values, dtype: np.dtype[Any]) -> Values:
    if dtype.kind == "S" or dtype.itemsize >= values.dtype.itemsize:
        return values.astype(dtype)
    # The largest value of a wider field is undefined, and so is that of the narrower.
    top, room = np.iinfo(values.dtype).max, np.iinfo(dtype)
    return np.where(values == top, room.max, np.clip(values, room.min, room.max)).astype(dtype)
