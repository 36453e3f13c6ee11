"""Where the API may listen."""

from __future__ import annotations

import socket

import pytest

from ingestor.api.listening import endpoint, listener
from ingestor.errors import BadSettings, LocalFault


@pytest.mark.parametrize(
    ("address", "url"),
    [("127.0.0.1", "http://127.0.0.1:8080"), ("127.1.2.3", "http://127.1.2.3:8080"),
     ("::1", "http://[::1]:8080")],
)  # fmt: skip
def test_loopback_needs_no_token(address: str, url: str) -> None:
    assert endpoint(address, 8080, guarded=False).url == url


def test_a_name_of_loopback_is_looked_up() -> None:
    """What is judged is what will be bound."""
    assert endpoint("localhost", 8080, guarded=False).bound[0] in ("127.0.0.1", "::1")


@pytest.mark.parametrize(
    "address", ["0.0.0.0", "::", "192.0.2.7", "2001:db8::1", "0", "::ffff:1.2.3.4"]
)
def test_other_addresses_need_a_token(address: str) -> None:
    """Exit 2, with the two ways out; `0` is another spelling of 0.0.0.0."""
    with pytest.raises(BadSettings, match="without a token") as error:
        endpoint(address, 8080, guarded=False)

    assert "HDI_API_TOKEN" in error.value.hint
    assert "127.0.0.1" in error.value.hint
    assert error.value.exit_code == 2
    assert endpoint(address, 8080, guarded=True).bound[1] == 8080


def test_what_is_no_address_is_refused() -> None:
    """The label is too long to be asked of a name server."""
    with pytest.raises(BadSettings, match="no address of that name"):
        endpoint("x" * 64, 8080, guarded=True)


def test_a_port_in_use_is_told() -> None:
    """With what to do about it, and no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = endpoint("127.0.0.1", taken.getsockname()[1], guarded=False)
        with pytest.raises(LocalFault, match="in use") as error:
            listener(where)

    assert "--port" in error.value.hint
    assert error.value.message == f"the API cannot listen on {where.url}: Address already in use"


def test_a_listener_takes_connections() -> None:
    """Before the app is there: they wait."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (
        listener(endpoint("127.0.0.1", port, guarded=False)),
        socket.create_connection(("127.0.0.1", port), timeout=5) as made,
    ):
        assert made.getpeername()[1] == port
