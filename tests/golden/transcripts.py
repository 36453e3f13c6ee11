"""Wire transcripts, typed from the provider's documents and its client's code.

None was recorded from the simulator: they are what holds it, and the client, to account.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "transcripts"


@dataclass(frozen=True, slots=True)
class Transcript:
    """One call: what the client is told to do, what it sends, what is answered, what comes of it.

    Attributes:
        exact: Paths in the answer's body where a value is a fact, not an example; "$" for all.
        simulator: What a simulator needs before it answers so: faults, conditions, another key;
            and under "open" the paths whose keys are not the same everywhere ("*" in a list).
    """

    name: str
    call: dict[str, Any]
    request: dict[str, Any]
    answer: dict[str, Any]
    exact: list[str]
    simulator: dict[str, Any]
    returns: Any = None
    raises: dict[str, Any] | None = None
    about: str = ""


def load() -> list[Transcript]:
    return [
        Transcript(name=path.stem, **json.loads(path.read_text(encoding="utf-8")))
        for path in sorted(FOLDER.glob("*.json"))
    ]


def at(body: Any, path: str) -> Any:
    """The value at a path such as ``result.ESH1.0.d0``."""
    for step in [] if path == "$" else path.split("."):
        body = body[int(step)] if isinstance(body, list) else body[step]
    return body


def shape_differences(wanted: Any, found: Any, *, open_at: list[str], path: str = "") -> list[str]:
    """Where `found` is not made as `wanted` is: other keys, other types, an empty list."""
    if type(wanted) is not type(found):
        return [f"{path or '$'}: {type(found).__name__} instead of {type(wanted).__name__}"]
    if isinstance(wanted, dict):
        if path in open_at:
            wanted = {name: wanted[name] for name in wanted if name in found}
        elif wanted.keys() != found.keys():
            return [f"{path or '$'}: keys {sorted(found)} instead of {sorted(wanted)}"]
        pairs = [(name, wanted[name], found[name]) for name in wanted]
    elif isinstance(wanted, list):
        if bool(wanted) != bool(found):
            return [f"{path or '$'}: {len(found)} elements instead of {len(wanted)}"]
        pairs = [("*", wanted[0], each) for each in found]
    else:
        return []
    return [
        difference
        for name, some, other in pairs
        for difference in shape_differences(
            some, other, open_at=open_at, path=f"{path}.{name}".strip(".")
        )
    ]
