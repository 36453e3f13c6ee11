"""Teeth: with a guard taken out of the product, tests of the suite fail, and for that very reason.

The tests named here run once more under a mutant (`mutations.py`), and afterwards, in the very same
way and with the same patience, under a control from which nothing was taken. Whoever changes a
guard so that its mutant no longer finds it is told so.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.conftest import Servers
from tests.faults.mutant_run import Plan, Run
from tests.faults.mutations import MUTANTS

pytestmark = [pytest.mark.slow, pytest.mark.redis, pytest.mark.timeout(600)]
_ROOT = Path(__file__).parents[2]
_LEDGER = "tests/integration/store/test_ledger.py::"
_LOADER = "tests/integration/store/test_loader.py::"
_DISPATCH = "tests/integration/store/test_dispatch.py::"
_HALTS = "tests/integration/store/test_halts.py::"
_STEERING = "tests/integration/store/test_steering.py::"
_RAW = "tests/unit/validate/test_raw.py::"
_ENQUEUEING = "tests/acceptance/test_interrupted_enqueueing.py::"
_KILL_NINE = "tests/faults/test_kill_nine.py::"
_FROZEN = "tests/faults/test_frozen_workers.py::"
_PATIENCE_S = 10
_NEVER = f"AssertionError: not within {_PATIENCE_S} s: every job has ended"
_NOT_REFUSED = "Failed: DID NOT RAISE"
_WRONG = "AssertionError: assert "

NOTICED = {
    "fence": {
        f"{_LEDGER}test_a_stale_fence_cannot_renew": _WRONG,
        f"{_LEDGER}test_a_stale_fence_cannot_lock": _WRONG,
        f"{_LEDGER}test_a_stale_fence_cannot_finish": _WRONG,
        f"{_LEDGER}test_a_stale_fence_cannot_release": _WRONG,
        f"{_LEDGER}test_a_stale_fence_cannot_fail_a_chunk": _WRONG,
        f"{_LOADER}test_a_lease_lost_while_fetching_writes_nothing": _NOT_REFUSED,
        f"{_FROZEN}test_of_two_workers_on_one_chunk_the_one_whose_lease_ran_out_writes_nothing"
        "[fetched]": _WRONG,
    },
    "row_lock": {
        f"{_LOADER}test_a_load_under_way_cannot_be_taken_over": "LeaseLost: ",
        f"{_LEDGER}test_the_reaper_skips_a_row_that_a_live_load_holds": _WRONG,
        f"{_LEDGER}test_cancel_tells_what_is_being_committed": _WRONG,
        f"{_LEDGER}test_a_chunk_under_commit_completes_after_cancel": _WRONG,
    },
    "dispatcher": {
        f"{_ENQUEUEING}test_once_redis_is_back_the_scheduler_completes_the_job_exactly_once":
            _NEVER,
    },
    "requeue": {
        f"{_ENQUEUEING}test_a_crash_between_commit_and_publish_is_made_good_by_the_scheduler[high]":
            _NEVER,
    },
    "count_check": {
        f"{_LOADER}test_a_payload_that_yields_fewer_records_than_counted_stores_nothing":
            _NOT_REFUSED,
    },
    "asked_count": {
        f"{_RAW}test_what_was_counted_is_held_against_the_request": _NOT_REFUSED,
    },
    "claim_guard": {
        f"{_LEDGER}test_of_twenty_claims_at_once_one_succeeds": _WRONG,
        f"{_LEDGER}test_a_chunk_is_not_had_before_its_time": _WRONG,
        f"{_LEDGER}test_a_chunk_in_work_is_not_had": _WRONG,
        f"{_LEDGER}test_a_finished_chunk_is_not_had": _WRONG,
        f"{_KILL_NINE}test_a_worker_killed_at_any_of_22_points_leaves_exactly_the_records_of_the_file":
            _WRONG,
    },
    "halt": {f"{_HALTS}test_no_worker_claims_while_the_line_is_stopped": _WRONG},
    "pause": {
        f"{_STEERING}test_a_paused_job_hands_out_no_chunk_and_takes_them_off_the_queue": _WRONG,
    },
    "skip_locked": {
        f"{_LEDGER}test_the_reaper_skips_a_row_that_a_live_load_holds":
            "(DatabaseUnavailable: .*: )?TimeoutError",
    },
    "poison": {f"{_LEDGER}test_a_chunk_lost_three_times_is_poison": _WRONG},
    "stuck_sessions": {f"{_LEDGER}test_a_frozen_load_is_ended_by_its_session": _WRONG},
    "dead_letter": {f"{_LEDGER}test_a_failed_chunk_leaves_a_dead_letter": _WRONG},
    "heartbeat": {
        f"{_LOADER}test_a_heartbeat_that_finds_the_lease_gone_stops_the_load": _NOT_REFUSED,
    },
    "lost_answer": {
        f"{_LOADER}test_a_commit_whose_answer_was_lost_is_recognised": "DatabaseUnavailable: ",
    },
    "one_dispatcher": {f"{_DISPATCH}test_only_one_dispatcher_works_at_a_time": _WRONG},
    "merge_alone": {f"{_LOADER}test_a_load_waits_for_a_merge_of_its_day": _WRONG},
}  # fmt: skip
"""Mutant → test of the suite → how its failure begins. A parametrized test's cases all fail."""

