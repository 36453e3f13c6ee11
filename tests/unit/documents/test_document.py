"""YAML files of any sort: text with lines, and faults in the words of their manner."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from ingestor.documents import (
    Document,
    Fault,
    Loc,
    Manner,
    Text,
    Written,
    one_of,
    parse_document,
    read_bytes,
    read_document,
    validated,
    wrong,
)
from ingestor.errors import BadRules

MANNER = Manner("recipe", BadRules, "the page says", shorten="write less")


class Boil(BaseModel):
    model_config = ConfigDict(extra="forbid")
    how: Literal["boil"]
    minutes: int = Field(ge=1)


class Fry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    how: Literal["fry"]
    fat: Annotated[Text, one_of(["butter", "oil"], "fat")]
    hot: bool = False


class Recipe(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: Text
    step: Annotated[Boil | Fry, Field(discriminator="how")]


def keys(loc: Loc) -> tuple[str, Sequence[str]]:
    return ("a recipe", ["name", "step"]) if len(loc) == 1 else ("a step", ["how", "fat", "hot"])


def recipe(text: str) -> Document:
    return parse_document(text.encode(), "soup.yaml", MANNER)


def refusal(text: str) -> str:
    with pytest.raises(BadRules) as error:
        validated(recipe(text), Recipe, keys)
    assert error.value.message.startswith("recipe soup.yaml")
    return error.value.message


def test_values_are_the_text_that_was_written() -> None:
    """Models read what they need of it; YAML's own guess is told beside."""
    document = recipe('name: "012"\nstep: {how: boil, minutes: 012}\n')

    minutes = document.values["step"]["minutes"]
    assert (minutes, minutes.read_as) == ("012", "a number")
    assert isinstance(minutes, Written)
    assert validated(document, Recipe, keys) == Recipe(
        name="012", step=Boil(how="boil", minutes=12)
    )
    assert document.line(("step", "minutes")) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: NO\nstep: {how: boil, minutes: 5}", "line 1 (name): YAML reads NO as a truth"),
        ("name: x\nstep: {how: boyl}", "(step.how): 'boyl' is no how; there are boil, fry; did"),
        ("name: x\nstep: {minutes: 5}", "line 2 (step.how): is missing"),
        ("name: x\nstep: {how: fry}", "(step.fry.fat): is missing; there are butter, oil"),
        ("name: x\nstep: slowly", "line 2 (step): must hold keys with values, found 'slowly'"),
        ("name: x\nstep:", "line 2 (step): is empty; give it a value or leave the key out"),
        ("name: x\nstep: {how: boil, minutes: 0}", "must be at least 1, found '0'"),
        ("name: x\nstep: {how: fry, fat: buter}", "'buter' is no fat; there are butter, oil; did"),
        ("name: x\nstep: {how: fry, fat: oil, hot: 7}", "must be true or false, found '7'"),
        ("name: x\nstep: {how: fry, fat: oil, hott: 1}", "is no key of a step; allowed are how,"),
        ("name: x\nnam: y\nstep: {how: fry, fat: oil}", "line 2 (nam): is no key of a recipe; all"),
        ("name: x\nname: y\nstep: {how: fry, fat: oil}", "(name): is there twice, lines 1 and 2"),
        ("- name", "must hold keys with values, found a list"),
        ("name: &x y", "line 1: an anchor (&x) is not taken in a recipe"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_line_key_and_what_is_allowed(text: str, said: str) -> None:
    assert said in refusal(text)


def test_faults_that_others_find_are_told_in_the_order_of_the_file() -> None:
    """Of one place the first alone."""
    document = recipe("name: x\nstep: {how: fry, fat: oil}\n")
    faults = [Fault(("step",), "is bad"), Fault(("name",), "is worse"), Fault(("step",), "again")]

    error = wrong(document, faults)
    assert isinstance(error, BadRules)
    assert error.hint == "the page says"
    assert error.message == (
        "recipe soup.yaml has 2 faults: line 1 (name): is worse; line 2 (step): is bad"
    )


def test_a_file_that_is_too_large_or_not_there_is_told(tmp_path: Path) -> None:
    """With what to do about it."""
    large = tmp_path / "large.yaml"
    large.write_bytes(b"#" * (256 * 1024 + 1))
    with pytest.raises(BadRules, match=r"recipe .*large\.yaml is larger than 256 KiB") as error:
        read_document(large, MANNER)
    assert error.value.hint == "write less"
    with pytest.raises(BadRules, match=r"none\.yaml cannot be read: No such file"):
        read_document(tmp_path / "none.yaml", MANNER)
    small = tmp_path / "small.yaml"
    small.write_bytes(b"a: 1")
    assert read_bytes(small, MANNER) == b"a: 1"


@settings(deadline=None)
@given(raw=st.binary(max_size=60) | st.text("abc:-[]{}\n \"'#&*!|>?%@,1", max_size=60))
def test_whatever_a_file_holds_no_other_error_comes_out(raw: bytes | str) -> None:
    text = raw if isinstance(raw, bytes) else raw.encode()
    with pytest.raises(BadRules):
        raise wrong(parse_document(text, "x", MANNER), [Fault(("a",), "x")])
