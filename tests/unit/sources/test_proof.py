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


@pytest.mark.parametrize("apart", [True, False], ids=["folder each", "one folder"])
def test_a_version_of_bars_corrects_from_another_folder_only(tmp_path: Path, apart: bool) -> None:
    """Beside the first it is a part of the same delivery, whose bars repeat the first one's."""
    from ingestor.simulator.market import make_bars
    from ingestor.vocabulary import Schema

    bars = make_bars(6, Schema.OHLCV_1D, start=MONDAY)
    end = int(bars["ts_event"].max()) + DAY
    for name, offset in (("v1/a.dbn.zst", 0), ("v2/b.dbn.zst", 250_000_000)):
        version = bars.copy()
        version["close"] += offset
        path = tmp_path / (name if apart else name[3:])
        path.parent.mkdir(exist_ok=True)
        write_dbn(
            path, "ohlcv-1d", version, dataset="GLBX.MDP3", start=MONDAY, end=end,
            symbols=["ESM4"],
        )  # fmt: skip
    plan = DbnFiles().plan(Ask(name="", priority=Priority.NORMAL, path=tmp_path))
    followed = [len(chunk.predecessors) for chunk in plan.requests[0].chunks]
    assert sorted(followed) == ([0, 0] if apart else [0, 1])
