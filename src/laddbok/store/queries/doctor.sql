-- name: all_tenants
-- Every tenant of this deployment.
SELECT tenant FROM tenant ORDER BY tenant;

-- name: doctor_counts
-- What an installation's health shows in numbers.
SELECT (SELECT max(number) FROM schema_migration) AS migration, (SELECT count(*) FROM tariff) AS tariffs,
    (SELECT count(*) FROM session WHERE state = 'review') AS in_review, (SELECT count(*) FROM quarantine) AS quarantined,
    (SELECT count(*) FROM orphan WHERE matched_session_id IS NULL) AS orphans,
    (SELECT count(*) FROM delivery WHERE state = 'waiting') AS to_be_sent,
    (SELECT count(*) FROM delivery WHERE state = 'failed') AS not_mailed,
    (SELECT count(*) FROM job WHERE failed_at IS NOT NULL) AS failed_jobs, (SELECT count(*) FROM lobby) AS lobby,
    (SELECT count(*) FROM (SELECT 1 FROM frame_rest LIMIT 1000) AS x) AS in_rest;
