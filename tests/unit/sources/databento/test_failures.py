"""Every way in which the client fails becomes one of our errors, through the real client."""

from __future__ import annotations

import datetime as dt
import os
import resource
import signal
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.errors import (
    AuthenticationFailed,
    IngestError,
    LocalFault,
    NotYetAvailable,
    PaymentRequired,
    RateLimited,
    SourceRefused,
    SourceUnavailable,
    TruncatedPayload,
    UnknownSymbols,
)
from ingestor.manifest import PayloadRequest
from ingestor.sources.databento.exchange import Exchange
from ingestor.sources.databento.failures import NOT_YET, UNNAMED_WAIT_S, retry_after_s
from ingestor.sources.databento.gateway import Gateway
from ingestor.sources.databento.provider import Provider
from tests.gateway import (
    KEY,
    Served,
    closed,
    refused,
    reset,
    said,
    silent,
    sized,
    streamed,
)

BY_STATUS = {
    400: SourceRefused, 401: AuthenticationFailed, 402: PaymentRequired, 403: AuthenticationFailed,
    404: SourceRefused, 405: SourceRefused, 408: SourceUnavailable, 409: SourceRefused,
    413: SourceRefused, 422: SourceRefused, 429: RateLimited, 500: SourceUnavailable,
    501: SourceUnavailable, 502: SourceUnavailable, 503: SourceUnavailable, 504: SourceUnavailable,
    520: SourceUnavailable, 599: SourceUnavailable,
}  # fmt: skip
ODD_BODIES = {
    "object": {"detail": {"case": "some_case", "message": "some message", "docs": None}},
    "text": {"detail": "Too many requests"},
    "no detail": {"errors": []},
    "odd detail": {"detail": [{"loc": ["body"], "msg": "field required"}]},
    "odd case": {"detail": {"case": 7, "message": {"no": "text"}}},
    "list": [1, 2],
    "null": None,
    "number": 7,
    "string": "no",
    "page": b"<html><title>502 Bad Gateway</title></html>",
    "empty": b"",
    "cut": b'{"detail": {"case": "some',
    "binary": b"\xff\xfe\x00\x01\x80",
}


def failure_of(call) -> IngestError:
    with pytest.raises(IngestError) as found:
        call()
    return found.value


@pytest.mark.parametrize("status", BY_STATUS)
@pytest.mark.parametrize("body", ODD_BODIES)
def test_the_status_decides_whatever_the_body_is(
    served: Served, provider_of, request_of_a_day: PayloadRequest, tmp_path: Path,
    status: int, body: str,
) -> None:  # fmt: skip
    """The client makes an AttributeError of a list, and tells 'no body' from a page by chance."""
    served.tell(said(status, ODD_BODIES[body]))
    # One each: a 429 holds further calls.
    calls = [
        provider_of().datasets,
        lambda: provider_of().cost(request_of_a_day),
        lambda: provider_of().download(request_of_a_day, tmp_path / "a.part"),
    ]

    for call in calls:
        failure = failure_of(call)
        assert type(failure) is BY_STATUS[status]
        assert str(status) in failure.message
        assert "\n" not in failure.message
    assert not (tmp_path / "a.part").exists()


def test_the_providers_own_words_are_part_of_the_message(
    served: Served, provider: Provider
) -> None:
    served.tell(refused(422, "data_schema_invalid", "The schema `x`\n is not\tknown"))

    failure = failure_of(provider.datasets)

    assert isinstance(failure, SourceRefused)
    assert failure.message.endswith("422 data_schema_invalid The schema `x` is not known")


def test_the_providers_words_are_cut_and_cleaned_of_secrets(
    served: Served, provider: Provider
) -> None:
    served.tell(refused(400, "c" * 900, f"key {KEY} is bad, password=hunter2 " + "x" * 5000))

    failure = failure_of(provider.datasets)

    assert KEY not in failure.message
    assert "hunter2" not in failure.message
    assert len(failure.message) < 800


def test_a_key_of_another_form_is_not_shown_either(served: Served, provider_of) -> None:
    served.tell(refused(401, "auth_failed", "no such key: tango-7-whisky"))

    failure = failure_of(provider_of(key="tango-7-whisky").datasets)

    assert failure.message.endswith("no such key: ***")


@pytest.mark.parametrize("case", sorted(NOT_YET))
@pytest.mark.parametrize("status", [400, 403, 422])
def test_days_after_the_available_end_are_no_failure(
    served: Served, provider: Provider, request_of_a_day: PayloadRequest, status: int, case: str
) -> None:
    served.tell(refused(status, case, "available up to 2024-03-10"))

    assert type(failure_of(lambda: provider.cost(request_of_a_day))) is NotYetAvailable


