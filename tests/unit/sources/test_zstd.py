"""A file is whole frames to its last byte, or it is refused; no content can fill the memory."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest
import zstandard

from ingestor.errors import CorruptPayload
from ingestor.simulator.dbn_writer import compress_frames
from ingestor.sources.zstd import Decompressed, Frames, check_frames, is_zstd

RANDOM = random.Random(1)
INCOMPRESSIBLE = RANDOM.randbytes(300_000)


def written(tmp_path, content: bytes):
    path = tmp_path / "a.zst"
    path.write_bytes(content)
    return path


def content_of(path) -> bytes:
    found = bytearray()
    buffer = bytearray(65_536)
    with path.open("rb") as file:
        source = Decompressed(path, file)
        while count := source.readinto(memoryview(buffer)):
            found += buffer[:count]
    return bytes(found)


def test_whole_frames_pass_and_are_counted(tmp_path):
    path = written(tmp_path, compress_frames(INCOMPRESSIBLE, frames=3))
    assert check_frames(path) == Frames(3, checksummed=True)


def test_a_frame_without_checksum_is_told(tmp_path):
    path = written(tmp_path, zstandard.ZstdCompressor(write_checksum=False).compress(b"x" * 99))
    assert check_frames(path) == Frames(1, checksummed=False)


@pytest.mark.parametrize("content_size", [True, False])
@pytest.mark.parametrize("size", [0, 1, 255, 256, 65_791, 65_792, 300_000])
def test_every_form_of_frame_header_is_walked(tmp_path, size, content_size):
    compressor = zstandard.ZstdCompressor(write_content_size=content_size)
    path = written(tmp_path, compressor.compress(INCOMPRESSIBLE[:size]))
    assert check_frames(path).count == 1


def test_a_run_of_one_byte_is_walked(tmp_path):
    path = written(tmp_path, zstandard.ZstdCompressor().compress(bytes(1_000_000)))
    assert check_frames(path).count == 1


def test_skippable_frames_are_stepped_over(tmp_path):
    skippable = (0x184D2A55).to_bytes(4, "little") + (7).to_bytes(4, "little") + b"ignored"
    frame = compress_frames(b"content")
    path = written(tmp_path, skippable + frame + skippable + frame)
    assert check_frames(path) == Frames(2, checksummed=True)
    assert content_of(path) == b"contentcontent"
    assert is_zstd(skippable)


def test_skippable_frames_alone_are_no_payload(tmp_path):
    path = written(tmp_path, (0x184D2A50).to_bytes(4, "little") + bytes(4))
    with pytest.raises(CorruptPayload, match="no zstd data frame"):
        check_frames(path)


def test_every_cut_of_a_frame_is_refused(tmp_path):
    """1,200 cut points of one small frame: each byte."""
    whole = compress_frames(INCOMPRESSIBLE[:1_200])
    path = tmp_path / "a.zst"
    for cut in range(1, len(whole)):
        path.write_bytes(whole[:cut])
        with pytest.raises(CorruptPayload, match="ends inside a zstd frame"):
            check_frames(path)


def test_cuts_of_a_frame_of_many_blocks_are_refused(tmp_path):
    whole = compress_frames(INCOMPRESSIBLE)
    path = written(tmp_path, whole)
    cuts = {len(whole) - 1, len(whole) - 4, len(whole) - 5, 131_081, 131_082, 131_083}
    for cut in sorted(cuts | {RANDOM.randrange(1, len(whole)) for _ in range(300)}, reverse=True):
        with path.open("rb+") as file:
            file.truncate(cut)
        with pytest.raises(CorruptPayload, match="ends inside a zstd frame"):
            check_frames(path)


def test_bytes_behind_the_last_frame_are_refused(tmp_path):
    path = written(tmp_path, compress_frames(b"content") + b"more")
    with pytest.raises(CorruptPayload, match="where a frame begins"):
        check_frames(path)


@pytest.mark.parametrize(
    ("at", "mask", "told"), [(4, 0x08, "reserved bit"), (6, 0x06, "reserved type")]
)
def test_a_header_no_encoder_writes_is_refused(tmp_path, at, mask, told):
    frame = bytearray(compress_frames(INCOMPRESSIBLE[:500]))
    frame[at] |= mask
    with pytest.raises(CorruptPayload, match=told):
        check_frames(written(tmp_path, bytes(frame)))


def test_content_comes_back_whole_over_frames(tmp_path):
    path = written(tmp_path, compress_frames(INCOMPRESSIBLE, frames=7))
    assert content_of(path) == INCOMPRESSIBLE


def test_a_flipped_bit_never_gives_other_content(tmp_path):
    """The checksum tells; a flip in a header that means nothing may leave the content as it was."""
    content = bytes(RANDOM.choices(b"abcd", k=3_000))
    whole = compress_frames(content)
    path = tmp_path / "a.zst"
    for _ in range(500):
        damaged = bytearray(whole)
        damaged[RANDOM.randrange(4, len(whole))] ^= 1 << RANDOM.randrange(8)
        path.write_bytes(damaged)
        try:
            check_frames(path)
            assert content_of(path) == content
        except CorruptPayload:
            pass


_BOMB = """
import resource, sys
from pathlib import Path
import numpy, databento_dbn, zstandard
from ingestor.errors import CorruptPayload
from ingestor.sources.survey import survey
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    print(survey(Path(sys.argv[1])).contents.records)
except CorruptPayload as error:
    print(error)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def surveyed_apart(path) -> tuple[str, float]:
    """What a survey in a fresh process says, and the megabytes that it took."""
    ran = subprocess.run(
        [sys.executable, "-c", _BOMB, str(path)], capture_output=True, text=True, check=True
    )
    said, grown = ran.stdout.rsplit("\n", 2)[:2]
    return said, int(grown) / (1 << (10 if sys.platform != "darwin" else 20))


def compressed_in_pieces(path, head: bytes, piece: bytes, times: int):
    with path.open("wb") as file:
        writer = zstandard.ZstdCompressor(write_checksum=True).stream_writer(file)
        writer.write(head)
        for _ in range(times):
            writer.write(piece)
        writer.close()
    return path


def test_a_file_that_expands_ten_thousandfold_takes_no_more_memory(tmp_path):
    from ingestor.dbn import Header
    from ingestor.simulator.market import DAY, MONDAY, make_trades

    head = Header(dataset="X.Y", schema="trades", start=MONDAY, end=MONDAY + DAY).encode()
    piece = make_trades(1).tobytes() * 20_000
    path = compressed_in_pieces(tmp_path / "bomb.dbn.zst", head, piece, 300)
    said, grown = surveyed_apart(path)
    assert said == "6000000"
    assert path.stat().st_size < 100_000
    assert grown < 60


def test_metadata_that_claims_to_be_huge_is_refused_before_it_is_read(tmp_path):
    head = b"DBN\x03" + (2**32 - 1).to_bytes(4, "little")
    path = compressed_in_pieces(tmp_path / "bomb.dbn.zst", head, bytes(1 << 20), 256)
    said, grown = surveyed_apart(path)
    assert "bytes of metadata; at most" in said
    assert grown < 60
