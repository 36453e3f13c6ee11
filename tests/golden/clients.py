"""The official client led to an address on plain http."""

from __future__ import annotations

import databento

KEY = "db-abcdefghijklmnopqrstuvwxyz012"
FAMILIES = ("timeseries", "metadata", "symbology", "batch")


def historical(url: str, key: str = KEY) -> databento.Historical:
    """Its constructor makes every address https; the base URLs are rewritten behind it."""
    client = databento.Historical(key)
    for family in FAMILIES:
        getattr(client, family)._base_url = f"{url}/v0/{family}"
    return client
