"""A folder of DBN files as an archive: datasets, schemas, ranges and symbols are the files' own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ingestor.dbn import index_field
from ingestor.errors import BadSettings
from ingestor.simulator.archive import Selection
from ingestor.simulator.dbn_content import DbnContent, read_content
from ingestor.simulator.market import DAY
from ingestor.simulator.symbology import Stretch, Stretches, SymbolBook, merged

if TYPE_CHECKING:
    import numpy.typing as npt

    from ingestor.simulator.messages import Records

_DAY_BITS = np.uint64(20)


class FolderArchive:
    """All ``.dbn`` and ``.dbn.zst`` files under a folder.

    Raises:
        BadSettings: There are none, or one cannot be served, or two of one schema differ in DBN
            version.
    """

    def __init__(self, folder: Path) -> None:
        paths = sorted([*folder.rglob("*.dbn"), *folder.rglob("*.dbn.zst")])
        if not paths:
            raise BadSettings(
                f"{folder} holds no .dbn and no .dbn.zst file", hint="name a folder that does"
            )
        self._files: dict[tuple[str, str], list[DbnContent]] = {}
        for path in paths:
            file = read_content(path)
            self._files.setdefault((file.dataset, file.schema), []).append(file)
        self._check_versions()
        self._books = {dataset: self._book(dataset) for dataset in self.datasets()}
        self._counted = lru_cache(maxsize=1024)(self._count)

    def datasets(self) -> Sequence[str]:
        return sorted({dataset for dataset, _ in self._files})

    def schemas(self, dataset: str) -> Sequence[str]:
        return sorted(schema for known, schema in self._files if known == dataset)

    def available(self, dataset: str, schema: str) -> tuple[int, int]:
        files = self._files[dataset, schema]
        return min(each.start for each in files), max(each.end for each in files)

    def version(self, dataset: str, schema: str) -> int:
        return self._files[dataset, schema][0].version

    def book(self, dataset: str) -> SymbolBook:
        return self._books[dataset]

    def is_session(self, dataset: str, day: int) -> bool:
        return any(day in file.days for file in self._of(dataset))

    def count(self, selection: Selection) -> int:
        return self._counted(selection)

    def slices(self, selection: Selection) -> Iterator[Records]:
        version = self.version(selection.dataset, selection.schema)
        files = sorted(
            self._files[selection.dataset, selection.schema], key=lambda each: each.start
        )
        parts = [
            _chosen(selection, file)
            for file in files
            if file.start < selection.end and selection.start < file.end
        ]
        return _merged(parts, index_field(selection.schema, version))

    def _count(self, selection: Selection) -> int:
        return sum(len(records) for records in self.slices(selection))

    def _of(self, dataset: str) -> Iterator[DbnContent]:
        return (
            file for (known, _), files in self._files.items() if known == dataset for file in files
        )

    def _check_versions(self) -> None:
        for (dataset, schema), files in self._files.items():
            versions = {each.version for each in files}
            if len(versions) > 1:
                raise BadSettings(
                    f"files of {dataset} {schema} are of DBN versions {sorted(versions)}; "
                    "one answer can have one version only",
                    hint="keep files of one version in the folder",
                )

    def _book(self, dataset: str) -> SymbolBook:
        by_type: dict[str, dict[str, set[Stretch]]] = {"raw_symbol": {}, "parent": {}}
        by_type["continuous"] = {}
        for file in self._of(dataset):
            named: Mapping[str, Mapping[str, Stretches]] = file.named
            if not any(named.values()):
                named = {"raw_symbol": {each.symbol: (each,) for each in _unnamed(file)}}
            for stype, symbols in named.items():
                for symbol, stretches in symbols.items():
                    by_type[stype].setdefault(symbol, set()).update(stretches)
        return SymbolBook(
            {
                stype: {symbol: tuple(sorted(some)) for symbol, some in symbols.items()}
                for stype, symbols in by_type.items()
            },
            is_session=lambda day: self.is_session(dataset, day),
        )


def _unnamed(file: DbnContent) -> Iterator[Stretch]:
    """Ids of a file that maps no symbols; each is called by its number."""
    ids = {int(each) for records in file.records() for each in np.unique(records["instrument_id"])}
    return (
        Stretch(file.days.start, file.days.stop, str(instrument_id), instrument_id)
        for instrument_id in sorted(ids)
    )


def _chosen(selection: Selection, file: DbnContent) -> Iterator[Records]:
    field = index_field(selection.schema, file.version)
    for records in file.records():
        rows = selection.inside(records, file.version)
        if selection.stretches is not None:
            rows &= _belong(records, field, selection.stretches)
        if rows.any():
            yield records[rows]


def _belong(records: Records, field: str, stretches: Stretches) -> npt.NDArray[np.bool_]:
    """Which records are of one of the stretches: id and day as one number, looked up in order."""
    by_id: dict[int, list[Stretch]] = {}
    for each in stretches:
        by_id.setdefault(each.instrument_id, []).append(each)
    ranges = [
        (one << 20 | each.first, one << 20 | each.past)
        for one, some in sorted(by_id.items())
        for each in merged(some)
    ]
    bounds = np.array(ranges or [(0, 0)], np.uint64)
    days = (records[field] // np.uint64(DAY)).astype(np.uint64)
    keys = (records["instrument_id"].astype(np.uint64) << _DAY_BITS) | days
    place = np.searchsorted(bounds[:, 0], keys, side="right").astype(np.int64) - 1
    found: npt.NDArray[np.bool_] = (place >= 0) & (keys < bounds[np.maximum(place, 0), 1])
    return found


def _merged(parts: Sequence[Iterator[Records]], field: str) -> Iterator[Records]:
    """Records of several files by time, as far at a time as every file's next records reach."""
    heads = [(head, part) for part in parts if (head := next(part, None)) is not None]
    while len(heads) > 1:
        reach = min(head[field][-1] for head, _ in heads)
        cuts = [int(np.searchsorted(head[field], reach, side="right")) for head, _ in heads]
        ready = np.concatenate([head[:cut] for (head, _), cut in zip(heads, cuts, strict=True)])
        yield ready[np.argsort(ready[field], kind="stable")]
        heads = [
            (rest, part)
            for (head, part), cut in zip(heads, cuts, strict=True)
            if (rest := head[cut:] if cut < len(head) else next(part, None)) is not None
        ]
    for head, part in heads:
        yield head
        yield from part
