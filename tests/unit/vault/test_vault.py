"""The vault in a folder: what it takes in it gives back, whole, and to whoever asked for that."""

from __future__ import annotations

import errno
import json
import os
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from uuid import UUID

import pytest
from fsspec.registry import _registry as loaded_filesystems
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ingestor.errors import (
    BadSettings,
    CorruptPayload,
    LocalFault,
    PayloadMissing,
    SourceRefused,
    SourceUnavailable,
)
from ingestor.job import PayloadRef
from ingestor.sources.source import PayloadStore
from ingestor.vault import Vault
from ingestor.vault.temporary import temporary_name
from ingestor.vocabulary import MAX_SYMBOLS
from tests.vaults import (
    CONTENT,
    check_sound,
    downloaded,
    files,
    kept,
    manifest_of,
    request_of,
    vault_at,
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "vault"


@pytest.fixture
def vault(tmp_path: Path, root: Path) -> Vault:
    return vault_at(tmp_path, root)


def of_file(path: Path, content: bytes = CONTENT) -> PayloadRef:
    path.write_bytes(content)
    return manifest_of(content).ref(str(path))


def test_it_is_the_store_that_sources_see(vault: Vault) -> None:
    """Checked by mypy: a vault passes where the protocol is asked for."""
    store: PayloadStore = vault
    assert store.parts("") == []


class TestPlace:
    @pytest.mark.parametrize("form", ["{}", "file://{}", "file://localhost{}", "local://{}"])
    def test_a_folder_may_be_a_path_or_a_url(self, form: str, tmp_path: Path) -> None:
        folder = tmp_path / "a b"
        vault = vault_at(
            tmp_path, form.format(folder).replace(" ", "%20" if "://" in form else " ")
        )
        kept(vault)
        assert (folder / "vault.json").is_file()

    def test_another_host_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(BadSettings, match="a folder on host other"):
            vault_at(tmp_path, "file://other/vault")

    def test_opening_one_touches_nothing(self, vault: Vault, root: Path) -> None:
        assert vault.find(request_of()) is None
        assert vault.place == str(root)
        assert not root.exists()

    @pytest.mark.parametrize(
        ("url", "told", "hint"),
        [("nosuch://x", "fsspec knows no nosuch://", "folder"), ("gs://x/y", "missing", "gcsfs")],
    )
    def test_a_protocol_that_is_not_installed_is_told(
        self, url: str, told: str, hint: str, tmp_path: Path
    ) -> None:
        with pytest.raises(BadSettings, match=told) as refused:
            vault_at(tmp_path, url).find(request_of())
        assert hint in refused.value.hint

    def test_s3_names_its_extra(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        # fsspec keeps each class that it has once imported, whoever asked for it.
        monkeypatch.delitem(loaded_filesystems, "s3", raising=False)
        monkeypatch.setitem(sys.modules, "s3fs", None)
        with pytest.raises(BadSettings, match="package for s3:// is missing") as refused:
            vault_at(tmp_path, "s3://bucket/x").identify()
        assert refused.value.hint == "pip install 'hist-data-ingestor[s3]'"


class TestIdentity:
    def test_it_is_made_once(self, vault: Vault, tmp_path: Path, root: Path) -> None:
        made = vault.identify()
        assert UUID(made).version == 4
        assert made == vault.identify() == vault_at(tmp_path, root).identify()
        assert json.loads((root / "vault.json").read_bytes()) == {"vault_id": made, "format": 1}

    @pytest.mark.parametrize(
        "content", [b"", b"{", b"[]", b"{}", b'{"vault_id": 1, "format": 1}', b'{"vault_id": "x"}']
    )
    def test_something_else_of_that_name_is_refused(
        self, vault: Vault, root: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("ingestor.vault.identity._PATIENCE_S", 0.1)
        root.mkdir()
        (root / "vault.json").write_bytes(content)
        with pytest.raises(BadSettings, match=r"vault\.json is no vault's identity"):
            vault.identify()
        assert (root / "vault.json").read_bytes() == content

    def test_a_vault_of_a_newer_format_is_refused(self, vault: Vault, root: Path) -> None:
        root.mkdir()
        told = {"vault_id": str(UUID(int=1)), "format": 2}
        (root / "vault.json").write_text(json.dumps(told))
        with pytest.raises(BadSettings, match="format 2; 1 is known"):
            vault.identify()

    def test_a_share_that_is_not_mounted_any_more_is_away_and_not_empty(
        self, vault: Vault, root: Path, tmp_path: Path
    ) -> None:
        """Else all of it would be bought again, into the folder below the mount."""
        ref = vault.ref(kept(vault))
        root.rename(tmp_path / "unmounted")
        root.mkdir()
        part = tmp_path / "request.part"
        part.write_bytes(CONTENT)
        for use in (
            lambda: vault.find(request_of()),
            lambda: vault.path(ref),
            lambda: vault.keep(part, manifest_of()),
            lambda: vault.adopt(of_file(tmp_path / "a.dbn.zst")),
        ):
            with pytest.raises(SourceUnavailable, match="finds no vault at"):
                use()
        assert files(root) == set()
        assert part.exists()

    def test_another_vault_in_the_same_place_is_refused(self, vault: Vault, root: Path) -> None:
        vault.identify()
        told = {"vault_id": str(UUID(int=1)), "format": 1}
        (root / "vault.json").write_text(json.dumps(told))
        with pytest.raises(SourceUnavailable, match=f"finds vault {UUID(int=1)}"):
            vault.find(request_of())


class TestKeep:
    def test_a_payload_lies_under_its_hash_with_manifest_and_index(
        self, vault: Vault, root: Path
    ) -> None:
        part, manifest = downloaded(vault), manifest_of()
        ref = vault.keep(part, manifest)
        sha256, key = manifest.sha256, manifest.request.key
        assert ref == vault.ref(manifest)
        assert ref.uri == f"vault:payloads/{sha256[:2]}/{sha256}.dbn.zst"
        assert files(root) == {
            "vault.json",
            f"payloads/{sha256[:2]}/{sha256}.dbn.zst",
            f"payloads/{sha256[:2]}/{sha256}.{key[:16]}.json",
            f"requests/{key[:2]}/{key}.json",
        }
        assert vault.path(ref).read_bytes() == CONTENT
        assert vault.find(manifest.request) == manifest

    def test_two_requests_with_the_same_bytes_share_them(self, vault: Vault, root: Path) -> None:
        first, second = kept(vault), kept(vault, symbols=("NQM4",))
        assert vault.find(first.request) == first
        assert vault.find(second.request) == second
        assert len(list(root.glob("payloads/*/*.dbn.zst"))) == 1
        assert len(list(root.glob("payloads/*/*.json"))) == 2

    def test_a_payload_that_is_there_is_not_written_again(self, vault: Vault) -> None:
        ref = vault.ref(kept(vault))
        before = vault.path(ref).stat()
        part = downloaded(vault)
        vault.keep(part, manifest_of())
        after = vault.path(ref).stat()
        assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
        assert not part.exists()

    @pytest.mark.parametrize("there", [b"", CONTENT[:-1], CONTENT[::-1]])
    def test_a_damaged_payload_in_its_place_is_replaced(self, vault: Vault, there: bytes) -> None:
        path = vault.path(vault.ref(kept(vault)))
        path.chmod(0o600)
        path.write_bytes(there)
        kept(vault)
        assert path.read_bytes() == CONTENT

    @pytest.mark.parametrize("content", [b"", CONTENT[:-1], CONTENT + b"x", CONTENT[::-1]])
    def test_a_part_unlike_its_manifest_is_refused_and_removed(
        self, vault: Vault, root: Path, content: bytes
    ) -> None:
        part = downloaded(vault, content)
        with pytest.raises(CorruptPayload, match="is not what its manifest says"):
            vault.keep(part, manifest_of())
        assert not part.exists()
        assert files(root) == {"vault.json"}

    def test_a_part_that_is_not_there_is_a_fault_of_this_host(self, vault: Vault) -> None:
        with pytest.raises(LocalFault, match="No such file"):
            vault.keep(vault.part("x"), manifest_of())

    def test_a_part_that_another_process_kept_meanwhile_is_kept(self, vault: Vault) -> None:
        part = downloaded(vault)
        vault.keep(part, manifest_of())
        again = manifest_of(symbols=("NQM4",))
        vault.keep(part, again)
        assert vault.find(again.request) == again

    def test_a_forced_fetch_answers_later_requests_too(self, vault: Vault) -> None:
        kept(vault, b"old", day=1)
        forced = kept(vault, b"new", day=2, anew="job 2")
        assert vault.find(forced.request) == vault.find(request_of()) == forced
        assert vault.find(request_of(anew="job 3")) is None

    def test_a_forced_fetch_is_not_undone_by_one_that_began_before(self, vault: Vault) -> None:
        forced = kept(vault, b"new", day=2, anew="job 2")
        kept(vault, b"old", day=1)
        assert vault.find(request_of()) == forced

    def test_an_older_one_is_written_again_once_the_newer_is_gone(self, vault: Vault) -> None:
        forced = kept(vault, b"new", day=2, anew="job 2")
        vault.set_aside(vault.ref(forced))
        old = kept(vault, b"old", day=1)
        assert vault.find(request_of()) == old

    def test_files_and_folders_are_closed_to_strangers(self, tmp_path: Path, root: Path) -> None:
        before = os.umask(0)
        try:
            vault = vault_at(tmp_path, root)
            kept(vault)
            vault.adopt(of_file(tmp_path / "a.dbn", b"other"))
            vault.set_aside(vault.ref(kept(vault, b"third")))
        finally:
            os.umask(before)
        modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [root, *root.rglob("*")]}
        assert {m for path, m in modes.items() if path.is_dir()} == {0o750}
        assert {m for path, m in modes.items() if path.is_file()} == {0o640}

    def test_umask_is_obeyed(self, tmp_path: Path, root: Path) -> None:
        before = os.umask(0o077)
        try:
            kept(vault_at(tmp_path, root))
        finally:
            os.umask(before)
        assert all(stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 for path in root.rglob("*"))

    @pytest.mark.parametrize("error", [errno.EPERM, errno.ENOTSUP, errno.EXDEV])
    def test_it_works_where_there_are_no_hard_links(
        self, vault: Vault, root: Path, error: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise OSError(error, os.strerror(error))

        monkeypatch.setattr(os, "link", refuse)
        manifest = kept(vault)
        assert vault.path(vault.ref(manifest)).read_bytes() == CONTENT
        assert len(files(root)) == 4
        check_sound(root)


class TestFind:
    def test_another_request_finds_nothing(self, vault: Vault) -> None:
        kept(vault)
        for told in ({"symbols": ("ESU4",)}, {"realm": "real"}, {"dataset": "XNAS.ITCH"}):
            assert vault.find(request_of(**told)) is None

    @pytest.mark.parametrize("size", [None, 0, len(CONTENT) - 1])
    def test_a_payload_gone_or_cut_is_not_found_and_its_entry_dropped(
        self, vault: Vault, root: Path, size: int | None
    ) -> None:
        manifest = kept(vault)
        path = vault.path(vault.ref(manifest))
        path.unlink() if size is None else os.truncate(path, size)
        assert vault.find(manifest.request) is None
        assert not list(root.glob("requests/*/*"))

    @pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"null"])
    def test_a_damaged_manifest_is_as_none(self, vault: Vault, root: Path, content: bytes) -> None:
        manifest = kept(vault)
        [entry] = root.glob("requests/*/*")
        entry.write_bytes(content)
        assert vault.find(manifest.request) is None
        kept(vault)
        assert vault.find(manifest.request) == manifest

    def test_a_manifest_of_another_request_is_as_none(self, vault: Vault, root: Path) -> None:
        kept(vault)
        [entry] = root.glob("requests/*/*")
        entry.write_bytes(manifest_of(symbols=("NQM4",)).as_json())
        assert vault.find(request_of()) is None

    SYMBOLS = st.one_of(
        st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=8),
        st.just([f"ES {n}-é/..\n" for n in range(MAX_SYMBOLS)]),
    )

    @hypothesis_settings(
        max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(
        symbols=SYMBOLS, content=st.binary(max_size=64), start=st.integers(0, 2**63), data=st.data()
    )
    def test_what_was_kept_is_found_by_its_request_in_any_order(
        self, vault: Vault, symbols: list[str], content: bytes, start: int, data: st.DataObject
    ) -> None:
        symbols = [symbol.encode(errors="replace").decode() for symbol in symbols]
        manifest = kept(vault, content, symbols=symbols, start=start, day=1)
        shuffled = data.draw(st.permutations(symbols)) if len(symbols) < 10 else symbols[::-1]
        found = vault.find(request_of(symbols=shuffled, start=start))
        assert found == manifest
        assert vault.path(vault.ref(found)).read_bytes() == content


class TestParts:
    def test_downloads_are_listed_by_prefix_oldest_first(self, vault: Vault) -> None:
        for age, name in enumerate(["k1.b", "k1.a", "k2.a", "k1.c"]):
            vault.part(name).write_bytes(b"")
            os.utime(vault.part(name), (1000 - age, 1000 - age))
        assert [path.name for path in vault.parts("k1.")] == ["k1.c.part", "k1.a.part", "k1.b.part"]

    def test_a_part_lies_on_the_disk_of_the_vault(self, vault: Vault, root: Path) -> None:
        assert vault.part("x") == root / "incoming" / "x.part"
        assert not vault.part("x").exists()

    @pytest.mark.parametrize("name", ["../x", "a/b", ".x", ""])
    def test_a_name_that_leads_elsewhere_is_refused(self, vault: Vault, name: str) -> None:
        with pytest.raises(SourceRefused):
            vault.part(name)

    def test_what_killed_processes_wrote_for_themselves_is_swept(
        self, vault: Vault, root: Path
    ) -> None:
        """Of other hosts and of a time before names told whose they are, after a week."""
        incoming = root / "incoming"
        incoming.mkdir(parents=True)
        ended = subprocess.Popen(["true"])
        ended.wait()
        mine, theirs = temporary_name(), temporary_name().replace("w-", "w-other", 1)
        dead = mine.replace(f"-{os.getpid()}-", f"-{ended.pid}-")
        ages = {mine: 60, dead: 60, f"x.{dead}": 60, theirs: 86_400, "old.tmp": 8 * 86_400}
        for name, age in (ages | {"new.tmp": 86_400, "old.part": 8 * 86_400}).items():
            (incoming / name).write_bytes(b"")
            os.utime(incoming / name, (time.time() - age,) * 2)
        assert vault.sweep() == 3
        assert files(incoming) == {mine, theirs, "new.tmp", "old.part"}

    def test_a_vault_without_a_folder_has_nothing_to_sweep(self, vault: Vault) -> None:
        assert vault.sweep() == 0


class TestPath:
    def test_ordinary_files_stay_where_they_are(self, vault: Vault) -> None:
        assert vault.path(PayloadRef("/data/a.dbn", "0" * 64, 1)) == Path("/data/a.dbn")

    @pytest.mark.parametrize(
        "uri",
        [
            "vault:../vault.json", "vault:/etc/passwd", "vault:payloads/00/../../vault.json",
            "vault:vault.json", "vault:", "vault:payloads/00/x.dbn", "vault:payloads/{0}.dbn.zst\n",
            "vault:payloads/ff/{0}.dbn.zst", "vault:payloads/11/{1}.dbn.zst",
        ],
    )  # fmt: skip
    def test_a_uri_that_no_vault_gives_is_refused(self, vault: Vault, uri: str) -> None:
        ref = PayloadRef(uri.format("0" * 64, "1" * 64), "0" * 64, 1)
        for use in (vault.path, vault.set_aside):
            with pytest.raises(SourceRefused, match="names no payload of a vault"):
                use(ref)

    def test_a_missing_payload_names_host_and_place(self, vault: Vault, root: Path) -> None:
        vault.identify()
        with pytest.raises(PayloadMissing) as missing:
            vault.path(vault.ref(manifest_of()))
        assert missing.value.message.startswith(
            f"{socket.gethostname()} cannot see {root}/payloads"
        )
        assert "HDI_VAULT_URL" in missing.value.hint

    @pytest.mark.parametrize(
        ("number", "kind"),
        [
            (errno.EIO, SourceUnavailable),
            (errno.ESTALE, SourceUnavailable),
            (errno.EACCES, LocalFault),
        ],
    )
    def test_a_disk_that_does_not_answer_is_told_from_an_empty_one(
        self, vault: Vault, number: int, kind: type[Exception], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kept(vault)

        def fail(self: Path, *_: object, **__: object) -> None:
            raise OSError(number, os.strerror(number), str(self))

        monkeypatch.setattr(Path, "read_bytes", fail)
        with pytest.raises(kind):
            vault.find(request_of())


class TestAdopt:
    @pytest.mark.parametrize(("name", "suffix"), [("a.dbn.zst", ".dbn.zst"), ("a.dbn", ".dbn")])
    def test_a_file_is_copied_once_under_its_hash(
        self, vault: Vault, root: Path, tmp_path: Path, name: str, suffix: str
    ) -> None:
        ref = of_file(tmp_path / name)
        adopted = vault.adopt(ref)
        assert adopted.uri == f"vault:payloads/{ref.sha256[:2]}/{ref.sha256}{suffix}"
        assert (adopted.sha256, adopted.size) == (ref.sha256, ref.size)
        before = vault.path(adopted).stat()
        (tmp_path / name).unlink()
        assert vault.adopt(ref) == adopted
        assert vault.adopt(adopted) == adopted
        assert vault.path(adopted).stat().st_mtime_ns == before.st_mtime_ns
        assert vault.path(adopted).read_bytes() == CONTENT
        assert len(files(root)) == 2

    def test_a_download_and_a_file_with_the_same_bytes_are_one(
        self, vault: Vault, tmp_path: Path, root: Path
    ) -> None:
        manifest = kept(vault)
        assert vault.adopt(of_file(tmp_path / "a.dbn.zst")) == vault.ref(manifest)
        assert len(list(root.glob("payloads/*/*.dbn*"))) == 1

    def test_a_file_that_changed_is_refused_and_leaves_nothing(
        self, vault: Vault, root: Path, tmp_path: Path
    ) -> None:
        ref = of_file(tmp_path / "a.dbn")
        (tmp_path / "a.dbn").write_bytes(CONTENT[::-1])
        with pytest.raises(CorruptPayload, match="changed while it was copied"):
            vault.adopt(ref)
        assert files(root) == {"vault.json"}

    def test_a_file_that_is_gone_is_a_fault_of_this_host(
        self, vault: Vault, root: Path, tmp_path: Path
    ) -> None:
        ref = of_file(tmp_path / "a.dbn")
        (tmp_path / "a.dbn").unlink()
        with pytest.raises(LocalFault):
            vault.adopt(ref)
        assert files(root) == {"vault.json"}


class TestSetAside:
    def test_a_damaged_payload_is_not_found_again_and_its_bytes_stay(
        self, vault: Vault, root: Path
    ) -> None:
        manifest = kept(vault)
        kept(vault, symbols=("NQM4",))
        ref = vault.ref(manifest)
        vault.path(ref).chmod(0o600)
        vault.path(ref).write_bytes(CONTENT[::-1])
        vault.set_aside(ref)
        assert vault.find(manifest.request) is None
        assert vault.find(request_of(symbols=("NQM4",))) is None
        with pytest.raises(PayloadMissing):
            vault.path(ref)
        [payload] = root.glob("damaged/*.dbn.zst.*")
        assert payload.read_bytes() == CONTENT[::-1]
        assert len(list(root.glob("damaged/*.json.*"))) == 2
        assert not list(root.glob("payloads/*/*"))

    def test_one_that_is_gone_already_is_no_error(self, vault: Vault) -> None:
        vault.identify()
        vault.set_aside(vault.ref(manifest_of()))
        kept(vault)
        assert vault.find(request_of()) is not None

    def test_the_payloads_beside_it_in_the_folder_stay(self, vault: Vault, root: Path) -> None:
        contents = [n.to_bytes(2) for n in range(1_000)]
        same = [each for each in contents if manifest_of(each).sha256.startswith("5e")]
        manifests = [kept(vault, each, symbols=(each.hex(),)) for each in same[:3]]
        vault.set_aside(vault.ref(manifests[0]))
        assert [vault.find(each.request) for each in manifests] == [None, *manifests[1:]]
        assert len(files(root / "payloads" / "5e")) == 4
