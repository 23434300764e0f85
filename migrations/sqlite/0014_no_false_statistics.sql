-- A file has no statistics here: this is for PostgreSQL.
SELECT 1;
