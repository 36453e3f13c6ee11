"""docker-compose.yml holds together, and keeps its promises of safety, without a Docker engine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ingestor.settings import SECRETS, SETTING_NAMES, Settings
from ingestor.settings.layers import FILE_SUFFIX, variable
from ingestor.store.health import MIN_LOCKS
from tests.deploy import compose
from tests.deploy.compose import ROOT, mounts, seconds

pytestmark = pytest.mark.fast

ALL = sorted(compose.services())
OURS = sorted(compose.ours())
LASTING = sorted(set(ALL) - {"migrate"})
VARIABLES = {variable(name): name for name in SETTING_NAMES}
KEYS = {
    "build", "cap_drop", "command", "depends_on", "env_file", "environment", "healthcheck", "image",
    "init", "logging", "mem_limit", "networks", "pids_limit", "ports", "read_only", "restart",
    "secrets", "security_opt", "shm_size", "stop_grace_period", "tmpfs", "user", "volumes",
}  # fmt: skip
"""Keys of the Compose Specification that we use; another one is a slip or needs a look."""

HUB = re.compile(r"(?P<name>[a-z0-9-]+(?:/[a-z0-9-]+)?):(?P<tag>[a-z0-9][a-z0-9.-]*)")


def variables_of(service: compose.Service) -> dict[str, str]:
    return {name: str(value) for name, value in service.get("environment", {}).items()}


def flags(service: str) -> dict[str, str]:
    """``-cname=value`` of a command."""
    words = compose.services()[service]["command"]
    return dict(word[2:].split("=", 1) for word in words if word.startswith("-c"))


def options(service: str) -> dict[str, str]:
    """``--name value`` of a command."""
    words = compose.services()[service]["command"][1:]
    return dict(zip(words[::2], words[1::2], strict=True))


# --- form -----------------------------------------------------------------------------------


def test_these_services_stand_in_it() -> None:
    assert ALL == ["api", "flower", "migrate", "redis", "scheduler", "timescaledb", "worker"]


def test_only_known_keys_are_used() -> None:
    """A misspelt key is an error in Compose, and would be seen too late."""
    top = {key for key in compose.whole() if not key.startswith("x-")}

    assert top == {"name", "services", "networks", "volumes", "secrets"}
    assert {key for each in compose.services().values() for key in each} <= KEYS


def test_docker_itself_accepts_the_file(tmp_path: Path) -> None:
    """Where the Compose plugin is installed; it needs no engine to read a file."""
    docker = shutil.which("docker")
    command = [str(docker), "compose", "version"]
    if docker is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("needs Docker Compose")
    for name in ("docker-compose.yml", "Dockerfile.worker", "Dockerfile.api"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    subprocess.run([tmp_path / "deploy/make-secrets"], check=True, capture_output=True)
    done = subprocess.run(
        [docker, "compose", "config", "--quiet"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr


def test_what_compose_reads_from_env_is_no_setting_of_ours() -> None:
    """Compose and HDI read the same `.env`, and HDI refuses an HDI_ name that it does not know."""
    assert compose.variables()
    assert not any(name.startswith("HDI_") for name in compose.variables())


def test_every_volume_network_and_secret_is_declared_and_used() -> None:
    whole = compose.whole()
    every = compose.services().values()
    named = {mount.source for each in every for mount in mounts(each) if "/" not in mount.source}

    assert named == set(whole["volumes"])
    assert {name for each in every for name in each["networks"]} == set(whole["networks"])
    assert {name for each in every for name in each.get("secrets", [])} == set(whole["secrets"])


def test_files_that_it_names_are_in_the_checkout() -> None:
    """Those of the host that it mounts or builds from; ./files is the user's, secrets are made."""
    for name, service in compose.services().items():
        for mount in mounts(service):
            if mount.source.startswith("./deploy"):
                assert (ROOT / mount.source).is_file(), name
                assert os.access(ROOT / mount.source, os.X_OK), name
        if build := service.get("build"):
            assert build["context"] == "."
            assert (ROOT / build["dockerfile"]).is_file(), name


