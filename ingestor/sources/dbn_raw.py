"""DBN records to bytes and back: a record's length tells its layout."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ingestor.dbn import NEWEST, layout, layout_of_size
from ingestor.errors import CorruptPayload

if TYPE_CHECKING:
    import numpy.typing as npt

    from ingestor.vocabulary import Schema


class DbnWire:
    """What every source has in common whose records are DBN, whatever the dataset."""

    def mapping_folder(self, dataset: str) -> str:
        """Databento's, for every dataset."""
        del dataset
        return "databento"

    def raw(self, records: npt.NDArray[np.void]) -> list[bytes]:
        return raw_records(records)

    def decode(
        self, raw: Sequence[bytes], schema: Schema
    ) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.void]]]:
        return decoded(raw, schema)


def raw_records(records: npt.NDArray[np.void]) -> list[bytes]:
    """Each record's bytes as delivered."""
    size = records.dtype.itemsize
    whole = records.tobytes()
    return [whole[at : at + size] for at in range(0, len(whole), size)]


def decoded(
    raw: Sequence[bytes], schema: Schema
) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.void]]]:
    """Records out of their bytes, with their places in `raw`; one array for each length.

    Raises:
        CorruptPayload: No version of DBN has records of this schema of so many bytes.
    """
    lengths = np.array([len(each) for each in raw], np.intp)
    for size in np.unique(lengths).tolist():
        if (found := layout_of_size(schema, size)) is None:
            sizes = [layout(schema, version).itemsize for version in range(NEWEST, 0, -1)]
            known = ", ".join(str(each) for each in dict.fromkeys(sizes))
            raise CorruptPayload(
                f"a record of {size} bytes is none of {schema}; those have {known} bytes"
            )
        places = np.flatnonzero(lengths == size)
        yield places, np.frombuffer(b"".join(raw[at] for at in places.tolist()), found)
