from __future__ import annotations

import os
from pathlib import Path

import pytest

from ingestor.simulator.dbn_writer import write_dbn
from ingestor.simulator.market import DAY, MONDAY
from ingestor.sources.dbn_files import DbnFiles
from ingestor.sources.source import Ask
from ingestor.vocabulary import Priority


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Real files of six datasets."""
    name = os.environ.get("HDI_DBN_CORPUS", "")
    if not name or not Path(name).is_dir():
        pytest.skip("no corpus: HDI_DBN_CORPUS names no folder of DBN files")
    return Path(name)


@pytest.fixture
def written(tmp_path):
    """Writes a DBN file of one day of GLBX.MDP3, or of what the keywords say."""

    def write(records, name="a.dbn.zst", schema="trades", **metadata):
        told = {"dataset": "GLBX.MDP3", "start": MONDAY, "end": MONDAY + DAY, "symbols": ["ESM4"]}
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return write_dbn(path, schema, records, compress=name.endswith(".zst"), **(told | metadata))

    return write


@pytest.fixture
def plan():
    """Plans a path as `hdi-submit` would."""

    def plan(path, vault=None, **ask):
        return DbnFiles(None, vault).plan(Ask("test", Priority.NORMAL, path=path, **ask))

    return plan
