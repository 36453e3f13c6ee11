"""What differs between one sort of YAML file and another, before anybody asks for its keys."""

from __future__ import annotations

from dataclasses import dataclass

from ingestor.errors import IngestError


@dataclass(frozen=True, slots=True)
class Manner:
    """How one sort of file is spoken of.

    Attributes:
        noun: With a consonant at its beginning: ``job file``.
        error: What is raised when such a file is wrong.
        hint: Where it says what the file may hold.
        shorten: What to do with one that is too large.
    """

    noun: str
    error: type[IngestError]
    hint: str
    shorten: str = ""
