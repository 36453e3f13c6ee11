"""Configuration folders for the measures of rules, and payloads that break them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from ingestor.settings.forms import shipped_config_dir

if TYPE_CHECKING:
    import numpy as np

_ANYTHING = "table: trades_data\nrejection_limit: {records: 0, share: 1}\n"


def without_rules(folder: Path) -> Path:
    """The shipped configuration, but no table has a rule."""
    made = _copied(folder)
    shutil.rmtree(made / "validation")
    (made / "validation").mkdir()
    return made


def without_limit(folder: Path) -> Path:
    """The shipped rules for trades; however many they refuse, the chunk goes on."""
    made = _copied(folder)
    path = made / "validation" / "trades_data.yaml"
    kept = [
        line
        for line in path.read_text().splitlines(keepends=True)
        if not line.startswith(("table:", "rejection_limit:"))
    ]
    path.write_text(_ANYTHING + "".join(kept))
    return made


def _copied(folder: Path) -> Path:
    if not folder.exists():
        shutil.copytree(shipped_config_dir(), folder)
    return folder


def spoil(trades: np.ndarray, share: float) -> None:
    """Takes the size of every n-th trade away, in place: a shipped rule refuses size 0."""
    if share:
        trades["size"][:: round(1 / share)] = 0
