"""deploy/make-secrets: what it makes, whom it lets read, what it keeps."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from tests.deploy import compose
from tests.deploy.compose import ROOT

pytestmark = pytest.mark.fast

PASSWORDS = (
    "postgres_password", "owner_password", "worker_password", "reader_password",
    "redis_password", "flower_password", "api_token",
)  # fmt: skip


def make(folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    inherited = {k: v for k, v in os.environ.items() if k != "DATABENTO_API_KEY"}
    return subprocess.run(
        [ROOT / "deploy/make-secrets", folder], env={**inherited, **env},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = make(tmp_path / "secrets")
    assert made.returncode == 0, made.stderr
    return tmp_path / "secrets"


def text(folder: Path, name: str) -> str:
    return (folder / name).read_text(encoding="utf-8").strip()


def test_it_makes_every_file_that_compose_mounts(folder: Path) -> None:
    """A file that is missing stops `docker compose up`."""
    wanted = {Path(each["file"]).name for each in compose.whole()["secrets"].values()}
    wanted |= {Path(f).name for s in compose.services().values() for f in s.get("env_file", [])}

    assert wanted <= {path.name for path in folder.iterdir()}


def test_passwords_are_long_and_all_different(folder: Path) -> None:
    made = {text(folder, f"{name}.txt") for name in PASSWORDS}

    assert len(made) == len(PASSWORDS)
    assert all(re.fullmatch("[0-9a-f]{48}", each) for each in made)


def test_urls_lead_to_the_services_with_the_logins_that_are_made(folder: Path) -> None:
    """Host names are those of the services; logins those that the database's script creates."""
    script = (ROOT / "deploy/create-logins").read_text(encoding="utf-8")
    database = compose.services()["timescaledb"]["environment"]["POSTGRES_DB"]
    for name, login in (
        ("", "hdi_owner"), ("worker_", "hdi_worker_login"), ("reader_", "hdi_reader_login"),
    ):  # fmt: skip
        url = urlsplit(text(folder, f"{name}database_url.txt"))
        assert (url.hostname, url.port, url.path) == ("timescaledb", 5432, f"/{database}")
        assert url.username == login
        assert url.password == text(folder, f"{name or 'owner_'}password.txt")
        assert f"ALTER ROLE {login} PASSWORD" in script
    redis = urlsplit(text(folder, "redis_url.txt"))
    assert (redis.hostname, redis.port) == ("redis", 6379)
    assert text(folder, "redis_auth.txt") == f"requirepass {redis.password}"
    assert redis.password == text(folder, "redis_password.txt")


def test_nobody_else_on_the_host_reaches_them_but_every_container_can_read_its_own(
    folder: Path,
) -> None:
    """Compose mounts a file with its owner and mode, and containers have uids of their own."""
    assert folder.stat().st_mode & 0o777 == 0o700
    for path in folder.glob("*.*"):
        if path.suffix in {".txt", ".env"}:
            assert path.stat().st_mode & 0o777 == 0o644, path.name


def test_git_ignores_them(folder: Path) -> None:
    assert text(folder, ".gitignore") == "*"


def test_it_may_be_run_again(folder: Path) -> None:
    """Everything stays: the database knows the passwords already."""
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    again = make(folder)

    assert again.returncode == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert ": 0 made" in again.stderr


@pytest.mark.parametrize("named", [{}, {"HOST_FILES": "elsewhere/dbn"}])
def test_it_makes_the_folder_of_files_that_workers_look_into(
    tmp_path: Path, named: dict[str, str]
) -> None:
    """Missing at `up`, Docker makes it as root's. Others may read it: workers have another uid."""
    script = tmp_path / "deploy/make-secrets"
    script.parent.mkdir()
    shutil.copy(ROOT / "deploy/make-secrets", script)
    done = subprocess.run(
        [script], cwd=script.parent, env={**os.environ, **named},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    made = tmp_path / named.get("HOST_FILES", "files")

    assert done.returncode == 0, done.stderr
    assert made.stat().st_mode & 0o777 == 0o755
    assert "${HOST_FILES:-./files}:/files:ro" in compose.FILE.read_text(encoding="utf-8")
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700


def test_secrets_in_another_folder_come_alone(folder: Path) -> None:
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_deleted_password_is_made_anew_with_its_url(folder: Path) -> None:
    old = text(folder, "worker_database_url.txt")
    (folder / "worker_password.txt").unlink()
    make(folder)

    assert text(folder, "worker_database_url.txt") != old
    assert text(folder, "worker_password.txt") in text(folder, "worker_database_url.txt")


def test_a_password_that_would_break_a_url_is_refused(folder: Path) -> None:
    """With the way out, and without showing it."""
    (folder / "owner_password.txt").write_text("p@ss/word with signs\n", encoding="utf-8")
    done = make(folder)

    assert done.returncode == 1
    assert "owner_password.txt must hold 16 to 128 letters" in done.stderr
    assert "p@ss" not in done.stderr + done.stdout


def test_without_a_key_the_worker_is_told_of_none(folder: Path) -> None:
    """HDI refuses an empty file in a …_FILE variable."""
    assert text(folder, "databento_api_key.txt") == ""
    assert text(folder, "databento.env") == ""


@pytest.mark.parametrize("way", ["environment", "file"])
def test_a_key_reaches_the_worker_as_a_file(folder: Path, way: str) -> None:
    if way == "file":
        (folder / "databento_api_key.txt").write_text("db-0123456789\n", encoding="utf-8")
    done = make(folder, **({"DATABENTO_API_KEY": "db-0123456789"} if way == "environment" else {}))

    assert text(folder, "databento_api_key.txt") == "db-0123456789"
    assert text(folder, "databento.env") == (
        "DATABENTO_API_KEY_FILE=/run/secrets/databento_api_key"
    )
    assert "databento_api_key" in compose.services()["worker"]["secrets"]
    assert "db-0123456789" not in done.stderr + done.stdout


def test_no_secret_is_shown(folder: Path) -> None:
    again = make(folder)

    shown = again.stdout + again.stderr
    assert not any(text(folder, f"{name}.txt") in shown for name in PASSWORDS)


def test_an_unknown_option_is_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [ROOT / "deploy/make-secrets", "--force"], capture_output=True, text=True, check=False,
        cwd=tmp_path,
    )  # fmt: skip

    assert done.returncode == 2
    assert not list(tmp_path.iterdir())


def test_flower_reads_its_file_as_a_name_and_a_password(folder: Path) -> None:
    """Tornado runs it as Python; a list of one `name:password`."""
    held: dict[str, list[str]] = {}
    exec(text(folder, "flower_config.txt"), {}, held)

    assert held == {"basic_auth": [f"hdi:{text(folder, 'flower_password.txt')}"]}


def test_the_compose_file_is_yaml_without_repeated_keys() -> None:
    """PyYAML takes the last of two equal keys; Compose refuses the file."""

    class Strict(yaml.SafeLoader):
        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
            keys = [key.value for key, _ in node.value if key.value != "<<"]
            assert len(keys) == len(set(keys)), keys
            return super().construct_mapping(node, deep)

    yaml.load(compose.FILE.read_text(encoding="utf-8"), Strict)  # noqa: TID251 - a safe loader
