"""The forms that single settings must have: URLs, folders, the key; and the default folders.

A validator's message never quotes the value, since a value may be a secret or hold one.
"""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import SplitResult, parse_qs, urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

from ingestor.errors import BadSettings


def _parts(url: str, schemes: tuple[str, ...]) -> SplitResult:
    """The parts of a URL. Its errors never quote it: it may hold a password."""
    allowed = " or ".join(f"{scheme}://" for scheme in schemes)
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError("host or port cannot be told; percent-encode the password") from None
    if parts.scheme not in schemes or not url.partition(":")[2].startswith("//"):
        raise ValueError(f"must begin with {allowed}")
    if parts.fragment or any(mark.isspace() for mark in url):
        raise ValueError("holds '#' or a space; percent-encode the password")
    return parts


def _postgres(url: SecretStr) -> SecretStr:
    parts = _parts(url.get_secret_value(), ("postgresql", "postgres"))
    if "@" in parts.path + parts.query + parts.fragment:
        raise ValueError("has an @ behind the host: percent-encode the password (/ is %2F)")
    if not parts.hostname and "host" not in parse_qs(parts.query):
        raise ValueError("names no host")
    return url


def _redis(url: SecretStr) -> SecretStr:
    parts = _parts(url.get_secret_value(), ("redis", "rediss"))
    if "@" in parts.path + parts.query + parts.fragment:
        raise ValueError("has an @ behind the host: percent-encode the password (/ is %2F)")
    if not parts.hostname:
        raise ValueError("names no host")
    return url


def _gateway(url: str) -> str:
    parts = _parts(url, ("https", "http"))
    if not parts.hostname or parts.username is not None or parts.query:
        raise ValueError("must be scheme, host and port only")
    # The key travels in a header of every request: in clear text it may not leave this machine.
    if parts.scheme == "http" and not _loopback(parts.hostname):
        raise ValueError("http is allowed on loopback only; use https")
    return url.rstrip("/")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _vault(url: str) -> str:
    if "://" in url and urlsplit(url).password is not None:
        raise ValueError("must not hold a password; give it the way its file system asks for")
    return url


def _api_key(key: SecretStr) -> SecretStr:
    if any(mark.isspace() for mark in key.get_secret_value()):
        raise ValueError("must not hold spaces or line breaks")
    return key


def _upper(given: object) -> object:
    return given.upper() if isinstance(given, str) else given


PostgresUrl = Annotated[SecretStr, AfterValidator(_postgres)]
RedisUrl = Annotated[SecretStr, AfterValidator(_redis)]
ApiKey = Annotated[SecretStr, AfterValidator(_api_key)]
GatewayUrl = Annotated[str, AfterValidator(_gateway)]
VaultUrl = Annotated[str, AfterValidator(_vault)]
# Absolute, since a worker may change its working folder later.
Folder = Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())]
LogLevel = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(_upper)
]


def vault_folder(url: str) -> Path | None:
    """The folder that a vault's URL names; None where it is in object storage."""
    place = url.removeprefix("file://").removeprefix("local://")
    return None if "://" in place else Path(place)


def default_home() -> Path:
    """Where state lives unless HDI_HOME says otherwise: the XDG state folder of the user."""
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "hdi"


def shipped_config_dir() -> Path:
    """The configuration that travels with HDI: inside the wheel, or `configs/` of a checkout.

    Raises:
        BadSettings: Neither is there.
    """
    package = Path(__file__).parent.parent
    for folder in (package / "_configs", package.parent / "configs"):
        if folder.is_dir():
            return folder
    raise BadSettings("HDI came without its configs folder", hint="set HDI_CONFIG_DIR")
