"""`hdi rules diff`: what changed files would do to stored payloads, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestor.settings import Settings
from ingestor.simulator.server import Gateway
from tests.acceptance.commands import Said, ask, here, ledger_rows
from tests.conftest import Place
from tests.gateways import gateway
from tests.workshops import TWO_DAYS, Workshop, rule, workshop

__all__ = ["gateway", "here", "workshop"]
pytestmark = [pytest.mark.timescaledb, pytest.mark.redis]

COUNT = "SELECT count(*) FROM trades_data WHERE {}"


@pytest.fixture
def bought(workshop: Workshop) -> str:
    said = workshop.done(*TWO_DAYS, "--max-cost", "20", "--name", "march")
    assert said.json["records"]["stored"] == 200
    return str(said.json["job_id"])


def diff(workshop: Workshop, new: Path, *arguments: object) -> Said:
    said = workshop.hdi("rules", "diff", "--new", new, "--json", *arguments)
    assert said.code == 0, said.err
    return said


def counted(workshop: Workshop, condition: str) -> int:
    return int(workshop.fetch(COUNT.format(condition))[0][0])


def test_it_says_what_a_replay_would_do_and_does_nothing(
    workshop: Workshop, bought: str, place: Place, gateway: Gateway
) -> None:
    """Refusals, flags and values, counted as the replay then counts them."""
    workshop.rules(rule("odd", "size != 1", "flag"))
    new = workshop.copy("new")
    workshop.rules(rule("large", "size < 3"), rule("late", "sequence < 5", "flag"), configs=new)
    workshop.column("flags", "{op: integer, field: depth}", configs=new)
    before, calls = ask(place, ledger_rows), len(gateway.requests())
    said = diff(workshop, new, "--job", "march")
    found = said.json
    large = counted(workshop, "size >= 3")
    kept = counted(workshop, "size < 3 AND flags <> depth")
    assert found["rules"]["large"]["newly_refused"] == large
    assert found["rules"]["odd"]["no_longer_flagged"] == counted(workshop, "size = 1")
    assert found["rules"]["late"]["newly_flagged"] == counted(
        workshop, "size < 3 AND sequence >= 5"
    )
    assert found["columns"] == {"flags": kept}
    assert (found["records"], found["compared"], found["skipped"]) == (200, 2, [])
    assert (ask(place, ledger_rows), len(gateway.requests())) == (before, calls)
    for name in ("validation/trades_data.yaml", "mappings/databento/trades.yaml"):
        (workshop.configs / name).write_bytes((new / name).read_bytes())
    job_id, records = workshop.replayed("march")
    assert records["quarantined"] == large
    assert sum(each["corrected"] for each in workshop.receipts(job_id)) == kept


def test_examples_name_the_record_and_what_it_held(workshop: Workshop, bought: str) -> None:
    new = workshop.copy("new")
    workshop.rules(rule("large", "size < 3"), configs=new)
    workshop.column("flags", "{op: integer, field: depth}", configs=new)
    examples = diff(workshop, new, "--examples", "2").json["examples"]
    assert [each["by"] for each in examples] == ["large", "large", "flags", "flags"]
    for each in examples:
        sequence_of = (
            "SELECT count(*) FROM trades_data WHERE instrument_id = $1"
            " AND ts_recv = $2::TEXT::TIMESTAMPTZ"
        )
        microsecond = each["time"][:26]
        assert workshop.fetch(sequence_of, each["instrument_id"], microsecond)[0][0] >= 1
        assert each["symbol"] in ("ESM4", "NQM4")
        assert each["payload"].startswith("vault:payloads/")
    assert int(examples[0]["values"]["size"][0]) >= 3
    assert examples[2]["values"]["flags"][1] == 0
    assert diff(workshop, new, "--examples", "0").json["examples"] == []


def test_the_same_files_change_nothing(workshop: Workshop, bought: str) -> None:
    said = workshop.hdi("rules", "diff", "--new", workshop.copy("new"))
    assert said.code == 0
    assert said.out.strip() == "0 of 200 records in 2 payloads would change"


def test_records_that_are_refused_come_back_and_change_their_reason(
    workshop: Workshop, gateway: Gateway
) -> None:
    """What is in quarantine is in the payload, too."""
    workshop.rules(rule("large", "size < 3"), rule("small", "size > 1"))
    workshop.done(*TWO_DAYS, "--max-cost", "20")
    new = workshop.copy("new")
    workshop.rules(rule("tiny", "size > 1"), configs=new)
    found = diff(workshop, new).json["rules"]
    refused = dict(workshop.fetch("SELECT rule, count(*) FROM ingest.quarantine GROUP BY rule"))
    assert found["large"]["newly_accepted"] == refused["large"]
    assert found["tiny"]["refused_by_it_instead"] == refused["small"]
    assert found["tiny"]["newly_refused"] == 0


def test_a_chunk_that_would_fail_is_told(workshop: Workshop, bought: str) -> None:
    """More refusals than the limit; they are counted all the same."""
    new = workshop.copy("new")
    path = new / "validation" / "trades_data.yaml"
    workshop.rules(rule("never", "size < 0"), configs=new)
    path.write_text(path.read_text().replace("100000, share: 1", "5, share: 0"))
    found = diff(workshop, new).json
    assert found["rules"]["never"]["newly_refused"] == 200
    assert [each["side"] for each in found["stopped"]] == ["new", "new"]
    assert "never" in found["stopped"][0]["reason"]


def test_payloads_that_are_gone_are_named_and_left_out(
    workshop: Workshop, bought: str, settings: Settings
) -> None:
    """It fails only where none is left."""
    new = workshop.copy("new")
    workshop.rules(rule("large", "size < 3"), configs=new)
    kept = sorted((settings.home / "vault").glob("payloads/*/*.dbn.zst"))
    kept[0].unlink()
    said = diff(workshop, new)
    assert (said.json["records"], len(said.json["skipped"])) == (100, 1)
    assert "is left out" in said.err
    kept[1].unlink()
    refused = workshop.hdi("rules", "diff", "--new", new)
    assert refused.code == 1
    assert "none of 2 payloads can be read" in refused.err


def test_a_wrong_file_is_told_before_anything_is_read(workshop: Workshop, bought: str) -> None:
    """With line and key; and so is a column that no record on the wire has."""
    new = workshop.copy("new")
    workshop.rules(rule("large", "sise < 3"), configs=new)
    refused = workshop.hdi("rules", "diff", "--new", new)
    assert refused.code == 1
    assert "trades_data.yaml" in refused.err
    assert "sise" in refused.err
    workshop.rules(configs=new)
    workshop.column("flags", "{op: integer, field: flogs}", configs=new)
    refused = workshop.hdi("rules", "diff", "--new", new)
    assert refused.code == 1
    assert "flogs" in refused.err


def test_undecided_records_are_counted_on_both_sides(workshop: Workshop, bought: str) -> None:
    """No definition says what the instruments are."""
    new = workshop.copy("new")
    workshop.rules(rule("class", "size < 3", "flag", when="{instrument_class: [F]}"), configs=new)
    found = diff(workshop, new).json["rules"]["class"]
    assert (found["undecided_old"], found["undecided_new"]) == (0, counted(workshop, "size >= 3"))


BARS = """\
schema: ohlcv-1m
table: ohlcv_1m_data
columns:
  ts_event: {op: time, field: Time, format: "%Y-%m-%d %H:%M", zone: UTC}
  instrument_id: {op: symbol_id, field: Ticker}
  publisher_id: {op: constant, value: 60009}
  open_price: {op: decimal_price, field: Price}
  high_price: {op: decimal_price, field: Price}
  low_price: {op: decimal_price, field: Price}
  close_price: {op: decimal_price, field: Price}
  volume: {op: number, field: Volume}
  trade_count: {op: undefined}
  vwap: {op: undefined}
  granularity: {op: constant, value: 1m}
  data_source: {op: constant, value: "csv:TEST"}
