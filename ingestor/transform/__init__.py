"""Wire records → standard frames, by the mapping files under ``configs/mappings``."""

from ingestor.transform.mapping import Mapping, Spelled, load_mapping
from ingestor.transform.ordinals import Adjacent, Numbering, Whole, numbering_of

__all__ = ["Adjacent", "Mapping", "Numbering", "Spelled", "Whole", "load_mapping", "numbering_of"]
