"""Source `databento`: Databento's historical API. What was bought once is never bought again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ingestor.days import DAY_NS, DaySet
from ingestor.download import Download
from ingestor.errors import CorruptPayload, TruncatedPayload, UnknownSymbols, UnlikeRequest
from ingestor.logs import get_logger
from ingestor.manifest import Manifest, PayloadRequest, as_intervals
from ingestor.model import table_of
from ingestor.settings import Settings
from ingestor.sources.databento.conditions import conditions_of, unavailable
from ingestor.sources.databento.defaults import load_defaults
from ingestor.sources.databento.emptiness import NOTHING_DELIVERED, names_anything, write_empty
from ingestor.sources.databento.intake import check_manifest, checked, most_bytes, require_room
from ingestor.sources.databento.named import named_payload
from ingestor.sources.databento.planning import Planner
from ingestor.sources.databento.provider import Provider
from ingestor.sources.databento.symbology import intervals_of
from ingestor.sources.dbn_raw import DbnWire
from ingestor.sources.dbn_slice import slice_records
from ingestor.sources.source import Payload
from ingestor.sources.survey import Survey, survey
from ingestor.sources.tally import Window
from ingestor.vocabulary import Realm

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ingestor.job import Claim, JobPlan, PayloadRef
    from ingestor.sources.source import Ask, PayloadStore, Spellings

log = get_logger(__name__)


class Databento(DbnWire):
    """Databento through its official client, or a gateway that speaks as it does."""

    name = "databento"
    reads_files = False

    def __init__(
        self, settings: Settings, vault: PayloadStore, spellings: Spellings | None = None
    ) -> None:
        del spellings
        self._settings = settings
        self._vault = vault
        self._provider = Provider(settings)

    @property
    def realm(self) -> Realm:
        """Known by the gateway's host.

        Raises:
            AuthenticationFailed: There is neither a key nor a gateway on this host.
        """
        self._provider.require_key()
        return self._provider.realm

    def plan(self, ask: Ask) -> JobPlan:
        """Asks the provider what it has and what it costs; buys nothing."""
        defaults = load_defaults(self._settings.config_dir)
        return Planner(self._provider, defaults).plan(self.name, ask)

    def purchase(self, claim: Claim) -> str | None:
        """The key of the request that the claim makes; None where it names its payload."""
        return None if claim.payload is not None else self._request(claim).key

    def fetch(self, claim: Claim) -> Payload:
        """The payload out of the vault; bought where it is not there.

        One that the claim names is never bought: it is there, or that is an error.

        Raises:
            PayloadMissing: The claim names it, and it is gone.
            TruncatedPayload: It came cut or damaged; asked again, it may come whole.
            IngestError: As `Provider` tells.
        """
        if claim.payload is not None:
            return named_payload(self._vault, claim, claim.payload)
        request = self._request(claim)
        manifest, found, ref = self._held(request) or self._bought(request, claim)
        self._sweep(request, claim)
        return Payload(
            ref=ref,
            path=found.path,
            contents=found.contents,
            symbology=manifest.intervals,
            layout=found.layout,
            uncovered=unavailable(manifest.conditions),
            realm=request.realm,
            # The provider's own count was met, unless it refused to count.
            proven=NOTHING_DELIVERED not in manifest.warnings,
            unresolved=(*manifest.partial, *manifest.not_found),
            metadata=found.header.metadata,
        )

    def batches(
        self, payload: Payload, claim: Claim, count: int
    ) -> Iterator[tuple[npt.NDArray[np.void], npt.NDArray[np.uint64]]]:
        """The payload's records in delivery order."""
        return slice_records(
            payload.path, payload.ref, _window(claim), table_of(claim.schema).index_column,
            ordered=payload.contents.ordered, count=count,
        )  # fmt: skip

    def preceding(self, payload: Payload, claim: Claim) -> None:
        """Days are never cut by index timestamp into parts that share a key."""
        del payload, claim

    def _request(self, claim: Claim) -> PayloadRequest:
        return PayloadRequest(
            source=self.name,
            realm=self.realm,
            dataset=claim.dataset,
            schema_name=claim.schema,
            stype_in=claim.stype_in,
            symbols=claim.symbols,
            start=claim.start,
            end=claim.end,
            anew=str(claim.job_id) if claim.forced else "",
        )

    def _held(self, request: PayloadRequest) -> tuple[Manifest, Survey, PayloadRef] | None:
        """What the vault has of the request, proven anew; None where it has nothing sound."""
        manifest = self._vault.find(request)
        if manifest is None or self._outdated(manifest):
            return None
        ref = self._vault.ref(manifest)
        try:
            found = survey(self._vault.path(ref), Window(request.start, request.end))
            check_manifest(manifest, found)
        except CorruptPayload as error:
            log.warning("payload in the vault is damaged, fetched again",
                        payload=ref.uri, reason=error.message)  # fmt: skip
            self._vault.set_aside(ref)
            return None
        return manifest, found, ref

    def _outdated(self, manifest: Manifest) -> bool:
        """Whether days that were not there when it was fetched have come since."""
        absent = unavailable(manifest.conditions)
        dataset = manifest.request.dataset
        return unavailable(conditions_of(self._provider, dataset, absent)) != absent

    def _bought(self, request: PayloadRequest, claim: Claim) -> tuple[Manifest, Survey, PayloadRef]:
        # Asked before the download: a day that comes in between is delivered, and not covered yet.
        conditions = conditions_of(self._provider, request.dataset, _days(request))
        try:
            # Counted first: a count is free, and a download that cannot be proven is money lost.
            expected = self._provider.record_count(request)
            found, warnings = self._left_over(request, expected) or self._downloaded(
                request, claim, expected
            )
        except UnknownSymbols:
            if names_anything(self._provider, request):
                raise
            # A day without a session, a contract before its listing: proven empty, asked no more.
            found, warnings = self._empty(request, claim), (NOTHING_DELIVERED,)
        manifest = Manifest(
            request=request,
            sha256=found.sha256,
            size=found.size,
            records=found.contents.records,
            fetched_at=dt.datetime.now(dt.UTC),
            client=self._provider.client_name,
            conditions=conditions,
            symbology=as_intervals(intervals_of(self._provider, request, found)),
            partial=found.header.partial,
            not_found=found.header.not_found,
            warnings=warnings,
        )
        ref = self._vault.keep(found.path, manifest)
        return manifest, replace(found, path=self._vault.path(ref)), ref

    def _left_over(
        self, request: PayloadRequest, expected: int
    ) -> tuple[Survey, tuple[str, ...]] | None:
        """A download that its worker finished and did not live to keep: it was paid for."""
        for part in self._vault.parts(f"{request.key}."):
            try:
                return checked(part, request, expected), ()
            except (TruncatedPayload, UnlikeRequest, OSError) as error:
                log.info("unfinished download not used", part=part.name, reason=str(error))
        return None

    def _sweep(self, request: PayloadRequest, claim: Claim) -> None:
        """Removes what earlier attempts at this chunk left: their fences are stale."""
        for part in self._vault.parts(f"{request.key}."):
            begun = Download.named(part.stem)
            if begun and begun.chunk_id == claim.chunk_id and begun.fence < claim.fence:
                part.unlink(missing_ok=True)

    def _part(self, request: PayloadRequest, claim: Claim) -> Path:
        return self._vault.part(Download(request.key, claim.chunk_id, claim.fence).name)

    def _downloaded(
        self, request: PayloadRequest, claim: Claim, expected: int
    ) -> tuple[Survey, tuple[str, ...]]:
        part = self._part(request, claim)
        require_room(part, request, expected)
        try:
            most = most_bytes(request, expected)
            delivery = self._provider.download(request, part, most=most)
            return checked(part, request, expected), delivery.warnings
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    def _empty(self, request: PayloadRequest, claim: Claim) -> Survey:
        part = self._part(request, claim)
        write_empty(part, request)
        return checked(part, request, 0)


def _days(request: PayloadRequest) -> DaySet:
    return DaySet([(request.start // DAY_NS, request.end // DAY_NS)])


def _window(claim: Claim) -> Window:
    return Window(claim.start, claim.end, claim.last_slice)
