"""What a delivery may take: bytes on disk, metadata in memory, records to read."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from zstandard import ZstdCompressor

from ingestor.dbn import METADATA_LIMIT, PREFIX_BYTES
from ingestor.errors import CorruptPayload, TruncatedPayload
from ingestor.manifest import PayloadRequest
from ingestor.simulator.dbn_writer import compress_frames
from ingestor.simulator.market import make_trades
from ingestor.sources.databento.intake import check_head, most_bytes
from ingestor.sources.databento.provider import Provider
from ingestor.sources.survey import survey
from ingestor.sources.zstd import check_content
from tests.gateway import Served, streamed
from tests.loads import write


def head_of(claimed: int) -> bytes:
    return b"DBN\x03" + claimed.to_bytes(4, "little")


def test_a_body_beyond_what_it_may_have_is_broken_off_and_removed(
    served: Served, provider: Provider, request_of_a_day: PayloadRequest, payload: bytes,
    tmp_path: Path,
) -> None:  # fmt: skip
    """It was billed already, so that it is not asked for again within the call."""
    served.tell(streamed(payload, end="well"))
    part = tmp_path / "a.part"

    with pytest.raises(TruncatedPayload, match="was broken off after") as told:
        provider.download(request_of_a_day, part, most=len(payload) - 1)

    assert f"at most {len(payload) - 1:,}" in told.value.message
    assert (part.exists(), len(served.requests)) == (False, 1)
    provider.download(request_of_a_day, part, most=len(payload))
    assert part.read_bytes() == payload


@pytest.mark.parametrize("compressed", [True, False])
def test_metadata_that_claim_too_much_never_reach_the_client(
    served: Served, provider: Provider, request_of_a_day: PayloadRequest, tmp_path: Path,
    compressed: bool,
) -> None:  # fmt: skip
    """It would read them in one go, and hold twice what they claim."""
    content = head_of(METADATA_LIMIT + 1) + bytes(1 << 20)
    served.tell(streamed(compress_frames(content) if compressed else content, end="well"))

    with pytest.raises(TruncatedPayload, match="bytes of metadata; at most"):
        provider.download(request_of_a_day, tmp_path / "a.part")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content", [b"", b"DBN", head_of(METADATA_LIMIT), b"<html>", b"\x28\xb5\x2f\xfdrot"]
)
def test_what_claims_nothing_too_large_is_left_to_the_other_checks(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "a.part"
    path.write_bytes(content)
    check_head(path)
    path.write_bytes(compress_frames(content))
    check_head(path)


def test_a_survey_ends_after_the_records_that_there_may_be(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dbn.zst", make_trades(300))
    assert survey(path, most=300).contents.records == 300
    with pytest.raises(CorruptPayload, match="more records than the 299"):
        survey(path, most=299)


def test_content_is_not_decompressed_beyond_what_it_may_have(tmp_path: Path) -> None:
    path = tmp_path / "a.zst"
    path.write_bytes(ZstdCompressor(write_checksum=True).compress(bytes(1 << 20)))
    check_content(path, most=1 << 20)
    with pytest.raises(CorruptPayload, match="expands to more than the 1,048,575"):
        check_content(path, most=(1 << 20) - 1)


def test_whatever_is_whole_has_room_in_the_bounds(request_of_a_day: PayloadRequest) -> None:
    """The largest metadata that are taken in, and records, none of which can be compressed."""
    records = 1_000
    content = random.Random(1).randbytes(PREFIX_BYTES + METADATA_LIMIT + records * 48)
    most = most_bytes(request_of_a_day, records)
    assert len(content) <= most
    assert len(compress_frames(content)) <= most
