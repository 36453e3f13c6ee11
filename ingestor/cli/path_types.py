"""A path as an option's value. It loads click alone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path


class PathType(click.Path["Path"]):
    """A `pathlib.Path`, checked as click checks paths.

    pathlib is loaded once there is a path: that takes a quarter of the time of `python -c pass`,
    and `hdi-submit --help` only prints.
    """

    def coerce_path_result(self, value: str | os.PathLike[str]) -> Path:
        from pathlib import Path

        return Path(value)
