"""Every kind of fault that a run injects."""

from __future__ import annotations

import asyncio
import random

from tests.chaos.injectors.disk import FillVault
from tests.chaos.injectors.injector import Injector
from tests.chaos.injectors.leases import Expire
from tests.chaos.injectors.messages import Duplicate
from tests.chaos.injectors.processes import (
    Freeze,
    FreezeWorker,
    KillChild,
    KillMain,
    KillScheduler,
    KillSubmit,
    KillWorker,
    Terminate,
)
from tests.chaos.injectors.provider import MISBEHAVIOURS, Misbehave
from tests.chaos.injectors.servers import (
    CrashPostgres,
    EndCopy,
    EndLoad,
    FlushRedis,
    FreezeRedis,
    KillRedis,
)
from tests.chaos.target import Target

KINDS = (
    KillChild, KillWorker, KillMain, KillScheduler, KillSubmit, Freeze, FreezeWorker, Terminate,
    CrashPostgres, EndLoad, EndCopy, KillRedis, FlushRedis, FreezeRedis, Duplicate, Expire,
)  # fmt: skip


def every(target: Target, seed: int) -> list[Injector]:
    """One of each kind, with a chance of its own, so that one's draws are not another's."""
    kinds = [*KINDS, *([] if target.vault is None else [FillVault])]
    made: list[Injector] = [kind(target, _chance(seed, kind.kind)) for kind in kinds]
    turn = asyncio.Lock()
    return made + [Misbehave(target, _chance(seed, it.kind), it, turn) for it in MISBEHAVIOURS]


def _chance(seed: int, kind: str) -> random.Random:
    return random.Random(f"{seed}: {kind}")


__all__ = ["Injector", "every"]
