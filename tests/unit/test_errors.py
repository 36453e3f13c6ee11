"""Errors cross process borders whole, and the tree in the docstring is the tree in the code."""

from __future__ import annotations

import pickle
import re

import pytest

from ingestor import errors
from ingestor.errors import IngestError, RateLimited


def kinds() -> list[type[IngestError]]:
    found = [each for each in vars(errors).values() if isinstance(each, type)]
    return [each for each in found if issubclass(each, IngestError)]


def made(kind: type[IngestError]) -> IngestError:
    if kind is RateLimited:
        return RateLimited("what", retry_after_s=2.5, hint="next")
    return kind("what", hint="next")


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_an_error_survives_pickling_with_everything_it_knows(kind: type[IngestError]) -> None:
    before = made(kind)
    after = pickle.loads(pickle.dumps(before))
    assert type(after) is kind
    assert vars(after) == vars(before)
    assert str(after) == "what"


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_the_drawing_names_every_error_below_its_parent(kind: type[IngestError]) -> None:
    drawing = [
        line for line in (errors.__doc__ or "").splitlines() if re.search(r"[├└]──|^Ing", line)
    ]
    names = [re.sub(r"^[│├└─ ]+", "", line).split()[0] for line in drawing]
    depth = {name: line.index(name) for name, line in zip(names, drawing, strict=True)}
    assert kind.__name__ in names
    parent = kind.__mro__[1].__name__
    if parent in names:
        assert depth[kind.__name__] > depth[parent]
        between = names[names.index(parent) + 1 : names.index(kind.__name__)]
        assert all(depth[name] > depth[parent] for name in between)
