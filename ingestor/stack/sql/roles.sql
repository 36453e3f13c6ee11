-- Roles of a fresh cluster. Passwords arrive as SCRAM verifiers, so that no log can show them.
CREATE ROLE hdi_owner LOGIN CREATEROLE PASSWORD :'owner';
CREATE ROLE hdi_worker NOLOGIN;
CREATE ROLE hdi_reader NOLOGIN;
GRANT hdi_worker, hdi_reader TO hdi_owner WITH ADMIN TRUE, INHERIT FALSE, SET TRUE;
CREATE ROLE hdi_worker_login LOGIN PASSWORD :'worker' IN ROLE hdi_worker;
CREATE ROLE hdi_reader_login LOGIN PASSWORD :'reader' IN ROLE hdi_reader;
