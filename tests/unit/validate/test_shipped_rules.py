"""The shipped rules withhold nothing that a venue can legally publish, and tell what is odd."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingestor.model import STORED, Table, table_of
from ingestor.model.frame import Frame
from ingestor.model.kind import INT64_MAX, UINT64_MAX
from ingestor.model.references import Facts, Known, References
from ingestor.model.verdict import Verdict
from ingestor.settings import config_dir
from ingestor.sources.dbn_stream import DbnStream
from ingestor.transform import load_mapping
from ingestor.validate import judge, load_rulebook
from ingestor.vocabulary import Schema
from tests.unit.validate.frames import frame, good

UNDEFINED_SIZE = 2**32 - 1
NOON = 19_793 * 86_400 * 10**9 + 43_200 * 10**9
MINUTE = 60 * 10**9
TRADE: dict[str, Any] = {
    "ts_event": NOON, "ts_recv": NOON + 1_000_000, "instrument_id": 1, "price": 5_000 * 10**9,
    "size": 1, "action": ord("T"), "side": ord("N"),
}  # fmt: skip
CLEARED = {"action": ord("R"), "price": INT64_MAX, "size": 0,
           "bid_px_00": INT64_MAX, "ask_px_00": INT64_MAX}  # fmt: skip
BAR: dict[str, Any] = {
    "ts_event": NOON, "instrument_id": 1, "open_price": 2, "high_price": 4, "low_price": 1,
    "close_price": 3, "volume": 0,
}  # fmt: skip
BOOK_EVENTS = (Schema.TRADES, Schema.TBBO, Schema.MBP_1)
QUOTES = (Schema.TBBO, Schema.MBP_1)
BARS = (Schema.OHLCV_1S, Schema.OHLCV_1M, Schema.OHLCV_1H, Schema.OHLCV_1D)
ODD_BELOW_ZERO = "BCIKPX"
FINE_BELOW_ZERO = "FMSTY"


def verdict(schema: Schema, change: dict[str, Any], class_: str = "") -> Verdict:
    """Of one record that is right but for `change`, of an instrument of a class."""
    table = table_of(schema)
    row = {**good(table), **(BAR if schema in BARS else TRADE), **change}
    of_class = [(1, 0, 99_999, class_)] if class_ else []
    facts = Facts("GLBX.MDP3", References(instrument_class=Known.of(of_class)))
    made = frame(table, [{c.name: row[c.name] for c in table.frame_columns}])
    return judge(made, load_rulebook(config_dir() / "validation", table), facts)


def refused(found: Verdict) -> list[str]:
    return list(found.rejected.counts)


def flagged(found: Verdict) -> list[str]:
    assert not len(found.rejected)
    return list(found.flagged.counts)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"high_price": 0, "low_price": 1}, "high-not-below-low"),
        ({"open_price": 5}, "open-within-bar"),
        ({"open_price": 0}, "open-within-bar"),
        ({"close_price": 5}, "close-within-bar"),
        ({"close_price": 0}, "close-within-bar"),
        ({"high_price": INT64_MAX, "close_price": 0}, "close-within-bar"),
        ({"volume": 2**64 - 1}, "volume.range"),
    ],
)
def test_a_bar_that_contradicts_itself_is_quarantined(change: dict[str, Any], rule: str) -> None:
    for schema in BARS:
        assert refused(verdict(schema, change)) == [rule]


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"open_price": INT64_MAX, "close_price": INT64_MAX},
        dict.fromkeys(("open_price", "high_price", "low_price", "close_price"), INT64_MAX),
        dict.fromkeys(("open_price", "high_price", "low_price", "close_price"), -37_630_000_000),
        {"volume": 2**63 - 1},
    ],
)
def test_a_bar_may_be_without_price_below_zero_and_without_volume(change: dict[str, Any]) -> None:
    for schema in BARS:
        assert flagged(verdict(schema, change, "F")) == []


@pytest.mark.parametrize("schema", BOOK_EVENTS)
@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"price": INT64_MAX}, "price-defined"),
        ({"size": 0}, "size-above-zero"),
        ({"action": ord("X")}, "action-known"),
        ({"action": 0}, "action-known"),
        ({"side": ord("S")}, "side-known"),
        ({"side": 0}, "side-known"),
    ],
)
def test_a_trade_of_nothing_or_of_no_known_sort_is_quarantined(
    schema: Schema, change: dict[str, Any], rule: str
) -> None:
    assert refused(verdict(schema, change)) == [rule]


@pytest.mark.parametrize("schema", BOOK_EVENTS)
def test_every_action_and_side_of_dbn_is_taken(schema: Schema) -> None:
    """As the provider's own library names them."""
    import databento_dbn

    actions = [ord(str(each.value)) for each in databento_dbn.Action.variants()]
    sides = [ord(str(each.value)) for each in databento_dbn.Side.variants()]
    for action, side in product(actions, sides):
        assert flagged(verdict(schema, {"action": action, "side": side})) == []


