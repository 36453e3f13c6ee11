-- A database that hdi_owner owns, with the extension where the server has it.
CREATE DATABASE :"name" OWNER hdi_owner TEMPLATE :"template";
\connect :"name"
\if :timescaledb
CREATE EXTENSION IF NOT EXISTS timescaledb;
\endif
