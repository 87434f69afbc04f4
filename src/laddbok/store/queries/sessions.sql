-- name: session_rows
-- Sessions as people see them: the newer of what is stored and what is live, with the price of the issued CDR.
SELECT s.id, s.version, s.station AS station_id, s.evse_id, s.connector_id, s.transaction_id, s.id_token, s.token, s.state,
    s.started_at, s.ended_at, s.energy_wh, s.contract_id, s.site_id, s.origin, s.revision, s.review_reasons,
    CASE WHEN s.state IN ('settled', 'void') THEN s.body #- '{meter,closed_periods}' ELSE coalesce(laddbok_live_body(l), s.body) END AS body,
    coalesce(l.as_of, s.ended_at) AS as_of, CASE WHEN t.connected THEN NULL ELSE t.last_frame_at END AS silent_since,
    c.currency, c.excl_vat, c.incl_vat, c.issued_at, c.tariff_id, c.tariff_version
FROM session s
LEFT JOIN station t ON t.tenant = s.tenant AND t.station_no = s.station_no
LEFT JOIN session_live l ON l.tenant = s.tenant AND l.session_id = s.id
    AND s.state IN ('pending', 'active', 'ended') AND coalesce((l.body ->> 'version')::integer, 1) >= s.version
LEFT JOIN LATERAL (
    SELECT * FROM cdr i
    WHERE i.tenant = s.tenant AND i.session_id = s.id AND i.kind = 'cdr' AND i.revision = s.revision
        AND NOT EXISTS (
            SELECT FROM cdr n
            WHERE n.tenant = i.tenant AND n.session_id = i.session_id AND n.revision = i.revision AND n.kind = 'credit')
) c ON true
WHERE /* filters */
ORDER BY s.started_at /* order */, s.id /* order */
LIMIT

-- name: session_exists
-- Whether there is a session of this id.
SELECT EXISTS (SELECT FROM session WHERE id = $1)

-- name: session_body
-- All that is known of one session, the newer of stored and live.
SELECT s.state, s.origin, s.revision, s.started_at, s.ended_at, s.energy_wh, s.station_no, coalesce(laddbok_live_body(l), s.body) AS body,
    CASE WHEN t.connected THEN NULL ELSE t.last_frame_at END AS silent_since
FROM session s
LEFT JOIN station t ON t.tenant = s.tenant AND t.station_no = s.station_no
LEFT JOIN session_live l ON l.tenant = s.tenant AND l.session_id = s.id
    AND s.state IN ('pending', 'active', 'ended') AND coalesce((l.body ->> 'version')::integer, 1) >= s.version
WHERE s.id = $1

-- name: session_cdr
-- The issued CDR of a session's present revision, unless it was credited.
SELECT c.session_id, c.revision, c.kind, c.issued_at, c.energy_wh, c.currency, c.excl_vat, c.incl_vat, c.tariff_id,
    c.tariff_version, c.document, c.rating
FROM session s JOIN cdr c ON c.tenant = s.tenant AND c.session_id = s.id AND c.revision = s.revision AND c.kind = 'cdr'
WHERE s.id = $1 AND NOT EXISTS (
    SELECT FROM cdr n
    WHERE n.tenant = c.tenant AND n.session_id = c.session_id AND n.revision = c.revision AND n.kind = 'credit')

-- name: session_wire
-- Where a command about a session must go.
SELECT s.id, s.state, s.station AS station_id, s.evse_id, s.connector_id, s.transaction_id, t.protocol,
    coalesce(s.body ->> 'protocol', t.protocol) AS session_protocol
FROM session s JOIN station t ON t.tenant = s.tenant AND t.station_no = s.station_no
WHERE s.id = $1

