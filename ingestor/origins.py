"""The installed sources, composed with what they need of other rooms."""

from __future__ import annotations

from ingestor.settings import Settings
from ingestor.sources.installed import Sources
from ingestor.sources.source import Spelling
from ingestor.vault import Vault
from ingestor.vocabulary import Schema


def open_sources(settings: Settings, vault: Vault | None = None) -> Sources:
    """The sources with the vault they keep their payloads in; nothing is opened yet."""
    mappings = settings.config_dir / "mappings"

    def spelling(folder: str, schema: Schema) -> Spelling:
        from ingestor.transform import load_mapping  # numpy: not for a plan that reads no mapping

        return load_mapping(mappings / folder, schema)

    return Sources(settings, vault or Vault.of(settings), spelling)
