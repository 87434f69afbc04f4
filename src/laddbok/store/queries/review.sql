-- name: decision_subject
-- A session that a person decides about, as it is stored, and the number of the last decision about it.
SELECT s.id, s.origin, s.state, s.version, s.station_no, s.body::text AS body,
    (SELECT coalesce(max(d.number), 0) FROM decision d WHERE d.session_id = s.id) AS last_number
FROM session s WHERE s.id = $1

-- name: decisions_pending
-- What people decided about these sessions that no worker has carried out yet.
SELECT s.id, d.decided_by, d.body #>> '{verdict,kind}' AS kind
FROM session s
JOIN job j ON j.kind = 'settle' AND j.key = s.id AND j.failed_at IS NULL
JOIN LATERAL (
    SELECT x.decided_by, x.body FROM decision x
    WHERE x.tenant = s.tenant AND x.session_id = s.id AND x.kind = 'verdict'
    ORDER BY x.number DESC LIMIT 1
) d ON (d.body ->> 'seen_version')::integer = s.version
WHERE s.id = ANY($1)

-- name: decision_add
-- Append a person's decision as the one after what was seen. What was decided meanwhile has that number, so that this one
-- fails; no row: the session has moved meanwhile.
INSERT INTO decision (tenant, session_id, number, at, kind, decided_by, body)
SELECT s.tenant, s.id, $5, $2, 'verdict', $3, $4::text::jsonb FROM session s WHERE s.id = $1 AND s.version = $6
RETURNING number

-- name: tariff_version_at
-- The newest version of a tariff that had begun at a time, with its end, and when the first one began.
SELECT v.version, v.valid_to, f.first_from
FROM (SELECT min(valid_from) AS first_from FROM tariff_version WHERE tariff_id = $1) f
LEFT JOIN LATERAL (
    SELECT version, valid_to FROM tariff_version
    WHERE tariff_id = $1 AND valid_from <= $2 ORDER BY valid_from DESC, version DESC LIMIT 1
) v ON true

-- name: review_counts
-- How many sessions are held, in all and for each reason; NULL: on all sites.
SELECT reason, count(*) AS sessions
FROM session s LEFT JOIN LATERAL (
    SELECT NULL AS reason UNION ALL SELECT unnest(s.review_reasons)
) r ON true
WHERE s.state = 'review' AND ($1::text IS NULL OR s.site_id = $1)
GROUP BY reason ORDER BY reason NULLS FIRST

-- name: held_corrections
-- Settled sessions of which later messages tell otherwise, where a person must see it first; the newest first.
SELECT s.id, s.station, s.site_id, s.evse_id, s.energy_wh, d.at, (d.body ->> 'energy_wh')::bigint AS told_wh,
    ARRAY(SELECT jsonb_array_elements_text(d.body -> 'reasons')) AS reasons
FROM decision d JOIN session s ON s.tenant = d.tenant AND s.id = d.session_id
WHERE d.kind = 'correction_held' AND s.state = 'settled' AND NOT EXISTS (
    SELECT FROM decision n WHERE n.tenant = d.tenant AND n.session_id = d.session_id AND n.number > d.number
        AND n.kind IN ('correction_held', 'settled', 'verdict'))
    AND /* filters */
ORDER BY d.at DESC, s.id DESC
LIMIT

