from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conftest import Place
from tests.loads import Bench, bench


@pytest.fixture
async def any_bench(any_place: Place, tmp_path: Path) -> AsyncIterator[Bench]:
    """A worker's view of a fresh database, once on TimescaleDB and once on plain PostgreSQL."""
    async with bench(any_place, tmp_path) as made:
        yield made


@pytest.fixture
async def timescale_bench(place: Place, tmp_path: Path) -> AsyncIterator[Bench]:
    """A worker's view of a fresh TimescaleDB database."""
    async with bench(place, tmp_path) as made:
        yield made


@pytest.fixture
async def plain_bench(plain_place: Place, tmp_path: Path) -> AsyncIterator[Bench]:
    """A worker's view of a fresh database of plain PostgreSQL."""
    async with bench(plain_place, tmp_path) as made:
        yield made
