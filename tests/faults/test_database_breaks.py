"""The database breaks while a load is halfway: rows once, and no attempt or worker is blamed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from ingestor.store.database import Database
from ingestor.vocabulary import Role
from tests.conftest import Place
from tests.halfway import Halfway, Held, attempts, chunk, lines, sessions
from tests.private import PrivateStack, private_stack
from tests.processes import Process, fleet, job_ended, until
from tests.proxies import Proxy, proxied

pytestmark = [
    pytest.mark.faults, pytest.mark.timescaledb, pytest.mark.redis, pytest.mark.timeout(240),
]  # fmt: skip

BROKEN_OFF = [("deferred", "DatabaseUnavailable"), ("completed", None)]
"""What an attempt that the database broke off leaves in the trace: given back, then done."""

LOCK_TIMEOUT_S = 1.5


@pytest.fixture(scope="module")
def stack() -> Iterator[PrivateStack]:
    with private_stack() as made:
        yield made


@pytest.fixture(scope="module")
def place(stack: PrivateStack) -> Place:
    return stack.place()


@pytest.fixture(scope="module")
def wire(place: Place) -> Iterator[Proxy]:
    """What the worker's connections go through."""
    with proxied(place.urls[Role.WORKER]) as made:
        yield made


@pytest.fixture(scope="module")
def service(
    stack: PrivateStack, place: Place, wire: Proxy, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Halfway]:
    """A scheduler, and one worker whose way to the database can be held and cut."""
    folder = tmp_path_factory.mktemp("breaks")
    settings = stack.settings(place, folder)
    # A load that a test holds for a moment must not lose its lease, however busy the machine is.
    patient = settings.lease.model_copy(update={"duration_s": 5})
    settings = settings.model_copy(update={"lease": patient})
    with fleet(settings, folder) as started:
        made = Halfway(settings, started, folder)
        started.scheduler()
        made.worker(
            "near",
            HDI_WORKER_DATABASE_URL=wire.url(place.urls[Role.WORKER]),
            HDI_DATABASE__LOCK_TIMEOUT_S=str(LOCK_TIMEOUT_S),
        )
        yield made


@pytest.fixture(autouse=True)
def thawed(service: Halfway, wire: Proxy) -> Iterator[None]:
    """Whatever a test left standing goes on, for the sake of the next one."""
    yield
    wire.release()
    service.thaw()


@pytest.fixture
async def database(place: Place) -> AsyncIterator[Database]:
    async with place.open() as opened:
        yield opened


def near(service: Halfway) -> Process:
    return service.fleet.started[1]


async def blamed_nobody(service: Halfway, database: Database, held: Held) -> None:
    """The job completes; the attempt was given back, and no lease ran out."""
    await service.ended(database)
    row = await chunk(database, held.chunk_id)
    assert await attempts(database, held.chunk_id) == BROKEN_OFF
    assert (row["attempt"], row["lost_count"], row["deferrals"]) == (1, 0, 1)


@pytest.mark.parametrize("leases", [0, 1.5], ids=["at_once", "after_more_than_a_lease"])
async def test_an_immediate_restart_mid_copy_costs_no_attempt(
    stack: PrivateStack, service: Halfway, place: Place, leases: float
) -> None:
    """The server crashes with half of the rows sent, and recovers: they were never there.

    While it is away nobody can renew a lease, and nobody is to blame for that.
    """
    async with place.open() as database:
        held = await service.hold(database)
    await asyncio.to_thread(stack.postgres.crash)
    held.go_on()
    await asyncio.sleep(leases * service.settings.lease.duration_s)
    await asyncio.to_thread(stack.postgres.start)
    async with place.open() as database:
        await blamed_nobody(service, database, held)


async def test_a_backend_ended_mid_copy_costs_no_attempt(
    service: Halfway, database: Database
) -> None:
    held = await service.hold(database)
    [pid] = await sessions(database, held)
    assert await database.fetchval("SELECT pg_terminate_backend($1, 5000)", pid)
    held.go_on()
    await blamed_nobody(service, database, held)


async def test_a_connection_cut_mid_copy_costs_no_attempt(
    service: Halfway, database: Database, wire: Proxy
) -> None:
    """Every connection of the worker breaks; it makes new ones."""
    held = await service.hold(database)
    assert wire.cut_all() >= 1
    held.go_on()
    await blamed_nobody(service, database, held)


async def test_a_commit_whose_answer_is_lost_is_not_done_again(
    service: Halfway, database: Database, wire: Proxy
) -> None:
    """The server committed, the worker never heard: it finds its own receipt and is content."""
    lost = wire.cut_on(b"COMMIT\0", direction="answers", after=b"COPY ")
    chunk_id = await service.submit(database)
    await service.ended(database)
    assert lost.struck.is_set()
    assert await attempts(database, chunk_id) == [("completed", None)]
    told = [each["event"] for each in lines(near(service)) if each.get("chunk") == chunk_id]
    assert "chunk loaded" in told
    assert "chunk failed" not in told
    row = await chunk(database, chunk_id)
    assert (row["attempt"], row["fence"]) == (1, 1)
    assert row["receipt"]["stored"] == row["receipt"]["fetched"] > 0


async def test_a_commit_that_never_arrives_is_done_again(
    service: Halfway, database: Database, wire: Proxy
) -> None:
    lost = wire.cut_on(b"COMMIT;", direction="requests", after=b"COPY ")
    chunk_id = await service.submit(database)
    await service.ended(database)
    assert lost.struck.is_set()
    assert await attempts(database, chunk_id) == BROKEN_OFF
    row = await chunk(database, chunk_id)
    assert row["receipt"]["stored"] == row["receipt"]["fetched"] > 0
    assert row["receipt"]["already_stored"] == 0


