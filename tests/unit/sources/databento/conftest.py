from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from ingestor.dbn import Header
from ingestor.manifest import PayloadRequest
from ingestor.settings import Settings
from ingestor.simulator.dbn_writer import compress_frames, encode_dbn
from ingestor.simulator.market import DAY, MONDAY, make_trades
from ingestor.sources.databento.provider import Provider
from ingestor.vocabulary import Realm
from tests.gateway import KEY, Served, gateway

QUICK = {"patience_s": 0, "backoff_s": 0.01, "connect_timeout_s": 2, "read_timeout_s": 5}


@pytest.fixture(scope="module")
def _served() -> Iterator[Served]:
    with gateway() as made:
        yield made


@pytest.fixture
def served(_served: Served) -> Served:
    """A gateway that answers as it is told."""
    _served.tell(*_served.answers[:1])
    return _served


@pytest.fixture
def provider_of(served: Served):
    """Makes providers with settings of their own; patience 0 unless told: nothing is repeated."""

    def make(*, key: str = KEY, **section: float) -> Provider:
        return Provider(
            Settings.model_validate(
                {
                    "databento_gateway": served.url,
                    "databento_api_key": key,
                    "databento": {**QUICK, **section},
                }
            )
        )

    return make


@pytest.fixture
def provider(provider_of) -> Provider:
    return provider_of()


@pytest.fixture(scope="session")
def request_of_a_day() -> PayloadRequest:
    return PayloadRequest(
        source="databento", realm=Realm.SIMULATED, dataset="GLBX.MDP3", schema_name="trades",
        stype_in="raw_symbol", symbols=("ESM4", "ESU4"), start=MONDAY, end=MONDAY + DAY,
    )  # fmt: skip


@pytest.fixture(scope="session")
def payload() -> bytes:
    """20,000 trades as the provider sends them."""
    header = Header(
        dataset="GLBX.MDP3", schema="trades", start=MONDAY, end=MONDAY + DAY,
        symbols=["ESM4", "ESU4"],
    )  # fmt: skip
    return compress_frames(encode_dbn(header, np.asarray(make_trades(20_000))))
