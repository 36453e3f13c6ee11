"""The vault's disk full."""

from __future__ import annotations

import asyncio

from tests.chaos import vault_disk
from tests.chaos.injectors.injector import Injector

_REFUSED = """
SELECT count(*) FROM ingest.attempts WHERE error_code = 'LocalFault' AND ended_at > $1
"""
_NOW = "SELECT clock_timestamp()"


class FillVault(Injector):
    """Not a byte is free until some attempts have failed of it; each of them counts."""

    kind, family, pause_s = "vault disk full", "disk", 40.0

    async def inject(self) -> int:
        folder = self.target.vault
        assert folder is not None
        since = await self.target.ledger.fetchval(_NOW)
        try:
            free = await asyncio.to_thread(vault_disk.fill, folder)
            await asyncio.sleep(self.chance.uniform(0.5, 2.0))
        finally:
            await asyncio.to_thread(vault_disk.empty, folder)
        refused: int = await self.target.ledger.fetchval(_REFUSED, since)
        return refused if free < 64 * 1024 else 0

    async def calm(self) -> None:
        if self.target.vault is not None:
            await asyncio.to_thread(vault_disk.empty, self.target.vault)
