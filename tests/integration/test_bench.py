"""The benchmark runs, compares what each way stored, and writes figures in a fixed shape."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import pytest

BENCH = Path(__file__).parents[2] / "bench" / "bench.py"
FIGURES = {
    "load": {"hdi", "psql \\copy", "hdi ÷ psql"},
    "history": {
        "hdi ÷ psql, full", "hdi ÷ psql, empty", "hdi, full ÷ empty",
        "hdi, full, a row", "hdi, empty, a row", "psql, full, a row", "psql, empty, a row",
    },
    "customary": {"hdi", "to_df → CSV → COPY", "customary ÷ hdi"},
    "peers": {
        "hdi, rows/s", "psql \\copy of ready bytes, rows/s", "psql \\copy of ready bytes ÷ hdi",
        "to_df → CSV → COPY, rows/s", "to_df → CSV → COPY ÷ hdi",
        "to_df → copy_records_to_table, rows/s", "to_df → copy_records_to_table ÷ hdi",
    },
    "reload": {"fresh load", "reload", "reload ÷ load", "n_dead_tup", "n_tup_upd"},
    "rules": {"all default rules", "no rules", "rules ÷ none", "validate ÷ load"},
    "refused": {"4 % refused", "none refused", "refused ÷ clean"},
    "job": {"submit → completed", "load alone", "job ÷ load", "worker, of it: fetch"},
    "workers": {"1 worker", "2 workers", "one ÷ two"},
    "locks": {"days made before", "nothing made before", "samples, made before"},
    "chunks": {
        "rate", "rate, provider's limits on", "plan", "record", "enqueue", "submit → completed",
    },
    "small": {
        "claim", "check pass", "load transaction", "of it: decode, judge, encode",
        "lease, publishers, days, commit", "without a queue", "through Redis",
    },
    "planning": {
        "files, time", "files, peak memory", "provider, time", "provider, peak memory",
    },
    "done": {"redelivered"},
    "read": {"read_frame", "asyncpg.fetch", "fetch ÷ read_frame"},
    "help": {"hdi-submit --help", "python -c pass", "help ÷ pass"},
    "export-rss": {"export of 20,000 trades", "export of 80,000 trades", "large ÷ small"},
    "tuning": {
        "synchronous_commit off ÷ on, load", "synchronous_commit off ÷ on, small chunks",
        "merge, 4 MiB", "merge, 64 MiB ÷ 4 MiB", "merge, 512 MiB ÷ 4 MiB", "4 loads in a row",
        "wal_compression lz4 ÷ usual", "max_wal_size 1GB, checkpoint_timeout 5min ÷ usual",
    },
    "profile": {"check pass", "decode", "transform", "ordinals", "validate", "encode"},
}  # fmt: skip
NEED_PACKAGES = {"to_df → to_sql": "psycopg", "to_df → adbc_ingest": "adbc_driver_postgresql"}
MAY_BE_NOTHING = ("rows", "%")


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
    return json.loads(output.read_text()) | {"stdout": done.stdout, "output": output}


# The fixture starts servers of its own and runs every measure but those of a load's memory.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timescaledb,
    pytest.mark.redis,
    pytest.mark.timeout(900),
]


def test_the_report_names_the_machine_and_the_servers_settings(report: dict) -> None:
    """Figures without them cannot be compared with anybody else's."""
    assert report["schema_version"] == 2
    assert report["complete"] is True
    assert re.fullmatch(r"([0-9a-f]{40}\+?)?", report["commit"])
    assert report["wanted"] == list(report["measures"])
    assert {"cores", "memory_gb", "load_average", "python"} <= report["machine"].keys()
    server = report["server"]
    assert (server["fsync"], server["synchronous_commit"]) == ("on", "on")
    assert {"server_version", "shared_buffers", "max_wal_size", "timescaledb"} <= server.keys()


def test_both_sides_commit_as_the_server_does(report: dict) -> None:
    """A side whose sessions do not wait for the disk would win by that."""
    sessions = report["sessions"]

    assert sessions.keys() == {"hdi", "psql"}
    assert {each["synchronous_commit"] for each in sessions.values()} == {"on"}


@pytest.mark.parametrize("name", FIGURES)
def test_each_measure_has_its_figures(report: dict, name: str) -> None:
    """Readers of the JSON find them by these names."""
    figures = report["measures"][name]["figures"]

    assert FIGURES[name] <= figures.keys()
    for figure in figures.values():
        assert figure.keys() == {"unit", "goal", "median", "each"}
        assert figure["median"] == pytest.approx(median(figure["each"]))
        assert figure["unit"] in MAY_BE_NOTHING or min(figure["each"]) > 0


