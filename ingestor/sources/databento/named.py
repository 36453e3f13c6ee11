"""A payload that a chunk names: out of the vault as it lies there; nothing is asked or bought.

What the provider said beside it is read from its manifest, so that no key is needed either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ingestor.errors import CorruptPayload
from ingestor.sources.databento.conditions import unavailable
from ingestor.sources.databento.emptiness import NOTHING_DELIVERED
from ingestor.sources.databento.intake import check_manifest
from ingestor.sources.payload_file import check_same, check_size, visible
from ingestor.sources.source import Payload
from ingestor.sources.survey import Survey, survey
from ingestor.sources.tally import Window

if TYPE_CHECKING:
    from ingestor.job import Claim, PayloadRef
    from ingestor.manifest import Manifest
    from ingestor.sources.source import PayloadStore

NO_MANIFEST: Final = "no manifest is left that tells which of its days the provider had"


def named_payload(vault: PayloadStore, claim: Claim, ref: PayloadRef) -> Payload:
    """The payload `ref`, proven anew.

    Raises:
        PayloadMissing: The vault does not have it any more.
        CorruptPayload: It is damaged, or its manifest tells of another.
    """
    path = vault.path(ref)
    with visible(path, ref):
        check_size(path, ref)
        found = survey(path, Window(claim.start, claim.end, claim.last_slice))
    check_same(path, found.sha256, ref)
    manifest = _manifest(vault, claim, ref)
    if manifest is None:
        return _alone(ref, found)
    _check(manifest, found)
    return Payload(
        ref=ref,
        path=found.path,
        contents=found.contents,
        symbology=manifest.intervals,
        layout=found.layout,
        uncovered=unavailable(manifest.conditions),
        realm=manifest.request.realm,
        proven=NOTHING_DELIVERED not in manifest.warnings,
        unresolved=(*manifest.partial, *manifest.not_found),
        metadata=found.header.metadata,
    )


def _alone(ref: PayloadRef, found: Survey) -> Payload:
    """What the payload says by itself, which covers no day."""
    return Payload(
        ref=ref,
        path=found.path,
        contents=found.contents,
        symbology=found.header.intervals,
        layout=found.layout,
        partial=NO_MANIFEST,
        unresolved=(*found.header.partial, *found.header.not_found),
        metadata=found.header.metadata,
    )


def _manifest(vault: PayloadStore, claim: Claim, ref: PayloadRef) -> Manifest | None:
    """The newest that answers the claim's request, fetched anew or not."""
    asked = (str(claim.dataset), str(claim.schema), claim.stype_in, set(claim.symbols),
             claim.start, claim.end)  # fmt: skip
    for each in reversed(vault.manifests(ref)):
        told = each.request
        if asked == (told.dataset, told.schema_name, told.stype_in, set(told.symbols),
                     told.start, told.end):  # fmt: skip
            return each
    return None


def _check(manifest: Manifest, found: Survey) -> None:
    try:
        check_manifest(manifest, found)
    except CorruptPayload as error:
        raise CorruptPayload(
            error.message, hint="`hdi-submit --force` fetches the days again, which is billed"
        ) from error
