"""Rules that refuse a known share of the records, so that quarantine is under fire, too."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import yaml

from ingestor.model import table_of
from ingestor.settings import config_dir
from ingestor.vocabulary import Schema


@dataclass(frozen=True, slots=True)
class Refusal:
    """A rule, and the same asked of the wire: records whose `field` is at least `least`."""

    field: str
    least: int

    def hits(self, records: npt.NDArray[np.void]) -> npt.NDArray[np.bool_]:
        found: npt.NDArray[np.bool_] = records[self.field] >= self.least
        return found


RULE: Final = "chaos"
"""Its id."""

REFUSALS: Final = {
    Schema.TRADES: Refusal("size", 7),
    Schema.TBBO: Refusal("size", 6),
    Schema.OHLCV_1M: Refusal("volume", 250),
}
"""About 12 %, 17 % and 8 % of the made-up market's."""


def configs(folder: Path) -> Path:
    """The shipped configuration with these rules, made in `folder`."""
    shutil.copytree(config_dir(), folder)
    for schema, refusal in REFUSALS.items():
        file = folder / "validation" / f"{table_of(schema).name}.yaml"
        rules = yaml.safe_load(file.read_text())
        rules["rejection_limit"] = {"records": 1_000_000, "share": 1}
        rules.setdefault("rules", []).append({
            "id": RULE, "check": f"{refusal.field} < {refusal.least}", "severity": "quarantine",
            "reason": "refused so that there is something in quarantine",
        })  # fmt: skip
        file.write_text(yaml.safe_dump(rules))
    return folder


def refused(schema: Schema, records: npt.NDArray[np.void]) -> npt.NDArray[np.bool_]:
    """Which records must be in quarantine."""
    rule = REFUSALS.get(schema)
    return np.zeros(len(records), bool) if rule is None else rule.hits(records)


def refusals(schema: Schema, records: npt.NDArray[np.void]) -> Counter[tuple[object, ...]]:
    """What quarantine must hold of a payload: position, rule, field, value and bytes of each."""
    rule = REFUSALS.get(schema)
    if rule is None:
        return Counter()
    return Counter(
        (
            int(at),
            RULE,
            rule.field,
            f"{rule.field} {records[rule.field][at]}",
            records[at].tobytes(),
        )
        for at in np.flatnonzero(rule.hits(records))
    )
