"""The simulator misbehaves as it is told, and the official client sees what it would see."""

from __future__ import annotations

import datetime as dt
import email.utils
import http.client
import json
import time
from urllib.parse import urlsplit

import databento
import pytest
import requests
import zstandard

from ingestor.errors import BadSettings
from ingestor.simulator.faults import CutFault, Match
from ingestor.simulator.options import SimulatorOptions
from ingestor.simulator.server import running
from tests.golden.clients import KEY, historical

pytestmark = pytest.mark.fast

PER_DAY = 3_000
QUERY = {
    "dataset": "GLBX.MDP3", "start": "2024-03-11", "end": "2024-03-12", "schema": "trades",
    "symbols": ["ESM4", "NQM4"],
}  # fmt: skip
WHOLE = 2 * PER_DAY


@pytest.fixture(scope="module")
def shared():
    with running(SimulatorOptions(per_day=PER_DAY, limits=False)) as gateway:
        yield gateway


@pytest.fixture
def gateway(shared):
    shared.reset()
    return shared


@pytest.fixture
def client(gateway):
    return historical(gateway.url)


def load(client, **changed):
    return client.timeseries.get_range(**{**QUERY, **changed})


def body(gateway, **changed):
    """The bytes of the answer, as they come; None of the client's code."""
    form = {**QUERY, "symbols": "ESM4,NQM4", **changed}
    answer = requests.post(
        f"{gateway.url}/v0/timeseries.get_range", data=form, auth=(KEY, ""), timeout=30
    )
    return answer.content


class TestStatus:
    @pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 422, 429, 500, 503])
    def test_every_status_can_be_answered(self, client, gateway, status):
        gateway.fault("status", status=status, case="x_case", message="in words")
        with pytest.raises(databento.BentoHttpError) as caught:
            load(client)
        assert caught.value.http_status == status
        assert caught.value.json_body["detail"]["status_code"] == status
        assert caught.value.message.startswith("x_case\nin words")
        assert len(load(client).to_ndarray()) == WHOLE

    @pytest.mark.parametrize(
        ("form", "error", "message"),
        [
            ("plain", databento.BentoServerError, "A simulated fault."),
            ("html", databento.BentoServerError, None),
            ("empty", databento.BentoServerError, None),
            ("list", AttributeError, None),
        ],
    )
    def test_every_form_of_body_can_be_answered(self, client, gateway, form, error, message):
        gateway.fault("status", status=500, body=form)
        with pytest.raises(error) as caught:
            load(client)
        assert getattr(caught.value, "message", None) == message

    def test_retry_after_comes_in_seconds_or_as_a_date(self, client, gateway):
        gateway.fault("status", status=429, retry_after=7)
        gateway.fault("status", status=429, retry_after=90, retry_as="date")
        found = []
        for _ in range(2):
            with pytest.raises(databento.BentoClientError) as caught:
                load(client)
            found.append(caught.value.headers["Retry-After"])
        assert found[0] == "7"
        when = email.utils.parsedate_to_datetime(found[1])
        assert 80 < (when - dt.datetime.now(dt.UTC)).total_seconds() <= 90

    @pytest.mark.parametrize(
        ("bound", "case"),
        [("start", "data_start_after_available_end"), ("end", "data_end_after_available_end")],
    )
    def test_not_yet_is_what_a_day_too_young_answers(self, client, gateway, bound, case):
        gateway.fault("not_yet", bound=bound)
        with pytest.raises(databento.BentoClientError) as caught:
            load(client)
        assert (caught.value.http_status, caught.value.json_body["detail"]["case"]) == (422, case)


class TestConnection:
    def test_a_reset_is_a_connection_error(self, client, gateway):
        gateway.fault("reset")
        with pytest.raises(requests.ConnectionError) as caught:
            load(client)
        # http.client calls a connection that merely closed a reset too, by a subclass.
        assert type(caught.value.args[0].args[1]) is ConnectionResetError
        assert gateway.requests()[-1].status == 0

    def test_a_slow_answer_takes_its_time(self, client, gateway):
        gateway.fault("slow", delay_s=0.3)
        begun = time.monotonic()
        assert len(load(client).to_ndarray()) == WHOLE
        assert time.monotonic() - begun >= 0.3

    def test_a_dripping_body_takes_its_time_and_is_whole(self, client, gateway):
        size = len(body(gateway))
        gateway.fault("slow", bytes_per_s=2 * size)
        begun = time.monotonic()
        assert len(load(client).to_ndarray()) == WHOLE
        assert time.monotonic() - begun >= 0.4

    def test_a_reader_that_waits_too_little_times_out(self, gateway):
        gateway.fault("slow", delay_s=5)
        with pytest.raises(requests.ReadTimeout):
            requests.post(
                f"{gateway.url}/v0/timeseries.get_range", data=QUERY, auth=(KEY, ""), timeout=0.2
            )


