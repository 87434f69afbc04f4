-- name: soak_evidence
-- Each call of a station in the evidence, with what tells it and its answer from all others.
SELECT s.identity, f.message_id, sha256(f.raw || '\x0a'::bytea || f.answer) AS digest
FROM frame AS f JOIN station AS s ON s.station_no = f.station_no
WHERE f.direction = 'i' AND f.received_at >= $1;

-- name: soak_priced_twice
-- Sessions with more CDRs than were credited, but for one.
SELECT s.id, s.station, s.transaction_id
FROM cdr AS c JOIN session AS s ON s.tenant = c.tenant AND s.id = c.session_id
GROUP BY s.id, s.station, s.transaction_id
HAVING count(*) FILTER (WHERE c.kind = 'cdr') - count(*) FILTER (WHERE c.kind = 'credit') > 1;

-- name: soak_failed_jobs
-- Jobs that failed, given up or not, and were not done since.
SELECT kind, key, last_error FROM job WHERE last_error IS NOT NULL;
