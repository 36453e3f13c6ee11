"""Whose vault it is: a random id at its root, made by whoever opens it first."""

from __future__ import annotations

import time
from typing import Final
from uuid import UUID, uuid4

import orjson

from ingestor.errors import BadSettings, VaultUnavailable
from ingestor.vault.layout import IDENTITY
from ingestor.vault.storage import Storage

FORMAT: Final = 1
# Where there are no hard links, the file is seen for an instant before its content.
_PATIENCE_S: Final = 2.0
_PAUSE_S: Final = 0.05


def known(storage: Storage) -> str | None:
    """The vault's id; None where nobody opened it before.

    Raises:
        BadSettings: What lies there is no vault of HDI, or of a newer one.
    """
    content = storage.read(IDENTITY)
    deadline = time.monotonic() + _PATIENCE_S
    while content == b"" and time.monotonic() < deadline:
        time.sleep(_PAUSE_S)
        content = storage.read(IDENTITY)
    return None if content is None else _parsed(content, f"{storage.place}/{IDENTITY}")


def settled(storage: Storage) -> str:
    """The vault's id, made if need be: all who open it at the same moment get the same.

    Raises:
        BadSettings: What lies there is no vault of HDI.
        VaultUnavailable: It was not there right after it was made.
    """
    found = known(storage)
    if found is not None:
        return found
    storage.create(IDENTITY, orjson.dumps({"vault_id": str(uuid4()), "format": FORMAT}))
    found = known(storage)
    if found is None:
        raise VaultUnavailable(
            f"{storage.place}/{IDENTITY} is not there after it was written",
            hint="check the disk or the share that the vault is on",
        )
    return found


def _parsed(content: bytes, where: str) -> str:
    try:
        told = orjson.loads(content)
        vault_id, version = str(UUID(told["vault_id"])), int(told["format"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadSettings(
            f"{where} is no vault's identity of HDI: {type(error).__name__}",
            hint="name an empty place or a vault of HDI; a damaged file comes from a backup",
        ) from error
    if version != FORMAT:
        raise BadSettings(
            f"{where} tells of a vault of format {version}; {FORMAT} is known",
            hint="update hist-data-ingestor",
        )
    return vault_id