class TestCuts:
    @pytest.mark.parametrize("how", ["chunked", "length"])
    def test_an_unclean_cut_is_an_error_to_the_client(self, client, gateway, how, tmp_path):
        """Which leaves the part that had come in its file."""
        gateway.fault("cut", at=20_000, how=how)
        with pytest.raises(databento.BentoError, match="Error streaming response"):
            load(client, path=tmp_path / "a.dbn.zst")
        assert (tmp_path / "a.dbn.zst").stat().st_size <= 20_000

    @pytest.mark.parametrize("how", ["clean", "eof"])
    def test_a_clean_cut_is_none(self, client, gateway, how, tmp_path):
        """The client's most dangerous habit: what came is taken for all there was."""
        whole = body(gateway)
        gateway.fault("cut", at=len(whole) // 2, how=how)
        load(client, path=tmp_path / "a.dbn.zst")
        assert (tmp_path / "a.dbn.zst").read_bytes() == whole[: len(whole) // 2]
        frame = zstandard.ZstdDecompressor().decompressobj()
        frame.decompress(whole[: len(whole) // 2])
        assert not frame.eof

    def test_a_cut_may_be_counted_from_the_end(self, gateway):
        whole = body(gateway)
        gateway.fault(CutFault(at=-1))
        assert body(gateway) == whole[:-1]

    def test_an_answer_that_ends_with_its_connection_is_marked_too(self, gateway):
        gateway.fault("cut", how="eof")
        connection = http.client.HTTPConnection(urlsplit(gateway.url).netloc, timeout=10)
        asked = requests.Request(
            "POST", gateway.url, data={**QUERY, "symbols": "ESM4"}, auth=(KEY, "")
        ).prepare()
        connection.request("POST", "/v0/timeseries.get_range", asked.body, dict(asked.headers))
        answer = connection.getresponse()
        assert not {"Transfer-Encoding", "Content-Length"} & set(answer.headers)
        assert answer.headers["X-HDI-Simulator"]
        assert len(answer.read()) == 1_000
        connection.close()

    @pytest.mark.parametrize("kept", [0, 1, 1_500])
    def test_a_cut_on_a_record_is_sound_in_every_way_but_its_count(self, client, gateway, kept):
        gateway.fault("cut_records", records=kept)
        content = body(gateway)
        frame = zstandard.ZstdDecompressor().decompressobj()
        frame.decompress(content)
        assert frame.eof
        assert len(databento.DBNStore.from_bytes(content).to_ndarray()) == kept
        assert client.metadata.get_record_count(**QUERY) == WHOLE

    def test_one_record_can_be_missing(self, client, gateway):
        gateway.fault("missing_records")
        assert len(load(client).to_ndarray()) == WHOLE - 1

    def test_a_flipped_bit_breaks_the_frame(self, gateway):
        whole = body(gateway)
        gateway.fault("corrupt", at=len(whole) // 2)
        damaged = body(gateway)
        assert len(damaged) == len(whole)
        differing = [a ^ b for a, b in zip(whole, damaged, strict=True) if a != b]
        assert differing == [1]
        with pytest.raises(zstandard.ZstdError):
            zstandard.ZstdDecompressor().decompressobj().decompress(damaged)

    def test_an_empty_body_is_a_value_error(self, client, gateway):
        gateway.fault("empty")
        with pytest.raises(ValueError):
            load(client)


class TestContents:
    def test_a_count_can_be_wrong(self, client, gateway):
        gateway.fault("wrong_count", add=-2)
        assert client.metadata.get_record_count(**QUERY) == WHOLE - 2
        assert client.metadata.get_record_count(**QUERY) == WHOLE

    def test_symbols_can_be_made_not_to_resolve(self, client, gateway):
        gateway.fault("partial")
        found = load(client)
        assert found.metadata.not_found == ["NQM4"]
        assert gateway.requests()[-1].status == 206
        gateway.fault("partial", symbols=["ESM4", "NQM4"])
        with pytest.raises(databento.BentoClientError, match="symbology_invalid_request"):
            load(client)

    def test_a_payload_can_be_of_another_dataset_or_schema(self, client, gateway):
        gateway.fault("mislabelled", dataset="XNAS.ITCH")
        assert load(client).dataset == "XNAS.ITCH"
        gateway.fault("mislabelled", schema="ohlcv-1h")
        found = load(client)
        assert (str(found.schema), len(found.to_ndarray())) == ("ohlcv-1h", 48)

    def test_warnings_are_those_that_were_asked_for(self, client, gateway):
        gateway.fault("warning", warnings=["BentoWarning: mind this"], method="*")
        with pytest.warns(databento.common.error.BentoWarning, match="mind this"):
            client.metadata.list_datasets()

    def test_a_corrected_day_is_another_one_from_then_on(self, client, gateway):
        before = load(client).to_ndarray()
        gateway.fault(
            "corrected", dataset="GLBX.MDP3", day="2024-03-11", seed=5, per_day=100,
            last_modified_date="2024-06-01",
        )  # fmt: skip
        first, second = (load(client).to_ndarray() for _ in range(2))
        assert len(before) != len(first) == client.metadata.get_record_count(**QUERY) == 200
        assert first.tobytes() == second.tobytes()
        (day,) = client.metadata.get_dataset_condition("GLBX.MDP3", "2024-03-11", "2024-03-11")
        assert day["last_modified_date"] == "2024-06-01"
        gateway.reset()
        assert load(client).to_ndarray().tobytes() == before.tobytes()

    def test_faults_hit_what_they_match_only(self, client, gateway):
        gateway.fault("status", match={"symbol": "ESH4"}, count=None)
        assert len(load(client).to_ndarray()) == WHOLE
        with pytest.raises(databento.BentoServerError):
            load(client, symbols=["ESM4", "ESH4"])
        assert gateway.requests()[-1].faults == ("status",)
        gateway.clear_faults()
        assert gateway.waiting_faults() == []

    @pytest.mark.parametrize(
        ("kind", "fields"),
        [
            ("nonsense", {}), ("status", {"colour": 1}), ("mislabelled", {"schema": "mbo"}),
            ("corrected", {"dataset": "ABCD.EFG", "day": "2024-03-11"}),
        ],
    )  # fmt: skip
    def test_faults_that_cannot_be_are_refused(self, gateway, kind, fields):
        with pytest.raises(BadSettings):
            gateway.fault(kind, **fields)
        assert gateway.waiting_faults() == []


class TestControl:
    def call(self, gateway, verb, path, value=None):
        content = None if value is None else json.dumps(value)
        answer = requests.request(verb, f"{gateway.url}/simulator/{path}", data=content, timeout=10)
        return answer.status_code, answer.json()

    def test_faults_are_armed_and_disarmed_while_it_runs(self, client, gateway):
        faults = [{"kind": "status", "count": 2, "match": {"schema": "trades"}}, {"kind": "reset"}]
        assert self.call(gateway, "POST", "faults", faults) == (200, {"armed": 2})
        status, waiting = self.call(gateway, "GET", "faults")
        assert [each["kind"] for each in waiting] == ["status", "reset"]
        assert status == 200
        assert gateway.waiting_faults()[0].match == Match(schema="trades")
        self.call(gateway, "DELETE", "faults")
        assert len(load(client).to_ndarray()) == WHOLE

    def test_bill_and_requests_can_be_read(self, client, gateway):
        load(client)
        _, bill = self.call(gateway, "GET", "bill")
        assert bill == {
            "calls": 1, "records": WHOLE, "bytes": 48 * WHOLE, "usd": pytest.approx(bill["usd"]),
            "lines": [{"dataset": "GLBX.MDP3", "schema": "trades", "calls": 1, "records": WHOLE,
                       "bytes": 48 * WHOLE, "usd": pytest.approx(gateway.bill().usd)}],
        }  # fmt: skip
        _, asked = self.call(gateway, "GET", "requests")
        assert [each["method"] for each in asked] == ["timeseries.get_range"]
        assert KEY not in json.dumps(asked)

    def test_conditions_and_ranges_can_be_set(self, client, gateway):
        self.call(
            gateway, "POST", "conditions",
            [{"dataset": "GLBX.MDP3", "date": "2024-03-12", "condition": "missing"}],
        )  # fmt: skip
        self.call(gateway, "POST", "range", {"dataset": "GLBX.MDP3", "end": "2024-03-13"})
        found = client.metadata.get_dataset_condition("GLBX.MDP3", "2024-03-12", "2024-03-20")
        assert found == [{"date": "2024-03-12", "condition": "missing", "last_modified_date": None}]

    def test_a_reset_forgets_everything(self, client, gateway):
        load(client)
        gateway.available(end="2024-03-12")
        gateway.fault("reset")
        assert self.call(gateway, "POST", "reset")[0] == 200
        assert (gateway.bill().calls, gateway.requests(), gateway.waiting_faults()) == (0, [], [])
        assert len(load(client, end="2024-03-13").to_ndarray()) == 2 * WHOLE

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("faults", [{"kind": "nonsense"}]), ("faults", {"kind": "reset"}),
            ("conditions", [{"dataset": "GLBX.MDP3", "date": "x"}]),
            ("conditions", [{"dataset": "ABCD.EFG", "date": "2024-03-11"}]),
            ("range", {"end": "whenever"}), ("range", {"dataset": "ABCD.EFG"}),
            ("range", {"colour": "red"}),
        ],
    )  # fmt: skip
    def test_what_makes_no_sense_is_refused_with_a_reason(self, gateway, path, value):
        status, answer = self.call(gateway, "POST", path, value)
        assert status == 400
        assert answer["detail"]
        assert answer["hint"]
