"""Rule files, read and compiled; every mistake is told by file, line and key."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Final, TypeVar

from ingestor.documents import Document, Fault, Manner, nearest, parse_document, validated, wrong
from ingestor.errors import BadRules
from ingestor.model import TABLES, Table
from ingestor.validate.expression import ExpressionFault, compile_expression
from ingestor.validate.rulebook import NO_RULES, CompiledRule, Rulebook
from ingestor.validate.rules import (
    RuleFile,
    SharedRules,
    WrittenRule,
    known_keys,
    shared_keys,
)

_HINT: Final = "docs/how-to/rules.md says what it may hold"
MANNER: Final = Manner("rule file", BadRules, _HINT)
SHARED_MANNER: Final = Manner("shared rule file", BadRules, _HINT)

Model = TypeVar("Model", RuleFile, SharedRules)


@dataclass(frozen=True, slots=True)
class _Bytes:
    """One file as it was read.

    Attributes:
        name: What messages call it, its path.
        relative: Its place in the folder.
    """

    name: str
    relative: str
    raw: bytes


def load_rulebook(folder: Path, table: Table) -> Rulebook:
    """The rules of `table` in `folder` (``configs/validation``), read anew and compiled once.

    Raises:
        BadRules: A file is wrong; names file, line, key, what was found and what is allowed.
    """
    refuse_strays(folder)
    found = _read(folder, f"{table.name}.yaml")
    if found is None:
        return NO_RULES(table)
    document, file = _parsed(found, RuleFile)
    if file.table != table.name:
        raise wrong(document, [Fault(("table",), _other_table(file.table, table))])
    shared = [_shared(folder, document, file, at) for at in range(len(file.include))]
    return _compiled(table, (found, *shared))


def refuse_strays(folder: Path) -> None:
    """Return if whatever lies in `folder` is called after a table, or no rule file at all.

    Raises:
        BadRules: Something would be read by nobody, or there is no such folder.
    """
    for path in strays(folder):
        raise stray(path)


def strays(folder: Path) -> list[Path]:
    """What lies in `folder` and is read by nobody, though it may be meant to be: sorted.

    Folders may hold files to include; hidden files, notes (``.md``) and an editor's copies (``~``)
    are left alone.

    Raises:
        BadRules: There is no such folder, or it cannot be listed.
    """
    try:
        found = sorted(folder.iterdir())
    except OSError as error:
        raise BadRules(
            f"folder of rule files {folder} cannot be listed: {error.strerror}",
            hint="a configuration has a folder validation/, empty where no table has rules",
        ) from error
    own = {f"{table.name}.yaml" for table in TABLES}
    return [path for path in found if path.name not in own and not _left_alone(path)]


def _left_alone(path: Path) -> bool:
    return path.is_dir() or path.name.startswith(".") or path.name.endswith(("~", ".md"))


def stray(path: Path) -> BadRules:
    """What is said of a file that is read by nobody."""
    known = [table.name for table in TABLES]
    # Up to the first full stop: trades_data.yaml.new is meant to be trades_data.
    near = nearest(path.name.partition(".")[0], known).replace("?", ".yaml?")
    return BadRules(
        f"rule file {path} is read by nobody: there are {', '.join(known)}, each with "
        f".yaml after it{near}",
        hint="rename it or move it away; what several tables include goes into a folder below: "
        "shared/",
    )


def _read(folder: Path, relative: str) -> _Bytes | None:
    path = folder / relative
    try:
        return _Bytes(str(path), relative, path.read_bytes())
    except FileNotFoundError as error:
        if not path.is_symlink():
            return None
        raise BadRules(
            f"rule file {path} is a link to {path.readlink()}, which is not there",
            hint="mend the link or remove it",
        ) from error
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise BadRules(f"rule file {path} cannot be read: {why}", hint="check the path") from error


def _shared(folder: Path, document: Document, file: RuleFile, at: int) -> _Bytes:
    name = file.include[at]
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or path.suffix != ".yaml":
        what = f"{name!r} must be a .yaml file below the folder, like shared/bars.yaml"
        raise wrong(document, [Fault(("include", at), what)])
    if name in file.include[:at]:
        raise wrong(document, [Fault(("include", at), f"{name!r} is included twice")])
    if (found := _read(folder, name)) is not None:
        return found
    there = sorted(
        each.relative_to(folder).as_posix() for each in folder.rglob("*.yaml")
        if each.parent != folder
    )  # fmt: skip
    what = f"{name!r} is not there; there are {', '.join(there) or 'none'}{nearest(name, there)}"
    raise wrong(document, [Fault(("include", at), what)])


def _other_table(found: str, table: Table) -> str:
    known = [each.name for each in TABLES]
    if found in known:
        return f"is {found}, and the file is called after {table.name}; both must be one"
    return f"{found!r} is no table; there are {', '.join(known)}{nearest(found, known)}"


def _parsed(file: _Bytes, model: type[Model]) -> tuple[Document, Model]:
    return _parsed_once(file, model)


@lru_cache(maxsize=64)
def _parsed_once(file: _Bytes, model: type[Model]) -> tuple[Document, Model]:
    shared = model is SharedRules
    document = parse_document(file.raw, file.name, SHARED_MANNER if shared else MANNER)
    return document, validated(document, model, shared_keys if shared else known_keys)


@lru_cache(maxsize=64)
def _compiled(table: Table, files: tuple[_Bytes, ...]) -> Rulebook:
    own, *included = files
    document, file = _parsed(own, RuleFile)
    _check_schemas(document, file, table)
    seen: dict[str, str] = {}
    rules: list[CompiledRule] = []
    for each in included:
        rules += _rules(*_parsed(each, SharedRules), table, seen)
    rules += _rules(document, file, table, seen)
    return Rulebook.of(table, _digest(files), tuple(rules), file.rejection_limit)


def _check_schemas(document: Document, file: RuleFile, table: Table) -> None:
    for schema in file.rejection_limit.schemas:
        if schema not in table.schemas:
            loc = ("rejection_limit", "schemas", str(schema))
            what = f"is no schema of {table.name}; it stores {', '.join(table.schemas)}"
            raise wrong(document, [Fault(loc, what)])


def _rules(
    document: Document, file: RuleFile | SharedRules, table: Table, seen: dict[str, str]
) -> list[CompiledRule]:
    """The rules of one file; `seen` has the ids of those before, with their places."""
    # A table's own file names it; one that is shared is compiled for each table that includes it.
    of = "" if isinstance(file, RuleFile) else f"of {table.name}: "
    made = [_rule(written, table, at, of) for at, written in enumerate(file.rules)]
    faults = [each for each in made if isinstance(each, Fault)]
    for at, written in enumerate(file.rules):
        if written.id in seen:
            what = f"{written.id!r} is the id of {seen[written.id]}, too"
            faults.append(Fault(("rules", at, "id"), what))
        seen.setdefault(written.id, f"rules[{at}] in {document.name}")
    if faults:
        raise wrong(document, faults)
    return [each for each in made if isinstance(each, CompiledRule)]


def _rule(written: WrittenRule, table: Table, at: int, of: str) -> CompiledRule | Fault:
    loc = ("rules", at, "check")
    try:
        expression = compile_expression(written.check, table)
    except ExpressionFault as fault:
        return Fault(loc, f"{of}{fault}, in {written.check[:60]!r}")
    if not expression.columns:
        return Fault(loc, f"{written.check[:60]!r} looks at no column of {table.name}")
    return CompiledRule.of(written, expression)


def _digest(files: tuple[_Bytes, ...]) -> str:
    lines = [f"{hashlib.sha256(each.raw).hexdigest()}  {each.relative}\n" for each in files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
