-- A file looks such references up in its own memory, and cannot forget them without copying the tables: they stay.
SELECT 1;