async def test_a_load_that_is_the_victim_of_a_deadlock_is_repeated(
    stack: PrivateStack, service: Halfway, place: Place
) -> None:
    """A session has what the load wants next and waits for the row that the load has locked."""
    async with place.open() as database, Database(stack.admin(place), name="hdi:test") as rival:
        async with rival.connection() as connection, connection.transaction():
            # it never looks for a deadlock itself: the load is the one that finds it
            await connection.execute("SET LOCAL deadlock_timeout = '1h'")
            await connection.execute("LOCK TABLE ingest.coverage IN EXCLUSIVE MODE")
            held = await service.hold(database)
            locking = "SELECT 1 FROM ingest.chunks WHERE chunk_id = $1 FOR UPDATE"
            waiting = asyncio.create_task(connection.fetchval(locking, held.chunk_id))
            await waits_for_load(service, database)
            held.go_on()
            assert await asyncio.wait_for(waiting, 10) == 1
        await blamed_nobody(service, database, held)
        text = "SELECT error_text FROM ingest.attempts WHERE chunk_id = $1 ORDER BY attempt_id"
        assert "40P01" in await database.fetchval(text, held.chunk_id)


async def test_a_load_that_waits_too_long_for_a_lock_is_repeated_until_it_gets_it(
    service: Halfway, database: Database, place: Place
) -> None:
    async with place.open() as rival:
        async with rival.connection() as connection, connection.transaction():
            await connection.execute("LOCK TABLE ingest.coverage IN EXCLUSIVE MODE")
            chunk_id = await service.submit(database)

            async def gave_up() -> bool:
                return len(await attempts(database, chunk_id)) >= 2

            await until("the load gave up twice", gave_up, timeout_s=20, fleet=service.fleet)
        await service.ended(database)
    outcomes = await attempts(database, chunk_id)
    assert set(outcomes[:-1]) == {BROKEN_OFF[0]}
    assert outcomes[-1] == BROKEN_OFF[1]
    row = await chunk(database, chunk_id)
    assert (row["attempt"], row["lost_count"]) == (1, 0)


async def test_a_server_without_free_connections_is_waited_for(
    stack: PrivateStack, service: Halfway, place: Place
) -> None:
    """Every session of the workers' login ends and none is let in: 53300 wherever one looks."""
    async with place.open(Role.OWNER) as database:
        held = await service.hold(database)
        await stack.administer(
            "ALTER ROLE hdi_worker_login CONNECTION LIMIT 0",
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE usename = 'hdi_worker_login'",
        )
        try:
            more = [await service.submit(database) for _ in range(3)]
            held.go_on()

            async def refused() -> bool:
                return all("(53300)" in each.text() for each in service.fleet.started[:2])

            await until("worker and scheduler are refused", refused, timeout_s=20,
                        fleet=service.fleet)  # fmt: skip
        finally:
            await stack.administer("ALTER ROLE hdi_worker_login CONNECTION LIMIT -1")
        await blamed_nobody(service, database, held)
        for chunk_id in more:
            assert (await attempts(database, chunk_id))[-1] == ("completed", None)
            assert (await chunk(database, chunk_id))["attempt"] == 1


@pytest.mark.parametrize("ending", ["released", "cut", "silent"])
async def test_a_worker_behind_a_frozen_network_is_replaced_and_writes_nothing_afterwards(
    service: Halfway, database: Database, wire: Proxy, ending: str
) -> None:
    """Its lease runs out, its session is ended for it; another worker completes the chunk.

    Where nothing at all is heard of the database for three leases it gives up by itself: TCP would
    keep its slot for a quarter of an hour.
    """
    held = await service.hold(database)
    before = near(service).text()
    wire.hold()
    held.go_on()
    with service.another() as far:
        await service.ended(database)
        assert "chunk loaded" in far.text()
    assert await attempts(database, held.chunk_id) == [
        ("lost", "LeaseLost"), ("completed", None)
    ]  # fmt: skip
    if ending == "cut":
        assert wire.cut_all() >= 1
    if ending == "silent":

        async def gave_up() -> bool:
            return '"code": "DatabaseUnavailable"' in near(service).text()[len(before) :]

        await until("the attempt is over", gave_up, timeout_s=40, fleet=service.fleet)
    wire.release()
    again = await service.submit(database)
    await service.ended(database)
    assert (await attempts(database, again))[-1] == ("completed", None)
    assert len(await attempts(database, held.chunk_id)) == 2


async def test_a_commit_that_is_answered_late_is_a_commit(
    service: Halfway, database: Database, wire: Proxy
) -> None:
    """Answers are held for longer than a lease; nobody takes over what is committed."""
    held = await service.hold(database, "before_commit")
    wire.hold("answers")
    held.go_on()
    await job_ended(database, service.fleet, timeout_s=20)
    with service.another():
        await asyncio.sleep(service.settings.lease.duration_s)
    wire.release()
    again = await service.submit(database)
    await service.ended(database)
    for chunk_id in (held.chunk_id, again):
        assert await attempts(database, chunk_id) == [("completed", None)]


async def waits_for_load(service: Halfway, database: Database) -> None:
    async def waits() -> bool:
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
        return bool(await database.fetchval(waiting))

    await until("the rival waits", waits, timeout_s=30, fleet=service.fleet)
