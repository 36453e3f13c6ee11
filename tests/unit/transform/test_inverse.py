"""A mapping file read backwards: whatever was on the wire is there again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestor.dbn import Header, index_field, layout, rtype
from ingestor.errors import BadRules, CorruptPayload
from ingestor.model import STORED, table_of
from ingestor.simulator.market import DAY, MONDAY
from ingestor.transform.inverse import Inverse
from ingestor.transform.mapping import parse_mapping
from ingestor.vocabulary import Schema
from tests.cells import spoiled
from tests.records import MAPPINGS, arbitrary, as_version, client_upgrade, inverse_of, mapping_of

CONSTANTS = {"length", "rtype"}
seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=20, deadline=None)


@pytest.mark.parametrize("schema", STORED)
@few
@given(seed=seeds, count=st.integers(1, 40))
def test_the_inverse_of_every_mapping_rebuilds_the_records(
    schema: Schema, seed: int, count: int
) -> None:
    """Byte for byte, over the full range of every field, sentinels and broken text included."""
    given_ = arbitrary(schema, count, np.random.default_rng(seed))
    assert inverse_of(schema).records(mapping_of(schema).columns(given_)).tobytes() == (
        given_.tobytes()
    )


@pytest.mark.parametrize("schema", STORED)
def test_every_field_of_the_newest_wire_comes_from_a_column(schema: Schema) -> None:
    """All but length, rtype and reserved bytes, which are constants of the schema."""
    names = {name for name in layout(schema).names or () if not name.startswith("_")}
    assert names - CONSTANTS == set(inverse_of(schema).fields.values()) & names - CONSTANTS


@pytest.mark.parametrize("schema", STORED)
def test_an_index_timestamp_is_the_same_on_the_wire_and_in_the_table(schema: Schema) -> None:
    """The order of a file is that of its rows."""
    assert inverse_of(schema).fields[table_of(schema).index_column] == index_field(schema)


def test_only_definitions_lose_fields() -> None:
    """What DBN 3 dropped is known from the layouts, not from a list."""
    lost = {schema: inverse_of(schema).lost for schema in STORED}
    assert {schema for schema, names in lost.items() if names} == {Schema.DEFINITION}
    assert set(lost[Schema.DEFINITION]) == {
        "trading_reference_price", "trading_reference_date", "md_security_trading_status",
        "settl_price_type",
    }  # fmt: skip


def test_records_that_lose_something_are_counted_once_each() -> None:
    """Undefined in all such fields is nothing lost; one of them set is."""
    older = np.zeros(3, layout(Schema.DEFINITION, 2))
    older["trading_reference_price"] = [2**63 - 1, 5, 5]
    older["trading_reference_date"] = 2**16 - 1
    older["md_security_trading_status"] = 2**8 - 1
    older["settl_price_type"] = [2**8 - 1, 2**8 - 1, 0]
    inverse = inverse_of(Schema.DEFINITION)
    assert inverse.losing(mapping_of(Schema.DEFINITION).columns(older)) == 2
    made, losing = inverse.upgraded_bytes([each.tobytes() for each in older])
    assert (len(made), losing) == (3, 2)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("schema", [Schema.DEFINITION, Schema.STATISTICS])
@few
@given(seed=seeds, count=st.integers(1, 20))
def test_older_records_are_upgraded_as_the_client_does_it(
    schema: Schema, version: int, seed: int, count: int
) -> None:
    """For any bytes, such as only the quarantine holds: broken text, undefined key columns."""
    rng = np.random.default_rng(seed)
    older = as_version(arbitrary(schema, count, rng), schema, version)
    upgraded = inverse_of(schema).upgraded(older)
    assert upgraded.dtype == layout(schema)
    head = Header(
        dataset="GLBX.MDP3", schema=schema, start=MONDAY, end=MONDAY + DAY, version=version
    )
    assert upgraded.tobytes() == client_upgrade(head.encode() + older.tobytes())


@pytest.mark.parametrize("schema", STORED)
def test_raw_bytes_of_the_newest_version_stay_as_they_are(schema: Schema) -> None:
    """Reserved bytes and what stands behind a NUL, too."""
    raw = [bytes(range(each, each + 1)) * layout(schema).itemsize for each in (1, 255)]
    assert inverse_of(schema).upgraded_bytes(raw) == (raw, 0)


def test_a_length_of_no_version_is_refused() -> None:
    """It was damaged in the database; the message says of which schema."""
    with pytest.raises(CorruptPayload, match="definition record has 361 bytes"):
        inverse_of(Schema.DEFINITION).upgraded_bytes([b"\0" * 361])


@pytest.mark.parametrize("delimiter", [b",", b"\t"])
@pytest.mark.parametrize("length", [48, 83])
def test_a_line_of_a_text_file_is_told_to_be_one(delimiter: bytes, length: int) -> None:
    """Also where it happens to be as long as a record of DBN."""
    raw = delimiter.join([b"time", b"price"]) + b"\n"
    with pytest.raises(CorruptPayload, match="trades record came from a text file"):
        inverse_of(Schema.TRADES).upgraded_bytes([raw.ljust(length - 1, b"1") + b"\n"])


@pytest.mark.parametrize("schema", STORED)
def test_no_record_makes_no_record(schema: Schema) -> None:
    """And what is made carries the schema's type and length."""
    empty = np.zeros(0, layout(schema))
    assert len(inverse_of(schema).records(mapping_of(schema).columns(empty))) == 0
    one = inverse_of(schema).records(mapping_of(schema).columns(arbitrary(
        schema, 1, np.random.default_rng(0))))  # fmt: skip
    assert one["rtype"].tolist() == [rtype(schema)]
    assert one["length"].tolist() == [layout(schema).itemsize // 4]


@pytest.mark.parametrize(
    "rule",
    [{"op": "constant", "value": 1}, {"op": "undefined"}, {"op": "copy_of", "column": "sequence"}],
)
def test_a_mapping_that_loses_a_field_cannot_be_read_backwards(rule: dict[str, object]) -> None:
    """What a record held there is in no column any more."""
    raw = spoiled((MAPPINGS / "databento" / "trades.yaml").read_bytes(), size=rule)
    with pytest.raises(BadRules, match=r"cannot be read backwards: no column holds size as on"):
        Inverse(parse_mapping(raw, name="my.yaml", schema=Schema.TRADES), Schema.TRADES)