def test_the_queue_of_a_restarted_redis_and_the_data_are_in_named_volumes() -> None:
    """What must outlive a container."""
    kept = {name: {m.target for m in mounts(compose.services()[name])} for name in ALL}

    assert "/var/lib/postgresql/data" in kept["timescaledb"]
    assert options("redis")["--dir"] in kept["redis"]
    worker = variables_of(compose.services()["worker"])
    assert {worker["HDI_VAULT_URL"], worker["HDI_DLQ_DIR"]} <= kept["worker"]


# --- images ---------------------------------------------------------------------------------


def test_images_of_others_are_pinned_names_of_docker_hub() -> None:
    """No other registry's host, no `latest`; the tests run on this TimescaleDB."""
    foreign = {n: s["image"] for n, s in compose.services().items() if "build" not in s}
    found = {name: HUB.fullmatch(image) for name, image in foreign.items()}

    assert set(found) == {"redis", "timescaledb"}
    assert all(found.values()), foreign
    assert re.fullmatch(r"timescale/timescaledb:2\.\d+\.\d+-pg17", foreign["timescaledb"])
    assert re.fullmatch(r"valkey/valkey:8\.\d+-alpine", foreign["redis"])


def test_services_of_one_image_are_built_from_one_dockerfile() -> None:
    """Two recipes under one tag would overwrite each other."""
    built = {(s["image"], s["build"]["dockerfile"]) for s in compose.ours().values()}

    assert built == {
        ("hdi-worker:local", "Dockerfile.worker"),
        ("hdi-api:local", "Dockerfile.api"),
    }


# --- scaling and ends -----------------------------------------------------------------------


def test_workers_can_stand_side_by_side() -> None:
    """`--scale worker=8` fails on a fixed name or a host port."""
    worker = compose.services()["worker"]

    assert not {"container_name", "ports", "hostname"} & worker.keys()
    assert not any("container_name" in each for each in compose.services().values())


def test_a_worker_is_given_time_to_hand_its_chunks_back() -> None:
    """Killed before, the leases of its chunks must run out first."""
    worker = compose.services()["worker"]
    soft = float(variables_of(worker)["HDI_WORKER__SOFT_SHUTDOWN_S"])

    # Handing back waits 4 s for locks and 6 s for each child's loop at most.
    assert seconds(worker["stop_grace_period"]) >= soft + 15
    assert soft == Settings().worker.soft_shutdown_s


def test_connections_of_many_workers_fit_into_the_database() -> None:
    worker = variables_of(compose.services()["worker"])
    processes = 8 * int(worker["HDI_WORKER__CONCURRENCY"])

    assert processes * (Settings().database.pool_size + 2) < int(
        flags("timescaledb")["max_connections"]
    )


# --- order ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["worker", "scheduler", "api"])
def test_it_waits_for_the_servers_and_for_the_migration(name: str) -> None:
    assert compose.services()[name]["depends_on"] == {
        "timescaledb": {"condition": "service_healthy"},
        "redis": {"condition": "service_healthy"},
        "migrate": {"condition": "service_completed_successfully"},
    }


def test_the_migration_runs_once_and_waits_for_the_database() -> None:
    migrate = compose.services()["migrate"]

    assert migrate["command"] == ["hdi", "db", "migrate"]
    assert migrate["restart"] == "no"
    assert migrate["depends_on"] == {"timescaledb": {"condition": "service_healthy"}}


@pytest.mark.parametrize("name", LASTING)
def test_it_starts_again_and_says_whether_it_is_well(name: str) -> None:
    service = compose.services()[name]
    check = service["healthcheck"]

    assert service["restart"] == "unless-stopped"
    assert check["test"][0] == "CMD"
    assert seconds(check["timeout"]) <= seconds(check["interval"])
    assert seconds(check["start_period"]) >= 60


def test_conditions_name_services_that_can_meet_them() -> None:
    """Only what has a health check gets healthy, only what ends completes."""
    every = compose.services()
    for service in every.values():
        for name, wanted in service.get("depends_on", {}).items():
            if wanted["condition"] == "service_healthy":
                assert "test" in every[name]["healthcheck"]
            else:
                assert every[name]["restart"] == "no"


# --- secrets and settings -------------------------------------------------------------------


