"""The only room that knows PostgreSQL: connections, DDL, COPY, the ledger, the loader."""
