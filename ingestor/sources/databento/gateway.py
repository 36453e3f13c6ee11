"""Where Databento is reached, and the one function that makes its client."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ingestor.errors import BadSettings, KeyMissing
from ingestor.settings import Settings
from ingestor.vocabulary import Realm

if TYPE_CHECKING:
    import databento

MADE_UP_KEY: Final = "db-HdiMadeUpKeyForLoopbackHosts0"
"""Sent to gateways on this host when no key is set: a simulator takes any key of the right form."""

FAMILIES: Final = ("timeseries", "metadata", "symbology", "batch")
_REAL_HOST = "hist.databento.com"
_PLACEHOLDER = "YOUR_API_KEY"
_HINT = "set DATABENTO_API_KEY, or HDI_DATABENTO_GATEWAY to a simulator on this host"


@dataclass(frozen=True, slots=True)
class Gateway:
    """Where calls go, and with which key.

    Attributes:
        url: None for Databento's own.
        key: Never shown.
    """

    url: str | None
    host: str
    loopback: bool
    key: str | None = field(repr=False)

    @property
    def realm(self) -> Realm:
        """Whatever answers on this host is taken for a simulator."""
        return Realm.SIMULATED if self.loopback else Realm.REAL


def gateway_of(settings: Settings) -> Gateway:
    """The gateway of the settings. Looks at them only.

    Raises:
        BadSettings: The key would travel in clear.
    """
    url = settings.databento_gateway
    given = settings.databento_api_key
    key = given.get_secret_value() if given is not None else None
    parts = urlsplit(url or f"https://{_REAL_HOST}")
    host = parts.hostname or ""
    loopback = _is_loopback(host)
    if parts.scheme != "https" and not loopback:
        raise BadSettings(
            f"HDI_DATABENTO_GATEWAY is {parts.scheme}://{host}: the key would travel in clear",
            hint="use https; http is allowed on loopback only",
        )
    return Gateway(url, host, loopback, key or (MADE_UP_KEY if loopback else None))


def open_client(gateway: Gateway) -> databento.Historical:
    """The official client for a gateway; no network yet. Importing it takes 0.6 s.

    Raises:
        KeyMissing: There is no key, or none that could be one.
    """
    key = checked_key(gateway)
    import databento

    if gateway.url is None:
        return databento.Historical(key)
    client = databento.Historical(key, gateway.url)
    for family in FAMILIES:
        # The client turns every gateway into https; only loopback may speak plain http.
        getattr(client, family)._base_url = f"{gateway.url.rstrip('/')}/v0/{family}"
    return client


def client_name() -> str:
    """Name and version of the official client."""
    return f"databento {version('databento')}"


def checked_key(gateway: Gateway) -> str:
    """The key; the client would print one that it refuses, so such keys never reach it.

    Raises:
        KeyMissing: There is none, or none that could be one.
    """
    key = gateway.key
    if not key or key == _PLACEHOLDER:
        raise KeyMissing("no key of a Databento account is set", hint=_HINT)
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise KeyMissing("DATABENTO_API_KEY holds signs that no key has", hint="copy the key again")
    return key


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
