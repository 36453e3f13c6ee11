"""Long steps on stderr: a bar on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from ingestor.cli.output import tell

if TYPE_CHECKING:
    import rich.progress

_SAY_EVERY_S: Final = 5.0
_SHOWN_AFTER_S: Final = 1.0
"""What takes less is not worth a flicker, nor the import of rich."""


class StepsBar:
    """Shows the step that is under way, from its second second on."""

    def __init__(self) -> None:
        self._drawn: rich.progress.Progress | None = None
        self._task: rich.progress.TaskID | None = None
        self._began = time.monotonic()

    def __call__(self, what: str, done: int, total: int) -> None:
        if self._drawn is None and time.monotonic() - self._began < _SHOWN_AFTER_S:
            return
        if self._drawn is None:
            self._drawn = _bar()
            self._drawn.start()
            self._task = self._drawn.add_task(what, total=total)
        assert self._task is not None
        self._drawn.update(self._task, completed=done, total=total, description=what)

    @property
    def drawn(self) -> bool:
        return self._drawn is not None

    def stop(self) -> None:
        if self._drawn is not None:
            self._drawn.stop()


class StepLines:
    """Says it in lines; a step that is done in a moment is not mentioned."""

    def __init__(self) -> None:
        self._said = time.monotonic()

    def __call__(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._said >= _SAY_EVERY_S:
            tell(f"{what}: {done:,} of {total:,}")
            self._said = now

    def stop(self) -> None:
        """Nothing is drawn."""


@contextmanager
def steps_shown(*, bar: bool, quiet: bool = False) -> Iterator[None]:
    """Shows the steps of the block, unless it is to be quiet."""
    from ingestor.steps import listening

    if quiet:
        yield
        return
    shown = StepsBar() if bar else StepLines()
    try:
        with listening(shown):
            yield
    finally:
        shown.stop()


def _bar() -> rich.progress.Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    return Progress(
        BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"),
        console=Console(stderr=True), transient=True,
    )  # fmt: skip
