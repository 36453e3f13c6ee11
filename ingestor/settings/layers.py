"""Where settings come from: environment, dotenv files, YAML, mappings, each read into one `Layer`.

A layer knows settings by dotted name (``lease.duration_s``) and remembers the origin of each value,
so that an error and `hdi config show --sources` can name it. Layers are laid over each other by
`merged`; nothing here knows what values are allowed (`ingestor/settings/load.py` does).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ingestor.errors import BadSettings

PREFIX = "HDI_"
FILE_SUFFIX = "_FILE"
NO_SETTINGS = frozenset({"HDI_FAILPOINT", "HDI_DBN_CORPUS"})
"""Variables of ours that are read elsewhere; beside them everything under ``HDI_TEST_``."""

_HINT = "`hdi config show` lists every setting"
_BARE_NAMES = {"databento_api_key": "DATABENTO_API_KEY"}
_SPECIAL_LOGINS = ("worker_database_url", "reader_database_url")


class Given(NamedTuple):
    """A value before validation, and where it was found."""

    value: Any
    origin: str


Layer = Mapping[str, Given]


def variable(name: str) -> str:
    """The environment variable of a dotted name: ``lease.duration_s`` → HDI_LEASE__DURATION_S."""
    return _BARE_NAMES.get(name) or PREFIX + name.upper().replace(".", "__")


def suggestion(word: str, known: Iterable[str]) -> str:
    """``; did you mean X?`` for the nearest of `known`, or nothing."""
    near = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""


def from_variables(
    variables: Mapping[str, str | None],
    names: Iterable[str],
    *,
    place: str = "environment",
    detailed: bool = True,
) -> Layer:
    """The settings in `variables`, each directly or through the file its ``…_FILE`` names.

    Empty variables count as not given: compose files pass on what is unset as empty.

    Args:
        variables: The environment, or what a dotenv file holds.
        names: Every dotted name there is.
        place: What the origin begins with.
        detailed: Whether the origin names the variable too.

    Raises:
        BadSettings: A variable of ours is unknown, is given in both ways, or its file is
            unreadable.
    """
    direct = {variable(name): name for name in names}
    _refuse_unknown_variables(variables, direct, place)
    layer: dict[str, Given] = {}
    for var, name in direct.items():
        value, file = variables.get(var), variables.get(var + FILE_SUFFIX)
        if value and file:
            raise BadSettings(
                f"{var} and {var}{FILE_SUFFIX} are both given ({place}); only one is allowed",
                hint=f"unset {var} or {var}{FILE_SUFFIX}",
            )
        if value:
            layer[name] = Given(value, f"{place} {var}" if detailed else place)
        elif file:
            origin = f"{place} file {var}{FILE_SUFFIX}" if detailed else place
            layer[name] = Given(_file_content(var + FILE_SUFFIX, file), origin)
    return layer


def _refuse_unknown_variables(
    variables: Mapping[str, str | None], direct: Mapping[str, str], place: str
) -> None:
    known = set(direct) | {var + FILE_SUFFIX for var in direct}
    for var in sorted(variables):
        ours = var.startswith(PREFIX) and not var.startswith("HDI_TEST_")
        if ours and var not in known and var not in NO_SETTINGS:
            near = suggestion(var, known)
            raise BadSettings(f"{var} ({place}) is not a setting{near}", hint=_HINT)


def _file_content(var: str, path: str) -> str:
    try:
        content = Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "not UTF-8 text"
        # UnicodeDecodeError carries the bytes of the secret, hence `from None`.
        raise BadSettings(f"{var} names {path}, which cannot be read: {reason}") from None
    content = content.removesuffix("\n").removesuffix("\r")
    if not content:
        raise BadSettings(f"{var} names {path}, which is empty; it must hold the value")
    return content


def from_dotenv(path: Path, names: Iterable[str], *, place: str) -> Layer:
    """The settings in a dotenv file; none where there is no such file."""
    if not path.is_file():
        return {}
    from dotenv import dotenv_values

    try:
        # Without interpolation: a password may hold ${…}.
        variables = dotenv_values(path, interpolate=False, encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise BadSettings(f"{path} cannot be read as UTF-8 text") from None
    return from_variables(variables, names, place=place, detailed=False)


def from_yaml(path: Path, names: Sequence[str], *, place: str) -> Layer:
    """The settings in a YAML file; none where there is no such file or it holds only comments."""
    if not path.is_file():
        return {}
    import yaml

    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as exc:
        raise BadSettings(f"{path} cannot be read as UTF-8 text") from exc
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        line = f" at line {mark.line + 1}" if mark else ""
        raise BadSettings(f"{path} is not valid YAML{line}") from exc
    if tree is not None and not isinstance(tree, Mapping):
        raise BadSettings(f"{path} must hold settings by name, found a {type(tree).__name__}")
    return from_mapping(tree or {}, names, place=place)


def from_mapping(tree: Mapping[Any, Any], names: Sequence[str], *, place: str) -> Layer:
    """The settings in a nested or dotted mapping; None counts as not given."""
    sections = {name.partition(".")[0] for name in names if "." in name}
    layer: dict[str, Given] = {}
    for key, value in tree.items():
        if str(key) not in sections:
            _put(layer, str(key), value, names, place)
        elif value is not None and not isinstance(value, Mapping):
            raise BadSettings(f"{key} ({place}) must hold settings by name")
        else:
            for inner, held in (value or {}).items():
                _put(layer, f"{key}.{inner}", held, names, place)
    return layer


def _put(layer: dict[str, Given], name: str, value: Any, names: Sequence[str], place: str) -> None:
    if name not in names:
        near = suggestion(name, names)
        raise BadSettings(f"{name} ({place}) is not a setting{near}", hint=_HINT)
    if value is not None:
        layer[name] = Given(value, place)


def merged(layers: Sequence[Layer]) -> dict[str, Given]:
    """The layers laid over each other, the first one on top."""
    top: dict[str, Given] = {}
    for layer in layers:
        # Logins of an embedded stack must not be mixed with a database URL given above it:
        # workers would write to one database and read the ledger of another.
        elsewhere = _SPECIAL_LOGINS if "database_url" in top else ()
        top |= {
            name: given
            for name, given in layer.items()
            if name not in top and name not in elsewhere
        }
    return top


def nested(given: Mapping[str, Given]) -> dict[str, Any]:
    """Dotted names as the tree that the models take."""
    tree: dict[str, Any] = {}
    for name, (value, _) in given.items():
        section, dot, inner = name.partition(".")
        if dot:
            tree.setdefault(section, {})[inner] = value
        else:
            tree[name] = value
    return tree
