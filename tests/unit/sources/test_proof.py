"""What a file proves of itself: only then do its days count as held."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from ingestor.simulator.dbn_writer import write_dbn
from ingestor.simulator.market import DAY, INSTRUMENTS, MONDAY, make_trades
from ingestor.sources.dbn_files import DbnFiles
from ingestor.sources.source import Ask
from ingestor.vocabulary import Priority

UNPROVEN = "nothing proves that the file is whole"


def written(path: Path, **how: object) -> Path:
    records = make_trades(200, start=MONDAY)
    return write_dbn(
        path, "trades", records, dataset="GLBX.MDP3", start=MONDAY, end=MONDAY + DAY,
        symbols=[each.symbol for each in INSTRUMENTS], **how,
    )  # fmt: skip


def partial(path: Path) -> str:
    plan = DbnFiles().plan(Ask(name="", priority=Priority.NORMAL, path=path))
    [chunk] = plan.requests[0].chunks
    return chunk.partial


def test_one_zstd_frame_with_a_checksum_proves_its_file(tmp_path: Path) -> None:
    assert partial(written(tmp_path / "t.dbn.zst")) == ""


@pytest.mark.parametrize("how", [{"compress": False}, {"frames": 2}])
def test_a_plain_file_and_one_of_several_frames_prove_nothing(
    how: dict[str, object], tmp_path: Path
) -> None:
    """Both may have been cut without a trace: the days must not count as held."""
    assert partial(written(tmp_path / "t.dbn", **how)) == UNPROVEN


def test_a_manifest_proves_a_plain_file(tmp_path: Path) -> None:
    path = written(tmp_path / "t.dbn", compress=False)
    entry = {
        "filename": path.name,
        "size": path.stat().st_size,
        "hash": f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}",
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"files": [entry]}))
    assert partial(path) == ""


def test_a_part_of_an_unordered_delivery_is_never_taken_for_a_repeat(tmp_path: Path) -> None:
    """It may hold just what another part holds too: taken for a repeat, trades are lost."""
    times = [5, 1, 9, 5]
    records = make_trades(4, start=MONDAY)
    records[:] = records[0]
    records["ts_recv"] = MONDAY + np.array(times, np.uint64) * 1_000_000
    records["ts_event"] = records["ts_recv"]
    for name, part in (("a.dbn.zst", records[:3]), ("b.dbn.zst", records[3:])):
        write_dbn(
            tmp_path / name, "trades", part, dataset="GLBX.MDP3", start=MONDAY, end=MONDAY + DAY,
            symbols=["ESM4"],
        )  # fmt: skip
    plan = DbnFiles().plan(Ask(name="", priority=Priority.NORMAL, path=tmp_path))
    before = {Path(c.payload.uri).name: c.predecessors for c in plan.requests[0].chunks}
    assert [Path(ref.uri).name for ref in before["b.dbn.zst"]] == ["a.dbn.zst"]


def test_bars_given_again_are_merged_and_not_counted_as_repeats(tmp_path: Path) -> None:
    """A correction beside the first version must replace it, not end in quarantine."""
    from ingestor.simulator.market import make_bars
    from ingestor.vocabulary import Schema

    bars = make_bars(6, Schema.OHLCV_1D, start=MONDAY)
    end = int(bars["ts_event"].max()) + DAY
    for name, offset in (("v1.dbn.zst", 0), ("v2.dbn.zst", 250_000_000)):
        version = bars.copy()
        version["close"] += offset
        write_dbn(
            tmp_path / name, "ohlcv-1d", version, dataset="GLBX.MDP3", start=MONDAY, end=end,
            symbols=["ESM4"],
        )  # fmt: skip
    plan = DbnFiles().plan(Ask(name="", priority=Priority.NORMAL, path=tmp_path))
    assert [chunk.predecessors for chunk in plan.requests[0].chunks] == [(), ()]
