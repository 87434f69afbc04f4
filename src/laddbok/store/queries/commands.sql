-- name: command_add
-- Queue a command.
INSERT INTO command (tenant, id, station_no, action, payload, status, requested_by, requested_at, session_id)
VALUES (laddbok_tenant(), $1, $2, $3, $4::text::jsonb, 'queued', $5, $6, $7)

-- name: command_announce
-- Tell the gateway that has the station. Sent at commit.
SELECT pg_notify('laddbok_command', $1)

-- name: command_result
-- How far a command is.
SELECT t.identity AS station_id, c.action, c.status, c.answer::text AS answer
FROM command c JOIN station t ON t.tenant = c.tenant AND t.station_no = c.station_no
WHERE c.id = $1

-- name: command_withdraw
-- Nobody waits any more: a command that was not sent yet must never be.
UPDATE command SET status = 'timed_out', ended_at = $2 WHERE id = $1 AND status = 'queued' RETURNING id

-- name: command_rows
-- Commands, newest first.
SELECT c.id, t.identity AS station_id, c.session_id, c.action, c.payload::text AS payload, c.status, c.answer::text AS answer,
    c.requested_by, c.requested_at, c.sent_at, c.ended_at
FROM command c JOIN station t ON t.tenant = c.tenant AND t.station_no = c.station_no
WHERE /* filters */
ORDER BY c.requested_at DESC, c.id DESC
LIMIT

-- name: idempotency_claim
-- Take an idempotency key; no row: somebody has it already (waits for them to finish).
INSERT INTO idempotency (tenant, key, request_digest, created_at) VALUES (laddbok_tenant(), $1, $2, $3)
ON CONFLICT DO NOTHING RETURNING key

-- name: idempotency_answer
-- What was answered under an idempotency key.
SELECT request_digest, status, response FROM idempotency WHERE key = $1

-- name: idempotency_done
-- Remember the answer under an idempotency key.
UPDATE idempotency SET status = $2, response = $3 WHERE key = $1

-- name: forget_old
-- Forget idempotency keys and log-ins older than this.
WITH keys AS (DELETE FROM idempotency WHERE created_at < $1) DELETE FROM login WHERE expires_at < $1
