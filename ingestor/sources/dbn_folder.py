"""A folder of DBN files: what its manifest says of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingestor.errors import CorruptPayload
from ingestor.job import PayloadRef

SUFFIXES: Final = (".dbn", ".dbn.zst")
MANIFEST: Final = "manifest.json"


@dataclass(frozen=True, slots=True)
class Listed:
    """What a delivery's manifest says of one file; `sha256` is empty where it says nothing."""

    size: int
    sha256: str


def read_manifest(folder: Path) -> tuple[Mapping[str, Listed], str]:
    """What a Databento batch delivery says of its files, and a note where it cannot be used.

    A plain .dbn that was cut on a record boundary is sound in itself; only the manifest tells.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return {}, ""
    try:
        entries = json.loads(path.read_bytes())["files"]
        listed = {
            str(entry["filename"]): Listed(int(entry["size"]), _sha256(str(entry.get("hash", ""))))
            for entry in entries
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}, f"{path} is no Databento manifest; sizes and hashes were not compared"
    return listed, ""


def _sha256(told: str) -> str:
    """The digest in ``sha256:…``; empty for another kind of hash."""
    kind, _, digest = told.partition(":")
    return digest.lower() if kind == "sha256" else ""


def check_listed(ref: PayloadRef, listed: Mapping[str, Listed]) -> None:
    """Compares a file with its line in the manifest.

    Raises:
        CorruptPayload: Size or hash differ.
    """
    told = listed.get(Path(ref.uri).name)
    if told is None:
        return
    hint = "download the file again"
    if told.size != ref.size:
        raise CorruptPayload(
            f"{ref.uri} has {ref.size:,} bytes; the delivery's {MANIFEST} says {told.size:,}",
            hint=hint,
        )
    if told.sha256 and told.sha256 != ref.sha256:
        raise CorruptPayload(
            f"{ref.uri} has sha256 {ref.sha256}; the delivery's {MANIFEST} says {told.sha256}",
            hint=hint,
        )


def missing_files(folder: Path, listed: Mapping[str, Listed]) -> Sequence[str]:
    """DBN files that the manifest lists and the folder does not hold."""
    return [name for name in listed if name.endswith(SUFFIXES) and not (folder / name).is_file()]
