"""YAML files that people write: read as text with line numbers, their faults told in our words."""

from ingestor.documents.document import Document, parse_document, read_bytes, read_document
from ingestor.documents.faults import EMPTY, empty_faults, model_faults, validated, wrong
from ingestor.documents.manner import Manner
from ingestor.documents.places import Fault, Loc, spelled
from ingestor.documents.words import Text, nearest, one_of
from ingestor.documents.written import Written

__all__ = [
    "EMPTY",
    "Document",
    "Fault",
    "Loc",
    "Manner",
    "Text",
    "Written",
    "empty_faults",
    "model_faults",
    "nearest",
    "one_of",
    "parse_document",
    "read_bytes",
    "read_document",
    "spelled",
    "validated",
    "wrong",
]
