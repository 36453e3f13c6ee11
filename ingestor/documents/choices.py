"""Which words a key of a model takes, for whoever left the key out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, BeforeValidator

from ingestor.documents.places import Loc
from ingestor.documents.words import OneOf


def choices(model: type[BaseModel], loc: Loc) -> tuple[str, ...]:
    """The words that `one_of` allows at a place of `model`; none where it allows any value."""
    within: Any = model
    found: tuple[str, ...] = ()
    for step in loc:
        # Places in lists, keys of mappings and tags of unions lead to no field, only into one.
        for each in _models(within):
            fields = {field.alias or name: field for name, field in each.model_fields.items()}
            if isinstance(step, str) and step in fields:
                within, found = fields[step].annotation, _words(fields[step].metadata)
                break
    return found


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for each in get_args(annotation):
        yield from _models(each)


def _words(metadata: list[Any]) -> tuple[str, ...]:
    found = (each.func for each in metadata if isinstance(each, BeforeValidator))
    return next((each.words for each in found if isinstance(each, OneOf)), ())
