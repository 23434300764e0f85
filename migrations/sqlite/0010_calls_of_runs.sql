-- The calls of a run are found by the run, also where a user has very many.
DROP INDEX provider_calls_run;
CREATE INDEX provider_calls_run ON provider_calls (run_id, user_id, id);
