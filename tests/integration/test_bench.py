"""The benchmark runs, compares what each way stored, and writes figures in a fixed shape."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest

BENCH = Path(__file__).parents[2] / "bench" / "bench.py"
FIGURES = {
    "load": {"hdi", "psql \\copy", "hdi ÷ psql"},
    "customary": {"hdi", "to_df → CSV → COPY", "customary ÷ hdi"},
    "reload": {"fresh load", "reload", "reload ÷ load", "n_dead_tup", "n_tup_upd"},
    "chunks": {"rate", "plan", "record", "enqueue", "submit → completed"},
    "help": {"hdi-submit --help", "python -c pass", "help ÷ pass"},
    "profile": {"check pass", "decode", "transform", "ordinals", "validate", "encode"},
    "rules": {"all default rules", "no rules", "rules ÷ none", "validate ÷ load"},
    "refused": {"4 % refused", "none refused", "refused ÷ clean"},
}


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(BENCH), *arguments], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict:
    output = tmp_path_factory.mktemp("bench") / "figures.json"
    done = bench("--quick", "--output", str(output))
    if done.returncode == 6:
        pytest.skip(f"no servers here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return json.loads(output.read_text())


# The fixture starts servers of its own and runs every measure but the one of memory.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timescaledb,
    pytest.mark.redis,
    pytest.mark.timeout(400),
]


def test_the_report_names_the_machine_and_the_servers_settings(report: dict) -> None:
    """Figures without them cannot be compared with anybody else's."""
    assert report["schema_version"] == 1
    assert {"cores", "memory_gb", "load_average", "python"} <= report["machine"].keys()
    server = report["server"]
    assert (server["fsync"], server["synchronous_commit"]) == ("on", "on")
    assert {"server_version", "shared_buffers", "max_wal_size", "timescaledb"} <= server.keys()


@pytest.mark.parametrize("name", FIGURES)
def test_each_measure_has_its_figures(report: dict, name: str) -> None:
    """Readers of the JSON find them by these names."""
    figures = report["measures"][name]["figures"]

    assert FIGURES[name] <= figures.keys()
    for figure in figures.values():
        assert figure.keys() == {"unit", "goal", "median", "each"}
        assert figure["median"] == pytest.approx(median(figure["each"]))
        assert figure["unit"] == "rows" or min(figure["each"]) > 0


def test_a_ratio_is_that_of_its_pair(report: dict) -> None:
    """Not a quotient of medians: both runs of a pair had the same neighbours."""
    figures = report["measures"]["load"]["figures"]
    (hdi,), (psql,) = figures["hdi"]["each"], figures["psql \\copy"]["each"]

    assert figures["hdi ÷ psql"]["each"] == pytest.approx([hdi / psql], rel=1e-3)


def test_an_identical_reload_leaves_no_dead_rows(report: dict) -> None:
    """Not a matter of time: rows that are there already are not written again."""
    figures = report["measures"]["reload"]["figures"]

    assert figures["n_dead_tup"]["each"] == [0]
    assert figures["n_tup_upd"]["each"] == [0]


def test_an_unknown_measure_is_refused() -> None:
    """With the names that there are, before any server starts."""
    done = bench("--only", "load,nonsense")

    assert done.returncode == 2
    assert "nonsense" in done.stderr
    assert "customary" in done.stderr
