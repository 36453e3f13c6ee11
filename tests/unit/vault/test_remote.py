"""The vault behind a URL: over what fsspec has without a server; S3 has tests of its own."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any
from uuid import uuid4

import fsspec
import pytest

from ingestor.errors import CorruptPayload, LocalFault, PayloadMissing, SourceUnavailable
from ingestor.vault import Vault
from ingestor.vault.remote import Bucket
from tests.vaults import CONTENT, check_sound, downloaded, files, kept, manifest_of, request_of


@pytest.fixture(params=["memory", "file"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An object store, and a file system that shows files while they are written."""
    return f"memory://{uuid4().hex}" if request.param == "memory" else f"file://{tmp_path}/far/off"


@pytest.fixture
def vault(url: str, tmp_path: Path) -> Vault:
    return Vault(Bucket(url, tmp_path / "home"))


def test_a_payload_comes_back_on_another_host(vault: Vault, url: str, tmp_path: Path) -> None:
    manifest = kept(vault)
    other = Vault(Bucket(url, tmp_path / "other"))
    assert other.identify() == vault.identify()
    assert other.find(request_of()) == manifest
    assert other.path(other.ref(manifest)).read_bytes() == CONTENT
    assert files(tmp_path / "home") == set()


def test_a_file_is_adopted_set_aside_and_missed(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "a.dbn").write_bytes(CONTENT)
    adopted = vault.adopt(manifest_of().ref(str(tmp_path / "a.dbn")))
    assert vault.path(adopted).read_bytes() == CONTENT
    vault.path(adopted).unlink()
    vault.set_aside(adopted)
    with pytest.raises(PayloadMissing):
        vault.path(adopted)


def test_a_payload_set_aside_takes_its_manifests_along(vault: Vault) -> None:
    manifest = kept(vault)
    kept(vault, symbols=("NQM4",))
    vault.set_aside(vault.ref(manifest))
    assert vault.find(request_of()) is None
    assert vault.find(request_of(symbols=("NQM4",))) is None


def test_bytes_that_are_not_the_payloads_are_refused(
    vault: Vault, url: str, tmp_path: Path
) -> None:
    ref = vault.ref(kept(vault))
    fs, root = fsspec.core.url_to_fs(url)
    fs.pipe_file(f"{root}/{ref.uri.removeprefix('vault:')}", CONTENT[::-1])
    with pytest.raises(CorruptPayload):
        vault.path(ref)
    assert files(tmp_path / "home") == set()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (PermissionError(errno.EACCES, "no"), LocalFault),
        (OSError(errno.ENOSPC, "full"), LocalFault),
        (OSError(errno.EIO, "broken"), SourceUnavailable),
        (TimeoutError(), SourceUnavailable),
        (RuntimeError("secret"), SourceUnavailable),
    ],
)
def test_what_comes_out_of_a_package_is_translated_without_its_text(
    error: Exception, kind: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = Vault(Bucket(f"memory://{uuid4().hex}", tmp_path))
    part = downloaded(vault)

    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(fsspec.get_filesystem_class("memory"), "put_file", fail)
    with pytest.raises(kind) as told:
        vault.keep(part, manifest_of())
    assert "secret" not in str(told.value)
    assert part.exists()
    assert vault.find(request_of()) is None


def test_an_upload_that_breaks_shows_no_half_payload(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a file system that shows what is being written, it goes under another name first."""
    vault = Vault(Bucket(f"file://{tmp_path}/far", tmp_path / "home"))
    part = downloaded(vault)

    def cut(_: Any, source: str, target: str, **__: Any) -> None:
        Path(target).write_bytes(Path(source).read_bytes()[:5])
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(fsspec.get_filesystem_class("file"), "put_file", cut)
        with pytest.raises(SourceUnavailable):
            vault.keep(part, manifest_of())
    assert files(tmp_path / "far") == {"vault.json"}
    vault.keep(part, manifest_of())
    check_sound(tmp_path / "far")
