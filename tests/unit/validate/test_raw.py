"""A payload that is not what was asked for is refused before a record of it is decoded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from ingestor.errors import UnlikeRequest
from ingestor.job import Claim, Contents, PayloadMetadata
from ingestor.validate import check_raw
from ingestor.vocabulary import ALL_SYMBOLS, ChunkId, Dataset, Fence, Schema

DAY = 86_400 * 10**9
MONDAY = 19_793 * DAY
TUESDAY = MONDAY + DAY
CLAIM = Claim(
    chunk_id=ChunkId(7), job_id=UUID(int=1), fence=Fence(1), attempt=1, max_attempts=5,
    lost_count=0, deferrals=0, first_deferred_s=0.0, source="dbn-files",
    dataset=Dataset("GLBX.MDP3"), schema=Schema.TRADES, stype_in="raw_symbol",
    symbols=("ESM4", "NQM4"), start=MONDAY, end=TUESDAY, last_slice=True, expected=10,
    payload=None, predecessors=(), partial="",
)  # fmt: skip
METADATA = PayloadMetadata("GLBX.MDP3", "trades", MONDAY, TUESDAY, ("ESM4", "NQM4"))
CONTENTS = Contents(10, index_min=MONDAY, index_max=TUESDAY - 1)


def refusal(
    claim: Claim = CLAIM, metadata: PayloadMetadata | None = METADATA, contents: Any = CONTENTS
) -> str:
    with pytest.raises(UnlikeRequest) as error:
        check_raw(claim, metadata, contents)
    assert "chunk 7" in error.value.message
    return error.value.message


@pytest.mark.parametrize(
    ("claim", "metadata", "contents"),
    [
        ({}, {}, {}),
        ({"expected": None}, {}, {"records": 3}),
        ({"symbols": ()}, {"symbols": ("XYZ",)}, {}),
        ({"symbols": (ALL_SYMBOLS,)}, {"symbols": ("XYZ",)}, {}),
        ({}, {"symbols": ()}, {}),
        ({}, {"symbols": ("ESM4",)}, {}),
        ({}, {"start": None, "end": None}, {}),
        ({}, {"start": MONDAY - 9 * DAY, "end": None}, {}),
        ({}, {"start": MONDAY, "end": MONDAY}, {}),
        ({"expected": 0}, {}, {"records": 0, "index_min": None, "index_max": None}),
    ],
    ids=["alike", "not counted", "no symbols asked for", "all asked for", "names no symbols",
         "some of them", "no range", "longer", "a range without extent", "empty"],
)  # fmt: skip
def test_what_was_asked_for_is_taken(
    claim: dict[str, Any], metadata: dict[str, Any], contents: dict[str, Any]
) -> None:
    check_raw(replace(CLAIM, **claim), replace(METADATA, **metadata), replace(CONTENTS, **contents))


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"dataset": "XNAS.ITCH"}, "dataset is XNAS.ITCH, not GLBX.MDP3"),
        ({"schema": "tbbo"}, "schema is tbbo, not trades"),
        ({"start": TUESDAY, "end": TUESDAY + DAY}, "range is 2024-03-12T00:00:00.000000000Z to "),
        ({"start": MONDAY - DAY, "end": MONDAY}, "not 2024-03-11T00:00:00.000000000Z to "),
        ({"start": TUESDAY, "end": None}, "to an open end"),
        ({"symbols": ("ESM4", "CLM4")}, "symbol is 'CLM4', not one of the 2 asked for"),
        ({"symbols": (ALL_SYMBOLS,)}, "symbol is 'ALL_SYMBOLS', not one of the 2"),
    ],
)  # fmt: skip
def test_what_it_says_of_itself_is_held_against_the_request(
    metadata: dict[str, Any], said: str
) -> None:
    assert said in refusal(metadata=replace(METADATA, **metadata))


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        ({"records": 11}, "number of records is 11, not 10"),
        ({"index_min": MONDAY - 1}, "first index timestamp is 2024-03-10T23:59:59.999999999Z, "),
        ({"index_max": TUESDAY}, "last index timestamp is 2024-03-12T00:00:00.000000000Z, not in"),
    ],
)  # fmt: skip
def test_what_was_counted_is_held_against_the_request(contents: dict[str, Any], said: str) -> None:
    """Also of a payload that says nothing of itself."""
    assert said in refusal(metadata=None, contents=replace(CONTENTS, **contents))


def test_every_difference_is_told_at_once() -> None:
    told = refusal(metadata=replace(METADATA, dataset="XNAS.ITCH", schema="tbbo"))
    assert "dataset is XNAS.ITCH, not GLBX.MDP3; schema is tbbo, not trades" in told