@pytest.mark.parametrize("name", OURS)
def test_variables_are_settings(name: str) -> None:
    """HDI refuses to start with one that it does not know."""
    given = variables_of(compose.services()[name])

    assert given
    assert {each.removesuffix(FILE_SUFFIX) for each in given} <= set(VARIABLES)


@pytest.mark.parametrize("name", ALL)
def test_secrets_come_as_files_that_the_service_is_given(name: str) -> None:
    """A value in a variable is seen by `docker inspect`."""
    service = compose.services()[name]
    mounted = {f"/run/secrets/{secret}" for secret in service.get("secrets", [])}
    for var, value in variables_of(service).items():
        assert VARIABLES.get(var) not in SECRETS, var
        assert not re.search(r"(PASSWORD|TOKEN|KEY)$", var)
        if var.endswith(FILE_SUFFIX):
            assert value in mounted
    text = " ".join(map(str, [*service["command"], *service["healthcheck"].get("test", [])]))
    assert set(re.findall(r"/run/secrets/\w+", text)) <= mounted


def test_every_secret_is_a_file_of_the_secrets_folder() -> None:
    for name, each in compose.whole()["secrets"].items():
        assert each == {"file": f"./secrets/{name}.txt"}


HELD = {
    "timescaledb": {"postgres_password", "owner_password", "worker_password", "reader_password"},
    "redis": {"redis_auth"},
    "migrate": {"database_url"},
    "worker": {"worker_database_url", "reader_database_url", "redis_url", "databento_api_key"},
    "scheduler": {"worker_database_url", "redis_url"},
    "api": {"reader_database_url", "redis_url", "api_token"},
    "flower": {"redis_url", "flower_config"},
}


@pytest.mark.parametrize(("name", "secrets"), HELD.items())
def test_a_service_holds_the_secrets_it_needs_and_no_other(name: str, secrets: set[str]) -> None:
    """The owner's login for the migration alone, the provider's key for workers alone."""
    assert set(compose.services()[name]["secrets"]) == secrets


# --- commands -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [n for n in OURS if compose.services()[n]["command"][0] == "hdi"])
def test_its_command_is_one_that_hdi_knows(name: str) -> None:
    """Asked of click's own parser: names, options and values."""
    compose.parse(compose.services()[name]["command"])


def test_flower_is_celerys_with_a_password_from_a_file() -> None:
    command = compose.services()["flower"]["command"]

    assert command[:3] == ["celery", "--app=workers.app", "flower"]
    assert "--conf=/run/secrets/flower_config" in command
    assert not any(word.startswith("--basic") for word in command)


def test_timescaledb_is_told_what_hdi_needs() -> None:
    given = flags("timescaledb")

    assert int(given["max_locks_per_transaction"]) >= MIN_LOCKS
    assert given["timescaledb.telemetry_level"] == "off"
    assert given["shared_preload_libraries"] == "timescaledb"
    assert given["password_encryption"] == "scram-sha-256"


def test_redis_drops_nothing_and_forgets_nothing() -> None:
    given = options("redis")

    assert given["--maxmemory-policy"] == "noeviction"
    assert given["--appendonly"] == "yes"
    assert given["--include"] == "/run/secrets/redis_auth"
    assert "--requirepass" not in given


# --- walls ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_it_runs_without_root_capabilities_or_a_writable_image(name: str) -> None:
    service = compose.services()[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    if "build" not in service:  # the user of our images is in their Dockerfiles
        uid, _, gid = service["user"].partition(":")
        assert int(uid) > 0
        assert int(gid) > 0


@pytest.mark.parametrize("name", ALL)
def test_ports_of_the_host_are_on_loopback(name: str) -> None:
    ports = compose.services()[name].get("ports", [])

    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert bool(ports) == (name in {"api", "flower"})


def test_database_and_redis_reach_nothing_outside() -> None:
    assert compose.whole()["networks"]["data"]["internal"] is True
    for name in ("timescaledb", "redis", "migrate", "scheduler"):
        assert compose.services()[name]["networks"] == ["data"]


@pytest.mark.parametrize("name", OURS)
def test_logs_and_processes_are_bounded(name: str) -> None:
    service = compose.services()[name]

    assert set(service["logging"]["options"]) == {"max-size", "max-file"}
    assert service["pids_limit"] > 0
    assert all("size=" in each for each in service["tmpfs"])
