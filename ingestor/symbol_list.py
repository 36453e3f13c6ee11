"""Lists of symbols as people write them: one per line of a file, or one by one.

A symbol may hold blanks (``AAPL  250221C00250000``), which are kept; it holds neither a comma (it
parts symbols in a request) nor anything invisible.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from ingestor.errors import Usage
from ingestor.vocabulary import ALL_SYMBOLS

MAX_BYTES: Final = 16 * 2**20
"""Of a file; 700,000 symbols of options."""

_SHOWN = 60
_NAMED = 5


@dataclass(frozen=True, slots=True)
class SymbolList:
    """Symbols, each once, in the order they were named first.

    Attributes:
        repeated: Those that were named more than once.
    """

    symbols: tuple[str, ...]
    repeated: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """What a person should know about the repeated ones; empty where there are none."""
        if not self.repeated:
            return ""
        more = f" and {len(self.repeated) - _NAMED} more" if len(self.repeated) > _NAMED else ""
        return f"named more than once, asked for once: {', '.join(self.repeated[:_NAMED])}{more}"


def as_symbol_list(named: Iterable[str]) -> SymbolList:
    """The symbols, each checked.

    Raises:
        Usage: One is no symbol, there is none, or ALL_SYMBOLS does not stand alone.
    """
    counts: dict[str, int] = {}
    for symbol in named:
        if fault := symbol_fault(symbol):
            raise Usage(fault)
        counts[symbol] = counts.get(symbol, 0) + 1
    if not counts:
        raise Usage("no symbol is named")
    if ALL_SYMBOLS in counts and len(counts) > 1:
        raise Usage(f"{ALL_SYMBOLS} stands alone, found it beside {len(counts) - 1} more")
    return SymbolList(tuple(counts), tuple(each for each, count in counts.items() if count > 1))


def symbol_fault(text: str) -> str:
    """Why `text` is no symbol; empty where it may be one (the provider knows which there are)."""
    shown = repr(text[:_SHOWN])
    if not text.strip():
        return "holds an empty symbol"
    if text != text.strip():
        return f"{shown} begins or ends with a blank"
    strange = next((each for each in text if not each.isprintable()), None)
    if strange is not None:
        return f"{shown} holds {_name(strange)}, which no symbol does"
    if "," in text:
        return f"{shown} holds a comma; write one symbol after the other"
    if text != ALL_SYMBOLS and text.upper().replace("-", "_") == ALL_SYMBOLS:
        return f"{shown} is spelled {ALL_SYMBOLS}"
    return ""


def _name(character: str) -> str:
    known = {"\0": "a NUL byte", "\t": "a tab", "\r": "a carriage return"}
    return known.get(character, f"the character U+{ord(character):04X}")


def read_symbol_file(path: Path) -> SymbolList:
    """The symbols of a file, one per line.

    Raises:
        Usage: It cannot be read, or holds something else; the message names file and line.
    """
    try:
        with path.open("rb") as stream:
            return read_symbols(stream, str(path))
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the name
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise Usage(f"{str(path)!r} cannot be read: {why}") from error


def read_symbols(stream: IO[bytes], place: str) -> SymbolList:
    """The symbols of an open file that messages call `place`, one per line.

    UTF-8, with or without a byte order mark; LF or CRLF. Blank lines do not count, nor does what
    follows a ``#`` at the start of a line or after a blank.

    Raises:
        Usage: It is too large, no UTF-8, holds no symbol, or a line holds no symbol.
    """
    raw = stream.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise Usage(f"{place!r} is larger than {MAX_BYTES // 2**20} MiB; is it a list of symbols?")
    named = []
    for number, line in enumerate(raw.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        symbol = _symbol_of(line, f"{place!r}, line {number}")
        if symbol:
            named.append(symbol)
    if not named:
        raise Usage(f"no symbol in {place!r}")
    return as_symbol_list(named)


def _symbol_of(line: bytes, where: str) -> str:
    try:
        text = line.decode("utf-8").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise Usage(f"{where}: no UTF-8 text") from error
    symbol = _without_comment(text).strip(" \t")
    fault = symbol_fault(symbol) if symbol else ""
    if fault:
        raise Usage(f"{where}: {fault}")
    return symbol


def _without_comment(text: str) -> str:
    """Symbols may hold a ``#`` inside; only one at the start or behind a blank ends them."""
    if text.lstrip(" \t").startswith("#"):
        return ""
    marks = [at for at in (text.find(" #"), text.find("\t#")) if at >= 0]
    return text[: min(marks)] if marks else text
