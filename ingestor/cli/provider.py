"""The provider as commands ask it: opened once, its simulator named, its datasets checked."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from ingestor.cli.output import tell
from ingestor.errors import Usage
from ingestor.settings import Settings, load_settings
from ingestor.sources.databento.provider import Provider
from ingestor.vocabulary import Realm

if TYPE_CHECKING:
    from ingestor.vocabulary import Dataset


def open_provider(settings: Settings | None = None) -> Provider:
    """The provider of the settings; says so where it is a simulator. Asks nothing yet."""
    provider = Provider(settings or load_settings())
    if provider.realm is Realm.SIMULATED:
        tell("SIMULATED DATA: a gateway on this host answers, not Databento")
    return provider


def require_listed(provider: Provider, dataset: Dataset) -> None:
    """The provider must have the dataset.

    Raises:
        Usage: It has none of that name; near ones are suggested.
    """
    listed = provider.datasets()
    if dataset in listed:
        return
    near = get_close_matches(dataset, listed, n=3, cutoff=0.6)
    hint = f"did you mean {' or '.join(near)}?" if near else "`hdi datasets` lists them"
    raise Usage(f"the provider has no dataset {dataset}", hint=hint)
