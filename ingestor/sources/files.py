"""The files that a path names, and what the file system says of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingestor.errors import BadJob, SourceUnavailable
from ingestor.sources.deliveries import natural


def find_files(path: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """The files at `path`, a file or a folder with all below it, in natural order.

    Args:
        suffixes: How the names of a folder's files end; a file that is named itself may be called
            anything.

    Raises:
        BadJob: There is nothing of that name, or no such file in it.
    """
    kinds = f"{', '.join(suffixes[:-1])} or {suffixes[-1]}"
    with readable(path):
        if not path.exists():
            raise BadJob(f"there is no {path}", hint=f"give --path a file or a folder of {kinds}")
        if path.is_file():
            return [_nameable(path.absolute())]
        found = [file.absolute() for file in path.rglob("*") if _is_one(file, suffixes)]
        files = sorted((file for file in found if file.is_file()), key=natural)
    if not files:
        raise BadJob(f"no {kinds} files in {path}", hint="give --path a file, or a folder of them")
    return [_nameable(file) for file in files]


def _nameable(path: Path) -> Path:
    """The ledger is UTF-8; a name of other bytes could not be found again."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise BadJob(f"the name of {path!a} is not UTF-8", hint="rename the file") from None
    return path


def _is_one(path: Path, suffixes: tuple[str, ...]) -> bool:
    """Whether the name ends so; hidden files are other programs' own."""
    return path.name.endswith(suffixes) and not path.name.startswith(".")


def siblings(path: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """The other such files of a file's own folder, in natural order."""
    found = [each for each in path.parent.iterdir() if _is_one(each, suffixes) and each != path]
    return sorted((other for other in found if other.is_file()), key=natural)


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Translates what the file system says while a job is planned.

    Raises:
        BadJob: The path is missing or may not be read.
        SourceUnavailable: The disk or share does not answer.
    """
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise BadJob(f"there is no {error.filename or path}", hint="check --path") from error
    except PermissionError as error:
        raise BadJob(
            f"{error.filename or path} may not be read by this user",
            hint="change its owner or mode, or run as another user",
        ) from error
    except OSError as error:
        raise SourceUnavailable(
            f"{error.filename or path} cannot be read: {error.strerror}",
            hint="check the disk or the share it is on",
        ) from error
