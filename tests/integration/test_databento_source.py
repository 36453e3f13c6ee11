"""Source `databento` against a gateway, without queue and database: what it takes in and keeps."""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import SecretStr
from zstandard import ZstdDecompressor

from ingestor.days import DAY_NS, DaySet
from ingestor.errors import (
    AuthenticationFailed,
    BadJob,
    LocalFault,
    SourceUnavailable,
    TruncatedPayload,
)
from ingestor.job import Claim
from ingestor.manifest import PayloadRequest
from ingestor.settings import Settings
from ingestor.simulator.dbn_writer import compress_frames
from ingestor.simulator.market import MONDAY
from ingestor.simulator.server import Gateway, SimulatorOptions, running
from ingestor.sources.databento.intake import checked
from ingestor.sources.databento.source import Databento
from ingestor.sources.source import Ask, Wanted
from ingestor.steps import listening
from ingestor.vault import Vault
from ingestor.vocabulary import Priority, Realm, Schema
from tests.claims import claims_of, only_claim, read
from tests.gateways import facing, gateway

__all__ = ["gateway"]
QUICKLY = {"metadata_per_s": 10_000, "timeseries_per_s": 10_000, "symbology_per_s": 10_000}


@pytest.fixture
def facts(gateway: Gateway, tmp_path: Path) -> Settings:
    return facing(Settings(home=tmp_path), gateway, **QUICKLY)


@pytest.fixture
def source(facts: Settings) -> Databento:
    return Databento(facts, Vault.of(facts))


def asked(*symbols: str, first: int = MONDAY, days: int = 1, **told: object) -> Ask:
    schema = told.pop("schema", Schema.TRADES)
    wanted = (Wanted(schema, first, first + days * DAY_NS),)  # type: ignore[arg-type]
    ask = Ask("test", Priority.NORMAL, dataset="GLBX.MDP3", wanted=wanted, symbols=symbols)
    return replace(ask, **told)  # type: ignore[arg-type]


def files(facts: Settings, pattern: str) -> list[Path]:
    return sorted((facts.home / "vault").rglob(pattern))


def test_a_payload_is_bought_once_and_found_again(
    source: Databento, gateway: Gateway, facts: Settings
) -> None:
    """By this process, and by another that shares the vault."""
    claim = only_claim(source.plan(asked("ESM4")))
    first, records = read(source, claim)
    assert (len(records), first.realm, first.contents.records) == (50, Realm.SIMULATED, 50)
    again, same = read(Databento(facts, Vault.of(facts)), claim)
    assert (again.ref, same.tobytes()) == (first.ref, records.tobytes())
    assert gateway.bill().calls == 1


def test_what_a_manifest_says(source: Databento, facts: Settings) -> None:
    """Request, counts, conditions, symbology, client: beside the payload."""
    claim = only_claim(source.plan(asked("ESM4")))
    payload = source.fetch(claim)
    request = PayloadRequest(
        source="databento", realm=Realm.SIMULATED, dataset="GLBX.MDP3", schema_name="trades",
        stype_in="raw_symbol", symbols=("ESM4",), start=claim.start, end=claim.end,
    )  # fmt: skip
    manifest = Vault.of(facts).find(request)
    assert manifest is not None
    assert (manifest.sha256, manifest.size, manifest.records) == (
        payload.ref.sha256, payload.ref.size, 50,
    )  # fmt: skip
    assert [str(each.day) for each in manifest.conditions] == ["2024-03-11"]
    assert manifest.client.startswith("databento 0.")
    assert {each.symbol for each in manifest.symbology} == {"ESM4"}


