"""The proxy of the fault tests does what it says, or they would prove nothing."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.proxies import Proxy, proxy


def _echo(listener: socket.socket) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_repeat, args=(connection,), daemon=True).start()


def _repeat(connection: socket.socket) -> None:
    with connection:
        try:
            while data := connection.recv(4096):
                connection.sendall(data)
        except OSError:
            return


@pytest.fixture
def echo() -> Iterator[Proxy]:
    """A proxy in front of a server that sends back what it gets."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_echo, args=(listener,), daemon=True).start()
        with proxy(*listener.getsockname()) as made:
            yield made
        listener.shutdown(socket.SHUT_RDWR)


def _client(made: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", made.port), timeout=5)


def _said(client: socket.socket, data: bytes) -> bytes:
    client.sendall(data)
    return client.recv(4096)


def _is_cut(client: socket.socket) -> bool:
    try:
        return not client.recv(1)
    except ConnectionError:
        return True


def test_bytes_pass_both_ways_and_connections_are_counted(echo: Proxy) -> None:
    with _client(echo) as one, _client(echo) as two:
        assert _said(one, b"one") == b"one"
        assert _said(two, b"two") == b"two"
        assert echo.connections == echo.accepted == 2


def test_an_orderly_end_passes(echo: Proxy) -> None:
    with _client(echo) as client:
        client.sendall(b"last")
        client.shutdown(socket.SHUT_WR)
        assert client.makefile("rb").read() == b"last"
    assert echo.cuts == 0


def test_every_connection_can_be_cut_and_new_ones_pass(echo: Proxy) -> None:
    with _client(echo) as one, _client(echo) as two:
        assert _said(one, b"one") == b"one"
        assert _said(two, b"two") == b"two"
        assert echo.cut_all() == 2
        assert _is_cut(one)
        assert _is_cut(two)
    assert (echo.connections, echo.cuts) == (0, 2)
    with _client(echo) as three:
        assert _said(three, b"three") == b"three"


def test_what_is_held_arrives_when_it_is_released(echo: Proxy) -> None:
    with _client(echo) as client:
        echo.hold()
        client.sendall(b"held")
        client.settimeout(0.1)
        with pytest.raises(TimeoutError):
            client.recv(4096)
        echo.release()
        client.settimeout(5)
        assert client.recv(4096) == b"held"


@pytest.mark.parametrize("reset", [False, True])
def test_the_end_of_a_client_is_held_too(echo: Proxy, reset: bool) -> None:
    client = _client(echo)
    assert _said(client, b"there") == b"there"
    echo.hold()
    if reset:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()
    assert echo.connections == 1
    assert echo.cut_all() == 1


def test_held_connections_can_be_cut(echo: Proxy) -> None:
    with _client(echo) as client:
        assert _said(client, b"there") == b"there"
        echo.hold("answers")
        client.sendall(b"held")
        assert echo.cut_all() == 1
        assert _is_cut(client)


def test_the_bytes_at_which_it_cuts_are_withheld(echo: Proxy) -> None:
    rule = echo.cut_on(b"COMMIT", after=b"COPY")
    with _client(echo) as client:
        assert _said(client, b"COMMIT") == b"COMMIT"
        assert _said(client, b"CO") == b"CO"
        assert _said(client, b"PY") == b"PY"
        assert _said(client, b"COMM") == b"COMM"
        client.sendall(b"IT")
        assert _is_cut(client)
    assert rule.wait(5)
    assert echo.cuts == 1
    with _client(echo) as client:
        assert _said(client, b"COPY COMMIT COMMIT") == b"COPY COMMIT COMMIT"


def test_they_may_arrive_before_it_cuts(echo: Proxy) -> None:
    rule = echo.cut_on(b"COMMIT", drop=False)
    with _client(echo) as client:
        assert _said(client, b"COMMIT") == b"COMMIT"
        assert _is_cut(client)
    assert rule.wait(5)


def test_it_cuts_after_so_many_bytes_of_a_direction(echo: Proxy) -> None:
    rule = echo.cut_after(10, direction="requests", after=b"go")
    with _client(echo) as client:
        assert _said(client, b"0123456789 go") == b"0123456789 go"
        assert _said(client, b"0123456789") == b"0123456789"
        assert not rule.struck.is_set()
        client.sendall(b"!")
        assert _is_cut(client)
    assert rule.wait(5)


def test_a_rule_that_was_taken_back_cuts_nothing(echo: Proxy) -> None:
    echo.forget(echo.cut_on(b"x"))
    with _client(echo) as client:
        assert _said(client, b"x") == b"x"


def test_where_no_server_is_the_client_is_cut() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    with proxy(*address) as made, _client(made) as client:
        assert _is_cut(client)


def test_a_url_is_led_through_it(echo: Proxy) -> None:
    assert echo.url("postgresql://me:se%40cret@db:5432/name?a=b") == (
        f"postgresql://me:se%40cret@127.0.0.1:{echo.port}/name?a=b"
    )