-- name: session_timeline
-- What happened in a session, in the order in which we learned it: frames of its stretches, decisions, commands.
SELECT * FROM (
    SELECT f.received_at, 0 AS rank, f.connection_epoch AS epoch, f.seq::bigint AS seq, 'frame' AS kind,
        f.direction::text AS direction, f.protocol::text AS protocol, f.action, f.raw, f.answer,
        NULL::text AS body, NULL::text AS by_whom
    FROM session_range r JOIN frame f ON f.station_no = r.station_no
        AND (f.connection_epoch, f.seq) >= (r.from_epoch, r.from_seq)
        AND (r.to_epoch IS NULL OR (f.connection_epoch, f.seq) <= (r.to_epoch, r.to_seq))
        AND f.received_at >= r.from_at - interval '1 day'
        AND f.received_at <= coalesce(r.to_at + interval '1 day', 'infinity')
    WHERE r.session_id = $1
    UNION ALL
    SELECT d.at, 1, 0, d.number, 'decision', NULL, NULL, d.kind, NULL, NULL, d.body::text, d.decided_by
    FROM decision d WHERE d.session_id = $1
    UNION ALL
    SELECT c.requested_at, 2, 0, 0, 'command', NULL, NULL, c.action, NULL, NULL,
        jsonb_build_object('id', c.id, 'status', c.status, 'payload', c.payload, 'answer', c.answer)::text, c.requested_by
    FROM command c WHERE c.session_id = $1
) AS happened
WHERE (received_at, rank, epoch, seq) > ($2, $3::bigint, $4::bigint, $5::bigint)
ORDER BY received_at, rank, epoch, seq
LIMIT $6

-- name: session_curve
-- The packed curve of a session that is not open.
SELECT c.body FROM session s JOIN session_curve c ON c.tenant = s.tenant AND c.session_id = s.id
WHERE s.id = $1 AND s.state NOT IN ('pending', 'active', 'ended')

-- name: session_frames
-- A stretch of the station's calls in a session, for its curves.
SELECT f.received_at, f.connection_epoch AS epoch, f.seq, f.protocol::text AS protocol, f.raw
FROM session_range r JOIN frame f ON f.station_no = r.station_no
    AND (f.connection_epoch, f.seq) >= (r.from_epoch, r.from_seq)
    AND (r.to_epoch IS NULL OR (f.connection_epoch, f.seq) <= (r.to_epoch, r.to_seq))
    AND f.received_at >= r.from_at - interval '1 day'
    AND f.received_at <= coalesce(r.to_at + interval '1 day', 'infinity')
WHERE r.session_id = $1 AND f.direction = 'i'
    AND f.action IN ('StartTransaction', 'MeterValues', 'StopTransaction', 'TransactionEvent')
    AND (f.connection_epoch, f.seq) > ($2, $3)
ORDER BY f.connection_epoch, f.seq
LIMIT $4

-- name: session_signed_frames
-- The frames of a session's stretch in which something is signed.
SELECT f.received_at, f.tenant, f.station_no, f.connection_epoch, f.seq, f.direction, f.protocol, f.message_id, f.action,
    f.raw, f.answer
FROM session_range r JOIN frame f ON f.station_no = r.station_no
    AND (f.connection_epoch, f.seq) >= (r.from_epoch, r.from_seq)
    AND (r.to_epoch IS NULL OR (f.connection_epoch, f.seq) <= (r.to_epoch, r.to_seq))
    AND f.received_at >= r.from_at - interval '1 day'
    AND f.received_at <= coalesce(r.to_at + interval '1 day', 'infinity')
WHERE r.session_id = $1 AND f.direction = 'i'
    AND f.action IN ('StartTransaction', 'MeterValues', 'StopTransaction', 'TransactionEvent')
    AND (position(convert_to('SignedData', 'UTF8') IN f.raw) > 0 OR position(convert_to('signedMeterValue', 'UTF8') IN f.raw) > 0)
ORDER BY f.connection_epoch, f.seq
LIMIT $2;

