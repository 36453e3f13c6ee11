"""What a quarantined record holds, field by field, read from nothing but its bytes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ingestor.dbn import layout
from ingestor.errors import CorruptPayload
from ingestor.insights.explanation import Explained, broken_rules, decoded, explain
from ingestor.model import STORED, table_of
from ingestor.model.frame import Frame
from ingestor.settings import config_dir
from ingestor.sources.dbn_files import DbnFiles
from ingestor.transform import load_mapping
from ingestor.validate import judge
from ingestor.vocabulary import Schema

SHIPPED = config_dir() / "mappings" / "databento"


def told(schema: Schema, version: int = 3, **values: Any) -> dict[str, Explained]:
    """The explanation of a record of zeros with these fields, by column."""
    record = np.zeros(1, layout(schema, version))
    for name, value in values.items():
        record[name] = value
    return by_name(explained(record.tobytes(), schema))


def explained(raw: bytes, schema: Schema) -> tuple[Explained, ...]:
    """Of nothing but its bytes."""
    return explain(decoded(DbnFiles(), raw, schema), schema, load_mapping(SHIPPED, schema))


def by_name(found: tuple[Explained, ...]) -> dict[str, Explained]:
    return {each.name: each for each in found}


def test_every_column_is_told_with_what_was_delivered_and_what_would_be_stored() -> None:
    """Numbers, prices, characters and nulls of a trade whose ts_recv is undefined."""
    found = told(
        Schema.TRADES, ts_recv=2**64 - 1, price=-5_200_250_000_000, size=2**32 - 1, action=b"T"
    )

    assert found["price"] == Explained("price", "-5200250000000", Decimal("-5200.250000000"), ())
    assert found["size"] == Explained("size", "4294967295", None, ())
    assert found["action"] == Explained("action", "T", "T", ())
    assert found["side"] == Explained("side", "", None, ())
    assert found["ts_recv"] == Explained(
        "ts_recv", "18446744073709551615", None,
        ("ts_recv is undefined, and the key needs it",), is_time=True,
    )  # fmt: skip
    assert [name for name, each in found.items() if each.reasons] == ["ts_recv"]


def test_values_are_shown_as_people_read_them() -> None:
    """Times with nine digits of a second, prices with all their digits, nothing for null."""
    found = told(Schema.TRADES, ts_event=1, ts_recv=2**64 - 1, price=10, sequence=7)

    assert found["ts_event"].shown == "1970-01-01T00:00:00.000000001Z"
    assert (found["price"].shown, found["sequence"].shown) == ("0.000000010", "7")
    assert (found["ts_recv"].shown, found["side"].shown) == (None, None)


def test_a_column_that_could_not_be_read_is_at_fault_itself_not_for_what_it_holds() -> None:
    """Its frame value is anything, so no other check is told of it."""
    table = table_of(Schema.TRADES)
    frame = {column.name: np.zeros(1, column.kind.frame)[0] for column in table.frame_columns}
    frame["action"] = np.uint8(200)

    assert broken_rules(table, frame) == {"action": ["action.range"]}
    assert broken_rules(table, frame, frozenset({"action"})) == {"action": ["action.unread"]}


def test_text_that_cannot_be_stored_is_shown_all_the_same() -> None:
    """Bytes that are no text as escapes, and where there is a NUL."""
    found = told(Schema.DEFINITION, raw_symbol=b"ES\xffM4", asset=b"E\0S", group=b" ES ")

    assert found["raw_symbol"].wire == "ES\\xffM4"
    assert found["asset"].wire == "E\\x00S"
    assert "asset is no UTF-8 text up to its first NUL" in found["asset"].reasons[0]
    assert found["security_group"] == Explained("security_group", " ES ", " ES ", ())


@pytest.mark.parametrize("version", [1, 2, 3])
def test_the_length_of_a_definition_tells_its_version(version: int) -> None:
    """A field that the version lacks was not delivered."""
    found = told(Schema.DEFINITION, version, ts_recv=2**64 - 1, raw_symbol=b"ESM4")

    assert found["raw_symbol"].stored == "ESM4"
    assert (found["leg_count"].wire is None) == (version < 3)
    assert (found["trading_reference_price"].wire is None) == (version == 3)


def test_what_no_version_has_is_refused() -> None:
    """Which lengths there are is told."""
    with pytest.raises(CorruptPayload, match="of 47 bytes is none of trades; those have 48 bytes"):
        decoded(DbnFiles(), bytes(47), Schema.TRADES)
    with pytest.raises(CorruptPayload, match="those have 520, 400, 360 bytes"):
        decoded(DbnFiles(), bytes(521), Schema.DEFINITION)


@pytest.mark.parametrize(
    ("schema", "version"), [(schema, version) for schema in STORED for version in (1, 2, 3)]
)
@settings(
    max_examples=6, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
@given(seed=st.integers(0, 2**32 - 1), data=st.data())
def test_a_record_has_a_reason_exactly_if_it_is_rejected(
    schema: Schema, version: int, seed: int, data: st.DataObject
) -> None:
    """Any bytes of any version; the rule in quarantine is among the reasons."""
    dtype, mapping = layout(schema, version), load_mapping(SHIPPED, schema)
    random = np.random.default_rng(seed)
    records = np.frombuffer(random.bytes(dtype.itemsize * 8), dtype).copy()
    # Random bytes are hardly ever a good record: some fields are blanked, in some records all.
    for name in data.draw(st.sets(st.sampled_from(dtype.names or ()))):
        records[name][4:] = np.zeros(1, dtype)[name]
    records[6:] = np.zeros(1, dtype)
    columns, count = mapping.columns(records), len(records)
    verdict = judge(
        Frame(mapping.table, columns, records, np.arange(count, dtype=np.uint64),
              np.zeros(count, np.int16))
    )  # fmt: skip
    reasons = {
        at: [reason for each in explained(record.tobytes(), schema) for reason in each.reasons]
        for at, record in enumerate(records)
    }
    rejected = verdict.rejected
    places = rejected.frame.position.tolist()

    assert [at for at in reasons if reasons[at]] == places
    assert all(
        rejected.rules[broken].reason in reasons[at]
        for at, broken in zip(places, rejected.rule.tolist(), strict=True)
    )
