"""SQL on a stack's own PostgreSQL, through its psql: only `ingestor.store` speaks to databases."""

from __future__ import annotations

from importlib.resources import files

from ingestor.errors import StackUnavailable
from ingestor.stack import process
from ingestor.stack.postgres import Postgres
from ingestor.stack.scram import verifier
from ingestor.stack.state import PostgresState

MAIN = "hdi"


def prepare(postgres: Postgres, state: PostgresState) -> None:
    """Make roles and the main database in a fresh cluster."""
    passwords = {"owner": state.owner, "worker": state.worker, "reader": state.reader}
    secret = {role: verifier(password) for role, password in passwords.items()}
    run(postgres, state, "roles", secret)
    create(postgres, state, MAIN)


def create(
    postgres: Postgres, state: PostgresState, name: str, template: str = "template0"
) -> None:
    """Make a database that hdi_owner owns, with TimescaleDB where the server has it."""
    extension = "on" if postgres.timescaledb else "off"
    values = {"name": name, "template": template, "timescaledb": extension}
    run(postgres, state, "create", values)


def run(postgres: Postgres, state: PostgresState, script: str, values: dict[str, str]) -> str:
    """Run `sql/<script>.sql` as the superuser; values go in by stdin, which no `ps` shows.

    Raises:
        StackUnavailable: PostgreSQL refused; the message is its own.
    """
    for value in values.values():
        if "'" in value or "\\" in value or "\n" in value:
            raise StackUnavailable(f"{value!r} cannot be handed to psql")
    jail = postgres.jail
    secret = f"{process.LOOPBACK}:*:*:postgres:{state.superuser}\n"
    passfile = jail.folder / "pgpass"
    if not (passfile.exists() and passfile.read_text() == secret):
        jail.secret(passfile.name, secret)
    text = (files("ingestor.stack") / "sql" / f"{script}.sql").read_text()
    return jail.run(
        postgres.program("psql"),
        *("-XqAtw", "-v", "ON_ERROR_STOP=1", "-h", process.LOOPBACK, "-p", str(state.port)),
        *("-U", "postgres", "-d", "postgres", "-f", "-"),
        stdin="".join(f"\\set {key} '{value}'\n" for key, value in values.items()) + text,
        env={"PGPASSFILE": jail.inside(passfile), "PGOPTIONS": "-c client_min_messages=error"},
        timeout_s=600,
    )
