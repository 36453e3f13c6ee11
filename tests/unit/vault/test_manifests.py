"""What stands beside a payload, and whether it is there at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestor.errors import SourceRefused
from ingestor.job import PayloadRef
from ingestor.vault import Vault
from tests.vaults import CONTENT, kept, manifest_of, request_of, vault_at


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return vault_at(tmp_path, tmp_path / "vault")


def test_each_request_that_a_payload_answers_has_a_manifest(vault: Vault) -> None:
    """The same bytes may answer several; the oldest comes first."""
    later = kept(vault, day=9, symbols=("ESM4",))
    first = kept(vault, day=2, symbols=("NQM4",))
    assert vault.manifests(vault.ref(first)) == [first, later]


def test_a_file_that_was_copied_in_has_none(vault: Vault, tmp_path: Path) -> None:
    path = tmp_path / "a.dbn.zst"
    path.write_bytes(CONTENT)
    assert vault.manifests(vault.adopt(manifest_of().ref(str(path)))) == []


def test_another_payload_lends_it_nothing(vault: Vault) -> None:
    kept(vault, b"other bytes")
    assert vault.manifests(vault.ref(manifest_of())) == []


def test_a_manifest_that_is_damaged_is_passed_over(vault: Vault, tmp_path: Path) -> None:
    manifest = kept(vault)
    [path] = (tmp_path / "vault").glob("payloads/*/*.json")
    path.chmod(0o600)
    path.write_bytes(b"{")
    assert vault.manifests(vault.ref(manifest)) == []
    assert vault.find(request_of()) == manifest


def test_it_is_there_while_it_is_there_in_its_size(vault: Vault, tmp_path: Path) -> None:
    """Bytes are not read: a remote vault would have to send them."""
    ref = vault.ref(kept(vault))
    assert vault.has(ref)
    assert not vault.has(PayloadRef(ref.uri, ref.sha256, ref.size + 1))
    [path] = (tmp_path / "vault").glob("payloads/*/*.dbn.zst")
    path.unlink()
    assert not vault.has(ref)


def test_a_file_in_place_is_there_too(vault: Vault, tmp_path: Path) -> None:
    path = tmp_path / "a.dbn"
    ref = PayloadRef(str(path), "ab" * 32, 3)
    assert not vault.has(ref)
    path.write_bytes(b"abc")
    assert vault.has(ref)
    assert not vault.has(PayloadRef(str(tmp_path), "ab" * 32, 3))


def test_a_name_that_leads_out_of_it_is_refused(vault: Vault) -> None:
    ref = PayloadRef("vault:../../etc/passwd", "ab" * 32, 1)
    for look in (vault.has, vault.manifests):
        with pytest.raises(SourceRefused):
            look(ref)