CONTROL = "control"
HANGING = ("dispatcher", "requeue")
_TOO_LONG = (_KILL_NINE,)
"""A minute and a half, where its mutant fails at the first of 22 points: it stands for itself."""


def controlled() -> list[str]:
    """Every test above, once."""
    named = {test for tests in NOTICED.values() for test in tests}
    return sorted(test for test in named if not test.startswith(_TOO_LONG))


@pytest.fixture(scope="module")
def runs(
    servers: Servers, plain_servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Run]:
    """All of it in one process beside this one: it shares this session's servers."""
    folder = tmp_path_factory.mktemp("mutants")
    told = {"timescaledb": asdict(servers), "plain": asdict(plain_servers)}
    under = [(mutant, list(tests)) for mutant, tests in NOTICED.items()]
    runs = [*under, (CONTROL, controlled())]
    plan = Plan(told, runs, [*HANGING, CONTROL], _PATIENCE_S)
    given, found, log = folder / "plan.json", folder / "runs.json", folder / "log"
    given.touch(mode=0o600)
    given.write_text(json.dumps(asdict(plan)))
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "tests.faults.mutant_run", str(given), str(found)]
    with log.open("wb") as out:
        done = subprocess.run(
            command, cwd=_ROOT, env=env, stdin=subprocess.DEVNULL, stdout=out,
            stderr=subprocess.STDOUT, timeout=580, check=False,
        )  # fmt: skip
    assert done.returncode == 0, log.read_text()[-8000:]
    return {each["mutant"]: Run(**each) for each in json.loads(found.read_text())}


@pytest.mark.parametrize("mutant", NOTICED)
def test_a_guard_taken_out_is_noticed(runs: dict[str, Run], mutant: str) -> None:
    """Every test named fails where it looks, none because the mutant cannot run at all."""
    run = runs[mutant]
    assert (run.code, run.passed) == (pytest.ExitCode.TESTS_FAILED, [])
    assert {test.partition("[")[0] for test in run.failed} == {
        test.partition("[")[0] for test in NOTICED[mutant]
    }
    for test, told in run.failed.items():
        [expected] = [how for name, how in NOTICED[mutant].items() if test.startswith(name)]
        assert re.match(f"call: {expected}", told), f"{test}: {told}"


@pytest.mark.parametrize("mutant", HANGING)
def test_a_job_that_nobody_dispatches_waits_beside_a_worker_that_is_ready(
    runs: dict[str, Run], mutant: str
) -> None:
    """It did not fail because the worker came too late."""
    [told] = runs[mutant].failed.values()
    assert "ready." in told
    assert "chunk loaded" not in told


def test_the_same_tests_pass_where_nothing_is_taken_out(runs: dict[str, Run]) -> None:
    """After all the mutants, in the same process, with the same patience for jobs that hang."""
    control = runs[CONTROL]
    assert (control.code, control.failed) == (pytest.ExitCode.OK, {})
    assert {test.partition("[")[0] for test in control.passed} == {
        test.partition("[")[0] for test in controlled()
    }


def test_every_mutant_has_its_tests() -> None:
    assert {*NOTICED, CONTROL} == MUTANTS.keys()
