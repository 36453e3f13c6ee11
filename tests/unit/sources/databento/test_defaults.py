"""The shipped sizes of chunks fit the tables; a file that is wrong says where, and what may be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ingestor.errors import BadJob, BadSettings
from ingestor.model import STORED, table_of
from ingestor.plan import MAX_DAYS, Rules, fitting
from ingestor.settings.forms import shipped_config_dir
from ingestor.sources.databento.defaults import FILE, Defaults, load_defaults
from ingestor.vocabulary import MAX_SYMBOLS, Schema


@pytest.fixture
def shipped() -> Defaults:
    return load_defaults(shipped_config_dir())


def written(folder: Path, text: str) -> Path:
    (folder / FILE).parent.mkdir(exist_ok=True)
    (folder / FILE).write_text(text, encoding="utf-8")
    return folder


def shipped_tree() -> dict[str, Any]:
    return yaml.safe_load((shipped_config_dir() / FILE).read_text(encoding="utf-8"))


def changed(folder: Path, schema: str, sizes: dict[Any, Any] | None = None, **more: Any) -> Path:
    """The shipped file, with other sizes of one schema; None takes a key away."""
    tree = shipped_tree()
    whole = tree["schemas"].setdefault(schema, {}) | (sizes or {}) | more
    tree["schemas"][schema] = {key: size for key, size in whole.items() if size is not None}
    return written(folder, yaml.safe_dump(tree))


@pytest.mark.parametrize("all_symbols", [True, False])
@pytest.mark.parametrize("schema", STORED)
def test_shipped_sizes_touch_no_more_hypertable_chunks_than_are_allowed(
    shipped, schema, all_symbols
):
    rules = shipped.rules(schema, all_symbols=all_symbols)
    assert fitting(rules, table_of(schema), most=64) == (rules, ())


@pytest.mark.parametrize("all_symbols", [True, False])
@pytest.mark.parametrize("schema", STORED)
def test_shipped_grids_lie_on_the_hypertables_own(shipped, schema, all_symbols):
    """Whole intervals, or whole parts of one: two loads seldom meet in one."""
    days = shipped.rules(schema, all_symbols=all_symbols).days
    interval = table_of(schema).interval_days
    assert days % interval == 0 or interval % days == 0


def test_all_symbols_have_a_narrower_grid(shipped):
    named = shipped.rules(Schema.OHLCV_1D, all_symbols=False)
    every = shipped.rules(Schema.OHLCV_1D, all_symbols=True)
    assert every.days == shipped.schemas[Schema.OHLCV_1D].all_symbols_days < named.days


@pytest.mark.parametrize("all_symbols", [True, False])
def test_what_a_job_says_goes_before_the_file(shipped, all_symbols):
    assert shipped.rules(Schema.TRADES, all_symbols=all_symbols, chunk_days=3).days == 3
    assert shipped.rules(Schema.TRADES, all_symbols=False, chunk_days=3, chunk_symbols=7) == Rules(
        3, 7
    )


def test_all_symbols_are_not_split_by_symbols(shipped):
    with pytest.raises(BadJob, match="ALL_SYMBOLS cannot be split into chunks of 7 symbols"):
        shipped.rules(Schema.TRADES, all_symbols=True, chunk_symbols=7)


@pytest.mark.parametrize("given", [{"chunk_days": 0}, {"chunk_symbols": MAX_SYMBOLS + 1}])
def test_a_job_cannot_ask_for_impossible_sizes(shipped, given):
    with pytest.raises(BadJob, match="is impossible"):
        shipped.rules(Schema.TRADES, all_symbols=False, **given)


def test_the_file_decides(tmp_path):
    folder = changed(tmp_path, "trades", chunk_days=2, chunk_symbols=3, all_symbols_days=4)
    defaults = load_defaults(folder)
    assert defaults.rules(Schema.TRADES, all_symbols=False) == Rules(2, 3)
    assert defaults.rules(Schema.TRADES, all_symbols=True).days == 4


@pytest.mark.parametrize("found", [0, -1, MAX_DAYS + 1, 1.5, True, "7", "yes", [1]])
@pytest.mark.parametrize("key", ["chunk_days", "all_symbols_days"])
def test_days_out_of_bounds_name_file_key_and_what_may_be(tmp_path, key, found):
    with pytest.raises(BadSettings) as refused:
        load_defaults(changed(tmp_path, "ohlcv-1h", **{key: found}))
    message = refused.value.message
    assert message.startswith(f"{tmp_path / FILE}: schemas.ohlcv-1h.{key} is {str(found)!r}; ")
    assert message.endswith(f"allowed: a whole number from 1 to {MAX_DAYS}")


def test_more_symbols_than_a_request_may_have_are_refused(tmp_path):
    with pytest.raises(BadSettings, match=r"trades\.chunk_symbols is '2001'; .* from 1 to 2000"):
        load_defaults(changed(tmp_path, "trades", chunk_symbols=2001))


def test_a_missing_size_is_named(tmp_path):
    with pytest.raises(BadSettings, match=r"schemas\.trades\.chunk_days is missing; allowed: a wh"):
        load_defaults(changed(tmp_path, "trades", chunk_days=None))


@pytest.mark.parametrize("key", ["chunk_day", 7])
def test_an_unknown_size_is_refused_with_the_known_ones(tmp_path, key):
    with pytest.raises(BadSettings) as refused:
        load_defaults(changed(tmp_path, "trades", {key: 7}))
    assert refused.value.message.endswith(
        f"schemas.trades.{key} is unknown; allowed: chunk_days, chunk_symbols, all_symbols_days"
    )


def test_an_unknown_schema_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(BadSettings) as refused:
        load_defaults(changed(tmp_path, "trade", chunk_days=1, chunk_symbols=1, all_symbols_days=1))
    assert f"schemas.trade is unknown; allowed: {', '.join(Schema)}" in refused.value.message


@pytest.mark.parametrize("schema", STORED)
def test_a_schema_that_is_not_named_is_cut_as_others_are(tmp_path, schema):
    """A new schema needs no line in the file."""
    tree = shipped_tree()
    tree["schemas"].pop(str(schema), None)
    tree["others"] = {"chunk_days": 2, "chunk_symbols": 3, "all_symbols_days": 4}
    defaults = load_defaults(written(tmp_path, yaml.safe_dump(tree)))
    assert defaults.rules(schema, all_symbols=False) == Rules(2, 3)
    assert defaults.rules(schema, all_symbols=True).days == 4


def test_no_schema_need_be_named(tmp_path):
    tree = {"schemas": {}, "others": shipped_tree()["others"]}
    defaults = load_defaults(written(tmp_path, yaml.safe_dump(tree)))
    assert defaults.rules(Schema.TRADES, all_symbols=False) == Rules(1, 50)


def test_a_size_of_the_others_that_is_missing_or_impossible_is_named(tmp_path):
    tree = shipped_tree()
    tree["others"] = {"chunk_days": 0, "chunk_symbols": 1}
    with pytest.raises(BadSettings) as refused:
        load_defaults(written(tmp_path, yaml.safe_dump(tree)))
    assert "others.chunk_days is '0'; allowed: a whole number from 1" in refused.value.message
    assert "others.all_symbols_days is missing; allowed: a whole" in refused.value.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must hold the keys schemas and others, found a NoneType"),
        ("- 1\n", "must hold the keys schemas and others, found a list"),
        ("extra: 1\n", "extra is unknown; allowed: schemas, others"),
        ("{}\n", "schemas is missing"),
        ("schemas: {}\n", "others is missing; allowed: chunk_days, chunk_symbols"),
        ("others: 3\n", "others is '3'; allowed: chunk_days"),
        ("schemas: 3\n", "schemas is '3'; allowed: ohlcv-1s"),
        ("schemas: {trades: 3}\n", "schemas.trades is '3'; allowed: chunk_days"),
        ("schemas: [\n", "is not valid YAML at line 2"),
    ],
)
def test_a_file_of_another_shape_is_refused(tmp_path, text, said):
    with pytest.raises(BadSettings) as refused:
        load_defaults(written(tmp_path, text))
    assert str(tmp_path / FILE) in refused.value.message
    assert said in refused.value.message


def test_a_missing_file_is_named(tmp_path):
    """A configuration folder of one's own may be older than the source."""
    with pytest.raises(BadSettings, match="cannot be read: No such file") as refused:
        load_defaults(tmp_path)
    assert "copy the one that came with HDI" in refused.value.hint


def test_a_file_that_is_no_text_is_refused(tmp_path):
    written(tmp_path, "")
    (tmp_path / FILE).write_bytes(b"\xff\xfe\xff")
    with pytest.raises(BadSettings, match="no UTF-8 text"):
        load_defaults(tmp_path)
