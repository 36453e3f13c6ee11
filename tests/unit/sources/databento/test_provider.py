"""The provider asks as the transcripts say, and repeats only what may pass and costs nothing."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from ingestor.errors import (
    AuthenticationFailed,
    NotYetAvailable,
    RateLimited,
    SourceRefused,
    SourceUnavailable,
    TruncatedPayload,
)
from ingestor.manifest import DayCondition, PayloadRequest
from ingestor.settings import Settings
from ingestor.sources.databento.provider import Provider
from ingestor.vocabulary import Realm
from tests.gateway import KEY, Served, closed, refused, reset, said, streamed

DAY = dt.date(2020, 12, 28)
ONE = PayloadRequest(
    source="databento", realm=Realm.SIMULATED, dataset="GLBX.MDP3", schema_name="trades",
    stype_in="raw_symbol", symbols=("ESH1",), start=1_609_113_600 * 10**9,
    end=1_609_200_000 * 10**9,
)  # fmt: skip
COUNTED = {"dataset": "GLBX.MDP3", "start": "2020-12-28", "end": "2020-12-29", "symbols": "ESH1",
           "schema": "trades", "stype_in": "raw_symbol"}  # fmt: skip


def test_making_a_provider_touches_no_network_and_needs_no_key() -> None:
    provider = Provider(Settings())

    assert provider.realm is Realm.REAL
    assert provider.client_name.startswith("databento ")
    with pytest.raises(AuthenticationFailed):
        provider.datasets()


def test_a_download_is_asked_for_as_the_transcript_says(
    served: Served, provider: Provider, payload: bytes, tmp_path: Path
) -> None:
    """Golden: simulator and adapter must not agree on a mistake."""
    served.tell(streamed(payload, end="well"))

    provider.download(ONE, tmp_path / "a.part")

    call = served.last
    assert (call.method, call.path, call.key) == ("POST", "/v0/timeseries.get_range", KEY)
    assert call.fields == COUNTED | {
        "stype_out": "instrument_id", "encoding": "dbn", "compression": "zstd",
    }  # fmt: skip
    assert (tmp_path / "a.part").read_bytes() == payload


@pytest.mark.parametrize(
    ("method", "answer", "more"),
    [
        ("record_count", 7, {}),
        ("cost", 1.25, {"stype_out": "instrument_id"}),
        ("billable_size", 48, {"stype_out": "instrument_id"}),
    ],
)
def test_counts_are_asked_for_with_the_fields_of_the_download(
    served: Served, provider: Provider, method: str, answer: float, more: dict[str, str]
) -> None:
    served.tell(said(200, answer))

    assert getattr(provider, method)(ONE) == answer

    assert (served.last.method, served.last.path) == ("POST", f"/v0/metadata.get_{method}")
    assert served.last.fields == COUNTED | more


def test_many_symbols_travel_as_a_list_and_all_of_them_by_name(
    served: Served, provider: Provider
) -> None:
    served.tell(said(200, 1))

    provider.record_count(ONE.model_copy(update={"symbols": ("ESH1", "ESM1")}))
    provider.record_count(ONE.model_copy(update={"symbols": ("ALL_SYMBOLS",)}))

    assert [each.fields["symbols"] for each in served.requests] == ["ESH1,ESM1", "ALL_SYMBOLS"]


def test_lists_are_asked_for_and_told(served: Served, provider: Provider) -> None:
    served.tell(
        said(200, ["GLBX.MDP3"]),
        said(200, ["trades", "mbo"]),
        said(200, [{"mode": "historical", "unit_prices": {"trades": 28.0}}]),
        said(200, [{"publisher_id": 1, "dataset": "GLBX.MDP3", "venue": "GLBX"}]),
    )  # fmt: skip

    assert provider.datasets() == ("GLBX.MDP3",)
    assert provider.schemas("GLBX.MDP3") == ("trades", "mbo")
    assert provider.unit_prices("GLBX.MDP3")[0].unit_prices == {"trades": 28.0}
    assert provider.publishers()[0].venue == "GLBX"
    assert [(each.method, each.path, each.fields) for each in served.requests] == [
        ("GET", "/v0/metadata.list_datasets", {}),
        ("GET", "/v0/metadata.list_schemas", {"dataset": "GLBX.MDP3"}),
        ("GET", "/v0/metadata.list_unit_prices", {"dataset": "GLBX.MDP3"}),
        ("GET", "/v0/metadata.list_publishers", {}),
    ]


def test_conditions_are_asked_for_up_to_the_last_day_not_past_it(
    served: Served, provider: Provider
) -> None:
    """Both dates are inclusive at the provider, and the end is exclusive here."""
    served.tell(
        said(200, [{"date": "2020-12-28", "condition": "degraded",
                    "last_modified_date": "2021-01-02"}])
    )  # fmt: skip

    found = provider.conditions("GLBX.MDP3", DAY, DAY + dt.timedelta(days=1))

    assert found == (DayCondition(day=DAY, condition="degraded", modified=dt.date(2021, 1, 2)),)
    assert served.last.fields == {
        "dataset": "GLBX.MDP3", "start_date": "2020-12-28", "end_date": "2020-12-28",
    }  # fmt: skip


def test_conditions_of_no_days_are_not_asked_for(served: Served, provider: Provider) -> None:
    served.tell(said(500))

    assert provider.conditions("GLBX.MDP3", DAY, DAY) == ()


def test_symbols_are_resolved_as_the_transcript_says(served: Served, provider: Provider) -> None:
    served.tell(
        said(200, {"result": {"ESH1": [{"d0": "2020-12-28", "d1": "2020-12-29", "s": "5482"}]},
                   "symbols": ["ESH1"], "stype_in": "raw_symbol", "stype_out": "instrument_id",
                   "start_date": "2020-12-28", "end_date": "2020-12-29", "partial": [],
                   "not_found": [], "message": "OK", "status": 0})
    )  # fmt: skip

    found = provider.resolve(
        "GLBX.MDP3", ["ESH1"], stype_in="raw_symbol", stype_out="instrument_id",
        start=DAY, past=DAY + dt.timedelta(days=1),
    )  # fmt: skip

    assert found.intervals[0].target == "5482"
    assert (served.last.method, served.last.path) == ("POST", "/v0/symbology.resolve")
    assert served.last.fields == {
        "dataset": "GLBX.MDP3", "symbols": "ESH1", "stype_in": "raw_symbol",
        "stype_out": "instrument_id", "start_date": "2020-12-28", "end_date": "2020-12-29",
    }  # fmt: skip


def test_more_symbols_than_one_request_may_name_are_resolved_in_several(
    served: Served, provider: Provider
) -> None:
    served.tell(said(200, {"result": {}, "partial": [], "not_found": ["1"]}),
                said(200, {"result": {}, "partial": [], "not_found": ["2"]}))  # fmt: skip

    found = provider.resolve(
        "X.Y", [str(n) for n in range(1, 3001)], stype_in="instrument_id",
        stype_out="raw_symbol", start=DAY, past=DAY + dt.timedelta(days=1),
    )  # fmt: skip

    assert found.not_found == ("1", "2")
    assert [each.fields["symbols"].count(",") + 1 for each in served.requests] == [2000, 1000]


@pytest.mark.parametrize(
    "trouble",
    [said(500), said(502, b"<html>"), said(503), said(504), said(408), closed, reset,
     said(200, b"<html>"), said(200, -1), said(429, {}, Retry_After="0")],
)  # fmt: skip
def test_what_passes_within_seconds_is_asked_again(served: Served, provider_of, trouble) -> None:
    served.tell(trouble, trouble, said(200, 7))

    assert provider_of(patience_s=20).record_count(ONE) == 7
    assert len(served.requests) == 3


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (said(400), SourceRefused), (said(401), AuthenticationFailed), (said(404), SourceRefused),
        (said(422), SourceRefused), (refused(422, "data_end_after_available_end"), NotYetAvailable),
    ],
)  # fmt: skip
def test_what_does_not_pass_is_asked_once(served: Served, provider_of, trouble, kind) -> None:
    served.tell(trouble, said(200, 7))

    with pytest.raises(kind):
        provider_of(patience_s=20).record_count(ONE)

    assert len(served.requests) == 1


def test_without_patience_nothing_is_asked_again(served: Served, provider: Provider) -> None:
    served.tell(said(500), said(200, 7))

    with pytest.raises(SourceUnavailable):
        provider.record_count(ONE)


def test_patience_ends(served: Served, provider_of) -> None:
    served.tell(said(500))

    with pytest.raises(SourceUnavailable):
        provider_of(patience_s=0.3, backoff_s=0.1).record_count(ONE)

    assert 2 <= len(served.requests) < 200
    assert served.last.at - served.requests[0].at < 0.5


def test_a_short_wait_that_the_provider_names_is_waited_out(served: Served, provider_of) -> None:
    served.tell(said(429, {}, Retry_After="1"), said(200, 7))

    assert provider_of(patience_s=20).record_count(ONE) == 7
    assert served.last.at - served.requests[0].at >= 1


def test_a_long_wait_is_left_to_the_ledger_and_everybody_waits(served: Served, provider_of) -> None:
    """Without the shared hold every other thread would ask, and be told the same."""
    provider = provider_of(patience_s=3)
    served.tell(said(429, {}, Retry_After="60"), said(200, 7))

    with pytest.raises(RateLimited) as first:
        provider.record_count(ONE)
    with pytest.raises(RateLimited) as second:
        provider.record_count(ONE)

    assert first.value.retry_after_s == 60
    assert 50 < second.value.retry_after_s <= 60
    assert len(served.requests) == 1


def test_a_download_is_asked_again_only_before_its_first_byte(
    served: Served, provider_of, payload: bytes, tmp_path: Path
) -> None:
    """A stream is billed on every call."""
    provider = provider_of(patience_s=20)
    early = (said(500), closed, streamed(b"", end="reset"))
    served.tell(*early, streamed(payload, end="well"))
    provider.download(ONE, tmp_path / "a.part")
    assert len(served.requests) == 4

    served.tell(streamed(payload[:5000], end="reset"), streamed(payload, end="well"))
    with pytest.raises(TruncatedPayload):
        provider.download(ONE, tmp_path / "b.part")
    assert len(served.requests) == 1
    assert not (tmp_path / "b.part").exists()


def test_a_page_instead_of_a_payload_is_not_bought_again(
    served: Served, provider_of, tmp_path: Path
) -> None:
    served.tell(said(200, b"<html>", Content_Type="text/html"))

    with pytest.raises(SourceUnavailable):
        provider_of(patience_s=20).download(ONE, tmp_path / "a.part")

    assert len(served.requests) == 1


@pytest.mark.parametrize("chunked", [True, False])
def test_a_stream_that_ends_early_but_well_is_a_delivery(
    served: Served, provider: Provider, payload: bytes, tmp_path: Path, chunked: bool
) -> None:
    """Why the intake counts records: the client sees nothing wrong here."""
    served.tell(streamed(payload[: len(payload) // 2], end="well", chunked=chunked))

    provider.download(ONE, tmp_path / "a.part")

    assert (tmp_path / "a.part").stat().st_size == len(payload) // 2


def test_symbols_that_did_not_resolve_are_no_error(
    served: Served, provider: Provider, payload: bytes, tmp_path: Path
) -> None:
    """206 is a success whose metadata say which."""
    served.tell(streamed(payload, end="well", status=206, X_Warning='["Warning: partial"]'))

    assert provider.download(ONE, tmp_path / "a.part").warnings == ("Warning: partial",)
