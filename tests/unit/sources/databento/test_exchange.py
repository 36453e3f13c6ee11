"""What the client hides of an answer is seen in the thread that asked; nobody else is touched."""

from __future__ import annotations

import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ingestor.errors import SourceUnavailable, WrongRealm
from ingestor.manifest import PayloadRequest
from ingestor.sources.databento import exchange as seam
from ingestor.sources.databento.exchange import Exchange, watched
from ingestor.sources.databento.gateway import Gateway, open_client
from ingestor.sources.databento.provider import Provider
from tests.gateway import KEY, Served, said, streamed


def here(served: Served, *, loopback: bool = True) -> Gateway:
    return Gateway(served.url, "127.0.0.1", loopback, KEY)


def test_status_headers_and_warnings_of_a_good_answer_are_seen(served: Served) -> None:
    served.tell(said(206, [], X_Warning='["Warning: one", "Warning: two"]', X_Else="seen"))
    gateway = here(served)

    with watched(Exchange("metadata.list_datasets", gateway, (2, 2))) as found:
        open_client(gateway).metadata.list_datasets()

    assert (found.status, found.headers["x-else"]) == (206, "seen")
    assert found.warnings == ("Warning: one", "Warning: two")
    assert found.received == 2


@pytest.mark.parametrize(
    ("header", "told"),
    [("no json", ("no json",)), ('"one"', ("one",)), ("{}", ("{}",)), ("[]", ()), ("[1]", ("1",))],
)
def test_a_warning_in_another_form_is_kept_and_breaks_nothing(
    served: Served, header: str, told: tuple[str, ...]
) -> None:
    served.tell(said(200, [], X_Warning=header))
    gateway = here(served)

    with watched(Exchange("metadata.list_datasets", gateway, (2, 2))) as found:
        open_client(gateway).metadata.list_datasets()

    assert found.warnings == told


def test_the_clients_warnings_reach_the_delivery_and_not_stderr(
    served: Served, provider: Provider, request_of_a_day: PayloadRequest, payload: bytes,
    tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    served.tell(streamed(payload, end="well", X_Warning='["DeprecationWarning: old schema"]'))

    with warnings.catch_warnings(record=True) as raw:
        warnings.simplefilter("always")
        delivery = provider.download(request_of_a_day, tmp_path / "a.part")

    assert delivery.warnings == ("DeprecationWarning: old schema",)
    assert not [each for each in raw if "old schema" in str(each.message)]
    assert "UserWarning" not in capsys.readouterr().err


def test_threads_do_not_get_each_others_warnings(
    served: Served, provider: Provider, request_of_a_day: PayloadRequest, payload: bytes,
    tmp_path: Path,
) -> None:  # fmt: skip
    numbers = iter(range(100))
    lock = threading.Lock()

    def answer(handler):
        with lock:
            number = next(numbers)
        streamed(payload, end="well", X_Warning=f'["W: {number}"]')(handler)

    served.tell(answer)
    with ThreadPoolExecutor(8) as pool:
        told = list(
            pool.map(
                lambda n: provider.download(request_of_a_day, tmp_path / f"{n}.part").warnings,
                range(40),
            )
        )

    assert sorted(told) == sorted((f"W: {n}",) for n in range(40))


def test_calls_of_others_with_the_same_client_go_on_as_ever(served: Served) -> None:
    """The seam is in place for the whole process; only watched calls go through it."""
    gateway = here(served)
    with watched(Exchange("metadata.list_datasets", gateway, (2, 2))):
        pass
    served.tell(said(200, ["A.B"], X_Warning='["Warning: theirs"]'))

    with pytest.warns(match="theirs"):
        assert open_client(gateway).metadata.list_datasets() == ["A.B"]


def test_a_simulator_beyond_loopback_is_found_out_before_its_payload_is_read(
    served: Served, tmp_path: Path
) -> None:
    served.tell(streamed(b"x" * 10_000, end="well", X_HDI_Simulator="1"))
    gateway = here(served, loopback=False)

    with (
        watched(Exchange("timeseries.get_range", gateway, (2, 2))) as found,
        pytest.raises(WrongRealm),
    ):
        open_client(gateway).timeseries.get_range("X.Y", "2024-01-01", path=tmp_path / "a")

    assert found.received == 0
    assert not (tmp_path / "a").exists()


def test_a_simulator_on_loopback_is_welcome(served: Served, provider: Provider) -> None:
    served.tell(said(200, ["A.B"], X_HDI_Simulator="1"))

    assert provider.datasets() == ("A.B",)


@pytest.mark.parametrize("status", [301, 302, 304, 204])
def test_a_redirect_is_not_followed(served: Served, provider: Provider, status: int) -> None:
    """The key would go to wherever it points, and a POST would become a GET."""
    served.tell(said(status, b"", Location=f"{served.url}/v0/elsewhere"))

    with pytest.raises(SourceUnavailable, match=str(status)):
        provider.datasets()

    assert len(served.requests) == 1


def test_a_proxy_of_the_environment_does_not_carry_calls_to_loopback(
    served: Served, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    served.tell(said(200, ["A.B"]))

    assert provider.datasets() == ("A.B",)


def test_a_client_that_sends_its_calls_otherwise_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Status, realm and warnings would be unseen from then on, and nothing would say so."""
    from databento.common import http

    monkeypatch.setattr(http.BentoHttpAPI, "_get", lambda self: None)
    monkeypatch.setattr(http, "requests", http.requests)  # put back afterwards
    vars(http)["requests"] = getattr(http.requests, "_behind", http.requests)

    with (
        pytest.raises(SourceUnavailable, match="not known here"),
        watched(
            Exchange("metadata.list_datasets", Gateway(None, "x", loopback=False, key=KEY), (1, 1))
        ),
    ):
        pass


def test_the_seam_is_put_in_place_once(served: Served, provider: Provider) -> None:
    from databento.common import http

    served.tell(said(200, []))
    provider.datasets()
    first = http.requests
    provider.datasets()

    assert isinstance(first, seam._Seam)
    assert http.requests is first
    assert not isinstance(first._behind, seam._Seam)
