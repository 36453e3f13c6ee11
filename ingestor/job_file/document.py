"""How a job file is spoken of, and read."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ingestor import documents
from ingestor.documents import Document, Manner
from ingestor.documents.document import MAX_BYTES
from ingestor.errors import BadJob

MANNER: Final = Manner(
    noun="job file",
    error=BadJob,
    hint="docs/reference/job-files.md says what it may hold",
    shorten="put the symbols in a file of their own and name it with symbols_file",
)


def read_document(path: Path) -> Document:
    """The one mapping that a job file holds.

    Raises:
        BadJob: It cannot be read, is too large, or is no YAML; the message names file and line.
    """
    return documents.read_document(path, MANNER)


__all__ = ["MANNER", "MAX_BYTES", "read_document"]
