-- Nobody may connect to a template: a single connection, TimescaleDB's scheduler too, blocks clones.
ALTER DATABASE :"name" WITH ALLOW_CONNECTIONS false IS_TEMPLATE true;
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = :'name';
