"""The HTTP API: what commands tell, as JSON; thin over `ingestor.insights`.

FastAPI and uvicorn come with the extra ``api``; importing this package needs neither.
"""

from importlib.util import find_spec

EXTRA = "hist-data-ingestor[api]"


def installed() -> bool:
    """Whether the extra is there."""
    return all(find_spec(name) is not None for name in ("fastapi", "uvicorn"))
