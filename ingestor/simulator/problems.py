"""Refusals as the gateway words them: ``{"detail": {"case", "message", "docs", …}}``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import orjson

from ingestor.simulator.times import as_iso, as_text

_DOCS: Final = "https://databento.com/docs"
_RANGE_DOCS: Final = f"{_DOCS}/api-reference-historical/basics/datasets"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: what is not streamed."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """An answer other than the one asked for."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def json_answer(value: object, status: int = 200, **headers: str) -> Answer:
    """An answer of JSON."""
    return Answer(status, orjson.dumps(value), headers=headers)


def problem(
    status: int,
    case: str,
    message: str,
    *,
    docs: str = f"{_DOCS}/api-reference-historical/basics/errors",
    payload: Mapping[str, object] | None = None,
) -> Answer:
    """The gateway's usual refusal."""
    return json_answer(
        {
            "detail": {
                "case": case,
                "message": message,
                "docs": docs,
                "status_code": status,
                "payload": dict(payload or {}),
            }
        },
        status,
    )


def plain(status: int, detail: str) -> Answer:
    """The shorter form, ``{"detail": "…"}``."""
    return json_answer({"detail": detail}, status)


def retry_after(answer: Answer, seconds: float, *, as_date: bool = False) -> Answer:
    """The answer with a Retry-After header, in whole seconds or as an HTTP date."""
    value = str(max(0, round(seconds)))
    if as_date:
        when = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
        value = when.strftime("%a, %d %b %Y %H:%M:%S GMT")
    headers = {**answer.headers, "Retry-After": value}
    return Answer(answer.status, answer.body, answer.content_type, headers)


def unauthenticated() -> Refusal:
    """No key, or not the right one."""
    return Refusal(
        problem(
            401, "auth_authentication_failed", "Authentication failed.",
            docs=f"{_DOCS}/portal/api-keys",
        )
    )  # fmt: skip


def bad_parameter(name: str, found: str, allowed: str) -> Refusal:
    """A field of the form that makes no sense; the case is this simulator's own word."""
    return Refusal(
        problem(
            422, "invalid_parameter", f"The `{name}` {found!r} is not valid. Use {allowed}.",
            payload={"parameter": name},
        )
    )  # fmt: skip


def too_many_symbols(count: int, most: int) -> Refusal:
    """The provider documents the limit; the case is this simulator's own word."""
    return Refusal(
        problem(
            422, "symbology_too_many_symbols",
            f"{count:,} symbols were requested; at most {most:,} are allowed per request.",
        )
    )  # fmt: skip


def unresolved(symbols: tuple[str, ...], stype_in: str) -> Refusal:
    """No symbol stands for anything in the range."""
    smart = stype_in in ("parent", "continuous")
    message = (
        f"Could not resolve smart symbols: {', '.join(symbols)}"
        if smart
        else "None of the symbols could be resolved"
    )
    return Refusal(
        problem(
            422, "symbology_invalid_request", message,
            docs=f"{_DOCS}/standards-and-conventions/symbology",
        )
    )  # fmt: skip


def empty_range(start: int, end: int) -> Refusal:
    """A range that ends before it begins, or at once."""
    return Refusal(
        problem(
            422, "data_time_range_start_on_or_after_end",
            f"Invalid time range query, `start` {as_text(start)} cannot be on or after "
            f"`end` {as_text(end)}.",
            docs=f"{_DOCS}/standards-and-conventions/common-fields-enums-types",
            payload={"start": as_iso(start), "end": as_iso(end)},
        )
    )  # fmt: skip


def out_of_range(
    dataset: str, start: int, end: int, available: tuple[int, int], case: str
) -> Refusal:
    """`case` is one of the keys of `RANGE_CASES`."""
    return Refusal(
        problem(
            422, case,
            RANGE_CASES[case].format(
                dataset=dataset, start=as_text(start), end=as_text(end),
                first=as_text(available[0]), last=as_text(available[1]),
            ),
            docs=_RANGE_DOCS,
            payload={
                "dataset": dataset,
                "start": as_iso(start),
                "end": as_iso(end),
                "available_start": as_iso(available[0]),
                "available_end": as_iso(available[1]),
            },
        )
    )  # fmt: skip


RANGE_CASES: Final[Mapping[str, str]] = {
    "data_start_before_available_start": (
        "`start` in query ('{start}') was before the available start of dataset {dataset} "
        "('{first}'). Try requesting with a later `start`."
    ),
    "data_start_after_available_end": (
        "`start` in query ('{start}') was after the available end of dataset {dataset} "
        "('{last}'). Try requesting with an earlier `start`."
    ),
    "data_end_after_available_end": (
        "The dataset {dataset} has data available up to '{last}'. The `end` in the query "
        "('{end}') is after the available range. Try requesting with an earlier `end`."
    ),
}
