"""The wire, held to transcripts that neither the simulator nor the adapter had a hand in."""

from __future__ import annotations

import base64
import datetime as dt
import http.client
import json
from urllib.parse import urlencode, urlsplit

import databento
import pytest
import zstandard

from ingestor.dbn import Header
from ingestor.simulator.dbn_writer import compress_frames, encode_dbn
from ingestor.simulator.market import make_trades
from ingestor.simulator.options import SimulatorOptions
from ingestor.simulator.server import running
from tests.golden.capture import capturing
from tests.golden.clients import KEY, historical
from tests.golden.transcripts import at, load, shape_differences

pytestmark = pytest.mark.fast

TRANSCRIPTS = load()
BY_NAME = {each.name: each for each in TRANSCRIPTS}
RANGE = {"first": dt.date(2020, 12, 1), "past": dt.date(2021, 2, 1)}
DAY_28 = 1_609_113_600_000_000_000
"""2020-12-28."""

GET_RANGE = {
    "dataset": "GLBX.MDP3", "start": "2020-12-28", "end": "2020-12-29", "symbols": "ESH1",
    "schema": "trades", "stype_in": "raw_symbol", "stype_out": "instrument_id",
    "encoding": "dbn", "compression": "zstd",
}  # fmt: skip


def called(client, call):
    family, _, method = call["method"].partition(".")
    return getattr(getattr(client, family), method)(**call["arguments"])


@pytest.fixture(scope="module")
def gateway():
    with running(SimulatorOptions(per_day=50, key=KEY, **RANGE)) as running_gateway:
        yield running_gateway


