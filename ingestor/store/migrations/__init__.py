"""Alembic migrations: additive, one statement per `op.execute`, never rewriting a record table."""
