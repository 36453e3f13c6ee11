"""Where a run takes place: servers, provider, folders and settings of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingestor.settings import Settings
from ingestor.settings.sections import RetrySection
from ingestor.simulator.options import SimulatorOptions
from ingestor.simulator.server import Gateway, running
from tests.chaos import orders
from tests.chaos.options import Options
from tests.chaos.refusals import configs
from tests.chaos.servers import servers
from tests.chaos.vault_disk import vault_disk
from tests.conftest import environment, make_settings
from tests.gateways import IMPATIENT, facing
from tests.private import PrivateStack, database_of, named

_PER_DAY: Final = 30
_CALLS_PER_S: Final = 1_000
"""The simulator sets no limit here; 20 calls a second would be all that eight processes get."""

_ENDLESS: Final = {
    # What is injected must not make dead letters by itself.
    "max_attempts": 10_000,
    "max_lost": 10_000,
    "max_deferrals": 100_000,
    "max_local_faults": 10_000,
    "halt_probe_s": 1,
}


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a run takes place."""

    home: Path
    stack: PrivateStack
    gateway: Gateway
    settings: Settings
    env: Mapping[str, str]
    vault: Path | None
    database_url: str


@contextmanager
def prepared(options: Options) -> Iterator[Ground]:
    """Servers, simulator, folders and settings of one run; all are gone at the end."""
    with ExitStack() as closing:
        home = closing.enter_context(_home(options.keep))
        vault = closing.enter_context(vault_disk(home / "vault"))
        stack = closing.enter_context(servers(home, keep=options.keep is not None))
        gateway = closing.enter_context(running(market(options.seed)))
        place = stack.place()
        settings = facing(
            make_settings(place, stack.redis_url, home), gateway,
            metadata_per_s=_CALLS_PER_S, **IMPATIENT,
        )  # fmt: skip
        settings = settings.model_copy(update={"config_dir": configs(home / "configs")})
        for folder in ("logs", "spool"):
            (home / folder).mkdir()
        url = named(stack.admin_url, database_of(place))
        yield Ground(home, stack, gateway, settings, _env(settings, home), vault, url)


def market(seed: int) -> SimulatorOptions:
    """What the provider has; the oracle makes the same of it."""
    return SimulatorOptions(
        seed=seed, per_day=_PER_DAY, limits=False, first=orders.FIRST, past=orders.PAST
    )


@contextmanager
def _home(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True)
        yield keep.absolute()
        return
    home = Path(tempfile.mkdtemp(prefix="hdi-chaos-"))
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _env(settings: Settings, home: Path) -> dict[str, str]:
    known = RetrySection.model_fields
    return {
        **environment(settings),
        "HDI_CONFIG_DIR": str(settings.config_dir),
        "HDI_DATABASE__CONNECT_TIMEOUT_S": "3",
        "TMPDIR": str(home / "spool"),
        **{f"HDI_RETRY__{n.upper()}": str(v) for n, v in _ENDLESS.items() if n in known},
    }


def refuse_foreign_settings() -> None:
    """Nothing of the caller's environment reaches the run."""
    for name in [each for each in os.environ if each.startswith("HDI_")]:
        del os.environ[name]