def test_a_payload_that_rots_in_the_vault_is_set_aside_and_fetched_again(
    source: Databento, gateway: Gateway, facts: Settings
) -> None:
    claim = only_claim(source.plan(asked("ESM4")))
    source.fetch(claim)
    [kept] = files(facts, "*.dbn.zst")
    content = bytearray(kept.read_bytes())
    content[len(content) // 2] ^= 1
    kept.chmod(0o600)
    kept.write_bytes(content)
    _, records = read(source, claim)
    assert (len(records), gateway.bill().calls) == (50, 2)


@pytest.mark.parametrize(
    ("field", "value"), [("records", 5), ("symbology", []), ("not_found", ["ESM4"])]
)
def test_a_manifest_that_does_not_fit_its_payload_is_not_believed(
    source: Databento, gateway: Gateway, facts: Settings, field: str, value: object
) -> None:
    """Its symbols would become the database's."""
    claim = only_claim(source.plan(asked("ESM4")))
    source.fetch(claim)
    for path in files(facts, "requests/*/*.json"):
        path.chmod(0o600)
        path.write_text(json.dumps(json.loads(path.read_text()) | {field: value}))
    again = source.fetch(claim)
    assert (gateway.bill().calls, again.contents.records) == (2, 50)
    assert {each.symbol for each in again.symbology} == {"ESM4"}


@pytest.fixture(scope="module")
def payload(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """One day of ESM4 as it was delivered, and its content."""
    home = tmp_path_factory.mktemp("home")
    with running(SimulatorOptions(per_day=200, limits=False)) as found:
        settings = facing(Settings(home=home), found)
        source = Databento(settings, Vault.of(settings))
        path = source.fetch(only_claim(source.plan(asked("ESM4")))).path
        delivered = path.read_bytes()
    return delivered, ZstdDecompressor().stream_reader(delivered).read()


REQUEST = PayloadRequest(
    source="databento", realm=Realm.SIMULATED, dataset="GLBX.MDP3", schema_name="trades",
    stype_in="raw_symbol", symbols=("ESM4",), start=MONDAY, end=MONDAY + DAY_NS,
)  # fmt: skip


def test_a_whole_download_is_taken_in(payload: tuple[bytes, bytes], tmp_path: Path) -> None:
    """The same check lets it pass."""
    part = tmp_path / "x.part"
    part.write_bytes(payload[0])
    assert checked(part, REQUEST, 200).contents.records == 200


def test_no_download_that_is_cut_anywhere_is_taken_in(
    payload: tuple[bytes, bytes], tmp_path: Path
) -> None:
    """Every byte of the compressed stream, as it lies on disk after a cut."""
    delivered, _ = payload
    part = tmp_path / "x.part"
    for at in range(len(delivered)):
        part.write_bytes(delivered[:at])
        with pytest.raises(TruncatedPayload):
            checked(part, REQUEST, 200)


def test_no_sound_frame_of_fewer_records_is_taken_in(
    payload: tuple[bytes, bytes], tmp_path: Path
) -> None:
    """Every record border, compressed anew: only the count tells; and a record too many."""
    _, content = payload
    part = tmp_path / "x.part"
    head = len(content) - 200 * 48
    for records in range(200):
        part.write_bytes(compress_frames(content[: head + records * 48]))
        with pytest.raises(TruncatedPayload):
            checked(part, REQUEST, 200)
    part.write_bytes(compress_frames(content + content[-48:]))
    with pytest.raises(TruncatedPayload):
        checked(part, REQUEST, 200)


def test_no_flipped_bit_is_taken_in(payload: tuple[bytes, bytes], tmp_path: Path) -> None:
    """1,000 of them, anywhere: the checksum of the frame, or its structure, tells. What is taken
    in nevertheless (another window, an unused bit of a table) decompresses to the same content.
    """
    delivered, content = payload
    chance = random.Random(11)
    part = tmp_path / "x.part"
    for _ in range(1_000):
        at = chance.randrange(len(delivered))
        damaged = bytearray(delivered)
        damaged[at] ^= 1 << chance.randrange(8)
        part.write_bytes(damaged)
        if taken_in(part):
            assert ZstdDecompressor().stream_reader(bytes(damaged)).read() == content


def taken_in(part: Path) -> bool:
    try:
        checked(part, REQUEST, 200)
    except TruncatedPayload:
        return False
    return True


@pytest.mark.slow
def test_a_thousand_cut_streams_store_nothing_and_the_next_try_is_whole(
    gateway: Gateway, facts: Settings
) -> None:
    """Through HTTP and the official client: ended cleanly, in mid-chunk, too short, at EOF."""
    facts = facing(facts, gateway, **QUICKLY, patience_s=0)
    source = Databento(facts, Vault.of(facts))
    claim = only_claim(source.plan(asked("ESM4")))
    size = source.fetch(claim).ref.size
    for path in files(facts, "*.json"):
        if path.parent.parent.name == "requests":
            path.unlink()
    chance = random.Random(5)
    for number in range(1_000):
        how = ("clean", "chunked", "length", "eof")[number % 4]
        gateway.fault("cut", how=how, at=chance.randrange(size))
        with pytest.raises((TruncatedPayload, SourceUnavailable)):
            source.fetch(replace(claim, fence=number + 1))
    assert gateway.waiting_faults() == []
    assert files(facts, "*.part") == []
    assert len(read(source, claim)[1]) == 50


def test_a_download_that_was_finished_and_not_kept_is_used(
    source: Databento, gateway: Gateway, facts: Settings
) -> None:
    """Its worker died in between; an unfinished one beside it is not, and goes."""
    claim = only_claim(source.plan(asked("ESM4")))
    kept = source.fetch(claim)
    content = kept.path.read_bytes()
    vault = Vault.of(facts)
    vault.set_aside(kept.ref)
    name = f"{replace_request(claim).key}.{claim.chunk_id}"
    vault.part(f"{name}.1").write_bytes(content[:-9])
    vault.part(f"{name}.2").write_bytes(content)
    _, records = read(source, replace(claim, fence=3))  # type: ignore[arg-type]
    assert (len(records), gateway.bill().calls) == (50, 1)
    assert files(facts, "*.part") == []


def replace_request(claim: Claim) -> PayloadRequest:
    return REQUEST.model_copy(update={"start": claim.start, "end": claim.end})


def test_days_the_provider_does_not_have_are_left_out_of_the_plan_and_told(
    source: Databento, gateway: Gateway
) -> None:
    """Pending and missing ones; a degraded day is loaded, and told, too."""
    for day, condition in (("12", "missing"), ("13", "degraded"), ("15", "pending")):
        gateway.condition("GLBX.MDP3", f"2024-03-{day}", condition)
    plan = source.plan(asked("ESM4", days=5))
    days = [chunk.start // DAY_NS - MONDAY // DAY_NS for chunk in plan.requests[0].chunks]
    assert days == [0, 2, 3]
    told = "\n".join(plan.notes)
    assert "2024-03-12 missing" in told
    assert "2024-03-13 degraded" in told
    assert "2024-03-15 pending" in told


def test_a_day_that_is_missing_inside_a_chunk_is_not_covered(
    source: Databento, gateway: Gateway
) -> None:
    """Daily bars are not cut at it; the receipt does not prove it either."""
    gateway.condition("GLBX.MDP3", "2024-03-13", "missing")
    [claim] = claims_of(source.plan(asked("ESM4", days=5, schema=Schema.OHLCV_1D)))
    payload = source.fetch(claim)
    first = MONDAY // DAY_NS
    assert payload.uncovered == DaySet([(first + 2, first + 3)])


def test_a_request_beyond_what_there_is_is_clamped_and_told(
    source: Databento, gateway: Gateway
) -> None:
    gateway.available(end="2024-03-14T10:00:00Z")
    plan = source.plan(asked("ESM4", days=10))
    assert plan.requests[0].end == MONDAY + 3 * DAY_NS
    assert any("2024-03-14" in note for note in plan.notes)


def test_the_same_ask_has_the_same_key_and_another_day_another(source: Databento) -> None:
    one = source.plan(asked("ESM4", "NQM4", days=3))
    other = source.plan(asked("NQM4", "ESM4", "ESM4", days=3, chunk_days=2, name="other"))
    assert one.key == other.key
    assert source.plan(asked("ESM4", "NQM4", days=4)).key != one.key
    assert source.plan(asked("ESM4", "NQM4", days=3, force=True)).key != one.key


def test_asks_for_which_there_is_nothing_have_keys_of_their_own(source: Databento) -> None:
    """Two empty jobs are not one."""
    past = 19_000 * DAY_NS
    one, other = (source.plan(asked("ESM4", first=past, days=days)) for days in (1, 2))
    assert (one.chunk_count, one.requests) == (0, ())
    assert one.key != other.key


def test_what_is_held_is_left_out_and_not_quoted(source: Databento) -> None:
    first = MONDAY // DAY_NS
    held = {(Schema.TRADES, "ESM4"): DaySet([(first, first + 4)])}
    plan = source.plan(asked("ESM4", days=5, held=held))
    whole = source.plan(asked("ESM4", days=5))
    assert [chunk.start for chunk in plan.requests[0].chunks] == [MONDAY + 4 * DAY_NS]
    assert plan.quoted_usd == pytest.approx((whole.quoted_usd or 0) / 5)


def test_questions_that_take_their_turns_say_how_far_they_are(source: Databento) -> None:
    """At 20 calls a second, a top-up of many symbols that hold other days each takes minutes."""
    first = MONDAY // DAY_NS
    held = {(Schema.TRADES, "ESM4"): DaySet([(first + 1, first + 2), (first + 3, first + 4)])}
    told: list[tuple[str, int, int]] = []
    with listening(lambda *said: told.append(said)):
        source.plan(asked("ESM4", days=5, held=held))
    assert told == [
        ("lists of symbols looked up", 1, 1),
        *(("prices asked", done, 3) for done in (1, 2, 3)),
    ]


def test_two_overlapping_requests_of_one_job_ask_once(source: Databento) -> None:
    """A job file may name a schema twice."""
    wanted = tuple(
        Wanted(Schema.TRADES, MONDAY + a * DAY_NS, MONDAY + b * DAY_NS) for a, b in ((0, 3), (1, 5))
    )
    plan = source.plan(asked("ESM4", wanted=wanted))
    starts = [chunk.start for request in plan.requests for chunk in request.chunks]
    assert sorted(starts) == [MONDAY + day * DAY_NS for day in range(5)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"dataset": "GLBX.MDP2"}, "did you mean GLBX.MDP3"),
        ({"symbols": ("ESX4",)}, "knows no raw_symbol ESX4"),
        ({"symbols": ("ES.FUT",)}, "knows no raw_symbol ES.FUT"),
        ({"symbols": ("ALL_SYMBOLS", "ESM4")}, "must stand alone"),
        ({"wanted": ()}, "no schema"),
        ({"dataset": None}, "no dataset"),
    ],
)
def test_an_ask_that_makes_no_sense_is_refused(source: Databento, change: dict, said: str) -> None:
    with pytest.raises(BadJob) as told:
        source.plan(asked("ESM4", **change))
    assert said in f"{told.value.message} {told.value.hint}"


