"""How large chunks are unless a job says otherwise: ``configs/sources/databento.yaml``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ingestor.errors import BadJob, BadSettings
from ingestor.plan import MAX_DAYS, Rules
from ingestor.vocabulary import ALL_SYMBOLS, MAX_SYMBOLS, Schema

FILE: Final = Path("sources") / "databento.yaml"

_DAYS: Final = f"a whole number from 1 to {MAX_DAYS}"
_SYMBOLS: Final = f"a whole number from 1 to {MAX_SYMBOLS}"
_KEYS: Final = {"chunk_days": _DAYS, "chunk_symbols": _SYMBOLS, "all_symbols_days": _DAYS}

_SECTIONS: Final = ("schemas", "others")
_FOUND: Final = {
    "missing": "is missing",
    "extra_forbidden": "is unknown",
    "invalid_key": "is unknown",
    "enum": "is unknown",
}

# Strict: YAML's `yes` and '7' are no numbers.
_Days = Annotated[int, Field(strict=True, ge=1, le=MAX_DAYS)]
_Symbols = Annotated[int, Field(strict=True, ge=1, le=MAX_SYMBOLS)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SchemaDefaults(_Frozen):
    """Sizes of one schema's chunks.

    Attributes:
        chunk_days: Width of the grid for named symbols.
        all_symbols_days: Width of the grid for a request of ALL_SYMBOLS.
    """

    chunk_days: _Days
    chunk_symbols: _Symbols
    all_symbols_days: _Days


class Defaults(_Frozen):
    """The file: sizes by schema.

    Attributes:
        others: Sizes of the schemas that are not named.
    """

    schemas: dict[Schema, SchemaDefaults]
    others: SchemaDefaults

    def rules(
        self,
        schema: Schema,
        *,
        all_symbols: bool,
        chunk_days: int | None = None,
        chunk_symbols: int | None = None,
    ) -> Rules:
        """How a request of `schema` is cut; what a job gave goes before the file.

        Raises:
            BadJob: A size is out of bounds, or ALL_SYMBOLS is to be split by symbols.
        """
        usual = self.schemas.get(schema, self.others)
        if all_symbols and chunk_symbols is not None:
            raise BadJob(
                f"{ALL_SYMBOLS} cannot be split into chunks of {chunk_symbols} symbols",
                hint="leave --chunk-symbols out, or name the symbols",
            )
        days = usual.all_symbols_days if all_symbols else usual.chunk_days
        return Rules(
            days=days if chunk_days is None else chunk_days,
            symbols=usual.chunk_symbols if chunk_symbols is None else chunk_symbols,
        )


def load_defaults(config_dir: Path) -> Defaults:
    """The sizes in ``sources/databento.yaml`` of the configuration folder.

    Raises:
        BadSettings: It is missing, is no YAML, or is wrong somewhere; the message names the file,
            each key at fault and what is allowed there.
    """
    path = config_dir / FILE
    tree = _tree(path)
    try:
        return Defaults.model_validate(tree)
    except ValidationError as error:
        faults = "; ".join(_fault(each) for each in error.errors(include_url=False))
        raise BadSettings(f"{path}: {faults}", hint=_hint(path)) from error


def _tree(path: Path) -> dict[object, object]:
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadSettings(f"{path} cannot be read: {error.strerror}", hint=_hint(path)) from error
    except UnicodeDecodeError as error:
        raise BadSettings(f"{path} is no UTF-8 text", hint=_hint(path)) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 1}" if mark else ""
        raise BadSettings(f"{path} is not valid YAML{line}", hint=_hint(path)) from error
    if not isinstance(tree, dict):
        raise BadSettings(
            f"{path} must hold the keys schemas and others, found a {type(tree).__name__}",
            hint=_hint(path),
        )
    return tree


def _hint(path: Path) -> str:
    return f"mend {path.name}, or copy the one that came with HDI"


def _fault(error: Mapping[str, Any]) -> str:
    """One fault as: key, what was found, what is allowed there."""
    parts = [str(part) for part in error["loc"] if part != "[key]"]
    if not parts:
        return str(error["msg"]).removeprefix("Value error, ")
    found = _FOUND.get(error["type"], f"is {str(error['input'])[:80]!r}")
    return f"{'.'.join(parts)} {found}; allowed: {_allowed(parts)}"


def _allowed(parts: Sequence[str]) -> str:
    if parts[0] not in _SECTIONS:
        return ", ".join(_SECTIONS)
    if parts == ["schemas"] or (len(parts) == 2 and parts[1] not in set(Schema) | _KEYS.keys()):
        return ", ".join(Schema) if parts[0] == "schemas" else ", ".join(_KEYS)
    return _KEYS.get(parts[-1], ", ".join(_KEYS))
