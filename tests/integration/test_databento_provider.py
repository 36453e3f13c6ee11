"""Every method of the provider against the simulator, over HTTP, and every way a payload is cut."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestor.days import DAY_NS, day_of, midnight
from ingestor.errors import (
    AuthenticationFailed,
    BadJob,
    IngestError,
    NotYetAvailable,
    RateLimited,
    SourceRefused,
    SourceUnavailable,
    TruncatedPayload,
    UnknownSymbols,
)
from ingestor.manifest import PayloadRequest
from ingestor.settings import Settings
from ingestor.simulator.made_archive import SERVED
from ingestor.simulator.options import SimulatorOptions
from ingestor.simulator.server import Gateway, running
from ingestor.sources.databento.intake import checked
from ingestor.sources.databento.provider import Provider
from ingestor.vocabulary import Realm

MONDAY = dt.date(2024, 3, 11)
ONE_DAY = dt.timedelta(days=1)
DATASET = "GLBX.MDP3"


@pytest.fixture(scope="module")
def _gateway() -> Iterator[Gateway]:
    with running(SimulatorOptions(per_day=8000, limits=False)) as made:
        yield made


@pytest.fixture
def gateway(_gateway: Gateway) -> Gateway:
    _gateway.reset()
    return _gateway


def provider_of(gateway: Gateway, **section: float) -> Provider:
    quick = {"patience_s": 0, "backoff_s": 0.01, "read_timeout_s": 5}
    return Provider(
        Settings.model_validate(
            {
                "databento_gateway": gateway.url,
                "databento_api_key": gateway.key,
                "databento": {**quick, **section},
            }
        )
    )


@pytest.fixture
def provider(gateway: Gateway) -> Provider:
    return provider_of(gateway)


def asked(
    schema: str = "trades", *symbols: str, days: int = 1, **changes: object
) -> PayloadRequest:
    start = day_of(MONDAY)
    return PayloadRequest(
        source="databento", realm=Realm.SIMULATED, dataset=DATASET, schema_name=schema,
        stype_in="raw_symbol", symbols=symbols or ("ESM4",), start=midnight(start),
        end=midnight(start + days),
    ).model_copy(update=changes)  # fmt: skip


def test_what_the_dataset_has_is_told(provider: Provider) -> None:
    assert DATASET in provider.datasets()
    assert {"trades", "ohlcv-1d", "ohlcv-1m"} <= set(provider.schemas(DATASET))
    assert provider.realm is Realm.SIMULATED
    venues = {each.publisher_id: each.dataset for each in provider.publishers()}
    assert venues[1] == DATASET
    prices = {each.mode: each.unit_prices for each in provider.unit_prices(DATASET)}
    assert all(price >= 0 for each in prices.values() for price in each.values())
    assert any("trades" in each for each in prices.values())


def test_the_available_range_is_told_per_schema(gateway: Gateway, provider: Provider) -> None:
    gateway.available(end="2024-03-13", dataset=DATASET)

    found = provider.available(DATASET)

    assert found.end == midnight(day_of(dt.date(2024, 3, 13)))
    assert found.start % DAY_NS == 0
    assert found.of("trades")[1] == found.end
    with pytest.raises(SourceRefused, match="no schema"):
        found.of("no-such-schema")


def test_conditions_of_days_are_told_without_the_day_past_them(
    gateway: Gateway, provider: Provider
) -> None:
    gateway.condition(DATASET, "2024-03-12", "degraded")

    found = provider.conditions(DATASET, MONDAY, MONDAY + 2 * ONE_DAY)

    assert [(each.day, each.condition) for each in found] == [
        (MONDAY, "available"), (MONDAY + ONE_DAY, "degraded"),
    ]  # fmt: skip


@pytest.mark.parametrize("schema", SERVED)
def test_a_payload_holds_what_was_counted_and_quoted(
    gateway: Gateway, provider: Provider, tmp_path: Path, schema: str
) -> None:
    request = asked(schema, "ESM4", "ESU4", days=2)
    counted, cost = provider.record_count(request), provider.cost(request)
    size = provider.billable_size(request)

    provider.download(request, tmp_path / "a.part")

    found = checked(tmp_path / "a.part", request, counted)
    assert found.contents.records == counted > 0
    assert size == counted * found.layout.itemsize
    assert gateway.bill().usd == pytest.approx(cost)


def test_symbols_are_resolved_with_the_days_on_which_they_meant_nothing(provider: Provider) -> None:
    past = MONDAY + 5 * ONE_DAY

    found = provider.resolve(
        DATASET, ["ESM4", "NOSUCH"], stype_in="raw_symbol", stype_out="instrument_id",
        start=MONDAY, past=past,
    )  # fmt: skip

    assert {(each.symbol, each.target) for each in found.intervals} == {("ESM4", "17077")}
    assert found.not_found == ("NOSUCH",)


def test_a_symbol_that_was_listed_on_some_of_the_days_is_partial(provider: Provider) -> None:
    found = provider.resolve(
        "XNAS.ITCH", ["NEWCO", "AAPL"], stype_in="raw_symbol", stype_out="instrument_id",
        start=MONDAY, past=MONDAY + 4 * ONE_DAY,
    )  # fmt: skip

    assert found.partial == ("NEWCO",)
    assert found.not_found == ()
    assert all(each.target for each in found.intervals)


@pytest.mark.parametrize(
    ("stype_in", "symbol"),
    [("parent", "ES.FUT"), ("continuous", "ES.c.0"), ("instrument_id", "17077")],
)
def test_other_symbol_types_are_asked_for_too(
    provider: Provider, tmp_path: Path, stype_in: str, symbol: str
) -> None:
    request = asked("ohlcv-1d", symbol, stype_in=stype_in)

    counted = provider.record_count(request)
    provider.download(request, tmp_path / "a.part")

    assert checked(tmp_path / "a.part", request, counted).contents.records == counted > 0


def test_all_symbols_are_asked_for_by_name(
    gateway: Gateway, provider: Provider, tmp_path: Path
) -> None:
    request = asked("ohlcv-1d", "ALL_SYMBOLS")

    provider.download(request, tmp_path / "a.part")

    assert gateway.requests("timeseries.get_range")[-1].fields["symbols"] == "ALL_SYMBOLS"
    assert checked(tmp_path / "a.part", request, provider.record_count(request)).contents.records


def test_what_the_provider_says_beside_a_payload_is_kept(
    gateway: Gateway, provider: Provider, tmp_path: Path
) -> None:
    gateway.fault("warning", warnings=["BentoWarning: one", "BentoWarning: two"])

    delivery = provider.download(asked(), tmp_path / "a.part")

    assert delivery.warnings == ("BentoWarning: one", "BentoWarning: two")


def test_symbols_that_did_not_resolve_are_a_delivery(
    gateway: Gateway, provider: Provider, tmp_path: Path
) -> None:
    gateway.fault("partial", symbols=["ESU4"])

    provider.download(asked("trades", "ESM4", "ESU4"), tmp_path / "a.part")

    assert gateway.requests("timeseries.get_range")[-1].status == 206


BROKEN = {
    "chunked, in the middle": {"kind": "cut", "at": 9000, "how": "chunked"},
    "chunked, near the end": {"kind": "cut", "at": -1, "how": "chunked"},
    "chunked, in the head": {"kind": "cut", "at": 5, "how": "chunked"},
    "short of its length": {"kind": "cut", "at": 9000, "how": "length"},
    "ended in its first bytes": {"kind": "cut", "at": 3, "how": "clean"},
    "closed in its first bytes": {"kind": "cut", "at": 3, "how": "eof"},
    "no body": {"kind": "empty"},
}
QUIET = {
    "ended well, half": {"kind": "cut", "at": 100_000, "how": "clean"},
    "ended well, one byte short": {"kind": "cut", "at": -1, "how": "clean"},
    "closed, half": {"kind": "cut", "at": 100_000, "how": "eof"},
    "on a record's border": {"kind": "cut_records", "records": 700},
    "without any record": {"kind": "cut_records", "records": 0},
    "without its last record": {"kind": "missing_records"},
    "one bit flipped": {"kind": "corrupt", "at": -20},
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_payload_that_breaks_off_is_truncated_and_leaves_nothing(
    gateway: Gateway, tmp_path: Path, how: str
) -> None:
    gateway.fault(**BROKEN[how])

    with pytest.raises(TruncatedPayload):
        provider_of(gateway, patience_s=10).download(asked(), tmp_path / "a.part")

    assert not (tmp_path / "a.part").exists()
    assert len(gateway.requests("timeseries.get_range")) == 1, "bought twice"


@pytest.mark.parametrize("how", QUIET)
def test_a_payload_that_is_cut_quietly_passes_the_client_and_not_the_intake(
    gateway: Gateway, provider: Provider, tmp_path: Path, how: str
) -> None:
    """The client's most dangerous habit: nothing behind the first zstd block raises in it."""
    gateway.fault(**QUIET[how])
    request = asked()
    counted = provider.record_count(request)

    provider.download(request, tmp_path / "a.part")

    with pytest.raises(TruncatedPayload):
        checked(tmp_path / "a.part", request, counted)