-- name: open_sessions
-- Sessions that are not finished, or wait for a person, for watching them.
SELECT id, version FROM session WHERE state IN ('pending', 'active', 'ended', 'review') ORDER BY started_at DESC LIMIT $1

-- name: live_since
-- Sessions of which the owner said something since then.
SELECT session_id, through_epoch, through_seq, as_of FROM session_live WHERE as_of > $1 ORDER BY as_of DESC LIMIT $2

-- name: session_versions
-- How far these sessions are.
SELECT id, version, state FROM session WHERE id = ANY($1)

-- name: cdr_rows
-- Issued CDRs and credits, newest first.
SELECT session_id, revision, kind, issued_at, energy_wh, currency, excl_vat, incl_vat, tariff_id, tariff_version
FROM cdr WHERE /* filters */
ORDER BY issued_at DESC, session_id DESC, revision DESC, kind DESC
LIMIT

-- name: cdrs_of_session
-- Every CDR and credit of one session with its documents and the root of its proof, oldest first.
SELECT c.session_id, c.revision, c.kind, c.issued_at, c.energy_wh, c.currency, c.excl_vat, c.incl_vat, c.tariff_id,
    c.tariff_version, c.document, c.rating, encode(p.root, 'hex') AS root
FROM cdr AS c
LEFT JOIN proof AS p ON p.tenant = c.tenant AND p.session_id = c.session_id AND p.revision = c.revision AND c.kind = 'cdr'
WHERE c.session_id = $1 ORDER BY c.revision, c.kind

-- name: tariff_document
-- One version of a tariff; it never changes.
SELECT document::text FROM tariff_version WHERE tariff_id = $1 AND version = $2

-- name: session_subject
-- How a session is named on its station's wire, and what it knows of its meter.
SELECT s.id, s.transaction_id, s.evse_id, s.id_token, s.started_at, s.body #- '{meter,closed_periods}' AS body
FROM session s WHERE s.id = $1

-- name: last_heard
-- When a station of the asker's tenant was last heard: a running session may be newer than what its station knows of it.
SELECT greatest((SELECT max(last_frame_at) FROM station), (SELECT max(as_of) FROM session_live));

-- name: session_payers
-- Who pays which part of a session, and on which document it stands; a CDR that was shared out is there by its parts.
SELECT p.revision, p.kind, p.part, p.share #>> '{name,sv}' AS what_sv, p.share #>> '{name,en}' AS what_en, y.id AS payer_id,
    y.name AS payer_name, p.currency, p.excl_vat, p.incl_vat,
    CASE WHEN w.is_shared THEN 'to_be_shared' ELSE coalesce(p.outcome, 'open') END AS outcome,
    i.id AS document_id, i.number_text AS document
FROM billing_position AS p
LEFT JOIN invoice AS i ON i.tenant = p.tenant AND i.id = p.invoice_id
CROSS JOIN LATERAL (
    SELECT p.outcome IS NULL AND p.part = 0 AND p.kind = 'cdr' AND (
        SELECT a.document IS NOT NULL FROM payers_agreement AS a
        WHERE a.tenant = p.tenant AND a.contract_id = p.contract_id AND a.valid_from <= p.started_at
        ORDER BY a.valid_from DESC LIMIT 1) AS is_shared
) AS w
LEFT JOIN LATERAL (
    SELECT q.payer_id FROM contract_payer AS q
    WHERE q.tenant = p.tenant AND q.contract_id = p.contract_id AND q.valid_from <= p.started_at
        AND (q.valid_to IS NULL OR q.valid_to > p.started_at)
    ORDER BY q.valid_from DESC LIMIT 1
) AS l ON NOT coalesce(w.is_shared, false)
LEFT JOIN payer AS y ON y.tenant = p.tenant AND y.id = coalesce(i.payer_id, p.payer_id, l.payer_id)
WHERE p.session_id = $1 AND p.outcome IS DISTINCT FROM 'shared'
ORDER BY p.revision, p.kind, p.part LIMIT 1000;
