"""Migration SQL files: statements parted by a line of dashes, comments before them dropped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

_BORDER = re.compile(r"^--------$", re.MULTILINE)
_COMMENT = re.compile(r"^--.*\n", re.MULTILINE)
_RELATION = re.compile(r"^CREATE (?:TABLE|VIEW) ((?:public|market)\.\w+)", re.MULTILINE)
_FOLDER = files("ingestor.store.migrations")


def statements(name: str) -> list[str]:
    """The statements of ``migrations/<name>.sql``, in order."""
    text = (_FOLDER / f"{name}.sql").read_text()
    return [_COMMENT.sub("", part).strip() for part in _BORDER.split(text)]


def tables_of(name: str) -> list[str]:
    """Names of the record tables that ``<name>_records.sql`` makes; none where there is no such."""
    if not (_FOLDER / f"{name}_records.sql").is_file():
        return []
    made = (re.match(r"CREATE TABLE public\.(\w+)", each) for each in statements(f"{name}_records"))
    return [each[1] for each in made if each]


def record_statements(name: str, how: Mapping[str, Any]) -> list[str]:
    """What makes the record tables of a migration, as the server and the settings want them.

    Args:
        name: Revision, e.g. ``0003``.
        how: ``timescaledb`` (bool), ``trades_interval``, ``time_index`` (names of tables), as
            `ingestor.store.migrate` passes them.
    """
    made = statements(f"{name}_records")
    if how["timescaledb"]:
        interval = f"INTERVAL '{how['trades_interval']}'"
        made += [s.replace(":trades_interval", interval) for s in statements(f"{name}_hypertables")]
    time_of = dict(re.findall(r"'public\.(\w+)', by_range\('(\w+)'", _text(f"{name}_hypertables")))
    return made + [
        f"CREATE INDEX {table}_time_idx ON public.{table} ({time_of[table]} DESC)"
        for table in tables_of(name)
        if table in how["time_index"]
    ]


def _text(name: str) -> str:
    return (_FOLDER / f"{name}.sql").read_text()


def relations_of(revision: str) -> list[str]:
    """Tables and views outside the ledger that a migration makes: ``public.…`` and ``market.…``."""
    found: list[str] = []
    for file in sorted(_FOLDER.iterdir(), key=lambda file: file.name):
        if file.name.startswith(revision) and file.name.endswith(".sql"):
            found += _RELATION.findall(file.read_text())
    return found
