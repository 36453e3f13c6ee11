"""`hdi replay`: workers judge, and their folder may be another than the command's."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.acceptance.commands import Said, here
from tests.gateways import gateway
from tests.workshops import TWO_DAYS, Workshop, rule, workshop

__all__ = ["gateway", "here", "workshop"]
pytestmark = [pytest.mark.timescaledb, pytest.mark.redis]


@pytest.fixture
def bought(workshop: Workshop) -> Workshop:
    workshop.done(*TWO_DAYS, "--max-cost", "20", "--name", "march")
    return workshop


def waited(workshop: Workshop) -> Said:
    """`hdi replay --wait`, while a worker with the folder of the workshop is at work."""
    assert workshop.hdi("replay", "march", "--quiet").code == 0

    def work() -> None:
        time.sleep(1)
        workshop.work()

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(work)
        said = workshop.hdi("replay", "march", "--wait", "--timeout", "60", "--json")
        done.result()
    assert said.code == 0, said.err
    return said


def warnings(said: Said) -> list[str]:
    return [line for line in said.err.splitlines() if "HDI_CONFIG_DIR" in line]


def test_a_replay_that_is_waited_for_warns_of_workers_with_other_files(bought: Workshop) -> None:
    """Each kind of file once, with both hashes, however many chunks."""
    assert warnings(waited(bought)) == []
    other = bought.copy("other")
    bought.rules(rule("large", "size < 3", "flag"), configs=other)
    bought.column("flags", "{op: integer, field: depth}", configs=other)
    bought._environment["HDI_CONFIG_DIR"] = str(other)
    mapping, rules = warnings(waited(bought))
    receipt = bought.receipts(str(bought.hdi("status", "@last", "--json").json["job_id"]))[0]
    for kind, line in (("mapping", mapping), ("rules", rules)):
        assert line.startswith("warning: 2 chunks of GLBX.MDP3 trades: workers had ")
        assert f"workers had {kind} {receipt[f'{kind}_hash'][:8]}, {other} of" in line
        assert line.endswith(f"HDI_CONFIG_DIR={other}")


def test_a_file_of_the_command_that_is_wrong_does_not_fail_the_replay(bought: Workshop) -> None:
    other = bought.copy("other")
    bought.rules(rule("large", "sise < 3"), configs=other)
    bought._environment["HDI_CONFIG_DIR"] = str(other)
    assert "cannot be held against" in waited(bought).err


def test_a_replay_that_is_not_waited_for_says_whose_files_count(bought: Workshop) -> None:
    said = bought.hdi("replay", "march")
    assert "the workers' own HDI_CONFIG_DIR" in said.err
