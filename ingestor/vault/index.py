"""Which payload answers a request: the manifest, by the request's key."""

from __future__ import annotations

from ingestor import failpoint
from ingestor.errors import CorruptPayload
from ingestor.logs import get_logger
from ingestor.manifest import Manifest, PayloadRequest
from ingestor.vault.layout import index_name, manifest_name, payload_name
from ingestor.vault.storage import Storage

log = get_logger(__name__)


class Index:
    """The manifests of one vault. An entry is written when its payload is in place, not before."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def find(self, request: PayloadRequest) -> Manifest | None:
        """The manifest that answers the request, if its payload is there in its size.

        An entry whose payload is gone is dropped.
        """
        name = index_name(request.key)
        content = self._storage.read(name)
        manifest = None if content is None else self._parsed(content, name, request)
        if manifest is None:
            return None
        size = self._storage.size(payload_name(manifest.sha256))
        if size == manifest.size:
            return manifest
        log.warning("payload not in the vault any more", request=request.key,
                    sha256=manifest.sha256, bytes=size, expected=manifest.size)  # fmt: skip
        self._storage.remove(name)
        return None

    def beside(self, name: str) -> list[Manifest]:
        """The manifests that stand beside the payload called `name`, oldest first."""
        found = []
        for each in self._storage.names(f"{name.partition('.')[0]}."):
            content = self._storage.read(each) if each.endswith(".json") else None
            manifest = None if content is None else self._sound(content, each)
            if manifest is not None:
                found.append(manifest)
        return sorted(found, key=lambda manifest: manifest.fetched_at)

    def record(self, manifest: Manifest) -> None:
        """Writes the manifest beside its payload, and under each request that it answers."""
        content, asked = manifest.as_json(), manifest.request
        self._storage.write(manifest_name(manifest.sha256, asked.key), content)
        failpoint.reach("vault_manifest")
        for request in {each.key: each for each in (asked, asked.usual())}.values():
            if not self._has_newer(request, manifest):
                self._storage.write(index_name(request.key), content)
        failpoint.reach("vault_index")

    def _has_newer(self, request: PayloadRequest, manifest: Manifest) -> bool:
        """Whether a job that was told to fetch anew was faster than this one."""
        held = self.find(request)
        return held is not None and held.fetched_at.timestamp() > manifest.fetched_at.timestamp()

    def _parsed(self, content: bytes, name: str, request: PayloadRequest) -> Manifest | None:
        manifest = self._sound(content, name)
        if manifest is None or request in (manifest.request, manifest.request.usual()):
            return manifest
        log.warning("manifest in the vault not used", reason=f"{name} is of another request")
        return None

    def _sound(self, content: bytes, name: str) -> Manifest | None:
        try:
            return Manifest.parse(content, f"{self._storage.place}/{name}")
        except CorruptPayload as error:
            log.warning("manifest in the vault not used", reason=error.message, hint=error.hint)
            return None
