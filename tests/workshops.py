"""A desk with a simulated provider and a configuration folder that the test writes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from ingestor.settings import Settings
from ingestor.settings.forms import shipped_config_dir
from ingestor.simulator.server import Gateway
from ingestor.store.database import Database
from tests.acceptance.commands import Here, ask
from tests.conftest import Place
from tests.gateways import Desk, facing

CME = ("--dataset", "GLBX.MDP3", "--symbols", "ESM4,NQM4", "--start", "2024-03-11")
TWO_DAYS = (*CME, "--schema", "trades", "--end", "2024-03-13")


class Workshop(Desk):
    """A desk in whose configuration folder rules and mappings are changed.

    Attributes:
        configs: The folder in use.
    """

    def __init__(self, here: Here, settings: Settings, place: Place) -> None:
        super().__init__(here, settings, place)
        self.configs = settings.config_dir
        self._environment["HDI_CONFIG_DIR"] = str(self.configs)

    def rules(self, *rules: str, table: str = "trades_data", configs: Path | None = None) -> None:
        """The rules of a table from now on; none where none are given."""
        lines = [f"table: {table}", "rejection_limit: {records: 100000, share: 1}"]
        lines += ["rules:", *(f"  - {each}" for each in rules)] if rules else []
        path = (configs or self.configs) / "validation" / f"{table}.yaml"
        path.write_text("\n".join(lines) + "\n")

    def column(self, name: str, rule: str, *, configs: Path | None = None) -> None:
        """How a column of trades is made from now on."""
        path = (configs or self.configs) / "mappings" / "databento" / "trades.yaml"
        lines = path.read_text().splitlines()
        [at] = [at for at, line in enumerate(lines) if line.startswith(f"  {name}:")]
        lines[at] = f"  {name}: {rule}"
        path.write_text("\n".join(lines) + "\n")

    def copy(self, name: str) -> Path:
        """Another configuration folder, equal to the one in use."""
        made = self.configs.parent / name
        shutil.copytree(self.configs, made)
        return made

    def fetch(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of the database."""

        async def work(database: Database) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in await database.fetch(query, *values)]

        return ask(self._place, work)

    def receipts(self, job_id: str) -> list[dict[str, Any]]:
        """Of the job's chunks, in their order."""
        query = "SELECT receipt FROM ingest.chunks WHERE job_id = $1::TEXT::UUID ORDER BY chunk_id"
        return [row[0] for row in self.fetch(query, job_id)]

    def replayed(self, job: str, *arguments: object) -> tuple[str, dict[str, int]]:
        """Replays a job: the new job's id, and its records."""
        said = self.hdi("replay", job, "--json", *arguments)
        assert said.code == 0, said.err
        job_id = said.json["job_id"]
        self.work()
        status = self.hdi("status", job_id, "--json").json
        assert status["state"] == "completed"
        return job_id, status["records"]

    def require_sums(self) -> None:
        """`hdi verify` finds nothing."""
        said = self.hdi("verify", "--json")
        assert said.code == 0, said.out


def rule(name: str, check: str, severity: str = "quarantine", **more: str) -> str:
    """A rule on one line of a rule file."""
    said = "".join(f", {key}: {value}" for key, value in more.items())
    return f'{{id: {name}, check: "{check}", severity: {severity}{said}}}'


@pytest.fixture
def workshop(
    here: Here, settings: Settings, place: Place, gateway: Gateway, tmp_path: Path
) -> Workshop:
    """Trades have no rules yet."""
    configs = tmp_path / "configs"
    shutil.copytree(shipped_config_dir(), configs)
    # No test of a workshop is about a provider that is slow; a busy machine may be.
    facts = facing(settings, gateway, read_timeout_s=20.0).model_copy(
        update={"config_dir": configs}
    )
    made = Workshop(here, facts, place)
    made.rules()
    return made
