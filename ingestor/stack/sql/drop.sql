-- Drop a database, a frozen one too, whoever is connected.
SELECT format('ALTER DATABASE %I IS_TEMPLATE false', datname)
FROM pg_database WHERE datname = :'name' \gexec
DROP DATABASE IF EXISTS :"name" WITH (FORCE);
