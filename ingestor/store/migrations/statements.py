"""Migration SQL files: statements parted by a line of dashes, comments before them dropped."""

from __future__ import annotations

import re
from importlib.resources import files

_BORDER = re.compile(r"^--------$", re.MULTILINE)
_COMMENT = re.compile(r"^--.*\n", re.MULTILINE)


def statements(name: str) -> list[str]:
    """The statements of ``migrations/<name>.sql``, in order."""
    text = (files("ingestor.store.migrations") / f"{name}.sql").read_text()
    return [_COMMENT.sub("", part).strip() for part in _BORDER.split(text)]
