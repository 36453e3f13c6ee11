"""The DBN format, the same for files, downloads, batch deliveries and exports.

https://databento.com/docs/standards-and-conventions/databento-binary-encoding; `databento_dbn`
(0.01 s to import) codes the header and names the layouts, the client `databento` (0.6 s) is not
needed.
"""

from ingestor.dbn.header import (
    METADATA_LIMIT,
    PREFIX_BYTES,
    DbnHeader,
    decode_header,
    decode_schema,
    metadata_size,
    truncated,
)
from ingestor.dbn.layout import (
    NEWEST,
    index_field,
    layout,
    layout_of_size,
    reserved_fields,
    rtype,
    rtype_name,
)
from ingestor.dbn.metadata import Header, Intervals
from ingestor.dbn.writer import DbnWriter, check_target

__all__ = [
    "METADATA_LIMIT",
    "NEWEST",
    "PREFIX_BYTES",
    "DbnHeader",
    "DbnWriter",
    "Header",
    "Intervals",
    "check_target",
    "decode_header",
    "decode_schema",
    "index_field",
    "layout",
    "layout_of_size",
    "metadata_size",
    "reserved_fields",
    "rtype",
    "rtype_name",
    "truncated",
]
