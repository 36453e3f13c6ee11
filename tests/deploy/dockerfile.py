"""Dockerfiles and .dockerignore as the tests read them: stages, instructions, what a build sees."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMES = ("Dockerfile.worker", "Dockerfile.api")


@dataclass(frozen=True, slots=True)
class Instruction:
    """``RUN --mount=… command``: name in capitals, flags, the rest on one line."""

    name: str
    flags: tuple[str, ...]
    text: str

    def words(self) -> list[str]:
        """The exec form; ValueError where it is the shell form."""
        words = json.loads(self.text)
        if not (isinstance(words, list) and all(isinstance(word, str) for word in words)):
            raise TypeError(f"{self.name} is no list of words: {self.text}")
        return words


@dataclass(frozen=True, slots=True)
class Stage:
    """What follows a FROM."""

    base: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)

    def all(self, name: str) -> list[Instruction]:
        return [each for each in self.instructions if each.name == name]

    def last(self, name: str) -> Instruction:
        return self.all(name)[-1]

    def environment(self) -> dict[str, str]:
        """What ENV sets, words without quotes; ``$PATH`` is left as it is."""
        pairs = [pair for each in self.all("ENV") for pair in each.text.split()]
        return dict(pair.split("=", 1) for pair in pairs)


def instructions(text: str) -> Iterator[Instruction]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines():
        name, _, rest = line.strip().partition(" ")
        if not name:
            continue
        words = rest.split()
        flags = []
        while words and words[0].startswith("--"):
            flags.append(words.pop(0))
        text_ = " ".join(words) if name != "CMD" else rest.strip()
        yield Instruction(name.upper(), tuple(flags), text_)


def stages(name: str) -> tuple[dict[str, str], list[Stage]]:
    """The defaults of the ARGs before the first FROM, and the stages."""
    arguments: dict[str, str] = {}
    found: list[Stage] = []
    for each in instructions((ROOT / name).read_text(encoding="utf-8")):
        if each.name == "FROM":
            base, _, alias = each.text.partition(" AS ")
            found.append(Stage(base, alias))
        elif found:
            found[-1].instructions.append(each)
        else:
            key, _, value = each.text.partition("=")
            arguments[key] = value
    return arguments, found


def _patterns() -> list[tuple[bool, re.Pattern[str]]]:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return [(not rule.startswith("!"), _pattern(rule.removeprefix("!"))) for rule in rules]


def _pattern(rule: str) -> re.Pattern[str]:
    """Docker's: ``**`` crosses folders, ``*`` does not, and a folder stands for all in it."""
    out = re.escape(rule).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
    out = out.replace(r"\[co\]", "[co]")
    return re.compile(f"{out}(?:/.*)?")


def is_ignored(path: str) -> bool:
    """Whether .dockerignore keeps this path out of the build: the last rule that fits decides."""
    ignored = False
    for leaves_out, pattern in _patterns():
        if pattern.fullmatch(path):
            ignored = leaves_out
    return ignored


def context() -> list[str]:
    """Every file that the build sees, by its path in the checkout."""
    tops = sorted(path for path in ROOT.iterdir())
    # A folder of which nothing is let in need not be walked: .git, .venv.
    named = (ROOT / ".dockerignore").read_text(encoding="utf-8")
    found: list[str] = []
    for top in tops:
        if top.is_file():
            found.append(top.name)
        elif f"!{top.name}" in named:
            found += [str(p.relative_to(ROOT)) for p in top.rglob("*") if p.is_file()]
    return [path for path in found if not is_ignored(path)]
