"""Is the process of this container at work? Exit 0 if so; else 1, with the reason on stderr.

    healthcheck.py worker|scheduler    the ledger has heard of one on this host within 30 s
    healthcheck.py http://…            the address answers with 2xx

Every worker process and scheduler reports to the ledger every 5 s, so asking it covers the process,
its database and its login, for half a second of CPU. `celery inspect ping` takes 2 s of it and
says nothing of the database; schedulers do not answer it.
"""

from __future__ import annotations

import socket
import sys


def main(what: str) -> None:
    """Exits with 1 unless `what` is at work."""
    if what.startswith("http://"):
        _answers(what)
    else:
        _reports(what)


def _answers(url: str) -> None:
    from urllib.request import urlopen

    try:
        # Anything but 2xx raises too.
        urlopen(url, timeout=8).close()  # noqa: S310 - http only, see main
    except OSError as error:
        sys.exit(f"{url}: {error}")


def _reports(role: str) -> None:
    import asyncio

    from ingestor.errors import IngestError

    try:
        hosts = asyncio.run(_online(role))
    except IngestError as error:
        sys.exit(error.message)
    if socket.gethostname() not in hosts:
        sys.exit(f"no {role} of {socket.gethostname()} has reported within 30 s")


async def _online(role: str) -> set[str]:
    """Hosts of the processes with this role that are online."""
    from ingestor.insights import workers
    from ingestor.settings import load_settings
    from ingestor.store.database import Database, DatabaseOptions
    from ingestor.vocabulary import Role

    options = DatabaseOptions.of(load_settings(), Role.WORKER)
    async with Database(options, name="hdi:healthcheck") as database:
        found = await workers(database)
    # Celery calls a host name@hostname; a scheduler's is hdi@hostname.
    return {each.host.rpartition("@")[2] for each in found if each.role == role and each.online}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
