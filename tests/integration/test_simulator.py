"""The official client against the simulator: it must not notice a difference."""

from __future__ import annotations

import asyncio
import datetime as dt
import http.client
import warnings
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import databento
import numpy as np
import pytest

from ingestor import __version__
from ingestor.simulator.calendar import number
from ingestor.simulator.made_archive import SERVED, MadeArchive, Terms
from ingestor.simulator.market import DAY, INSTRUMENTS, MONDAY, trades
from ingestor.simulator.options import SimulatorOptions
from ingestor.simulator.server import running
from ingestor.simulator.statistics import UNKNOWN_TYPE
from tests.golden.clients import KEY, historical

pytestmark = pytest.mark.fast

PER_DAY = 60
DAY_11 = {"dataset": "GLBX.MDP3", "start": "2024-03-11", "end": "2024-03-12"}
TRADES = {**DAY_11, "schema": "trades", "symbols": ["ESM4", "NQM4", "ESM4-ESU4"]}
UNDEFINED = 2**63 - 1
OPTION = "AAPL  250221C00250000"


@pytest.fixture(scope="module")
def shared():
    with running(SimulatorOptions(per_day=PER_DAY, limits=False, seed=4)) as gateway:
        yield gateway


@pytest.fixture
def gateway(shared):
    shared.reset()
    return shared


@pytest.fixture
def client(gateway):
    return historical(gateway.url)


class TestRecords:
    def test_the_client_gets_the_records_that_the_seed_makes(self, client):
        found = client.timeseries.get_range(**TRADES).to_ndarray()
        expected = trades(INSTRUMENTS, MONDAY, MONDAY + DAY, seed=4, per_day=PER_DAY)
        assert found.tobytes() == expected.tobytes()

    def test_the_same_request_gets_the_same_records(self, client):
        first, second = (client.timeseries.get_range(**TRADES).to_ndarray() for _ in range(2))
        assert first.tobytes() == second.tobytes()

    @pytest.mark.parametrize("dataset", ["GLBX.MDP3", "XNAS.ITCH", "OPRA.PILLAR"])
    @pytest.mark.parametrize("schema", SERVED)
    def test_the_client_makes_a_frame_of_every_schema(self, client, dataset, schema):
        query = {**DAY_11, "dataset": dataset, "schema": schema}
        frame = client.timeseries.get_range(**query).to_df()
        assert len(frame) == client.metadata.get_record_count(**query) > 0

    def test_the_client_decodes_definitions(self, client):
        frame = client.timeseries.get_range(
            **{**DAY_11, "dataset": "OPRA.PILLAR"}, schema="definition", symbols=OPTION
        ).to_df()
        assert frame["raw_symbol"].tolist() == [OPTION]
        assert frame["strike_price"].tolist() == [250.0]

    def test_the_client_decodes_the_book_around_a_trade(self, client):
        query = {**DAY_11, "schema": "tbbo", "symbols": "ESM4"}
        found = list(client.timeseries.get_range(**query))
        trades_alone = client.timeseries.get_range(**{**query, "schema": "trades"}).to_ndarray()
        assert [each.price for each in found] == trades_alone["price"].tolist()
        assert [each.ts_recv for each in found] == trades_alone["ts_recv"].tolist()
        buys = [each for each in found if str(each.side) == "B"]
        assert {each.levels[0].ask_px for each in buys} <= {UNDEFINED, *(e.price for e in buys)}

    def test_the_client_decodes_statistics_of_known_and_of_unknown_types(self, client):
        query = {**DAY_11, "schema": "statistics", "symbols": "ESM4"}
        found = list(client.timeseries.get_range(**query))
        assert {int(each.stat_type) for each in found} == {1, 3, 4, 5, 6, 9, UNKNOWN_TYPE}
        [settled] = [each for each in found if int(each.stat_type) == 3]
        assert settled.ts_ref == MONDAY - DAY
        assert settled.quantity == UNDEFINED
        assert [int(each.update_action) for each in found].count(2) == 1

    def test_start_is_inclusive_and_end_exclusive_on_the_index_timestamp(self, client):
        times = client.timeseries.get_range(**TRADES).to_ndarray()["ts_recv"]
        first, last = int(times[5]), int(times[50])
        bounds = {"start": first, "end": last}
        found = client.timeseries.get_range(**{**TRADES, **bounds}).to_ndarray()
        inside = (times >= first) & (times < last)
        assert (
            len(found) == inside.sum() == client.metadata.get_record_count(**{**TRADES, **bounds})
        )

    def test_a_limit_is_kept_and_named(self, client):
        found = client.timeseries.get_range(**TRADES, limit=7)
        assert (len(found.to_ndarray()), found.limit) == (7, 7)
        assert client.metadata.get_record_count(**TRADES, limit=7) == 7

    def test_a_start_alone_means_its_day(self, client):
        found = client.timeseries.get_range(
            "GLBX.MDP3", "2024-03-11", symbols="ESM4", schema="ohlcv-1h"
        )
        assert (found.end - found.start).value == DAY

    def test_the_async_client_is_served_too(self, client):
        found = asyncio.run(client.timeseries.get_range_async(**TRADES))
        assert len(found.to_ndarray()) == 3 * PER_DAY

    def test_a_download_to_a_file_reads_back(self, client, tmp_path):
        client.timeseries.get_range(**TRADES, path=tmp_path / "a.dbn.zst")
        found = databento.DBNStore.from_file(tmp_path / "a.dbn.zst").to_ndarray()
        assert len(found) == 3 * PER_DAY

    def test_a_closed_day_of_all_symbols_has_no_records(self, client):
        weekend = {**DAY_11, "start": "2024-03-09", "end": "2024-03-11"}
        assert len(client.timeseries.get_range(**weekend).to_ndarray()) == 0
        assert client.metadata.get_record_count(**weekend) == 0