def asked(url, verb, path, fields, key=KEY):
    """Status, headers and body, without any of the client's code in between."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=30)
    headers = {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}
    target, body = path, None
    if verb == "POST":
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        body = urlencode(fields)
    elif fields:
        target = f"{path}?{urlencode(fields)}"
    try:
        connection.request(verb, target, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda each: each.name)
class TestClient:
    def test_the_client_sends_the_request_of_the_transcript(self, transcript):
        answer = transcript.answer
        with capturing(answer["status"], answer["headers"], answer["body"]) as capture:
            try:
                called(historical(capture.url), transcript.call)
            except Exception:
                assert transcript.raises is not None
        (request,) = capture.requests
        assert request.verb == transcript.request["verb"]
        assert request.path == transcript.request["path"]
        assert request.fields == transcript.request["fields"]
        assert (request.user, request.password) == (KEY, "")

    def test_the_client_makes_of_the_answer_what_the_transcript_says(self, transcript):
        answer = transcript.answer
        with capturing(answer["status"], answer["headers"], answer["body"]) as capture:
            client = historical(capture.url)
            if transcript.raises is None:
                assert called(client, transcript.call) == transcript.returns
                return
            with pytest.raises(Exception) as caught:
                called(client, transcript.call)
        told = transcript.raises
        assert type(caught.value).__name__ == told["type"]
        assert getattr(caught.value, "http_status", None) == told.get("http_status")
        if "message" in told:
            assert caught.value.message == told["message"]
        if "case" in told:
            assert caught.value.message.startswith(told["case"])
        for name, value in told.get("headers", {}).items():
            assert caught.value.headers[name] == value


@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda each: each.name)
def test_the_simulator_answers_in_the_shape_of_the_transcript(gateway, transcript):
    gateway.reset()
    for each in transcript.simulator.get("conditions", []):
        day = dt.date.fromisoformat(each["last_modified_date"])
        gateway.condition(each["dataset"], each["date"], each["condition"], day)
    for each in transcript.simulator.get("faults", []):
        gateway.fault(**each)
    request = transcript.request
    status, headers, body = asked(
        gateway.url, request["verb"], request["path"], request["fields"],
        transcript.simulator.get("key", KEY),
    )  # fmt: skip
    found, wanted = json.loads(body), transcript.answer["body"]
    assert status == transcript.answer["status"]
    for name, value in transcript.answer["headers"].items():
        assert headers[name] == value
    open_at = transcript.simulator.get("open", [])
    assert shape_differences(wanted, found, open_at=open_at) == []
    for path in transcript.exact:
        assert at(found, path) == at(wanted, path), path


class TestGetRange:
    def test_the_client_sends_the_form_of_the_documents(self):
        header = Header(
            dataset="GLBX.MDP3", schema="trades", start=DAY_28, end=DAY_28 + 86_400 * 10**9,
            symbols=["ESH1"],
        )  # fmt: skip
        body = compress_frames(encode_dbn(header, make_trades(5)))
        with capturing(200, {}, body) as capture:
            got = historical(capture.url).timeseries.get_range(
                dataset="GLBX.MDP3", start="2020-12-28", end="2020-12-29", symbols=["ESH1"],
                schema="trades", limit=5,
            )  # fmt: skip
        (request,) = capture.requests
        assert (request.verb, request.path) == ("POST", "/v0/timeseries.get_range")
        assert request.fields == {**GET_RANGE, "limit": "5"}
        assert len(got.to_ndarray()) == 5

    def test_warnings_of_the_header_reach_the_caller(self):
        """`X-Warning` holds a JSON list of strings "Type: text"."""
        told = json.dumps(["BentoWarning: reduced quality: 2020-12-28", "DeprecationWarning: old"])
        with (
            capturing(200, {"X-Warning": told}, ["GLBX.MDP3"]) as capture,
            pytest.warns(databento.common.error.BentoWarning) as caught,
        ):
            historical(capture.url).metadata.list_datasets()
        assert [str(each.message) for each in caught] == ["reduced quality: 2020-12-28", "old"]

    def test_the_simulator_streams_one_chunked_zstd_frame_with_a_checksum(self, gateway):
        gateway.reset()
        status, headers, body = asked(gateway.url, "POST", "/v0/timeseries.get_range", GET_RANGE)
        assert status == 200
        assert headers["Transfer-Encoding"] == "chunked"
        assert headers["Content-Length"] is None
        assert headers["Content-Encoding"] is None
        told = zstandard.get_frame_parameters(body)
        assert told.has_checksum
        assert told.content_size == zstandard.CONTENTSIZE_UNKNOWN
        decompressor = zstandard.ZstdDecompressor().decompressobj()
        content = decompressor.decompress(body)
        assert decompressor.eof
        assert decompressor.unused_data == b""
        assert content[:4] == b"DBN\x03"

    def test_the_simulator_s_metadata_are_as_in_real_payloads(self, gateway):
        """As in the provider's public file of ESH1 on this day; the number alone is made up."""
        gateway.reset()
        _, _, body = asked(gateway.url, "POST", "/v0/timeseries.get_range", GET_RANGE)
        found = databento.DBNStore.from_bytes(body).metadata
        assert (found.version, found.dataset, str(found.schema)) == (3, "GLBX.MDP3", "trades")
        assert (found.start, found.end) == (DAY_28, DAY_28 + 86_400 * 10**9)
        assert (str(found.stype_in), str(found.stype_out)) == ("raw_symbol", "instrument_id")
        assert (found.limit, found.ts_out, found.symbols) == (None, False, ["ESH1"])
        assert (found.partial, found.not_found) == ([], [])
        assert list(found.mappings) == ["ESH1"]
        (interval,) = found.mappings["ESH1"]
        assert interval["start_date"] == dt.date(2020, 12, 28)
        assert interval["end_date"] == dt.date(2020, 12, 29)
        assert interval["symbol"].isdigit()

    def test_206_is_a_success_to_the_client(self):
        header = Header(dataset="GLBX.MDP3", schema="trades", start=0, end=1, symbols=["ESH1"])
        body = compress_frames(encode_dbn(header, make_trades(3)))
        with capturing(206, {}, body) as capture:
            got = historical(capture.url).timeseries.get_range("GLBX.MDP3", "2020-12-28")
        assert len(got.to_ndarray()) == 3
        assert capture.requests[0].fields["symbols"] == "ALL_SYMBOLS"
        assert "end" not in capture.requests[0].fields


def test_every_method_that_the_simulator_answers_has_a_transcript_or_a_test():
    from ingestor.simulator.metadata import METHODS

    assert METHODS.keys() <= {each.call["method"] for each in TRANSCRIPTS}


@pytest.mark.parametrize("name", ["too_many_requests", "resolve"])
def test_shapes_are_told_apart(name):
    """The comparison itself can fail."""
    body = BY_NAME[name].answer["body"]
    assert shape_differences(body, body, open_at=[]) == []
    assert shape_differences(body, {**body, "more": 1}, open_at=[])
    assert shape_differences(body, dict.fromkeys(body, 1.5), open_at=[])
    assert shape_differences(body, [body], open_at=[])
