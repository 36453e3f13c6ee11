"""Where the API listens: the address is looked up once, judged, and bound as it was judged."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from ingestor.errors import BadSettings, LocalFault


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address that the API may listen on.

    Attributes:
        bound: Family and socket address, as `socket.socket.bind` takes it.
        url: For people.
    """

    family: socket.AddressFamily
    bound: tuple[Any, ...]
    url: str


def endpoint(address: str, port: int, *, guarded: bool) -> Endpoint:
    """What `address` stands for on this machine.

    Args:
        guarded: Whether callers must present a token.

    Raises:
        BadSettings: It is no address, or others than this machine could call without a token.
    """
    try:
        found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise BadSettings(
            f"the API cannot listen on {address!r}: no address of that name is found",
            hint="give an IP address, 127.0.0.1 for this machine alone",
        ) from error
    family, _, _, _, bound = found[0]
    host = str(bound[0])
    if not guarded and not ip_address(host.partition("%")[0]).is_loopback:
        raise BadSettings(
            f"the API would answer on {address} without a token, and that is no loopback address",
            hint="set HDI_API_TOKEN or HDI_API_TOKEN_FILE, or listen on 127.0.0.1",
        )
    return Endpoint(family, bound, f"http://{f'[{host}]' if ':' in host else host}:{port}")


def listener(where: Endpoint) -> socket.socket:
    """A socket that listens there.

    Raises:
        LocalFault: Somebody else does, or this machine does not allow it.
    """
    try:
        return socket.create_server(where.bound, family=where.family, backlog=128)
    except OSError as error:
        raise LocalFault(
            # The error's own text names the address once more.
            f"the API cannot listen on {where.url}: {os.strerror(error.errno or 0)}",
            hint="end what listens there, or give another --port or --address",
        ) from error