class TestSymbols:
    def resolved(self, client, symbols, stype, **query):
        found = client.timeseries.get_range(
            **{**DAY_11, "schema": "ohlcv-1d", **query}, symbols=symbols, stype_in=stype
        )
        return found, set(found.to_ndarray()["instrument_id"].tolist())

    def test_a_raw_symbol_is_mapped_to_its_id(self, client):
        found, ids = self.resolved(client, "ESM4", "raw_symbol")
        assert list(found.mappings) == ["ESM4"]
        assert ids == {17_077}

    def test_a_parent_s_mappings_are_its_members(self, client):
        found, ids = self.resolved(client, ["ES.FUT"], "parent")
        assert {"ESH4", "ESM4", "ESU4", "ESM4-ESU4"} <= set(found.mappings)
        assert {int(each[0]["symbol"]) for each in found.mappings.values()} == ids

    def test_a_continuous_symbol_is_mapped_by_its_own_name(self, client):
        found, ids = self.resolved(client, "ES.c.0", "continuous", end="2024-03-19")
        assert [each["symbol"] for each in found.mappings["ES.c.0"]] == ["17076", "17077"]
        assert ids == {17_076, 17_077}

    def test_ids_and_all_symbols_are_mapped_to_nothing(self, client):
        found, ids = self.resolved(client, [17_077], "instrument_id")
        assert (found.mappings, ids) == ({}, {17_077})
        everything, more = self.resolved(client, None, "raw_symbol")
        assert (everything.mappings, everything.symbols) == ({}, ["ALL_SYMBOLS"])
        assert more > ids

    def test_symbols_with_blanks_are_found(self, client):
        found, ids = self.resolved(client, OPTION, "raw_symbol", dataset="OPRA.PILLAR")
        assert list(found.mappings) == [OPTION]
        assert len(ids) == 1

    def test_what_does_not_resolve_is_told_with_a_206(self, client, gateway):
        found, _ = self.resolved(client, ["ESM4", "ESH4", "NOPE"], "raw_symbol", end="2024-03-20")
        assert (found.metadata.partial, found.metadata.not_found) == (["ESH4"], ["NOPE"])
        assert gateway.requests()[-1].status == 206

    def test_resolve_says_what_a_symbol_is_when(self, client, gateway):
        found = client.symbology.resolve(
            "XNAS.ITCH", ["NVDA", "OLDCO"], "raw_symbol", "instrument_id", "2024-03-11",
            "2024-03-15",
        )  # fmt: skip
        assert [each["d0"] for each in found["result"]["NVDA"]] == [
            "2024-03-11", "2024-03-12", "2024-03-13", "2024-03-14",
        ]  # fmt: skip
        assert (found["partial"], found["status"]) == (["OLDCO"], 1)
        assert gateway.requests()[-1].status == 206
        assert found["result"]["OLDCO"] == [{"d0": "2024-03-11", "d1": "2024-03-13", "s": "9001"}]

    def test_resolve_leads_from_ids_back_to_symbols(self, client):
        found = client.symbology.resolve(
            "XNAS.ITCH", [9001], "instrument_id", "raw_symbol", "2024-03-11", "2024-03-19"
        )
        assert [each["s"] for each in found["result"]["9001"]] == ["OLDCO", "LATER"]

    def test_resolve_of_nothing_known_is_an_answer(self, client):
        found = client.symbology.resolve(
            "GLBX.MDP3", ["NOPE"], "raw_symbol", "instrument_id", "2024-03-11", "2024-03-12"
        )
        assert (found["result"], found["not_found"], found["status"]) == ({}, ["NOPE"], 2)