-- name: gap_rows
-- Sessions before which the register had moved though no session ran, newest first.
SELECT s.id, s.station, s.site_id, s.evse_id, s.started_at, (s.body #>> '{energy,gap_wh}')::bigint AS gap_wh,
    s.body #>> '{before,session_id}' AS before_id, (s.body #>> '{before,register_wh}')::bigint AS before_wh,
    (s.body #>> '{before,at}')::timestamptz AS before_at
FROM session s
WHERE s.state IN ('settled', 'review', 'void') AND (s.body #>> '{energy,gap_wh}')::bigint <> 0 AND /* filters */
ORDER BY s.started_at DESC, s.id DESC
LIMIT

-- name: orphan_rows
-- Messages about transactions that nobody knew, newest first, with the frame and what became of the wish to match it.
SELECT o.station_no, t.identity AS station_id, t.site_id, o.connection_epoch AS epoch, o.seq, o.received_at, o.action,
    o.transaction_id, o.evse_id, o.matched_session_id, o.wanted::text AS wanted, o.match_error,
    f.protocol::text AS protocol, f.raw
FROM orphan o
JOIN station t ON t.tenant = o.tenant AND t.station_no = o.station_no
LEFT JOIN LATERAL (
    SELECT x.protocol, x.raw FROM frame x
    WHERE x.tenant = o.tenant AND x.station_no = o.station_no AND x.connection_epoch = o.connection_epoch AND x.seq = o.seq
        AND x.received_at BETWEEN o.received_at - interval '1 day' AND o.received_at + interval '1 day'
    LIMIT 1
) f ON true
WHERE /* filters */
ORDER BY o.received_at DESC, o.station_no, o.connection_epoch, o.seq
LIMIT

-- name: orphan_candidates
-- Sessions to which an orphan could belong: of its station, begun before it, and running, closed softly, or ended not long
-- before it. The likeliest first: of the same token, then of the same EVSE, then the youngest.
SELECT q.n, s.id, s.state, s.evse_id, s.id_token, s.started_at, s.ended_at, s.energy_wh,
    s.body ->> 'ended_by' IS NOT DISTINCT FROM 'soft' AS closed_softly, s.same_token, s.same_evse
FROM unnest($1::integer[], $2::integer[], $3::timestamptz[], $4::text[], $5::integer[]) AS q (n, station_no, at, token, evse_id)
JOIN LATERAL (
    SELECT c.*, coalesce(c.token = q.token, false) AS same_token, coalesce(c.evse_id = q.evse_id, false) AS same_evse
    FROM session c
    WHERE c.station_no = q.station_no AND c.origin = 'station'
        AND c.started_at BETWEEN q.at - $6::interval AND q.at + interval '5 minutes'
        AND (c.state IN ('pending', 'active', 'ended') OR c.body ->> 'ended_by' = 'soft'
            OR (c.token = q.token AND c.ended_at >= q.at - interval '1 day'))
    ORDER BY coalesce(c.token = q.token, false) DESC, coalesce(c.evse_id = q.evse_id, false) DESC, c.started_at DESC, c.id
    LIMIT $7
) s ON true
ORDER BY q.n, s.same_token DESC, s.same_evse DESC, s.started_at DESC, s.id

-- name: orphan_subject
-- An orphan that a person wants to match, and whether an earlier wish still waits for its worker.
SELECT o.station_no, o.matched_session_id, o.wanted::text AS wanted, o.match_error, (
        o.wanted IS NOT NULL AND o.match_error IS NULL AND EXISTS (
            SELECT FROM job j WHERE j.kind = 'match_orphan' AND j.failed_at IS NULL
                AND j.key = concat_ws('/', o.station_no, o.connection_epoch, o.seq))) AS waits
FROM orphan o JOIN station t ON t.tenant = o.tenant AND t.station_no = o.station_no
WHERE t.identity = $1 AND o.connection_epoch = $2 AND o.seq = $3

-- name: orphan_want
-- What a person wants an orphan to be matched to; no row: it was matched, or somebody else wanted something, meanwhile.
UPDATE orphan SET wanted = $4::text::jsonb, match_error = NULL
WHERE station_no = $1 AND connection_epoch = $2 AND seq = $3 AND matched_session_id IS NULL
    AND wanted IS NOT DISTINCT FROM $5::text::jsonb
RETURNING seq

-- name: match_subject
-- In which state this session of a station is, and whether the station has, or may have, this EVSE: one of our records or
-- of its sessions, or any where nothing is recorded yet.
SELECT (SELECT state FROM session WHERE station_no = $1 AND id = $2) AS state,
    EXISTS (SELECT FROM evse WHERE station_no = $1 AND evse_id = $3)
        OR EXISTS (SELECT FROM session WHERE station_no = $1 AND evse_id = $3)
        OR NOT EXISTS (SELECT FROM evse WHERE station_no = $1 AND evse_id > 0) AS has_evse

-- name: token_presented
-- How a person wrote a registered token.
SELECT presented FROM id_token WHERE token = $1

-- name: station_traits
-- What sessions taught of a station, the newest version first.
SELECT x.version, x.learned_at, x.session_id, x.body::text AS body
FROM station_traits x JOIN station t ON t.tenant = x.tenant AND t.station_no = x.station_no
WHERE t.identity = $1 ORDER BY x.version DESC LIMIT $2

-- name: station_model
-- What a station calls itself.
SELECT vendor, model, firmware_version FROM station WHERE identity = $1