"""
LINES = """\
Time,Ticker,Price,Volume
2024-03-11 10:00,AB,1.5,10
2024-03-11 10:01,AB,many,20
2024-03-11 10:02,AB,2.5,30
"""


def test_files_of_text_are_read_by_each_side_s_own_mapping(
    workshop: Workshop, tmp_path: Path
) -> None:
    """Prices of another scale, times of another zone: by place in the file, whatever the key."""
    folder = workshop.configs / "mappings" / "csv-files" / "TEST.BARS"
    folder.mkdir(parents=True)
    (folder / "ohlcv-1m.yaml").write_text(BARS)
    workshop.rules(table="ohlcv_1m_data")
    (tmp_path / "bars.csv").write_text(LINES)
    said = workshop.done(
        "--source", "csv-files", "--path", tmp_path / "bars.csv", "--dataset", "TEST.BARS",
        "--schema", "ohlcv-1m",
    )  # fmt: skip
    assert said.json["records"]["quarantined"] == 1, said.err
    new = workshop.copy("new")
    changed = BARS.replace("zone: UTC", "zone: Europe/Berlin").replace(
        "close_price: {op: decimal_price, field: Price}",
        "close_price: {op: decimal_price, field: Price, scale: 0.01}",
    )
    (new / "mappings" / "csv-files" / "TEST.BARS" / "ohlcv-1m.yaml").write_text(changed)
    found = diff(workshop, new, "--examples", "1").json
    assert (found["records"], found["columns"]) == (3, {"ts_event": 2, "close_price": 2})
    shown = {each["by"]: each["values"][each["by"]] for each in found["examples"]}
    assert shown == {
        "ts_event": ["2024-03-11T10:00:00.000000000Z", "2024-03-11T09:00:00.000000000Z"],
        "close_price": ["1.5", "0.015"],
    }
    far = BARS.replace("%Y-%m-%d %H:%M", "%Y-%d-%m %H:%M")
    (new / "mappings" / "csv-files" / "TEST.BARS" / "ohlcv-1m.yaml").write_text(far)
    found = diff(workshop, new).json
    assert (found["compared"], [each["side"] for each in found["stopped"]]) == (0, ["new"])


def test_payloads_without_a_mapping_on_one_side_are_named_and_left_out(
    workshop: Workshop, bought: str, tmp_path: Path
) -> None:
    """It fails only where none is left."""
    new = workshop.copy("new")
    folder = workshop.configs / "mappings" / "csv-files" / "TEST.BARS"
    folder.mkdir(parents=True)
    (folder / "ohlcv-1m.yaml").write_text(BARS)
    workshop.rules(table="ohlcv_1m_data")
    (tmp_path / "bars.csv").write_text(LINES)
    workshop.done(
        "--source", "csv-files", "--path", tmp_path / "bars.csv", "--dataset", "TEST.BARS",
        "--schema", "ohlcv-1m", "--name", "bars",
    )  # fmt: skip
    said = diff(workshop, new)
    assert (said.json["chunks"], said.json["compared"], said.json["records"]) == (3, 2, 200)
    [skipped] = said.json["skipped"]
    missing = new / "mappings" / "csv-files" / "TEST.BARS" / "ohlcv-1m.yaml"
    assert skipped["reason"] == f"mapping file {missing} is missing"
    assert skipped["payload"].endswith("bars.csv")
    assert "is left out: mapping file" in said.err
    refused = workshop.hdi("rules", "diff", "--new", new, "--job", "bars")
    assert refused.code == 1
    assert "none of 1 payloads can be compared" in refused.err
