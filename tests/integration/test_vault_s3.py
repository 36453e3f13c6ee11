"""The vault in an object store, through s3fs against a server that speaks S3."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer

from ingestor.errors import (
    BadSettings,
    CorruptPayload,
    IngestError,
    LocalFault,
    PayloadMissing,
    SourceUnavailable,
)
from ingestor.vault import Vault
from tests.children import in_child, together
from tests.vaults import CONTENT, downloaded, files, kept, manifest_of, request_of, vault_at

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def s3(server: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client; the environment names server and credentials, as an operator would."""
    for name, value in {
        "AWS_ENDPOINT_URL": server,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test-secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }.items():
        monkeypatch.setenv(name, value)
    return boto3.client("s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"b{uuid4().hex}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def vault(bucket: str, tmp_path: Path) -> Vault:
    return vault_at(tmp_path / "home", f"s3://{bucket}/a/vault")


def objects(s3: Any, bucket: str) -> dict[str, int]:
    found = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {each["Key"].removeprefix("a/vault/"): each["Size"] for each in found}


def name_of(content: bytes = CONTENT) -> str:
    sha256 = manifest_of(content).sha256
    return f"payloads/{sha256[:2]}/{sha256}.dbn.zst"


def test_a_payload_comes_back_on_another_host(
    vault: Vault, s3: Any, bucket: str, tmp_path: Path
) -> None:
    manifest = kept(vault)
    sha256, key = manifest.sha256, manifest.request.key
    assert set(objects(s3, bucket)) == {
        "vault.json",
        name_of(),
        f"payloads/{sha256[:2]}/{sha256}.{key[:16]}.json",
        f"requests/{key[:2]}/{key}.json",
    }
    assert files(tmp_path / "home") == set()
    other = vault_at(tmp_path / "other", f"s3://{bucket}/a/vault/")
    assert other.identify() == vault.identify()
    assert other.find(request_of()) == manifest
    assert other.find(request_of(symbols=("NQM4",))) is None
    path = other.path(other.ref(manifest))
    assert path.read_bytes() == CONTENT
    assert path == tmp_path / "other" / "cache" / sha256[:2] / f"{sha256}.dbn.zst"
    assert stat.S_IMODE(path.stat().st_mode) & 0o037 == 0
    assert files(tmp_path / "other") == {str(path.relative_to(tmp_path / "other"))}


def test_a_payload_of_several_upload_parts_is_whole(vault: Vault, s3: Any, bucket: str) -> None:
    """From 100 MiB on s3fs sends it in pieces."""
    content = os.urandom(11 << 20) * 10
    manifest = kept(vault, content)
    assert objects(s3, bucket)[name_of(content)] == len(content)
    assert vault.path(vault.ref(manifest)).stat().st_size == len(content)


def test_downloads_lie_on_this_host_until_they_are_kept(vault: Vault, tmp_path: Path) -> None:
    part = downloaded(vault)
    assert part.parent == tmp_path / "home" / "incoming"
    assert vault.parts("request.") == [part]
    vault.keep(part, manifest_of())
    assert vault.parts("") == []


def test_a_payload_is_fetched_once_and_again_only_if_the_copy_is_damaged(
    vault: Vault, s3: Any, bucket: str
) -> None:
    """A damaged copy of this host says nothing of the payload: it must not be bought again."""
    ref = vault.ref(kept(vault))
    path = vault.path(ref)
    path.write_bytes(CONTENT[::-1])
    assert vault.path(ref).read_bytes() == CONTENT
    s3.delete_object(Bucket=bucket, Key=f"a/vault/{name_of()}")
    assert vault.path(ref) == path
    path.unlink()
    with pytest.raises(PayloadMissing, match=f"cannot see s3://{bucket}/a/vault/payloads"):
        vault.path(ref)


def test_other_bytes_in_its_place_are_refused_and_set_aside(
    vault: Vault, s3: Any, bucket: str, tmp_path: Path
) -> None:
    ref = vault.ref(kept(vault))
    s3.put_object(Bucket=bucket, Key=f"a/vault/{name_of()}", Body=CONTENT[::-1])
    with pytest.raises(CorruptPayload, match="were taken in"):
        vault.path(ref)
    assert files(tmp_path / "home") == set()
    vault.set_aside(ref)
    assert vault.find(request_of()) is None
    assert {name.partition("/")[0] for name in objects(s3, bucket)} == {"damaged", "vault.json"}
    kept(vault)
    assert vault.path(ref).read_bytes() == CONTENT


def test_a_payload_cut_in_its_place_is_not_found_and_sent_again(
    vault: Vault, s3: Any, bucket: str
) -> None:
    manifest = kept(vault)
    s3.put_object(Bucket=bucket, Key=f"a/vault/{name_of()}", Body=CONTENT[:-1])
    assert vault.find(request_of()) is None
    assert not [name for name in objects(s3, bucket) if name.startswith("requests/")]
    kept(vault)
    assert vault.find(request_of()) == manifest


def test_a_file_is_adopted_once(vault: Vault, s3: Any, bucket: str, tmp_path: Path) -> None:
    (tmp_path / "a.dbn").write_bytes(CONTENT)
    ref = manifest_of().ref(str(tmp_path / "a.dbn"))
    adopted = vault.adopt(ref)
    (tmp_path / "a.dbn").unlink()
    assert vault.adopt(ref) == adopted
    assert vault.path(adopted).read_bytes() == CONTENT
    assert objects(s3, bucket)[name_of().removesuffix(".zst")] == len(CONTENT)


def test_a_forced_fetch_replaces_the_usual_entry(vault: Vault) -> None:
    kept(vault, b"old", day=1)
    forced = kept(vault, b"new", day=2, anew="job 2")
    assert vault.find(request_of()) == forced


def test_an_upload_that_arrives_short_is_taken_back(
    vault: Vault, s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import s3fs

    def cut(self: Any, _: str, path: str, **__: object) -> None:
        self.pipe_file(path, CONTENT[:-1])

    part = downloaded(vault)
    monkeypatch.setattr(s3fs.S3FileSystem, "put_file", cut)
    with pytest.raises(SourceUnavailable, match="17 bytes after 18 were sent"):
        vault.keep(part, manifest_of())
    assert set(objects(s3, bucket)) == {"vault.json"}
    monkeypatch.undo()
    assert part.exists()


def test_eight_processes_get_one_id_and_keep_one_payload(bucket: str, tmp_path: Path) -> None:
    def keep(number: int) -> tuple[str, str]:
        mine = vault_at(tmp_path / f"home{number}", f"s3://{bucket}/new")
        found = mine.identify()
        kept(mine)
        return found, mine.ref(manifest_of()).uri

    assert len(set(together(8, keep))) == 1


def test_it_works_in_threads_and_after_a_fork(vault: Vault) -> None:
    """Workers use threads, and are forked from a process that may have used the vault."""
    kept(vault)
    with ThreadPoolExecutor(8) as threads:
        made = [
            threads.submit(kept, vault, bytes([n]), symbols=(f"S{n}",)).result for n in range(24)
        ]
        manifests = [result() for result in made]
    assert in_child(lambda: kept(vault, b"other", symbols=("NQM4",))) == 0
    assert vault.find(request_of(symbols=("NQM4",))) is not None
    assert all(vault.find(each.request) == each for each in manifests)


def test_a_disk_too_full_for_the_copy_is_a_fault_of_this_host(vault: Vault, tmp_path: Path) -> None:
    content = os.urandom(200_000)
    ref = vault.ref(kept(vault, content))

    def fetch() -> None:
        with pytest.raises(LocalFault):
            vault_at(tmp_path / "home", vault.place).path(ref)

    assert in_child(lambda: no_file_beyond(100_000, fetch)) == 0
    assert files(tmp_path / "home") == set()
    assert vault.path(ref).read_bytes() == content


def no_file_beyond(size: int, do: Any) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    do()


class TestAway:
    def test_a_server_that_does_not_answer_is_unavailable(
        self, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        vault = vault_at(tmp_path, f"s3://{bucket}/x")
        for use in (vault.identify, lambda: vault.find(request_of())):
            with pytest.raises(SourceUnavailable, match=f"gets no answer for s3://{bucket}/x") as e:
                use()
            assert "test-secret" not in str(e.value) + e.value.hint

    def test_a_bucket_that_is_not_there_is_unavailable(self, s3: Any, tmp_path: Path) -> None:
        vault = vault_at(tmp_path, "s3://nosuchbucket/x")
        part = downloaded(vault)
        with pytest.raises(SourceUnavailable):
            vault.keep(part, manifest_of())
        assert part.exists()

    def test_a_host_without_credentials_is_told(
        self, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        with pytest.raises(IngestError) as told:
            vault_at(tmp_path, f"s3://{bucket}/x").identify()
        assert "credentials" in told.value.hint

    def test_a_vault_that_lost_its_identity_is_away(
        self, vault: Vault, s3: Any, bucket: str
    ) -> None:
        vault.identify()
        s3.delete_object(Bucket=bucket, Key="a/vault/vault.json")
        with pytest.raises(SourceUnavailable, match="finds no vault at"):
            vault.find(request_of())

    def test_something_else_of_its_name_is_refused(
        self, vault: Vault, s3: Any, bucket: str
    ) -> None:
        s3.put_object(Bucket=bucket, Key="a/vault/vault.json", Body=b"[]")
        with pytest.raises(BadSettings, match="no vault's identity"):
            vault.identify()
