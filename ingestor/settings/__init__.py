"""Settings: one frozen object, built once at each entry point and passed down."""

from ingestor.settings.load import (
    SECRETS,
    SETTING_NAMES,
    Settings,
    config_dir,
    load_settings,
    setting_fields,
)

__all__ = [
    "SECRETS",
    "SETTING_NAMES",
    "Settings",
    "config_dir",
    "load_settings",
    "setting_fields",
]