def test_an_unknown_symbol_beside_known_ones_is_told(source: Databento) -> None:
    """It would be an empty answer, and nobody would notice."""
    assert any("ESX4" in note for note in source.plan(asked("ESM4", "ESX4")).notes)


def test_without_key_and_gateway_nothing_is_asked(tmp_path: Path) -> None:
    """The simulator is never a fallback."""
    settings = Settings(home=tmp_path)
    source = Databento(settings, Vault.of(settings))
    with pytest.raises(AuthenticationFailed):
        source.plan(asked("ESM4"))


def test_the_key_is_in_no_message(facts: Settings, gateway: Gateway) -> None:
    """Whatever the provider says back."""
    key = "db-" + "k" * 29
    settings = facts.model_copy(update={"databento_api_key": SecretStr(key)})
    gateway.fault(
        "status", method="metadata.list_datasets", status=401, message=f"key {key} is wrong"
    )
    with pytest.raises(AuthenticationFailed) as told:
        Databento(settings, Vault.of(settings)).plan(asked("ESM4"))
    assert key not in f"{told.value.message} {told.value.hint} {told.value!r}"


def test_records_come_in_batches_of_any_size(source: Databento) -> None:
    claim = only_claim(source.plan(asked("ESM4", "NQM4")))
    _, whole = read(source, claim)
    for count in (1, 7, 65_536):
        assert read(source, claim, count)[1].tobytes() == whole.tobytes()
    assert np.all(np.diff(whole["ts_recv"].astype(np.int64)) >= 0)


def test_a_disk_without_room_is_told_before_anything_is_bought(
    source: Databento, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk is no place to buy for."""
    claim = only_claim(source.plan(asked("ESM4")))
    usage = shutil.disk_usage("/")._replace(free=50 * 48 - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(LocalFault, match="has 2,399 bytes left"):
        source.fetch(claim)
    assert gateway.bill().calls == 0