class TestRefusals:
    @pytest.mark.parametrize(
        ("changed", "case"),
        [
            ({"symbols": "NOPE"}, "symbology_invalid_request"),
            ({"start": "2024-03-09", "end": "2024-03-11"}, "symbology_invalid_request"),
            ({"end": "2026-01-01"}, "data_end_after_available_end"),
            ({"start": "2025-07-01", "end": "2025-07-02"}, "data_start_after_available_end"),
            ({"start": "2023-12-31"}, "data_start_before_available_start"),
            ({"start": "2024-03-12"}, "data_time_range_start_on_or_after_end"),
            ({"symbols": [f"S{place}" for place in range(2_001)]}, "symbology_too_many_symbols"),
            ({"dataset": "ABCD.EFG"}, "invalid_parameter"),
            ({"schema": "mbo"}, "invalid_parameter"),
            ({"stype_in": "isin"}, "invalid_parameter"),
        ],
    )
    @pytest.mark.parametrize("method", ["timeseries.get_range", "metadata.get_record_count"])
    def test_what_cannot_be_served_is_refused_with_its_case(self, client, method, changed, case):
        family, _, name = method.partition(".")
        with pytest.raises(databento.BentoClientError) as caught:
            getattr(getattr(client, family), name)(**{**TRADES, **changed})
        assert caught.value.http_status == 422
        detail = caught.value.json_body["detail"]
        assert (detail["case"], detail["status_code"]) == (case, 422)
        assert set(detail) == {"case", "message", "docs", "status_code", "payload"}

    def test_a_range_s_refusal_names_the_available_end(self, client):
        with pytest.raises(databento.BentoClientError) as caught:
            client.timeseries.get_range(**{**TRADES, "end": "2026-01-01"})
        payload = caught.value.json_body["detail"]["payload"]
        assert payload["available_end"] == "2025-07-01T00:00:00.000000000Z"

    def test_a_refusal_costs_nothing(self, client, gateway):
        with pytest.raises(databento.BentoClientError):
            client.timeseries.get_range(**{**TRADES, "symbols": "NOPE"})
        assert gateway.bill().calls == 0

    @pytest.mark.parametrize("key", ["db-short", "somebodyelse"])
    def test_a_key_of_another_form_is_unauthorised(self, gateway, key):
        with pytest.raises(databento.BentoClientError) as caught:
            historical(gateway.url, key).metadata.list_datasets()
        assert caught.value.http_status == 401

    def test_where_a_key_is_named_no_other_is_accepted(self):
        with running(SimulatorOptions(key="db-" + "k" * 29)) as gateway:
            assert historical(gateway.url, gateway.key).metadata.list_datasets()
            with pytest.raises(databento.BentoClientError, match="401"):
                historical(gateway.url).metadata.list_datasets()

    @pytest.mark.parametrize("path", ["/v0/batch.list_jobs", "/v0/nothing.here", "/elsewhere"])
    def test_every_answer_says_that_it_is_the_simulator_s(self, gateway, path):
        status, headers = raw_get(gateway, path)
        assert status == (404 if path == "/elsewhere" else 401)
        assert headers["X-HDI-Simulator"] == __version__

    def test_symbols_resolve_on_closed_days_if_wanted(self):
        with running(SimulatorOptions(resolve_closed_days=True)) as gateway:
            query = {**TRADES, "start": "2024-03-09", "end": "2024-03-11"}
            assert historical(gateway.url).metadata.get_record_count(**query) == 0