def test_every_measure_is_named_here(report: dict) -> None:
    """What `--quick` runs, this test knows."""
    assert report["measures"].keys() == FIGURES.keys()


def test_a_goal_is_a_comparison_and_its_verdict(report: dict) -> None:
    """A program can judge by it; what it says fits the median."""
    judged = [
        figure
        for measure in report["measures"].values()
        for figure in measure["figures"].values()
        if figure["goal"]
    ]

    assert len(judged) > 20
    for figure in judged:
        goal = figure["goal"]
        judged_by = figure["each"] if goal["every"] else [figure["median"]]
        reached = all(
            found <= goal["value"] if goal["comparison"] == "≤" else found >= goal["value"]
            for found in judged_by
        )
        assert goal["verdict"] == ("met" if reached else "missed")


def test_the_closing_table_has_every_goal(report: dict) -> None:
    """The last thing on the screen: which goals are met."""
    goals = sum(
        figure["goal"] is not None
        for measure in report["measures"].values()
        for figure in measure["figures"].values()
    )

    assert f" of {goals} goals met" in report["stdout"]


@pytest.mark.parametrize("way", NEED_PACKAGES)
def test_a_way_is_measured_or_said_not_to_be(report: dict, way: str) -> None:
    """Its package is an extra: without it the run goes on, and tells."""
    peers = report["measures"]["peers"]

    if find_spec(NEED_PACKAGES[way]):
        assert f"{way}, rows/s" in peers["figures"]
        assert way not in peers["absent"]
    else:
        assert NEED_PACKAGES[way] in peers["absent"][way]
        assert f"{way}, rows/s" not in peers["figures"]


def test_sessions_at_work_were_seen(report: dict) -> None:
    """A share of nothing would be 0, too."""
    found = [run for runs in report["measures"]["locks"]["detail"].values() for run in runs]

    assert len(found) == 2
    for run in found:
        assert run["looks"] > 0
        assert run["samples"] >= run["waiting"] >= 0
    assert sum(run["samples"] for run in found) > 0


def test_the_chart_is_drawn_beside_and_again(report: dict, tmp_path: Path) -> None:
    """`--chart` makes the same picture of the results alone, without servers."""
    drawn = report["output"].with_suffix(".svg").read_text(encoding="utf-8")
    again = tmp_path / "again.svg"

    done = bench("--chart", str(report["output"]), "--output", str(again))

    assert done.returncode == 0, done.stderr
    assert again.read_text(encoding="utf-8") == drawn
    assert "to_df → CSV → COPY" in drawn


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


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--only", ","], "names no measure"),
        (["--output", "figures.svg"], "does not end in .json"),
        (["--output", "/dev/null/figures.json"], "Could not open file"),
        (["--chart", __file__], "holds no results"),
    ],
)
def test_bad_arguments_are_told_before_anything_starts(arguments: list[str], said: str) -> None:
    done = bench("--quick", *arguments)

    assert done.returncode not in (0, 70)
    assert said in done.stderr
    assert "postgresql" not in done.stdout


def test_a_bench_that_is_ended_takes_its_servers_along(tmp_path: Path) -> None:
    """SIGTERM, as from a closed terminal or a scheduler of jobs."""
    (tmp_path / "bench").mkdir()
    command = [sys.executable, str(BENCH), "--quick", "--output", str(tmp_path / "a.json")]
    environment = {**os.environ, "TMPDIR": str(tmp_path / "bench")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as run:
        assert run.stdout is not None
        assert any(line.startswith("server: ") for line in run.stdout)
        assert list((tmp_path / "bench").iterdir())
        run.terminate()
        run.stdout.read()

    assert run.returncode == 130
    assert not list((tmp_path / "bench").iterdir())
    assert json.loads((tmp_path / "a.json").read_text())["complete"] is False


def test_results_without_the_ways_make_no_chart(tmp_path: Path) -> None:
    """A run of some measures only: an error that says what is missing."""
    results = tmp_path / "some.json"
    results.write_text('{"measures": {"help": {"figures": {}}}}')

    done = bench("--chart", str(results), "--output", str(tmp_path / "chart.svg"))

    assert done.returncode == 2
    assert "peers" in done.stderr
