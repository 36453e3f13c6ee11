"""The product without Docker: private TimescaleDB (or PostgreSQL) and Valkey below one folder."""

from ingestor.stack.address import StackAddress, env, read_env
from ingestor.stack.stack import (
    ServerStatus,
    StackStatus,
    create_database,
    down,
    drop_database,
    freeze_database,
    reset,
    status,
    up,
)

__all__ = [
    "ServerStatus",
    "StackAddress",
    "StackStatus",
    "create_database",
    "down",
    "drop_database",
    "env",
    "freeze_database",
    "read_env",
    "reset",
    "status",
    "up",
]
