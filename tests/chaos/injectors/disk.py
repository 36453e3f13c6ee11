"""The vault's disk full."""

from __future__ import annotations

import asyncio
import time

from tests.chaos import vault_disk
from tests.chaos.injectors.injector import Injector

_REFUSED = """
SELECT count(*) FROM ingest.attempts WHERE error_code = 'LocalFault' AND ended_at > $1
"""
_NOW = "SELECT clock_timestamp()"
_FULL = 64 * 1024
_LONGEST_S = 5.0


class FillVault(Injector):
    """Not a byte is free until an attempt has failed of it, and a moment longer."""

    kind, family, pause_s = "vault disk full", "disk", 25.0

    async def inject(self) -> int:
        folder = self.target.vault
        assert folder is not None
        since = await self.target.ledger.fetchval(_NOW)
        try:
            free = await asyncio.to_thread(vault_disk.fill, folder)
            refused = await self._refused(since)
            await asyncio.sleep(self.chance.uniform(0.0, 1.0))
        finally:
            await asyncio.to_thread(vault_disk.empty, folder)
        if free > _FULL or not refused:
            return 0
        self.beside["attempts that failed of it"] += await self._count(since)
        return 1

    async def _refused(self, since: object) -> bool:
        deadline = time.monotonic() + _LONGEST_S
        while not await self._count(since):
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.1)
        return True

    async def _count(self, since: object) -> int:
        return int(await self.target.ledger.fetchval(_REFUSED, since))

    async def calm(self) -> None:
        if self.target.vault is not None:
            await asyncio.to_thread(vault_disk.empty, self.target.vault)
