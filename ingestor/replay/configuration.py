"""A configuration folder that payloads are held against, in use or not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ingestor.criteria import Criteria
from ingestor.origins import open_sources

if TYPE_CHECKING:
    from ingestor.job import Claim
    from ingestor.settings import Settings
    from ingestor.sources.installed import Sources
    from ingestor.sources.source import Source


@dataclass(frozen=True, slots=True)
class Configuration:
    """A configuration folder, and the sources that read by it."""

    name: str
    folder: Path
    sources: Sources
    batch: int

    @classmethod
    def of(cls, name: str, folder: Path, settings: Settings) -> Self:
        own = settings.model_copy(update={"config_dir": folder})
        return cls(name, folder, open_sources(own), settings.store.batch_records)

    def criteria(self, claim: Claim) -> Criteria:
        """Its files for a chunk, read anew.

        Raises:
            BadRules: A file is missing or wrong.
        """
        return Criteria.of(self.folder, self.origin(claim), claim)

    def origin(self, claim: Claim) -> Source:
        return self.sources.named(claim.source)

    def lacks(self, claim: Claim) -> Path | None:
        """The mapping file that a chunk needs and that is not there; None where it is."""
        own = self.origin(claim).mapping_folder(claim.dataset)
        path = self.folder / "mappings" / own / f"{claim.schema}.yaml"
        return None if path.exists() else path
