"""Whether the mapping and rule files of a configuration folder are sound, file by file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ingestor.documents import nearest, parse_document, validated
from ingestor.errors import BadRules
from ingestor.model import STORED, TABLES
from ingestor.transform import load_mapping
from ingestor.validate import load_rulebook
from ingestor.validate.rule_files import MANNER, SHARED_MANNER
from ingestor.validate.rules import RuleFile, SharedRules, known_keys, shared_keys
from ingestor.vocabulary import Schema


@dataclass(frozen=True, slots=True)
class Checked:
    """One file.

    Attributes:
        file: Relative to the folder.
        fault: Everything that is wrong with it, with lines and keys; empty where nothing is.
        note: What is worth knowing of one that is sound, or why it was not checked.
    """

    file: str
    fault: str = ""
    hint: str = ""
    note: str = ""
    checked: bool = True

    @property
    def ok(self) -> bool:
        return self.checked and not self.fault

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "ok": self.ok}


@dataclass(frozen=True, slots=True)
class FolderCheck:
    """A configuration folder.

    Attributes:
        notes: Lines about what is not there.
    """

    files: tuple[Checked, ...]
    notes: tuple[str, ...]

    @property
    def wrong(self) -> int:
        return sum(bool(each.fault) for each in self.files)


def check_folder(folder: Path) -> FolderCheck:
    """Every mapping and rule file of the folder, whether anybody would read it or not."""
    rules = folder / "validation"
    files = (*_mappings(folder), *_rules(folder, rules), *_shared(folder, rules))
    bare = [table.name for table in TABLES if not (rules / f"{table.name}.yaml").is_file()]
    notes = [f"{name} has no rules: only what its columns cannot hold is refused" for name in bare]
    return FolderCheck(files, tuple(notes))


def _mappings(folder: Path) -> Iterator[Checked]:
    found = _yaml(folder / "mappings")
    if not found:
        yield Checked("mappings", f"{folder / 'mappings'} holds no mapping file",
                      "name a folder that has what configs/ has")  # fmt: skip
    for path in found:
        name = str(path.relative_to(folder))
        if path.suffix == ".yaml" and path.stem in STORED:
            yield _checked(name, partial(load_mapping, path.parent, Schema(path.stem)))
        else:
            yield Checked(name, _unread(path, "mapping file", [str(each) for each in STORED]),
                          "rename it")  # fmt: skip


def _rules(folder: Path, rules: Path) -> Iterator[Checked]:
    tables = {table.name: table for table in TABLES}
    found = [path for path in _yaml(rules) if path.parent == rules]
    strays = [path for path in found if path.suffix != ".yaml" or path.stem not in tables]
    for path in found:
        name = str(path.relative_to(folder))
        if path in strays:
            yield Checked(
                name,
                _unread(path, "rule file", list(tables)),
                "rename it; what several tables include goes into shared/",
            )
        elif strays:  # no rules are loaded from such a folder at all
            note = f"not checked while {strays[0].name} is there"
            yield Checked(name, note=note, checked=False)
        else:
            yield _checked(name, partial(load_rulebook, rules, tables[path.stem]))


def _shared(folder: Path, rules: Path) -> Iterator[Checked]:
    """Files that others include. Their checks are compiled with each table that includes them."""
    included = _included(rules)
    for path in _yaml(rules):
        if path.parent == rules:
            continue
        name = str(path.relative_to(folder))
        users = included.get(path.relative_to(rules).as_posix(), [])
        note = f"included by {', '.join(users)}" if users else "nobody includes it"
        yield _checked(name, partial(_parse_shared, path), note)


def _included(rules: Path) -> dict[str, list[str]]:
    """Shared file → tables whose rule files include it; what cannot be read includes nothing."""
    found: dict[str, list[str]] = {}
    for table in TABLES:
        path = rules / f"{table.name}.yaml"
        if not path.is_file():
            continue
        try:
            file = validated(parse_document(path.read_bytes(), str(path), MANNER), RuleFile,
                             known_keys)  # fmt: skip
        except BadRules:
            continue  # told of the file itself
        for each in file.include:
            found.setdefault(str(each), []).append(table.name)
    return found


def _parse_shared(path: Path) -> None:
    document = parse_document(path.read_bytes(), str(path), SHARED_MANNER)
    validated(document, SharedRules, shared_keys)


def _checked(name: str, load: Callable[[], object], note: str = "") -> Checked:
    try:
        load()
    except BadRules as error:
        return Checked(name, error.message, error.hint)
    except OSError as error:
        return Checked(name, f"{name} cannot be read: {error.strerror}", "check its owner and mode")
    return Checked(name, note=note)


def _unread(path: Path, noun: str, known: list[str]) -> str:
    near = nearest(path.stem, known)
    return (
        f"{noun} {path} is read by nobody: there are {', '.join(known)}, each with .yaml after "
        f"it{near}"
    )


def _yaml(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in (".yaml", ".yml"))
