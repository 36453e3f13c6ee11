"""`hdi` and `hdi-submit` as a person types them: what they said, and how they ended."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest

from ingestor.cli.main import cli, guarded
from ingestor.cli.submit import submit as submit_command
from ingestor.settings import Settings
from ingestor.store.database import Database
from ingestor.vocabulary import Role
from tests.conftest import Place, environment

T = TypeVar("T")

BIN = Path(sys.executable).parent
_LONGEST_S = 100


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        return [line for line in self.err.splitlines() if line.startswith("error:")]

    @property
    def nexts(self) -> list[str]:
        return [line for line in self.err.splitlines() if line.startswith("next:")]

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def run(env: Settings | Mapping[str, str], command: str, *arguments: object) -> Said:
    """Runs an installed command, `hdi` or `hdi-submit`, as a process of its own."""
    done = subprocess.run(
        [str(BIN / command), *map(str, arguments)], env=variables(env), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=_LONGEST_S, check=False,
    )  # fmt: skip
    return Said(done.returncode, done.stdout, done.stderr)


def hdi(env: Settings | Mapping[str, str], *arguments: object) -> Said:
    return run(env, "hdi", *arguments)


def submit(env: Settings | Mapping[str, str], *arguments: object) -> Said:
    return run(env, "hdi-submit", *arguments)


@contextmanager
def started(
    env: Settings | Mapping[str, str], command: str, *arguments: object
) -> Iterator[subprocess.Popen[str]]:
    """The same, while it runs; killed at the end, should it still be there."""
    process = subprocess.Popen(
        [str(BIN / command), *map(str, arguments)], env=variables(env), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        try:
            yield process
        finally:
            process.kill()


def variables(env: Settings | Mapping[str, str]) -> dict[str, str]:
    return environment(env) if isinstance(env, Settings) else dict(env)


class Here:
    """The same commands in this process: their one way out is `guarded`, as in the installed ones.

    Half a second cheaper each than a process.
    """

    def __init__(self, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> None:
        self._patch = patch
        self._capture = capture

    def submit(self, env: Mapping[str, str], *arguments: object) -> Said:
        return self._run(submit_command, "hdi-submit", env, arguments)

    def hdi(self, env: Mapping[str, str], *arguments: object) -> Said:
        return self._run(cli, "hdi", env, arguments)

    def _run(
        self, command: Any, name: str, env: Mapping[str, str], arguments: tuple[object, ...]
    ) -> Said:
        with self._patch.context() as patch:
            for variable in [each for each in os.environ if each.startswith("HDI_")]:
                patch.delenv(variable)
            for variable, value in env.items():
                patch.setenv(variable, value)
            patch.setattr(sys, "argv", [name, *map(str, arguments)])
            self._capture.readouterr()
            code = guarded(command, name)
        said = self._capture.readouterr()
        return Said(code, said.out, said.err)


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Here:
    """Commands run in this process, in a folder without a `.env`."""
    monkeypatch.chdir(tmp_path)
    return Here(monkeypatch, capsys)


def secrets(env: Mapping[str, str]) -> set[str]:
    """Passwords in the URLs of an environment."""
    urls = [value for name, value in env.items() if name.endswith("_URL")]
    return {found for url in urls if (found := urlsplit(url).password)}


def ask(place: Place, work: Callable[[Database], Awaitable[T]]) -> T:
    """Opens a test's database as its owner, does `work`, closes it: for tests without a loop."""
    return asyncio.run(_opened(place, work))


async def _opened(place: Place, work: Callable[[Database], Awaitable[T]]) -> T:
    async with place.open(Role.OWNER) as database:
        return await work(database)


async def ledger_rows(database: Database) -> dict[str, int]:
    """Rows in every table of the ledger that a submission or a load may write."""
    names = await database.fetch(
        "SELECT table_name AS name FROM information_schema.tables"
        " WHERE table_schema = 'ingest' AND table_type = 'BASE TABLE'"
        " AND table_name NOT IN ('workers', 'meta', 'alembic_version')"
    )
    tables = [row["name"] for row in names]
    assert {"jobs", "requests", "payloads", "chunks", "quarantine"} <= set(tables)
    return {
        table: await database.fetchval(f"SELECT count(*) FROM ingest.{table}") for table in tables
    }
