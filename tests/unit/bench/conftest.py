"""The benchmark's modules are a program's, not a package's: they are found by its folder."""

from __future__ import annotations

import sys
from pathlib import Path

# Last: its short names must not hide anybody's.
sys.path.append(str(Path(__file__).parents[3] / "bench"))
