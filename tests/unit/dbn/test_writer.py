"""A DBN file under its name is whole; what was there stays until it is."""

from __future__ import annotations

import errno
from pathlib import Path

import databento_dbn
import numpy as np
import pytest
import zstandard

from ingestor.dbn import DbnWriter, Header, check_target
from ingestor.errors import LocalFault, Usage
from ingestor.simulator.market import DAY, MONDAY
from ingestor.vocabulary import Schema
from tests.loads import blank
from tests.records import read

HEADER = Header(
    dataset="GLBX.MDP3", schema="trades", start=MONDAY, end=MONDAY + DAY, symbols=["ESM4"]
)


def records(count: int) -> np.ndarray:
    made = blank(count)
    made["sequence"] = np.arange(count)
    return made


def listing(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


@pytest.mark.parametrize("name", ["x.dbn", "x.dbn.zst"])
def test_what_was_written_is_read_again(tmp_path: Path, name: str) -> None:
    """In pieces, plain or compressed; the size is that of the file, and no part is left."""
    target, given = tmp_path / name, records(10_000)
    with DbnWriter(target, HEADER) as file:
        for at in range(0, 10_000, 999):
            file.write(given[at : at + 999].tobytes())
    assert read(target, Schema.TRADES).tobytes() == given.tobytes()
    assert file.size == target.stat().st_size
    assert listing(tmp_path) == [name]


def test_compressed_files_carry_a_checksum(tmp_path: Path) -> None:
    """A flipped bit is found by whoever reads it."""
    with DbnWriter(tmp_path / "x.dbn.zst", HEADER) as file:
        file.write(records(5).tobytes())
    head = (tmp_path / "x.dbn.zst").read_bytes()
    assert zstandard.get_frame_parameters(head).has_checksum


def test_a_file_without_records_is_valid(tmp_path: Path) -> None:
    """It says what was asked for, and that nothing is there."""
    with DbnWriter(tmp_path / "x.dbn", HEADER):
        pass
    decoder = databento_dbn.DBNDecoder()
    decoder.write((tmp_path / "x.dbn").read_bytes())
    [metadata] = decoder.decode()
    assert (metadata.dataset, metadata.symbols) == ("GLBX.MDP3", ["ESM4"])


def test_nothing_appears_under_the_name_before_the_end(tmp_path: Path) -> None:
    """A reader never finds half a file."""
    with DbnWriter(tmp_path / "x.dbn", HEADER) as file:
        file.write(records(5).tobytes())
        assert listing(tmp_path) == ["x.dbn.part"]
    assert listing(tmp_path) == ["x.dbn"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_after_an_error_the_old_file_is_what_it_was(
    tmp_path: Path, error: type[BaseException]
) -> None:
    """The part is removed, the target untouched."""
    target = tmp_path / "x.dbn.zst"
    target.write_bytes(b"old")
    with pytest.raises(error), DbnWriter(target, HEADER, overwrite=True) as file:  # noqa: PT012
        file.write(records(5).tobytes())
        raise error
    assert (listing(tmp_path), target.read_bytes()) == (["x.dbn.zst"], b"old")


def test_an_old_file_is_replaced_only_when_told(tmp_path: Path) -> None:
    """The message names the option."""
    target = tmp_path / "x.dbn"
    target.write_bytes(b"old")
    with pytest.raises(Usage, match="exists") as told:
        DbnWriter(target, HEADER)
    assert "--overwrite" in told.value.hint
    with DbnWriter(target, HEADER, overwrite=True):
        pass
    assert target.read_bytes()[:3] == b"DBN"


def test_a_file_that_came_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    """Looked at again at the end."""
    target = tmp_path / "x.dbn"
    with pytest.raises(Usage, match="exists"), DbnWriter(target, HEADER):
        target.write_bytes(b"another's")
    assert (listing(tmp_path), target.read_bytes()) == (["x.dbn"], b"another's")


@pytest.mark.parametrize("name", ["x.parquet", "x.csv", "x", "x.zst", "x.dbn.gz", "dbn"])
def test_another_suffix_is_refused_with_those_allowed(tmp_path: Path, name: str) -> None:
    """Nothing is opened for it."""
    with pytest.raises(Usage, match=r"it may end in \.dbn\.zst or \.dbn"):
        check_target(tmp_path / name, overwrite=False)
    assert listing(tmp_path) == []


def test_a_folder_is_no_place_and_a_missing_one_neither(tmp_path: Path) -> None:
    """Both are told before any work is done."""
    (tmp_path / "x.dbn").mkdir()
    with pytest.raises(Usage, match="is a folder"):
        check_target(tmp_path / "x.dbn", overwrite=True)
    with pytest.raises(Usage, match="does not exist"):
        check_target(tmp_path / "none" / "y.dbn", overwrite=False)


def test_two_writers_of_one_file_do_not_mix(tmp_path: Path) -> None:
    """The second is refused; the first ends well."""
    with DbnWriter(tmp_path / "x.dbn", HEADER) as file:
        with pytest.raises(Usage, match="by another process"), DbnWriter(file.path, HEADER):
            pass
        file.write(records(3).tobytes())
    assert len(read(tmp_path / "x.dbn", Schema.TRADES)) == 3


def test_the_part_of_a_killed_process_is_taken_over(tmp_path: Path) -> None:
    """Nothing of it is kept."""
    (tmp_path / "x.dbn.part").write_bytes(b"rest" * 1000)
    with DbnWriter(tmp_path / "x.dbn", HEADER) as file:
        file.write(records(3).tobytes())
    assert len(read(tmp_path / "x.dbn", Schema.TRADES)) == 3
    assert listing(tmp_path) == ["x.dbn"]


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a fault of this host, named with the file."""

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("ingestor.dbn.writer.os.fsync", full)
    said = r"x\.dbn cannot be written: No space left"
    with pytest.raises(LocalFault, match=said), DbnWriter(tmp_path / "x.dbn", HEADER) as file:
        file.write(records(3).tobytes())
    assert listing(tmp_path) == []


def test_a_folder_that_may_not_be_written_is_a_fault(tmp_path: Path) -> None:
    """Told by what the system says, with what to do."""
    (tmp_path / "x.dbn.part").mkdir()
    with (
        pytest.raises(LocalFault, match="cannot be written"),
        DbnWriter(tmp_path / "x.dbn", HEADER),
    ):
        pass
