"""`hdi serve`: the HTTP API."""

from __future__ import annotations

import click


@click.command()
@click.option("--address", help="Address to listen on; api.address (127.0.0.1) unless given.")
@click.option(
    "--port", type=click.IntRange(1, 65_535), help="TCP port; api.port (8080) unless given."
)
def serve(address: str | None, port: int | None) -> None:
    """Answer over HTTP what `hdi jobs`, `hdi status` and `hdi workers` tell. Ctrl-C stops.

    It listens on loopback. On any other address it needs a token (HDI_API_TOKEN), which callers
    then send as `Authorization: Bearer …`; /healthz and /readyz stay open. /openapi.json describes
    the answers. It may run several times.

    \b
    Example:  hdi serve --port 8080
    """
    from ingestor import api, logs
    from ingestor.errors import Terminal
    from ingestor.settings import load_settings

    settings = load_settings({"api.address": address, "api.port": port})
    if not api.installed():
        raise Terminal(
            "`hdi serve` needs FastAPI and uvicorn, which are not installed",
            hint=f"pip install '{api.EXTRA}'",
        )
    from ingestor.api.listening import endpoint, listener

    where = endpoint(
        settings.api.address, settings.api.port, guarded=settings.api_token is not None
    )
    from ingestor.api.app import create_app
    from ingestor.api.server import run

    app = create_app(settings)
    with listener(where) as listening:
        logs.configure(settings, process="api")
        logs.get_logger(__name__).info("api listens", url=where.url)
        run(app, listening)
