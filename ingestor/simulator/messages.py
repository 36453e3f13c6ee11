"""A schema's fields as ``metadata.list_fields`` spells them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ingestor.dbn import layout
from ingestor.vocabulary import Schema

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Records = npt.NDArray[np.void]

SCHEMAS: Final = tuple(str(schema) for schema in Schema)
"""Every schema that a request may name."""

_C_TYPES: Final = {"i": "int", "u": "uint"}


def fields(schema: str) -> list[dict[str, str]]:
    """Name and C type of each field, as it is in DBN."""
    found = layout(schema)
    return [{"name": name, "type": _c_type(found[name])} for name in found.names or ()]


def _c_type(kind: np.dtype[Any]) -> str:
    if kind.kind == "S":
        return "char" if kind.itemsize == 1 else f"char[{kind.itemsize}]"
    return f"{_C_TYPES[kind.kind]}{kind.itemsize * 8}_t"