@pytest.mark.parametrize(
    ("schema", "change"),
    [
        (Schema.MBP_1, CLEARED),
        (Schema.MBP_1, CLEARED | {"action": ord("A"), "side": ord("B")}),
        (Schema.TBBO, {"bid_px_00": INT64_MAX}),
        (Schema.TBBO, {"ask_px_00": INT64_MAX}),
        (Schema.TRADES, {"size": UNDEFINED_SIZE}),
        (Schema.TRADES, {"price": -37_630_000_000}),
        (Schema.MBP_1, {"action": ord("A"), "price": 0}),
        (Schema.STATISTICS, {"update_action": 2, "price": INT64_MAX, "quantity": INT64_MAX}),
        (Schema.STATISTICS, {"price": -(10**9), "quantity": -1}),
        (Schema.DEFINITION, {"ts_event": 0, "expiration": 5, "activation": UINT64_MAX}),
        (Schema.DEFINITION, {"expiration": UINT64_MAX, "activation": 5}),
    ],
)
def test_what_a_venue_may_publish_is_stored_without_a_flag(
    schema: Schema, change: dict[str, Any]
) -> None:
    """Cleared books, missing quotes, deleted statistics, futures below zero, snapshots of 1970."""
    assert flagged(verdict(schema, change, "F")) == []


@pytest.mark.parametrize("schema", QUOTES)
def test_a_crossed_book_is_flagged_and_a_locked_one_is_not(schema: Schema) -> None:
    crossed = {"bid_px_00": 11, "ask_px_00": 10}
    assert flagged(verdict(schema, crossed)) == ["quotes-not-crossed"]
    assert flagged(verdict(schema, {"bid_px_00": 10, "ask_px_00": 10})) == []
    assert flagged(verdict(schema, {"bid_px_00": 11, "ask_px_00": INT64_MAX})) == []


@pytest.mark.parametrize("price", [0, -(10**9)])
@pytest.mark.parametrize("schema", [*BOOK_EVENTS, *BARS])
def test_a_price_at_or_below_zero_is_odd_where_nobody_pays_to_be_rid_of_it(
    schema: Schema, price: int
) -> None:
    """Not for futures and spreads; undecided where the class is unknown."""
    bars = schema in BARS
    change = dict.fromkeys(("open_price", "low_price"), price) if bars else {"price": price}
    rule = "low-above-zero" if bars else "price-above-zero"

    for class_ in ODD_BELOW_ZERO:
        assert flagged(verdict(schema, change, class_)) == [rule]
    for class_ in FINE_BELOW_ZERO:
        assert flagged(verdict(schema, change, class_)) == []
    unknown = verdict(schema, change)
    assert flagged(unknown) == []
    assert unknown.undecided == {rule: 1}


@pytest.mark.parametrize(
    ("schema", "near", "far"),
    [(schema, 30 * MINUTE - 1, 30 * MINUTE) for schema in BOOK_EVENTS]
    + [(Schema.STATISTICS, 1_440 * MINUTE - 1, 1_440 * MINUTE)],
)
def test_an_event_far_from_its_receipt_is_flagged(schema: Schema, near: int, far: int) -> None:
    """Whichever of the two is earlier."""
    for sign in (1, -1):
        assert flagged(verdict(schema, {"ts_recv": NOON + sign * near})) == []
        assert flagged(verdict(schema, {"ts_recv": NOON + sign * far})) == ["event-near-receipt"]


@pytest.mark.parametrize("schema", BOOK_EVENTS)
def test_a_snapshot_repeats_what_was_sent_long_before(schema: Schema) -> None:
    late = {"ts_recv": NOON + 600 * MINUTE}
    assert flagged(verdict(schema, late | {"flags": 32 | 8})) == []
    assert flagged(verdict(schema, late | {"flags": 8})) == ["event-near-receipt"]


def test_an_instrument_that_expires_before_it_begins_is_flagged() -> None:
    change = {"expiration": 4, "activation": 5}
    assert flagged(verdict(Schema.DEFINITION, change)) == ["expires-after-activation"]
    assert flagged(verdict(Schema.DEFINITION, {"expiration": 5, "activation": 5})) == []


_FOLDER = Path(os.environ.get("HDI_DBN_CORPUS") or ".")
FILES = [
    pytest.param(path, schema, id=f"{path.parent.name}-{schema}")
    for schema in STORED
    for path in sorted(_FOLDER.glob(f"*/test_data.{schema}.dbn.zst"))
] or [pytest.param(_FOLDER, Schema.TRADES, id="none")]


def frames(path: Path, schema: Schema) -> Iterator[Frame]:
    mapping = load_mapping(config_dir() / "mappings" / "databento", schema)
    with DbnStream(path) as stream:
        for records in stream.arrays(1_000):
            made = mapping.columns(records)
            place = np.arange(len(records), dtype=np.uint64)
            yield Frame(mapping.table, made, records, place, np.zeros(len(records), np.int16))


@pytest.mark.corpus
@pytest.mark.parametrize(("path", "schema"), FILES)
def test_every_real_record_is_accepted_without_a_flag(
    corpus: Path, path: Path, schema: Schema
) -> None:
    """Of every stored schema; and nothing is undecided."""
    table: Table = table_of(schema)
    book = load_rulebook(config_dir() / "validation", table)
    for made in frames(path, schema):
        found = judge(made, book, Facts(path.parent.name))
        assert (len(found.rejected), len(found.flagged), dict(found.undecided)) == (0, 0, {})
        assert len(found.accepted) == len(made) > 0