STATUSES = {
    400: SourceRefused, 401: AuthenticationFailed, 403: AuthenticationFailed, 404: SourceRefused,
    409: SourceRefused, 422: SourceRefused, 408: SourceUnavailable, 500: SourceUnavailable,
    502: SourceUnavailable, 503: SourceUnavailable, 504: SourceUnavailable, 429: RateLimited,
}  # fmt: skip


@pytest.mark.parametrize("body", ["problem", "plain", "list", "html", "empty"])
@pytest.mark.parametrize("status", STATUSES)
def test_a_refusal_is_translated_whatever_its_body(
    gateway: Gateway, provider: Provider, tmp_path: Path, status: int, body: str
) -> None:
    gateway.fault("status", status=status, body=body)

    with pytest.raises(IngestError) as found:
        provider.download(asked(), tmp_path / "a.part")

    assert type(found.value) is STATUSES[status]


@pytest.mark.parametrize("how", ["seconds", "date"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_that_the_provider_names_is_told(
    gateway: Gateway, provider: Provider, tmp_path: Path, status: int, how: str
) -> None:
    gateway.fault("status", status=status, retry_after=42, retry_as=how)

    with pytest.raises(RateLimited) as found:
        provider.download(asked(), tmp_path / "a.part")

    assert 40 <= found.value.retry_after_s <= 42


def test_what_passes_is_asked_again_and_bought_once(gateway: Gateway, tmp_path: Path) -> None:
    gateway.fault("status", status=503)
    gateway.fault("reset", skip=1)
    gateway.fault("status", status=429, retry_after=0, skip=2)
    request = asked()
    provider = provider_of(gateway, patience_s=20)

    provider.download(request, tmp_path / "a.part")

    assert checked(tmp_path / "a.part", request, provider.record_count(request))
    assert gateway.bill().calls == 1


def test_days_that_are_not_published_are_no_failure(
    gateway: Gateway, provider: Provider, tmp_path: Path
) -> None:
    gateway.available(end="2024-03-11", dataset=DATASET)
    with pytest.raises(NotYetAvailable):
        provider.download(asked(), tmp_path / "a.part")

    gateway.reset()
    gateway.fault("not_yet", bound="end", method="metadata.get_cost")
    with pytest.raises(NotYetAvailable):
        provider.cost(asked())


def test_what_the_dataset_does_not_have_is_refused(provider: Provider) -> None:
    with pytest.raises(UnknownSymbols):
        provider.cost(asked("trades", "NOSUCH"))
    with pytest.raises(SourceRefused):
        provider.available("NO.SUCH")
    with pytest.raises(BadJob):
        provider.cost(asked("trades", "esm4"))


def test_a_slow_body_is_waited_for_and_a_silent_one_is_not(
    gateway: Gateway, tmp_path: Path
) -> None:
    gateway.fault("slow", delay_s=0.3)
    provider_of(gateway).download(asked(), tmp_path / "a.part")

    gateway.fault("slow", delay_s=3)
    with pytest.raises(SourceUnavailable):
        provider_of(gateway, read_timeout_s=0.5).download(asked(), tmp_path / "b.part")


def test_a_key_of_another_account_is_an_authentication_failure() -> None:
    with running(SimulatorOptions(per_day=1, key="db-" + "k" * 29)) as gateway:
        settings = Settings.model_validate(
            {"databento_gateway": gateway.url, "databento_api_key": "db-" + "x" * 29,
             "databento": {"patience_s": 5}}
        )  # fmt: skip

        with pytest.raises(AuthenticationFailed) as found:
            Provider(settings).datasets()

    assert "x" * 29 not in str(found.value)


def test_without_a_key_a_simulator_is_reached_all_the_same(gateway: Gateway) -> None:
    provider = Provider(Settings.model_validate({"databento_gateway": gateway.url}))

    assert DATASET in provider.datasets()


def test_the_simulators_own_limits_are_kept_to(tmp_path: Path) -> None:
    """Its 429s would be the provider's: forty calls of a family with 20 a second meet none."""
    with running(SimulatorOptions(per_day=1, limits=True)) as gateway:
        provider = provider_of(gateway, patience_s=10)
        for _ in range(40):
            provider.schemas(DATASET)

        assert {each.status for each in gateway.requests("metadata.list_schemas")} == {200}
