-- name: overview_stations
-- How many stations there are, are connected, and have a fault. One that was told long after it came is no present fault.
SELECT count(*) AS total, count(*) FILTER (WHERE connected) AS connected, count(*) FILTER (WHERE EXISTS (
    SELECT FROM connector c
    WHERE c.tenant = t.tenant AND c.station_no = t.station_no AND c.status = 'Faulted'
        AND (c.told_at - c.status_at > $1::interval) IS NOT TRUE)) AS faulted
FROM station t

-- name: overview_sessions
-- How many sessions are in each state that somebody must still act on.
SELECT count(*) FILTER (WHERE state IN ('pending', 'active')) AS active, count(*) FILTER (WHERE state = 'ended') AS ended,
    count(*) FILTER (WHERE state = 'review') AS review
FROM session WHERE state IN ('pending', 'active', 'ended', 'review')

-- name: overview_finished
-- Sessions of stations that ended since then, and their energy. None lasts longer than the look back.
SELECT count(*) AS sessions, coalesce(sum(energy_wh), 0)::bigint AS energy_wh
FROM session WHERE started_at > $1 AND ended_at >= $2 AND origin = 'station' AND state <> 'void'

-- name: overview_live
-- Power and energy of the sessions that run.
SELECT coalesce(sum((l.body #>> '{meter,power_w}')::bigint), 0)::bigint AS power_w,
    coalesce(sum((l.body #>> '{meter,mark_wh}')::bigint - (l.body #>> '{meter,begin_wh}')::bigint
        + coalesce((l.body #>> '{meter,carried_wh}')::bigint, 0)), 0)::bigint AS energy_wh
FROM session s JOIN session_live l ON l.tenant = s.tenant AND l.session_id = s.id
WHERE s.state IN ('pending', 'active')

-- name: overview_zone
-- Whose day it is: the zone of the first seller.
SELECT time_zone FROM legal_entity ORDER BY id LIMIT 1

-- name: problem_rows
-- What is broken, the newest first: stations away, connectors with a fault (or one told long after it came), sessions
-- held, work given up, poisoned frames.
SELECT * FROM (
    (SELECT 'station_disconnected' AS kind, identity AS station_id, NULL::text AS session_id, connection_changed_at AS since,
        '{}'::jsonb AS params
     FROM station WHERE NOT connected AND connection_changed_at IS NOT NULL ORDER BY connection_changed_at DESC LIMIT $1)
    UNION ALL
    (SELECT CASE WHEN c.told_at - c.status_at > $3::interval THEN 'connector_fault_told_late' ELSE 'connector_faulted' END,
        t.identity, NULL, c.status_at,
        jsonb_build_object('evse_id', c.evse_id, 'connector_id', c.connector_id, 'error_code', c.error_code)
     FROM connector c JOIN station t ON t.tenant = c.tenant AND t.station_no = c.station_no
     WHERE c.status = 'Faulted' ORDER BY c.status_at DESC NULLS LAST LIMIT $1)
    UNION ALL
    (SELECT 'session_in_review', station, id, coalesce(ended_at, started_at), jsonb_build_object('reasons', review_reasons)
     FROM session WHERE state = 'review' ORDER BY started_at DESC LIMIT $1)
    UNION ALL
    (SELECT 'job_failed', NULL, NULL, failed_at, jsonb_build_object('kind', kind, 'key', key, 'error', last_error)
     FROM job WHERE failed_at IS NOT NULL ORDER BY failed_at DESC LIMIT $1)
    UNION ALL
    (SELECT 'frame_quarantined', t.identity, NULL, q.received_at, jsonb_build_object('reason', q.reason)
     FROM quarantine q JOIN station t ON t.tenant = q.tenant AND t.station_no = q.station_no
     WHERE q.received_at > $2 ORDER BY q.id DESC LIMIT $1)
) AS problem
ORDER BY since DESC NULLS LAST LIMIT $1