def test_symbols_none_of_which_resolves_are_told_from_other_refusals(
    served: Served, provider: Provider, request_of_a_day: PayloadRequest
) -> None:
    served.tell(refused(422, "symbology_invalid_request", "None of the symbols could be resolved"))

    assert type(failure_of(lambda: provider.cost(request_of_a_day))) is UnknownSymbols


def test_a_case_in_the_words_only_decides_nothing(served: Served, provider: Provider) -> None:
    served.tell(refused(422, "other", "data_start_after_available_end"))

    assert type(failure_of(provider.datasets)) is SourceRefused


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_in_seconds_is_told(served: Served, provider: Provider, status: int) -> None:
    served.tell(said(status, {"detail": "Too many requests"}, Retry_After="7"))

    failure = failure_of(provider.datasets)

    assert isinstance(failure, RateLimited)
    assert failure.retry_after_s == 7


def test_a_wait_until_a_date_is_told_by_the_providers_clock(
    served: Served, provider: Provider
) -> None:
    """This host's clock may be a day off."""
    then = dt.datetime(2031, 5, 6, 7, 8, 9, tzinfo=dt.UTC)
    until = then + dt.timedelta(seconds=42)

    def answer(handler):
        handler.date_time_string = lambda: format_datetime(then, usegmt=True)
        said(429, {}, Retry_After=format_datetime(until, usegmt=True))(handler)

    served.tell(answer)
    failure = failure_of(provider.datasets)

    assert isinstance(failure, RateLimited)
    assert failure.retry_after_s == 42


def answered(**headers: str) -> Exchange:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return Exchange(
        "metadata.get_cost", Gateway(None, "x", loopback=True, key=None), (1, 1), headers=told
    )


@pytest.mark.parametrize("given", [None, "", "soon", "-3", "1.5", "٣", "Mon, 99 Foo", "nan"])
def test_a_wait_in_no_form_is_a_default_one(given: str | None) -> None:
    headers = {} if given is None else {"Retry_After": given}

    assert retry_after_s(answered(**headers)) == UNNAMED_WAIT_S


@given(st.text())
def test_any_wait_is_between_nothing_and_an_hour(text: str) -> None:
    assert 0 <= retry_after_s(answered(Retry_After=text)) <= 3600


def test_a_date_in_the_past_is_no_wait_and_one_far_off_an_hour() -> None:
    now = dt.datetime.now(dt.UTC)

    past = format_datetime(now - dt.timedelta(days=2), usegmt=True)
    far = format_datetime(now + dt.timedelta(days=2), usegmt=True)

    assert retry_after_s(answered(Retry_After=past)) == 0
    assert retry_after_s(answered(Retry_After=far)) == 3600
    assert retry_after_s(answered(Retry_After="999999999999")) == 3600


@pytest.mark.parametrize(
    "answer", [closed, reset, silent(3), sized(b"[", told=100), streamed(b'["A', end="early"),
               streamed(b'["A', end="reset")],
)  # fmt: skip
def test_no_answer_or_half_of_one_is_unavailable(served: Served, provider_of, answer) -> None:
    served.tell(answer)

    assert type(failure_of(provider_of(read_timeout_s=0.5).datasets)) is SourceUnavailable


def test_nobody_there_is_unavailable_and_says_why(provider_of, served: Served) -> None:
    served.url, kept = "http://127.0.0.1:9", served.url
    try:
        failure = failure_of(provider_of().datasets)
    finally:
        served.url = kept

    assert type(failure) is SourceUnavailable
    assert "refused" in failure.message.lower()


@pytest.mark.parametrize(
    "body", [b"", b"<html>hello</html>", b'{"cut": ', b"\xff\xfe", {}, [1], "A", None, 3],
    ids=lambda body: repr(body)[:12],
)  # fmt: skip
def test_a_good_status_with_an_odd_body_is_unavailable(
    served: Served, provider: Provider, body: object
) -> None:
    served.tell(said(200, body))

    assert type(failure_of(provider.datasets)) is SourceUnavailable


def download(served, provider, request, path, answer) -> IngestError:
    served.tell(answer)
    failure = failure_of(lambda: provider.download(request, path))
    assert not path.exists(), "a partial file was left"
    return failure