def raw_get(gateway, path):
    connection = http.client.HTTPConnection(urlsplit(gateway.url).netloc, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.headers
    finally:
        connection.close()


class TestBill:
    def test_every_stream_is_billed_and_nothing_else(self, client, gateway):
        price = client.metadata.get_cost(**TRADES)
        size = client.metadata.get_billable_size(**TRADES)
        assert gateway.bill().calls == 0
        for _ in range(2):
            client.timeseries.get_range(**TRADES)
        client.metadata.get_record_count(**TRADES)
        bill = gateway.bill()
        assert (bill.calls, bill.bytes) == (2, 2 * size)
        assert bill.usd == pytest.approx(2 * price)
        assert bill.of("GLBX.MDP3", "trades").records == 6 * PER_DAY

    def test_cost_is_size_by_the_unit_price_of_the_streaming_mode(self, client):
        prices = {
            each["mode"]: each["unit_prices"]
            for each in client.metadata.list_unit_prices("GLBX.MDP3")
        }
        size = client.metadata.get_billable_size(**TRADES)
        assert size == 3 * PER_DAY * 48
        expected = size / 2**30 * prices["historical-streaming"]["trades"]
        assert client.metadata.get_cost(**TRADES) == pytest.approx(expected)


class TestMetadata:
    def test_a_range_can_be_told_and_moved(self, client, gateway):
        gateway.available(end="2024-03-12T00:00:00Z", dataset="GLBX.MDP3")
        found = client.metadata.get_dataset_range("GLBX.MDP3")
        assert found["end"] == found["schema"]["trades"]["end"] == "2024-03-12T00:00:00.000000000Z"
        assert len(client.timeseries.get_range(**TRADES).to_ndarray())
        with pytest.raises(databento.BentoClientError, match="data_end_after_available_end"):
            client.timeseries.get_range(**{**TRADES, "end": "2024-03-13"})

    def test_a_pending_day_has_no_records_until_it_is_there(self, client, gateway):
        gateway.condition("GLBX.MDP3", "2024-03-12", "pending")
        query = {**TRADES, "end": "2024-03-14"}
        assert client.metadata.get_record_count(**query) == 2 * 3 * PER_DAY
        with pytest.warns(databento.common.error.BentoWarning, match=r"2024-03-12 \(pending\)"):
            found = client.timeseries.get_range(**query).to_ndarray()
        assert number(dt.date(2024, 3, 12)) not in set((found["ts_recv"] // DAY).tolist())
        gateway.condition("GLBX.MDP3", "2024-03-12", "available")
        assert client.metadata.get_record_count(**query) == 3 * 3 * PER_DAY

    def test_a_degraded_day_is_delivered_with_a_warning(self, client, gateway):
        gateway.condition("GLBX.MDP3", "2024-03-11", "degraded")
        with pytest.warns(databento.common.error.BentoWarning, match="reduced quality"):
            found = client.timeseries.get_range(**TRADES)
        assert len(found.to_ndarray()) == 3 * PER_DAY
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            client.timeseries.get_range(**{**TRADES, "start": "2024-03-12", "end": "2024-03-13"})

    def test_publishers_are_those_of_the_client_s_own_list(self, client):
        found = client.metadata.list_publishers()
        assert {each["dataset"] for each in found} == set(client.metadata.list_datasets())
        for each in found:
            known = databento.Publisher.from_int(each["publisher_id"])
            assert (each["venue"], each["description"]) == (known.venue.value, known.description)

    def test_the_log_holds_what_was_asked_and_never_the_key(self, client, gateway):
        client.timeseries.get_range(**TRADES)
        (request,) = gateway.requests("timeseries.get_range")
        assert (request.verb, request.status, request.records) == ("POST", 200, 3 * PER_DAY)
        assert request.fields["symbols"] == "ESM4,NQM4,ESM4-ESU4"
        assert KEY not in str(request)


class TestLimits:
    def test_the_documented_limits_are_enforced(self):
        with running(SimulatorOptions(per_day=1)) as gateway:
            client = historical(gateway.url)

            def ask(_):
                try:
                    return len(client.metadata.list_datasets())
                except databento.BentoClientError as error:
                    return error

            with ThreadPoolExecutor(16) as pool:
                found = list(pool.map(ask, range(60)))
        refused = [each for each in found if isinstance(each, databento.BentoClientError)]
        assert refused
        assert {each.http_status for each in refused} == {429}
        assert {each.headers["Retry-After"] for each in refused} == {"1"}

    def test_many_clients_at_a_time_get_the_same_records(self, gateway):
        def load(_):
            return historical(gateway.url).timeseries.get_range(**TRADES).to_ndarray().tobytes()

        with ThreadPoolExecutor(12) as pool:
            assert len(set(pool.map(load, range(36)))) == 1
        assert gateway.bill().calls == 36


def test_counts_of_many_days_match_their_streams(client):
    """What a quote promises is what a download holds."""
    archive = MadeArchive(
        Terms(4, PER_DAY), number(dt.date(2024, 1, 1)), number(dt.date(2025, 7, 1))
    )
    for schema in archive.schemas("GLBX.MDP3"):
        query = {"dataset": "GLBX.MDP3", "start": "2024-03-08", "end": "2024-04-03"}
        found = client.timeseries.get_range(**query, schema=schema).to_ndarray()
        assert client.metadata.get_record_count(**query, schema=schema) == len(found) > 0
        field = "ts_recv" if "ts_recv" in (found.dtype.names or ()) else "ts_event"
        assert (np.diff(found[field].astype(np.int64)) >= 0).all()
