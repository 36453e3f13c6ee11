"""Source `databento` and a claim that names its payload: out of the vault, never bought."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ingestor.days import DAY_NS, DaySet
from ingestor.errors import CorruptPayload, PayloadMissing
from ingestor.job import Claim
from ingestor.settings import Settings
from ingestor.simulator.market import MONDAY
from ingestor.simulator.server import Gateway
from ingestor.sources.databento.source import Databento
from ingestor.sources.source import Ask, Payload, Wanted
from ingestor.vault import Vault
from ingestor.vocabulary import Priority, Realm, Schema
from tests.claims import only_claim, read
from tests.gateways import facing, gateway

__all__ = ["gateway"]


@pytest.fixture
def facts(gateway: Gateway, tmp_path: Path) -> Settings:
    return facing(Settings(home=tmp_path), gateway, metadata_per_s=10_000, timeseries_per_s=10_000)


@pytest.fixture
def source(facts: Settings) -> Databento:
    return Databento(facts, Vault.of(facts))


@pytest.fixture
def keyless(facts: Settings) -> Databento:
    """The same vault, on a host that has no key and knows no gateway."""
    alone = facts.model_copy(update={"databento_gateway": None, "databento_api_key": None})
    return Databento(alone, Vault.of(alone))


def bought(source: Databento, *, days: int = 1, schema: Schema = Schema.TRADES) -> Claim:
    """A claim as a replay makes it: fetched once, and naming what was fetched."""
    wanted = (Wanted(schema, MONDAY, MONDAY + days * DAY_NS),)
    plan = source.plan(
        Ask("test", Priority.NORMAL, dataset="GLBX.MDP3", wanted=wanted, symbols=("ESM4", "ESX4"))
    )
    claim = only_claim(plan)
    payload = source.fetch(claim)
    return replace(claim, payload=payload.ref, expected=payload.contents.records)


def told(payload: Payload) -> tuple[object, ...]:
    return (
        payload.ref, payload.contents, payload.symbology, payload.layout, payload.partial,
        payload.uncovered, payload.realm, payload.proven, payload.unresolved, payload.metadata,
    )  # fmt: skip


def test_it_is_the_same_payload_without_a_question(
    source: Databento, keyless: Databento, gateway: Gateway
) -> None:
    """No key, no gateway, and no call to the one there is."""
    gateway.condition("GLBX.MDP3", "2024-03-13", "missing")
    claim = bought(source, days=5, schema=Schema.OHLCV_1D)
    first, _ = read(source, replace(claim, payload=None))
    calls = len(gateway.requests())
    again, _ = read(keyless, claim)
    assert told(again) == told(first)
    assert again.uncovered == DaySet([(MONDAY // DAY_NS + 2, MONDAY // DAY_NS + 3)])
    assert again.realm is Realm.SIMULATED
    assert keyless.purchase(claim) is None
    assert (len(gateway.requests()), gateway.bill().calls) == (calls, 1)


def test_what_is_gone_is_told_and_not_bought(
    source: Databento, gateway: Gateway, facts: Settings
) -> None:
    claim = bought(source)
    for path in (facts.home / "vault").glob("payloads/*/*.dbn.zst"):
        path.unlink()
    with pytest.raises(PayloadMissing):
        source.fetch(claim)
    assert gateway.bill().calls == 1


def test_what_is_damaged_is_told_and_stays(
    source: Databento, gateway: Gateway, facts: Settings
) -> None:
    """Setting it aside would make the next job buy it."""
    claim = bought(source)
    [path] = (facts.home / "vault").glob("payloads/*/*.dbn.zst")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)
    with pytest.raises(CorruptPayload):
        source.fetch(claim)
    assert (path.exists(), gateway.bill().calls) == (True, 1)


def test_without_its_manifest_it_covers_nothing(source: Databento, facts: Settings) -> None:
    """Which of the days the provider had is not known any more; its records still load."""
    claim = bought(source)
    for path in (facts.home / "vault").glob("payloads/*/*.json"):
        path.unlink()
    payload, records = read(source, claim)
    assert "no manifest is left" in payload.partial
    assert (len(records), payload.proven, payload.realm) == (50, False, None)


def test_a_manifest_of_another_request_is_not_taken_for_its_own(source: Databento) -> None:
    """The same bytes may answer several requests."""
    claim = replace(bought(source), symbols=("NQM4",))
    assert "no manifest is left" in source.fetch(claim).partial


def test_a_manifest_that_tells_of_another_payload_is_not_believed(
    source: Databento, facts: Settings
) -> None:
    claim = bought(source)
    [path] = (facts.home / "vault").glob("payloads/*/*.json")
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b'"records": 50', b'"records": 49'))
    with pytest.raises(CorruptPayload) as refused:
        source.fetch(claim)
    assert "--force" in refused.value.hint
