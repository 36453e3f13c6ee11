"""Wrong mapping files are told plainly: what was found, in which file, under which key."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ingestor.errors import BadRules
from ingestor.settings import config_dir
from ingestor.transform.mapping import load_mapping, parse_mapping
from ingestor.vocabulary import Schema

SHIPPED = config_dir() / "mappings" / "databento"


def spoiled(change: object) -> bytes:
    """The trades mapping with columns replaced, or (None) taken out."""
    file = yaml.safe_load((SHIPPED / "trades.yaml").read_text())
    assert isinstance(change, dict)
    for name, rule in change.items():
        file["columns"][name] = rule
        if rule is None:
            del file["columns"][name]
    return yaml.safe_dump(file).encode()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"price": None}, "no rule for price of trades_data"),
        ({"colour": {"op": "undefined"}}, "trades_data has no column colour"),
        ({"price": {"op": "integer", "field": "price"}}, "op integer cannot make a price"),
        ({"size": {"op": "constant", "value": "1"}}, "op constant cannot make a unsigned 32 bit"),
        ({"sequence": {"op": "undefined"}}, "columns.sequence: op undefined, but it is never null"),
        ({"price": {"op": "guess", "field": "price"}}, "'guess'"),
        ({"price": {"op": "fixed_price"}}, "columns.price.fixed_price.field"),
        ({"action": {"op": "text", "field": "action"}}, "op text cannot make a character"),
        (
            {"sequence": {"op": "integer", "field": "x", "absent": "undefined"}},
            "columns.sequence: absent 'undefined' is no unsigned 32 bit",
        ),
        (
            {"flags": {"op": "integer", "field": "x", "absent": 256}},
            "columns.flags: absent 256 is no unsigned 8 bit",
        ),
        (
            {"side": {"op": "character", "field": "x", "absent": "NN"}},
            "columns.side: absent 'NN' is no character",
        ),
        ({"size": {"op": "integer", "field": "size", "undefined": "minimum"}}, "'maximum'"),
    ],
)
def test_a_wrong_mapping_is_refused_with_file_and_key(change: object, told: str) -> None:
    with pytest.raises(BadRules) as error:
        parse_mapping(spoiled(change), name="my.yaml", schema=Schema.TRADES)
    assert told in error.value.message
    assert error.value.message.startswith("my.yaml")


def test_a_mapping_of_another_schema_is_refused() -> None:
    raw = (SHIPPED / "ohlcv-1m.yaml").read_bytes()
    with pytest.raises(BadRules, match="maps ohlcv-1m to ohlcv_1m_data, not trades to trades_data"):
        parse_mapping(raw, name="x.yaml", schema=Schema.TRADES)


def test_what_is_no_yaml_is_refused() -> None:
    with pytest.raises(BadRules, match="is no YAML"):
        parse_mapping(b"a: [", name="x.yaml", schema=Schema.TRADES)


def test_a_missing_file_is_told_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(BadRules, match="cannot be read: No such file"):
        load_mapping(tmp_path, Schema.TRADES)


def test_the_digest_is_that_of_the_file() -> None:
    raw = (SHIPPED / "trades.yaml").read_bytes()
    changed = parse_mapping(raw + b"# note\n", name="x", schema=Schema.TRADES)
    assert changed.digest != load_mapping(SHIPPED, Schema.TRADES).digest