@pytest.mark.parametrize("cut", [1, 3, 4, 17, 60, 1_000, 5_000, -1])
@pytest.mark.parametrize("end", ["early", "reset"])
def test_a_stream_that_breaks_off_is_truncated_and_leaves_no_file(
    served: Served, provider: Provider, request_of_a_day: PayloadRequest, payload: bytes,
    tmp_path: Path, cut: int, end: str,
) -> None:  # fmt: skip
    answer = streamed(payload[:cut], end=end)

    failure = download(served, provider, request_of_a_day, tmp_path / "a.part", answer)

    assert type(failure) is TruncatedPayload
    assert len(served.requests) == 1


def test_a_body_shorter_than_its_length_is_truncated(
    served: Served, provider: Provider, request_of_a_day: PayloadRequest, payload: bytes,
    tmp_path: Path,
) -> None:  # fmt: skip
    answer = sized(payload[:9000], told=len(payload))

    failure = download(served, provider, request_of_a_day, tmp_path / "a.part", answer)

    assert type(failure) is TruncatedPayload


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize("cut", [0, 1, 3, 4, 17])
def test_a_payload_without_a_readable_head_is_truncated(
    served: Served, provider: Provider, request_of_a_day: PayloadRequest, payload: bytes,
    tmp_path: Path, cut: int, chunked: bool,
) -> None:  # fmt: skip
    answer = streamed(payload[:cut], end="well", chunked=chunked)

    failure = download(served, provider, request_of_a_day, tmp_path / "a.part", answer)

    assert type(failure) is TruncatedPayload


def test_a_damaged_head_is_truncated_and_a_page_is_unavailable(
    served: Served, provider: Provider, request_of_a_day: PayloadRequest, payload: bytes,
    tmp_path: Path,
) -> None:  # fmt: skip
    damaged = payload[:9] + b"\xff" * 40 + payload[49:]
    page = said(200, b"<html>please log in</html>", Content_Type="text/html; charset=utf-8")

    for answer, kind in [
        (streamed(damaged, end="well"), TruncatedPayload),
        (streamed(b"x" * 5000, end="well"), TruncatedPayload),
        (page, SourceUnavailable),
        (said(200, {"detail": "hm"}), SourceUnavailable),
    ]:
        failure = download(served, provider, request_of_a_day, tmp_path / "a.part", answer)
        assert type(failure) is kind


def test_a_file_that_is_there_is_kept_and_nothing_is_bought(
    served: Served, provider: Provider, request_of_a_day: PayloadRequest, tmp_path: Path
) -> None:
    path = tmp_path / "a.part"
    path.write_bytes(b"another's")
    served.tell(said(200, b""))

    assert type(failure_of(lambda: provider.download(request_of_a_day, path))) is LocalFault
    assert path.read_bytes() == b"another's"
    assert not served.requests


def test_a_folder_that_is_not_there_is_a_local_fault(
    served: Served, provider: Provider, request_of_a_day: PayloadRequest, tmp_path: Path
) -> None:
    path = tmp_path / "none" / "a.part"

    assert type(failure_of(lambda: provider.download(request_of_a_day, path))) is LocalFault
    assert not served.requests


def test_a_disk_that_is_full_is_a_local_fault_and_no_broken_stream(
    served: Served, provider: Provider, request_of_a_day: PayloadRequest, payload: bytes,
    tmp_path: Path,
) -> None:  # fmt: skip
    """The client reports it with the very error of a stream that broke off."""
    served.tell(streamed(payload, end="well"))
    provider_ready = failure_of(lambda: provider.download(request_of_a_day, tmp_path / "x" / "a"))
    assert isinstance(provider_ready, LocalFault)
    former = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        failure = failure_of(lambda: provider.download(request_of_a_day, tmp_path / "a.part"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, former)

    assert type(failure) is LocalFault
    assert not (tmp_path / "a.part").exists()


def test_a_failed_download_gives_its_file_handle_back(
    served: Served, provider: Provider, request_of_a_day: PayloadRequest, payload: bytes,
    tmp_path: Path,
) -> None:  # fmt: skip
    """The client leaves it open; kept by a traceback it would keep the disk's space too."""
    served.tell(streamed(payload[:5000], end="early"))

    kept = failure_of(lambda: provider.download(request_of_a_day, tmp_path / "a.part"))
    open_files = [os.path.realpath(each) for each in Path("/proc/self/fd").iterdir()]

    assert type(kept) is TruncatedPayload
    assert not [name for name in open_files if "a.part" in name]


def test_what_the_client_refuses_to_send_is_refused(served: Served, provider: Provider) -> None:
    for call in (lambda: provider.schemas(""), lambda: provider.schemas("A\x00B")):
        assert type(failure_of(call)) is SourceRefused
    assert not served.requests
