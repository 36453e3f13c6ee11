"""Settings that a job file may give: those that planning and recording a job read.

Workers read theirs on their own hosts: in a job file they would do nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ingestor.documents import Fault, Loc
from ingestor.settings import SECRETS
from ingestor.settings.layers import suggestion

JOB_SETTINGS: Final = (
    "databento.backoff_s",
    "databento.connect_timeout_s",
    "databento.patience_s",
    "databento.read_timeout_s",
    "retry.max_attempts",
)
_KEY: Final = "settings"


def setting_faults(values: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong with the names under ``settings``; values are judged by `load_settings`."""
    given = values.get(_KEY)
    seen: set[str] = set()
    for loc, name, value in _given(given) if isinstance(given, Mapping) else ():
        if fault := _fault(name, value, seen):
            yield Fault(loc, fault)
        seen.add(name)


def by_dotted_name(given: Mapping[str, Any]) -> dict[str, str]:
    """Settings, nested or dotted, as `load_settings` takes them: text, as in the environment."""
    return {name: str(value) for _, name, value in _given(given)}


def settings_schema() -> dict[str, Any]:
    """JSON Schema of the settings, dotted or nested."""
    number = {"type": "number", "minimum": 0}
    properties: dict[str, Any] = dict.fromkeys(JOB_SETTINGS, number)
    for name in JOB_SETTINGS:
        section, _, inner = name.partition(".")
        nested = properties.setdefault(
            section, {"type": "object", "additionalProperties": False, "properties": {}}
        )
        nested["properties"][inner] = number
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _fault(name: str, value: object, seen: set[str]) -> str:
    if name in SECRETS:
        return "is a secret and is not read from YAML"
    if name not in JOB_SETTINGS:
        near = suggestion(name, JOB_SETTINGS)
        return f"is no setting of a job; allowed are {', '.join(JOB_SETTINGS)}{near}"
    if name in seen:
        return "is given twice, dotted and nested"
    return "" if value is None or isinstance(value, str) else "must be a number"


def _given(given: Mapping[str, Any]) -> Iterator[tuple[Loc, str, Any]]:
    for key, value in given.items():
        if isinstance(value, Mapping):
            for inner, held in value.items():
                yield (_KEY, key, inner), f"{key}.{inner}", held
        else:
            yield (_KEY, key), key, value
