"""Vaults with something in them, for tests."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

from ingestor.manifest import Manifest, PayloadRequest
from ingestor.settings import Settings
from ingestor.simulator.market import DAY, MONDAY
from ingestor.vault import Vault
from ingestor.vocabulary import Realm

CONTENT = b"bytes as delivered"


def vault_at(home: Path, url: str | Path | None = None) -> Vault:
    """As a process would open it; by default the vault of a host."""
    told = {"home": home} if url is None else {"home": home, "vault_url": str(url)}
    return Vault.of(Settings.model_validate(told))


def request_of(**told: Any) -> PayloadRequest:
    usual = {
        "source": "databento", "realm": Realm.SIMULATED, "dataset": "GLBX.MDP3",
        "schema_name": "trades", "stype_in": "raw_symbol", "symbols": ("ESM4",),
        "start": MONDAY, "end": MONDAY + DAY,
    }  # fmt: skip
    return PayloadRequest.model_validate(usual | told)


def manifest_of(
    content: bytes = CONTENT, *, day: int = 1, request: PayloadRequest | None = None, **told: Any
) -> Manifest:
    """Of a payload with these bytes, fetched on a day of March."""
    return Manifest(
        request=request or request_of(**told),
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        records=0,
        fetched_at=dt.datetime(2024, 3, day, tzinfo=dt.UTC),
        client="test",
    )


def downloaded(vault: Vault, content: bytes = CONTENT) -> Path:
    """A finished download that is not kept yet."""
    part = vault.part(f"request.{uuid4().hex}")
    part.write_bytes(content)
    return part


def kept(vault: Vault, content: bytes = CONTENT, **told: Any) -> Manifest:
    manifest = manifest_of(content, **told)
    vault.keep(downloaded(vault, content), manifest)
    return manifest


def files(root: Path) -> set[str]:
    """Every file below a vault's folder."""
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def check_sound(root: Path) -> None:
    """What must be true of a vault's folder at every moment, whoever died in it."""
    for path in root.glob("payloads/*/*.dbn*"):
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name.partition(".")[0]
    for path in [*root.glob("requests/*/*.json"), *root.glob("payloads/*/*.json")]:
        manifest = Manifest.parse(path.read_bytes(), str(path))
        payload = root / f"payloads/{manifest.sha256[:2]}/{manifest.sha256}.dbn.zst"
        assert payload.stat().st_size == manifest.size
    if (root / "vault.json").exists():
        assert set(json.loads((root / "vault.json").read_bytes())) == {"vault_id", "format"}
