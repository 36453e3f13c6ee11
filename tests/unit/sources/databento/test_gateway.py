"""The client that `open_client` makes reaches the gateway of the settings, and shows no key."""

from __future__ import annotations

import logging
import subprocess
import sys
import warnings

import pytest

from ingestor.errors import AuthenticationFailed, BadSettings
from ingestor.settings import Settings
from ingestor.sources.databento.gateway import (
    FAMILIES,
    MADE_UP_KEY,
    Gateway,
    client_name,
    gateway_of,
    open_client,
)
from ingestor.vocabulary import Realm
from tests.gateway import KEY, Served, said


def settings(gateway: str | None = None, key: str | None = KEY) -> Settings:
    return Settings.model_validate({"databento_gateway": gateway, "databento_api_key": key})


def test_without_a_gateway_the_client_goes_to_databento() -> None:
    found = gateway_of(settings())
    client = open_client(found)

    assert found.realm is Realm.REAL
    assert client.gateway == "https://hist.databento.com"
    assert client.metadata._base_url == "https://hist.databento.com/v0/metadata"


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8123", "http://localhost:8123", "http://[::1]:8123", "http://127.9.9.9"],
)
def test_plain_http_on_loopback_reaches_every_family(url: str) -> None:
    found = gateway_of(settings(url))
    client = open_client(found)

    assert found.realm is Realm.SIMULATED
    for family in FAMILIES:
        assert getattr(client, family)._base_url == f"{url}/v0/{family}"


def test_the_client_still_keeps_its_address_where_it_is_rewritten(served: Served) -> None:
    """Fails when a new client builds its URLs in another way: the calls would go elsewhere."""
    client = open_client(gateway_of(settings(served.url)))
    served.tell(said(200, []))

    client.metadata.list_datasets()
    client.batch.list_jobs()
    client.symbology.resolve("X.Y", "A", "raw_symbol", "instrument_id", "2024-01-01")

    assert [each.path for each in served.requests] == [
        "/v0/metadata.list_datasets", "/v0/batch.list_jobs", "/v0/symbology.resolve",
    ]  # fmt: skip
    assert {each.key for each in served.requests} == {KEY}


def test_https_elsewhere_is_real_and_keeps_its_port_and_path() -> None:
    found = gateway_of(settings("https://gateway.example:8443/hist/"))
    client = open_client(found)

    assert found.realm is Realm.REAL
    assert client.timeseries._base_url == "https://gateway.example:8443/hist/v0/timeseries"


@pytest.mark.parametrize(
    "url", ["http://gateway.example", "http://10.0.0.7:80", "http://127.0.0.1.x"]
)
def test_http_beyond_loopback_is_refused_even_if_the_settings_let_it_through(url: str) -> None:
    unchecked = settings().model_copy(update={"databento_gateway": url})

    with pytest.raises(BadSettings, match="in clear") as refused:
        gateway_of(unchecked)

    assert "loopback" in refused.value.hint


@pytest.mark.parametrize("gateway", [None, "https://gateway.example"])
def test_no_key_is_an_authentication_failure_with_a_hint(gateway: str | None) -> None:
    with pytest.raises(AuthenticationFailed) as refused:
        open_client(gateway_of(settings(gateway, key=None)))

    assert refused.value.exit_code == 4
    assert "set DATABENTO_API_KEY" in refused.value.hint


def test_a_gateway_on_loopback_gets_a_key_that_is_plainly_made_up() -> None:
    found = gateway_of(settings("http://127.0.0.1:1", key=None))

    assert open_client(found).key == MADE_UP_KEY
    assert "MadeUp" in MADE_UP_KEY
    assert len(MADE_UP_KEY) == len(KEY)


@pytest.mark.parametrize("key", ["", "YOUR_API_KEY", "db-gehaïm", "db-\x07bell"])
def test_a_key_that_the_client_would_print_never_reaches_it(key: str) -> None:
    with pytest.raises(AuthenticationFailed) as refused:
        open_client(Gateway(None, "hist.databento.com", loopback=False, key=key))

    assert not key or key not in str(refused.value)


def test_neither_repr_nor_log_shows_the_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    found = gateway_of(settings("http://127.0.0.1:1"))
    open_client(found)

    assert KEY not in repr(found) + caplog.text


def test_the_package_is_imported_without_its_heavy_libraries() -> None:
    """Databento takes 0.6 s, requests, limits and redis 0.2 s each."""
    heavy = "{'databento', 'pandas', 'requests', 'limits', 'redis', 'tenacity'}"
    program = (
        "import sys, ingestor.sources.databento.provider;"
        f"print({heavy} & {{name.partition('.')[0] for name in sys.modules}})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stdout.strip() == "set()", done.stderr


def test_the_client_is_named_with_its_version() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import databento

    assert client_name() == f"databento {databento.__version__}"
