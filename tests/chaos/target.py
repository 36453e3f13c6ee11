"""What injectors aim at: a service with its servers and provider, and a ledger to see effects."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import redis.asyncio

from ingestor.settings import Settings
from ingestor.simulator.archive import Archive
from ingestor.simulator.server import Gateway
from ingestor.store.database import Database
from tests.chaos.pids import Pid
from tests.chaos.service import Service
from tests.private import PrivateStack


@dataclass
class Moments:
    """When something that concerns every chunk was hit last; and when messages were lost last."""

    everywhere: float = field(default_factory=time.monotonic)
    messages: float = 0.0

    def hit(self) -> None:
        self.everywhere = time.monotonic()

    def hit_messages(self) -> None:
        self.messages = time.monotonic()
        self.hit()


@dataclass(frozen=True, slots=True)
class Target:
    """Attributes:
    ledger: The run's database, as superuser: it may end backends of others.
    submissions: Commands under way that submit jobs.
    vault: A small file system of the run's own that holds the vault; None where none can be made.
    archive: What the provider has.
    valkey_turn: Whoever freezes or kills Redis does so alone.
    """

    service: Service
    servers: PrivateStack
    gateway: Gateway
    ledger: Database
    redis: redis.asyncio.Redis
    settings: Settings
    env: Mapping[str, str]
    vault: Path | None
    submissions: set[Pid]
    archive: Archive
    moments: Moments = field(default_factory=Moments)
    valkey_turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once no further fault is to be injected."""

    @property
    def lease_s(self) -> float:
        return self.settings.lease.duration_s
