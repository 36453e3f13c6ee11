"""Whether the mapping and rule files of a configuration folder are sound, file by file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from ingestor.documents import nearest, parse_document, validated
from ingestor.errors import BadRules
from ingestor.model import STORED, TABLES
from ingestor.sources.installed import GROUP
from ingestor.transform import load_mapping
from ingestor.transform.wires import DBN_FOLDER, TEXT_FOLDER
from ingestor.validate import load_rulebook
from ingestor.validate.rule_files import MANNER, SHARED_MANNER, stray, strays
from ingestor.validate.rules import RuleFile, SharedRules, known_keys, shared_keys
from ingestor.vocabulary import Schema, is_dataset


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
    bare = [each.name for each in TABLES if not os.path.lexists(rules / f"{each.name}.yaml")]
    notes = [f"{name} has no rules: only what its columns cannot hold is refused" for name in bare]
    return FolderCheck(files, (*_unmapped(folder / "mappings" / DBN_FOLDER), *notes))


def _unmapped(folder: Path) -> Iterator[str]:
    """Notes of schemas that can be stored, and that no record of DBN can be read of."""
    bare = [each for each in STORED if not os.path.lexists(folder / f"{each}.yaml")]
    if bare:
        yield f"{DBN_FOLDER} has no mapping of {', '.join(bare)}: chunks of it fail"


def _mappings(folder: Path) -> Iterator[Checked]:
    found = _yaml(folder / "mappings")
    if not found:
        yield Checked("mappings", f"{folder / 'mappings'} holds no mapping file",
                      "name a folder that has what configs/ has")  # fmt: skip
    for path in found:
        name = str(path.relative_to(folder))
        if misplaced := _misplaced(path, folder / "mappings" / TEXT_FOLDER):
            yield Checked(name, misplaced, "a dataset's mapping files are in a folder of its code")
        elif elsewhere := _elsewhere(path, folder / "mappings"):
            yield Checked(name, elsewhere, "move it into the folder of the source it is for")
        elif path.suffix == ".yaml" and path.stem in STORED:
            yield _checked(name, partial(load_mapping, path.parent, Schema(path.stem)))
        else:
            yield Checked(name, _unread(path, "mapping file", [str(each) for each in STORED]),
                          "rename it")  # fmt: skip


def _misplaced(path: Path, texts: Path) -> str:
    """Why no dataset of text files reads it; empty where one does, and of other mapping files."""
    if not path.is_relative_to(texts):
        return ""
    of = path.parent.relative_to(texts).as_posix()
    if is_dataset(of):
        return ""
    near = f"; did you mean {of.upper()}?" if is_dataset(of.upper()) else ""
    where = f"{of} is no dataset code" if path.parent != texts else "it is in no dataset's folder"
    return f"mapping file {path} is read by nobody: {where}; one looks like ACME.BARS{near}"


def _elsewhere(path: Path, mappings: Path) -> str:
    """Why no source reads the folder of a file; empty where one does, or may."""
    of = path.parent.relative_to(mappings).as_posix()
    if of == DBN_FOLDER or path.is_relative_to(mappings / TEXT_FOLDER):
        return ""
    if others_installed() and of.split("/")[0] not in (".", DBN_FOLDER):
        return ""  # only the source itself knows where its mappings are
    where = "it is in no source's folder" if of == "." else f"no source reads the folder {of}"
    return (
        f"mapping file {path} is read by nobody: {where}; there are {DBN_FOLDER} and "
        f"{TEXT_FOLDER}/<DATASET>{nearest(of, [DBN_FOLDER, TEXT_FOLDER])}"
    )


def others_installed() -> bool:
    """Whether a source is installed that HDI does not bring along."""
    return any(not each.value.startswith("ingestor.") for each in entry_points(group=GROUP))


def _rules(folder: Path, rules: Path) -> Iterator[Checked]:
    try:
        wrong = strays(rules)
    except BadRules as error:
        yield Checked("validation", error.message, error.hint)
        return
    for path in wrong:
        fault = stray(path)
        yield Checked(str(path.relative_to(folder)), fault.message, fault.hint)
    for table in TABLES:
        path = rules / f"{table.name}.yaml"
        name = str(path.relative_to(folder))
        if not os.path.lexists(path):
            continue
        if wrong:  # no rules are loaded from such a folder at all
            yield Checked(name, note=f"not checked while {wrong[0].name} is there", checked=False)
        else:
            yield _checked(name, partial(load_rulebook, rules, table))


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
