"""Payloads that are kept to be streamed again: making one takes longer than a network would."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence

from ingestor.simulator.query import Query

Piece = tuple[bytes, int]
"""Bytes as they are sent, and how many records went into them."""

_Key = tuple[Query, int]


class Kept:
    """The payloads streamed last, up to so many bytes; those that a fault had changed are none.

    2 million trades take 2 s to make and compress, a tenth of that to send again.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._held: OrderedDict[_Key, Sequence[Piece]] = OrderedDict()
        self._size = 0
        self._generation = 0
        self._lock = threading.Lock()

    @property
    def generation(self) -> int:
        """Changes when all was forgotten: what was begun before is not to be added."""
        with self._lock:
            return self._generation

    def of(self, query: Query, version: int) -> Sequence[Piece] | None:
        """The pieces of that payload, if they are here."""
        with self._lock:
            found = self._held.get((query, version))
            if found is not None:
                self._held.move_to_end((query, version))
            return found

    def while_made(self, query: Query, version: int, made: Iterable[Piece]) -> Iterator[Piece]:
        """The pieces of `made`, which are kept once all are through, unless they are too many."""
        generation, size = self.generation, 0
        pieces: list[Piece] = []
        for piece in made:
            size += len(piece[0])
            if size <= self._most:
                pieces.append(piece)
            else:
                pieces.clear()
            yield piece
        if size <= self._most:
            self._add(query, version, pieces, generation)

    def _add(self, query: Query, version: int, pieces: Sequence[Piece], generation: int) -> None:
        """Keeps a payload; the oldest ones make room."""
        size = _size(pieces)
        with self._lock:
            if generation != self._generation:
                return
            if size > self._most or (query, version) in self._held:
                return
            self._held[query, version] = pieces
            self._size += size
            while self._size > self._most:
                _, oldest = self._held.popitem(last=False)
                self._size -= _size(oldest)

    def clear(self) -> None:
        with self._lock:
            self._held.clear()
            self._size = 0
            self._generation += 1


def _size(pieces: Sequence[Piece]) -> int:
    return sum(len(piece) for piece, _ in pieces)
