"""Tests of the suite under one mutant after another, on servers that run already.

``python -m tests.faults.mutant_run PLAN RESULTS``, both JSON: a `Plan` in, a `Run` per entry out.
Processes that a test starts through `tests.processes.Fleet` are mutants, too.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ingestor.vocabulary import Role
from tests import conftest, processes
from tests.faults.mutations import MUTANTS, WEAKENED

_QUIET = ("-q", "--no-header", "--tb=short", "-p", "no:cacheprovider", "-p", "no:xdist")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be run.

    Attributes:
        servers: `conftest.Servers` by edition; nothing is started.
        runs: Mutant and the tests under it.
        hurried: Mutants under which a job may be open for ever, and their control.
        patience_s: The longest a worker that is ready is waited for under one of those.
    """

    servers: dict[str, dict[str, Any]]
    runs: list[tuple[str, list[str]]]
    hurried: list[str]
    patience_s: float


@dataclass(slots=True, eq=False)
class Run:
    """How the tests under one mutant ended.

    Attributes:
        code: pytest's exit code.
        failed: Test → phase, type and words of the exception.
    """

    mutant: str
    code: int = -1
    passed: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if (error := call.excinfo) is not None:
            self.failed[item.nodeid] = f"{call.when}: {error.typename}: {error.value}"
        elif call.when == "call":
            self.passed.append(item.nodeid)
        return report


def _run(plan: Plan, mutant: str, tests: list[str]) -> Run:
    made = Run(mutant)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conftest, "_servers", lambda edition: iter([_running(plan, edition)]))
        MUTANTS[mutant](patch)
        # The `Fleet` of the tests then starts mutants, too.
        command = (sys.executable, "-m", "tests.faults.mutant_command", mutant)
        patch.setattr(processes, "HDI", command)
        if mutant in plan.hurried:
            _hurry(patch, plan.patience_s)
        if mutant in WEAKENED:
            patch.setattr(conftest, "_place", _weakened(conftest._place, WEAKENED[mutant]))
        made.code = int(pytest.main([*_QUIET, *tests], plugins=[made]))
    return made


def _running(plan: Plan, edition: str) -> conftest.Servers:
    told = plan.servers[edition]
    urls = {Role(role): url for role, url in told["urls"].items()}
    return conftest.Servers(**{**told, "urls": urls})


def _hurry(patch: pytest.MonkeyPatch, patience_s: float) -> None:
    """Makes `job_ended` give up sooner than its callers say, once a worker is ready."""
    until = processes.until

    async def soon(what: str, condition: Any, *, timeout_s: float, fleet: Any) -> None:
        async def ready() -> bool:
            return "ready." in fleet.logs_text()

        await until("a worker is ready", ready, timeout_s=timeout_s, fleet=fleet)
        await until(what, condition, timeout_s=min(timeout_s, patience_s), fleet=fleet)

    patch.setattr(processes, "until", soon)


Places = Callable[[conftest.Servers], Iterator[conftest.Place]]


def _weakened(places: Places, statement: str) -> Places:
    """The same databases without one of their own guards."""

    async def weaken(place: conftest.Place) -> None:
        async with place.open(Role.OWNER) as owner, owner.connection() as connection:
            await connection.execute(statement)

    def made(servers: conftest.Servers) -> Iterator[conftest.Place]:
        for place in places(servers):
            asyncio.run(weaken(place))
            yield place

    return made


def main() -> None:
    plan = Plan(**json.loads(Path(sys.argv[1]).read_text()))
    done = [_run(plan, mutant, tests) for mutant, tests in plan.runs]
    Path(sys.argv[2]).write_text(json.dumps([asdict(each) for each in done]))


if __name__ == "__main__":
    main()
