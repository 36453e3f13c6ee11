"""When the proxy of the tests cuts a connection: at the sight of bytes, or after so many."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Literal

Direction = Literal["requests", "answers"]
"""What a client sends, or what its server sends back."""


@dataclass(eq=False)
class Rule:
    """When a connection is to be cut; it strikes once.

    Attributes:
        direction: Where it looks.
        after: Bytes that must have passed first, in either direction of the same connection.
        pattern: Bytes at whose sight it cuts; None where it counts.
        bytes_: How many bytes pass before it cuts, counted from `after` on.
        drop: Whether the bytes at whose sight it cuts are withheld; else they still arrive.
        struck: Set once it has cut a connection.
    """

    direction: Direction
    after: bytes = b""
    pattern: bytes | None = None
    bytes_: int = 0
    drop: bool = True
    struck: threading.Event = field(default_factory=threading.Event)

    def wait(self, timeout_s: float) -> bool:
        """Whether it has cut a connection by then."""
        return self.struck.wait(timeout_s)


@dataclass(eq=False)
class _Seen:
    """What one rule knows of one connection."""

    awake: bool
    passed: int = 0
    tails: dict[Direction, bytes] = field(default_factory=dict)


class Watch:
    """What has passed on one connection, as far as rules must know."""

    def __init__(self) -> None:
        self._seen: dict[Rule, _Seen] = {}

    def strikes(self, rule: Rule, data: bytes, way: Direction) -> bool:
        """Whether the rule cuts at these bytes, which have just come; each is shown once."""
        seen = self._seen.setdefault(rule, _Seen(awake=not rule.after))
        text = seen.tails.get(way, b"") + data
        longest = max(len(rule.after), len(rule.pattern or b""))
        seen.tails[way] = text[len(text) - longest + 1 :] if longest > 1 else b""
        if not seen.awake:
            seen.awake = rule.after in text
            return False
        if way != rule.direction:
            return False
        if rule.pattern is not None:
            return rule.pattern in text
        seen.passed += len(data)
        return seen.passed > rule.bytes_
