"""What it costs to judge records, and to refuse some."""

from __future__ import annotations

import loads
import payloads
import rooms
import rulesets
from figures import Figure, Measure, at_most
from ground import Bench, require_same, require_whole, walls

from ingestor.settings import Settings

_BAD_SHARE = 0.04


def rules(bench: Bench) -> Measure:
    """What the shipped rules cost a load."""
    bench.warm_up()
    none = rulesets.without_rules(bench.folder / "no-rules")
    judged: list[loads.Loaded] = []
    plain: list[loads.Loaded] = []
    room: list[float] = []
    for _ in range(bench.scale.pairs):
        with bench.servers.database() as place:
            judged.append(loads.load(place, bench.job))
            stored = loads.fingerprint(place)
        with bench.servers.database() as place:
            plain.append(loads.load(place, bench.job, config_dir=none))
            require_same(stored, loads.fingerprint(place), "the load without rules")
        clock = rooms.Clock()
        for _rows in rooms.encoded(bench.job, Settings(), clock):
            pass
        room.append(clock.seconds["validate"])
    require_whole(*judged, *plain)
    ours, bare = walls("all default rules", judged), walls("no rules", plain)
    alone = Figure("validate, alone", tuple(room))
    return Measure(
        "rules",
        f"{bench.scale.trades:,} trades, all default rules ÷ none",
        [
            ours,
            bare,
            alone,
            ours.over(bare, "rules ÷ none", at_most(1.10)),
            alone.over(ours, "validate ÷ load", at_most(0.10)),
        ],
    )


def refused(bench: Bench) -> Measure:
    """What refused records cost a load: 4 % are below the shipped limit of 5 %."""
    bench.warm_up()
    bad_job = payloads.plan(bench.made("bad", bench.scale.trades, bad=_BAD_SHARE))
    bad: list[loads.Loaded] = []
    good: list[loads.Loaded] = []
    for _ in range(bench.scale.pairs):
        with bench.servers.database() as place:
            bad.append(loads.load(place, bad_job))
        with bench.servers.database() as place:
            good.append(loads.load(place, bench.job))
    quarantined = bad[-1].receipt.quarantined
    if quarantined != bench.scale.trades * _BAD_SHARE:
        raise RuntimeError(f"other records were refused: {bad[-1].receipt}")
    require_whole(*bad, *good)
    ours, clean = walls("4 % refused", bad), walls("none refused", good)
    return Measure(
        "refused",
        f"{bench.scale.trades:,} trades of which {quarantined:,} are refused ÷ none",
        [ours, clean, ours.over(clean, "refused ÷ clean", at_most(1.25))],
    )
