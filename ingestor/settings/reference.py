"""Settings for people: values with masked secrets, places in use, and the reference page.

The page is made from the models, so that it cannot disagree with them;
``python -m ingestor.settings.reference docs/reference/settings.md`` writes it
anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from ingestor.redaction import MASK, mask_url, redact
from ingestor.settings.forms import vault_folder
from ingestor.settings.layers import NO_SETTINGS, variable
from ingestor.settings.load import (
    SECRETS,
    SETTING_NAMES,
    STACK_FILE,
    SYSTEM_FILE,
    Settings,
    setting_fields,
)

_HEAD = """\
# Settings

A value is taken from the first place that has one:

1. a flag of the command line,
2. the environment,
3. `.env` in the working folder,
4. `stack.env` in the home folder, written by the embedded stack,
5. the job file,
6. `configs/system.yaml`, in the folder that `HDI_CONFIG_DIR` names or the one that came with HDI,
7. the default.

Every variable may be given as `…_FILE` instead, naming a file that holds the value (one newline at
its end is left out); giving both is an error. An empty variable counts as not given. Lists are
separated by commas in variables. Secrets (marked *secret*) are not read from YAML, and `home` and
`config_dir` are taken from places 1 to 3 only. `HDI_WORKER_DATABASE_URL` and
`HDI_READER_DATABASE_URL` are ignored where `HDI_DATABASE_URL` comes from a place above theirs.

Unknown variables that begin with `HDI_` are refused; {others} and `HDI_TEST_…` are
read elsewhere.
`hdi config show --sources` prints what is used and where it came from.
"""
_COLUMNS = "\n| setting | variable | default | unit | meaning |\n|---|---|---|---|---|\n"


def masked(settings: Settings) -> dict[str, object]:
    """Every setting by dotted name as a JSON value.

    Of a URL only the password is masked, keys wholly.
    """
    values: dict[str, object] = {}
    for name in SETTING_NAMES:
        section, _, inner = name.rpartition(".")
        value = getattr(getattr(settings, section) if section else settings, inner)
        values[name] = _shown(value, is_url=name.endswith("_url"))
    return values


def _shown(value: object, *, is_url: bool) -> object:
    if isinstance(value, SecretStr):
        return mask_url(value.get_secret_value()) if is_url else MASK
    if isinstance(value, str | Path):
        return redact(str(value))
    return list(value) if isinstance(value, tuple) else value


def places(settings: Settings) -> dict[str, Path | str]:
    """Files and folders that settings are read from and state is kept in."""
    return {
        "dotenv": Path(".env").absolute(),
        "embedded stack": settings.home / STACK_FILE,
        "configs": settings.config_dir,
        "settings file": settings.config_dir / SYSTEM_FILE,
        "home": settings.home,
        "vault": vault_folder(settings.vault_url) or settings.vault_url,
        "dead letters": settings.dlq_dir,
        **({"log file": settings.log_file} if settings.log_file else {}),
    }


class Row(NamedTuple):
    """One setting as the page shows it."""

    name: str
    variable: str
    default: str
    unit: str
    meaning: str


def rows() -> Iterator[Row]:
    """Every setting, in the order of the models."""
    for name, field in setting_fields():
        meaning = field.description or ""
        if name in SECRETS:
            meaning += " (*secret*)"
        yield Row(name, variable(name), _default(field), _extra(field, "unit"), meaning)


def _extra(field: FieldInfo, key: str) -> str:
    extra = field.json_schema_extra
    return str(extra.get(key, "")) if isinstance(extra, dict) else ""


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return _extra(field, "default")
    if isinstance(field.default, tuple):
        return ",".join(field.default)
    return "" if field.default is None else str(field.default)


def page() -> str:
    """The page as MyST Markdown: one table for the service, one for each section."""
    others = ", ".join(f"`{name}`" for name in sorted(NO_SETTINGS))
    text, section = _HEAD.format(others=others) + "\n## Service\n" + _COLUMNS, ""
    for row in rows():
        own = row.name.rpartition(".")[0]
        if own != section:
            section = own
            text += f"\n## {section}\n" + _COLUMNS
        default = f"`{row.default}`" if row.default else "–"
        text += f"| `{row.name}` | `{row.variable}` | {default} | {row.unit} | {row.meaning} |\n"
    return text


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
