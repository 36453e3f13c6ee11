"""What `docs/how-to/rules.md` promises, in its order, with real workers behind it.

One job, one folder of configuration; each test goes on from the one before.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from ingestor.settings import Settings
from ingestor.settings.forms import shipped_config_dir
from ingestor.simulator.market import DAY, INSTRUMENTS, MONDAY, make_trades, mappings
from tests.acceptance.commands import Said, hdi, submit
from tests.conftest import Servers, _place, environment, make_settings
from tests.loads import write
from tests.processes import fleet

RECORDS = 2_000
LIMIT = 3
RULE = f"""rules:
  - id: block-trade
    check: size < {LIMIT}
    severity: quarantine
    reason: blocks are not wanted here
"""
MISSPELT = RULE.replace("size", "sise")


@dataclass
class Desk:
    """A running service, and a configuration folder of its own.

    Attributes:
        blocks: Records of the job that the new rule refuses.
    """

    env: dict[str, str]
    config: Path
    blocks: int

    def rules(self) -> Path:
        return self.config / "validation" / "trades_data.yaml"

    def hdi(self, *arguments: object) -> Said:
        return hdi(self.env, *arguments)


@pytest.fixture(scope="module")
def desk(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    home = tmp_path_factory.mktemp("rules")
    config = home / "config"
    shutil.copytree(shipped_config_dir(), config)
    with redis.Redis.from_url(servers.redis_url) as client:
        client.flushall()
    for place in _place(servers):
        made = make_settings(place, servers.redis_url, home)
        settings: Settings = made.model_copy(update={"config_dir": config})
        env = environment(settings) | {"HDI_CONFIG_DIR": str(config)}
        records = make_trades(RECORDS, seed=0)
        blocks = int((records["size"] >= LIMIT).sum())
        assert 100 < blocks < RECORDS
        path = write(
            home / "day.dbn.zst", records, mappings=mappings(INSTRUMENTS, MONDAY, MONDAY + DAY)
        )
        with fleet(settings, home) as processes:
            processes.worker(HDI_CONFIG_DIR=str(config))
            processes.scheduler()
            done = submit(env, "--path", path, "--name", "day", "--wait", "--copy-to-vault")
            assert done.code == 0, done
            yield Desk(env, config, blocks)


def test_1_a_misspelt_rule_is_refused_with_its_line_and_what_was_meant(desk: Desk) -> None:
    text = desk.rules().read_text()
    desk.rules().write_text(text + MISSPELT)

    said = desk.hdi("rules", "check")

    desk.rules().write_text(text)
    assert said.code == 1
    line = (text + MISSPELT)[: (text + MISSPELT).index("sise")].count("\n") + 1
    told = said.out + said.err
    assert "trades_data.yaml" in told
    assert str(line) in told
    assert "sise" in told
    assert "size" in told


def test_2_a_new_rule_passes_the_check(desk: Desk) -> None:
    old = desk.config.parent / "old"
    shutil.copytree(desk.config, old)
    with desk.rules().open("a") as file:
        # Every second trade is past the shipped limit of refusals.
        file.write(RULE)
    text = desk.rules().read_text()
    limit = "rejection_limit: {records: 100, share: 1.0}"
    lines = [line for line in text.splitlines() if not line.startswith("rejection_limit:")]
    at = next(n for n, line in enumerate(lines) if line.startswith("table:"))
    desk.rules().write_text("\n".join([*lines[: at + 1], limit, *lines[at + 1 :]]) + "\n")

    said = desk.hdi("rules", "check")

    assert said.code == 0, said


def test_3_it_is_told_what_it_would_have_done_to_what_is_stored(desk: Desk) -> None:
    old = desk.config.parent / "old"

    said = desk.hdi("rules", "diff", "--old", old, "--new", desk.config, "--job", "day", "--json")

    assert said.code == 0, said
    assert '"block-trade"' in said.out
    assert str(desk.blocks) in said.out
    assert desk.hdi("quarantine", "list", "--json").json["total"] == 0


def test_4_a_replay_applies_it_to_the_rows(desk: Desk) -> None:
    said = desk.hdi("replay", "day", "--wait", "--json")

    assert said.code == 0, said
    records = said.json["records"]
    assert records["fetched"] == RECORDS
    assert records["quarantined"] == desk.blocks
    assert desk.hdi("verify").code == 0


def test_5_refused_records_are_found_by_their_reason(desk: Desk) -> None:
    said = desk.hdi("quarantine", "list", "--rule", "block-trade", "--limit", "5", "--json")

    assert said.code == 0, said
    assert said.json["total"] == desk.blocks
    assert len(said.json["records"]) == 5
    first = said.json["records"][0]
    assert first["rule"] == "block-trade"
    assert "blocks are not wanted here" in first["reason"]
    shown = desk.hdi("quarantine", "show", first["id"])
    assert shown.code == 0, shown
    assert "blocks are not wanted here" in shown.out
    assert "size" in shown.out


def test_6_records_that_pass_again_are_stored_once(desk: Desk) -> None:
    """The rule is taken out: its records come back, and the tables hold the whole day again."""
    desk.rules().write_text((desk.config.parent / "old/validation/trades_data.yaml").read_text())

    said = desk.hdi("quarantine", "replay", "--rule", "block-trade", "--json")

    assert said.code == 0, said
    assert desk.hdi("quarantine", "list", "--json").json["total"] == 0
    assert desk.hdi("verify").code == 0
    queried = desk.hdi(
        "query", "trades", "--all", "--dataset", "GLBX.MDP3", "--start", "2024-03-11",
        "--end", "2024-03-12", "--csv",
    )  # fmt: skip
    assert len(queried.out.splitlines()) == RECORDS + 1, queried.err
