"""Names inside a vault, the same for every kind of storage: relative, with slashes."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Final

from ingestor.errors import SourceRefused

if TYPE_CHECKING:
    from ingestor.job import PayloadRef

IDENTITY: Final = "vault.json"
SCHEME: Final = "vault:"
COMPRESSED: Final = ".dbn.zst"
PLAIN: Final = ".dbn"
SUFFIXES: Final = (COMPRESSED, PLAIN, ".csv", ".csv.gz", ".csv.zst", ".parquet")
PART: Final = ".part"
"""A download, whole or not."""
_PAYLOAD: Final = re.compile(
    rf"payloads/([0-9a-f]{{2}})/(\1[0-9a-f]{{62}})({'|'.join(map(re.escape, SUFFIXES))})"
)


def payload_name(sha256: str, suffix: str = COMPRESSED) -> str:
    """The bytes, as delivered."""
    return f"payloads/{sha256[:2]}/{sha256}{suffix}"


def manifest_name(sha256: str, key: str) -> str:
    """Beside the payload; each request that it answers has one."""
    return f"payloads/{sha256[:2]}/{sha256}.{key[:16]}.json"


def index_name(key: str) -> str:
    """The manifest of the newest payload that answers the request of `key`."""
    return f"requests/{key[:2]}/{key}.json"


def damaged_name(name: str, now: dt.datetime) -> str:
    """Where something that was called `name` is put aside."""
    return f"damaged/{name.rpartition('/')[2]}.{now:%Y%m%dT%H%M%S.%f}"


def is_kept(ref: PayloadRef) -> bool:
    """Whether a vault keeps the payload; else its uri is a path of the file system."""
    return ref.uri.startswith(SCHEME)


def name_of(ref: PayloadRef) -> str:
    """The name inside the vault of a payload that is kept there.

    Raises:
        SourceRefused: Its uri is none that a vault gives: it might lead out of it.
    """
    name = ref.uri.removeprefix(SCHEME)
    found = _PAYLOAD.fullmatch(name)
    if found is None or found[2] != ref.sha256:
        raise SourceRefused(
            f"{ref.uri!r} names no payload of a vault; they are called "
            f"{SCHEME}{payload_name(ref.sha256)}",
            hint="submit the job again",
        )
    return name


def suffix_of(path: str) -> str:
    """How a file that is taken in is called, by the name it had: what reads it looks inside."""
    return next((suffix for suffix in SUFFIXES if path.endswith(suffix)), PLAIN)
