"""`hdi worker` and `hdi scheduler` with a guard taken out (`mutations.py`), children included.

``python -m tests.faults.mutant_command MUTANT worker --name NAME``
"""

from __future__ import annotations

import runpy
import sys

import pytest

from ingestor.cli import processes
from ingestor.cli.entry import hdi
from tests.faults.mutations import MUTANTS


def _here(module: str, *arguments: str) -> None:
    """Runs it in this process, where `hdi` puts another in its place: that would be unmutated."""
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def main() -> None:
    mutant, *arguments = sys.argv[1:]
    with pytest.MonkeyPatch.context() as patch:
        MUTANTS[mutant](patch)
        patch.setattr(processes, "_become", _here)
        sys.argv = ["hdi", *arguments]
        hdi()


if __name__ == "__main__":
    main()
