-- name: claim_stations
-- Take stations over for a gateway: a new connection epoch each.
UPDATE station AS st SET
    connection_epoch = connection_epoch + 1,
    owner = $2,
    connected = true,
    connection_changed_at = $3
FROM (
    SELECT station_no FROM station WHERE station_no = ANY($1::integer[]) ORDER BY station_no FOR NO KEY UPDATE
) AS locked, site
WHERE st.station_no = locked.station_no AND site.tenant = st.tenant AND site.id = st.site_id
RETURNING st.station_no, st.tenant, st.identity, st.site_id, site.time_zone, site.country, st.protocol, st.vendor,
    st.model, st.firmware_version, st.booted_at, st.connection_epoch,
    (SELECT x.body::text FROM station_traits AS x WHERE x.tenant = st.tenant AND x.station_no = st.station_no
     ORDER BY x.version DESC LIMIT 1) AS traits;

-- name: outlets_of_stations
-- What the connectors of these stations last said.
SELECT station_no, evse_id, connector_id, status, status_at, error_code, info, told_at
FROM connector WHERE (tenant, station_no) IN (SELECT * FROM unnest($1::integer[], $2::integer[])) AND status IS NOT NULL;

-- name: open_sessions_of
-- The open sessions of these stations; where a later state was published, that one.
SELECT s.station_no, s.body::text AS body, laddbok_live_body(l)::text AS live_body
FROM session AS s
LEFT JOIN session_live AS l ON l.tenant = s.tenant AND l.session_id = s.id
WHERE s.station_no = ANY($1::integer[]) AND s.state IN ('pending', 'active', 'ended');

-- name: frames_after
-- The calls of stations after a place in their evidence, oldest first. Time only prunes partitions; our clock may step back.
SELECT f.received_at, f.tenant, f.station_no, f.connection_epoch, f.seq, f.direction, f.protocol, f.message_id, f.action,
    f.raw, f.answer
FROM unnest($1::integer[], $2::bigint[], $3::integer[], $4::timestamptz[]) AS q (station_no, epoch, seq, since)
JOIN frame AS f ON f.station_no = q.station_no AND (f.connection_epoch, f.seq) > (q.epoch, q.seq)
    AND f.received_at >= (SELECT min(x) FROM unnest($4::timestamptz[]) AS x) - interval '1 day'
WHERE f.direction = 'i'
ORDER BY f.station_no, f.connection_epoch, f.seq;

-- name: look_up
-- What the rules need before they take in events: token, contract, tariff of the start, what is known of the station,
-- where the session before left the register, and a session known already.
-- A token is known by itself, by an alias, or read backwards, in this order. It charges elsewhere in a session that was
-- accepted, runs, awaits no lost stop, and whose station was heard within a day.
SELECT t.token, t.found_as, t.status, t.valid_to, t.single_session, q.asks_to_charge AND t.single_session AND EXISTS (
        SELECT FROM session AS s
        JOIN station AS x ON x.station_no = s.station_no
        LEFT JOIN session_live AS l ON l.tenant = s.tenant AND l.session_id = s.id
            AND coalesce((l.body ->> 'version')::integer, 1) = s.version
        WHERE s.tenant = q.tenant AND s.token = t.token AND s.state IN ('pending', 'active') AND s.started_at <= q.at
            AND (s.station_no <> q.station_no OR s.evse_id <> q.evse_id)
            AND coalesce(x.last_frame_at, s.started_at) >= q.at - interval '24 hours'
            AND s.body ->> 'authorization' = 'Accepted' AND NOT coalesce(l.body, s.body) ? 'due_at'
    ) AS charges_elsewhere,
    c.id AS contract_id, ss.legal_entity_id, e.max_power_w,
    tar.scope, tar.tariff_id, tar.version, tar.waits_for_unplug,
    (SELECT x.body::text FROM station_traits AS x WHERE x.tenant = q.tenant AND x.station_no = q.station_no
     ORDER BY x.version DESC LIMIT 1) AS traits,
    b.id AS before_id, b.register_wh AS before_wh, b.at AS before_at, b.was_stopped AS before_was_stopped,
    coalesce(
        (SELECT s.body::text FROM session AS s WHERE s.station_no = q.station_no AND s.start_key = q.start_key),
        (SELECT s.body::text FROM session AS s
         WHERE s.station_no = q.station_no AND s.transaction_id = q.transaction_id
         ORDER BY s.started_at DESC LIMIT 1)
    ) AS session
FROM jsonb_to_recordset($1::jsonb) AS q (
    n integer, tenant integer, station_no integer, evse_id integer, token text, reversed_token text,
    asks_to_charge boolean, at timestamptz, start_key text, transaction_id text
)
JOIN station AS st ON st.station_no = q.station_no
LEFT JOIN LATERAL (
    SELECT i.token, form.found_as, i.status, i.valid_to, i.single_session
    FROM (
        SELECT 1 AS rank, q.token AS token, '' AS found_as
        UNION ALL SELECT 2, a.token, 'alias' FROM id_token_alias AS a WHERE a.tenant = q.tenant AND a.alias = q.token
        UNION ALL SELECT 3, q.reversed_token, 'reversed'
    ) AS form
    JOIN id_token AS i ON i.tenant = q.tenant AND i.token = form.token
    ORDER BY form.rank LIMIT 1
) AS t ON true
LEFT JOIN LATERAL (
    SELECT x.tenant, x.contract_id FROM id_token_contract AS x
    WHERE x.tenant = q.tenant AND x.token = t.token AND x.valid_from <= q.at AND (x.valid_to IS NULL OR q.at < x.valid_to)
    ORDER BY x.valid_from DESC LIMIT 1
) AS l ON true
LEFT JOIN contract AS c ON c.tenant = l.tenant AND c.id = l.contract_id
    AND c.valid_from <= q.at AND (c.valid_to IS NULL OR q.at < c.valid_to)
LEFT JOIN LATERAL (
    SELECT legal_entity_id FROM site_seller AS x
    WHERE x.tenant = q.tenant AND x.site_id = st.site_id AND x.valid_from <= q.at AND (x.valid_to IS NULL OR q.at < x.valid_to)
    ORDER BY x.valid_from DESC LIMIT 1
) AS ss ON true
LEFT JOIN evse AS e ON e.tenant = q.tenant AND e.station_no = q.station_no AND e.evse_id = q.evse_id
LEFT JOIN LATERAL (
    SELECT s.id, (coalesce(v.body, s.body) #>> '{meter,mark_wh}')::bigint AS register_wh,
        (coalesce(v.body, s.body) #>> '{meter,mark_at}')::timestamptz AS at,
        coalesce(coalesce(v.body, s.body) ->> 'ended_by' = 'stop', false)
            AND coalesce(v.body, s.body) #> '{meter,doubt}' IS NULL AS was_stopped
    FROM session AS s
    LEFT JOIN session_live AS v ON v.tenant = s.tenant AND v.session_id = s.id
        AND s.state IN ('pending', 'active', 'ended') AND coalesce((v.body ->> 'version')::integer, 1) = s.version
    WHERE s.station_no = q.station_no AND s.evse_id = q.evse_id AND s.started_at < q.at
        AND s.transaction_id IS DISTINCT FROM q.transaction_id
        AND coalesce(v.body, s.body) #>> '{meter,mark_wh}' IS NOT NULL
    ORDER BY s.started_at DESC, s.id DESC LIMIT 1
) AS b ON q.start_key IS NOT NULL OR q.transaction_id IS NOT NULL
LEFT JOIN LATERAL (
    SELECT newest.scope, newest.tariff_id, newest.version, newest.waits_for_unplug
    FROM (
        SELECT DISTINCT ON (a.scope) a.scope, a.tariff_id, v.version, v.valid_to,
            coalesce(v.document #>> '{laddbok,idle,until}' = 'unplug', false) AS waits_for_unplug
        FROM tariff_assignment AS a
        JOIN LATERAL (
            SELECT version, valid_to, document FROM tariff_version AS v
            WHERE v.tenant = a.tenant AND v.tariff_id = a.tariff_id AND v.valid_from <= q.at
            ORDER BY v.valid_from DESC, v.version DESC LIMIT 1
        ) AS v ON true
        WHERE a.tenant = q.tenant AND a.valid_from <= q.at
            AND (a.scope, a.scope_id) IN (('contract', c.id), ('station', st.identity), ('site', st.site_id), ('default', ''))
        ORDER BY a.scope, a.valid_from DESC
    ) AS newest
    WHERE newest.valid_to IS NULL OR q.at < newest.valid_to
    ORDER BY array_position(ARRAY['contract', 'station', 'site', 'default'], newest.scope) LIMIT 1
) AS tar ON true
ORDER BY q.n;

-- name: frames_stored
-- Which of these places in the evidence are filled.
SELECT f.station_no, f.connection_epoch, f.seq
FROM unnest($1::integer[], $2::bigint[], $3::integer[]) AS q (station_no, epoch, seq)
JOIN frame AS f ON f.station_no = q.station_no AND f.connection_epoch = q.epoch AND f.seq = q.seq;

-- name: transaction_block
-- A hundred transaction ids that nobody had before.
SELECT nextval('transaction_number')::integer;

-- name: insert_sessions
-- New sessions; one that exists already is left out of the answer.
INSERT INTO session (tenant, id, origin, station_no, station, site_id, evse_id, connector_id, transaction_id, id_token,
    token, contract_id, state, version, revision, start_key, started_at, ended_at, energy_wh, review_reasons, due_at, body)
SELECT tenant, id, 'station', station_no, station, site_id, evse_id, connector_id, transaction_id, id_token, token,
    contract_id, state, version, revision, start_key, started_at, ended_at, energy_wh, review_reasons, due_at, body
FROM jsonb_to_recordset($1::jsonb) AS r (
    tenant integer, id text, station_no integer, station text, site_id text, evse_id integer, connector_id integer,
    transaction_id text, id_token text, token text, contract_id text, state text, version integer, revision integer,
    start_key text, started_at timestamptz, ended_at timestamptz, energy_wh bigint, review_reasons text[],
    due_at timestamptz, body jsonb
)
ON CONFLICT DO NOTHING
RETURNING id;

-- name: open_ranges
-- A new session's stretch of evidence begins at its first frame.
INSERT INTO session_range (tenant, session_id, number, station_no, from_epoch, from_seq, from_at)
SELECT tenant, id, 1, station_no, epoch, seq, at
FROM jsonb_to_recordset($1::jsonb) AS r (tenant integer, id text, station_no integer, epoch bigint, seq integer, at timestamptz);

-- name: update_sessions
-- Sessions in their new state, each only if nobody moved it meanwhile.
UPDATE session AS s SET
    id_token = r.id_token, token = r.token, contract_id = r.contract_id, state = r.state, version = r.version + 1,
    revision = r.revision, started_at = r.started_at, ended_at = r.ended_at, energy_wh = r.energy_wh,
    review_reasons = r.review_reasons, due_at = r.due_at, body = jsonb_set(r.body, '{version}', to_jsonb(r.version + 1))
FROM jsonb_to_recordset($1::jsonb) AS r (
    tenant integer, id text, id_token text, token text, contract_id text, state text, version integer, revision integer,
    started_at timestamptz, ended_at timestamptz, energy_wh bigint, review_reasons text[], due_at timestamptz, body jsonb
)
WHERE s.tenant = r.tenant AND s.id = r.id AND s.version = r.version
RETURNING s.id;

-- name: add_ranges
-- Single frames that bear on sessions besides their stretch of evidence.
INSERT INTO session_range (tenant, session_id, number, station_no, from_epoch, from_seq, to_epoch, to_seq, from_at, to_at)
SELECT r.tenant, r.id, (SELECT max(number) + 1 FROM session_range AS x WHERE x.tenant = r.tenant AND x.session_id = r.id),
    r.station_no, r.epoch, r.seq, r.epoch, r.seq, r.at, r.at
FROM jsonb_to_recordset($1::jsonb) AS r (
    tenant integer, id text, station_no integer, epoch bigint, seq integer, at timestamptz
);

-- name: close_ranges
-- The stretch of evidence of settled sessions ends here, once: what bears on them later is attributed frame by frame.
UPDATE session_range AS x SET to_epoch = r.epoch, to_seq = r.seq, to_at = r.at
FROM jsonb_to_recordset($1::jsonb) AS r (tenant integer, id text, epoch bigint, seq integer, at timestamptz)
WHERE x.tenant = r.tenant AND x.session_id = r.id AND x.number = 1 AND x.to_epoch IS NULL;

-- name: drop_live
-- Settled sessions are read from their own row.
DELETE FROM session_live AS l USING jsonb_to_recordset($1::jsonb) AS r (tenant integer, id text)
WHERE l.tenant = r.tenant AND l.session_id = r.id;

-- name: add_decisions
-- Append what sessions depend on, numbered within each session.
INSERT INTO decision (tenant, session_id, number, at, kind, decided_by, body)
SELECT r.tenant, r.session_id,
    coalesce((SELECT max(number) FROM decision AS d WHERE d.tenant = r.tenant AND d.session_id = r.session_id), 0)
        + row_number() OVER (PARTITION BY r.tenant, r.session_id ORDER BY r.n),
    r.at, r.kind, r.decided_by, r.body
FROM jsonb_to_recordset($1::jsonb) AS r (
    n integer, tenant integer, session_id text, at timestamptz, kind text, decided_by text, body jsonb
);

-- name: see_evses
-- EVSEs that a station speaks of exist.
INSERT INTO evse (tenant, station_no, evse_id)
SELECT DISTINCT tenant, station_no, evse_id FROM jsonb_to_recordset($1::jsonb) AS r (tenant integer, station_no integer, evse_id integer)
ON CONFLICT DO NOTHING;

-- name: see_outlets
-- The last word of connectors.
INSERT INTO connector (tenant, station_no, evse_id, connector_id, status, status_at, error_code, info, told_at)
SELECT tenant, station_no, evse_id, connector_id, status, status_at, error_code, info, told_at
FROM jsonb_to_recordset($1::jsonb) AS r (
    tenant integer, station_no integer, evse_id integer, connector_id integer, status text, status_at timestamptz,
    error_code text, info text, told_at timestamptz
)
ON CONFLICT (tenant, station_no, evse_id, connector_id) DO UPDATE SET status = excluded.status,
    status_at = excluded.status_at, error_code = excluded.error_code, info = excluded.info, told_at = excluded.told_at;

-- name: see_boots
-- What stations said of themselves when they started.
UPDATE station AS st SET protocol = r.protocol, vendor = r.vendor, model = r.model, serial_number = r.serial_number,
    firmware_version = r.firmware_version, booted_at = r.at, last_frame_at = r.at
FROM (
    SELECT r.* FROM station JOIN jsonb_to_recordset($1::jsonb) AS r (
        station_no integer, at timestamptz, protocol text, vendor text, model text, serial_number text,
        firmware_version text
    ) ON r.station_no = station.station_no
    ORDER BY r.station_no FOR NO KEY UPDATE OF station
) AS r
WHERE st.station_no = r.station_no;

-- name: add_orphans
-- Frames about transactions that nobody knows.
INSERT INTO orphan (tenant, station_no, connection_epoch, seq, received_at, action, transaction_id, evse_id)
SELECT tenant, station_no, connection_epoch, seq, received_at, action, transaction_id, evse_id
FROM jsonb_to_recordset($1::jsonb) AS r (
    tenant integer, station_no integer, connection_epoch bigint, seq integer, received_at timestamptz, action text,
    transaction_id text, evse_id integer
)
ON CONFLICT DO NOTHING;

-- name: match_orphans
-- Orphans that a person matched, or why that can't be.
UPDATE orphan AS o SET matched_session_id = r.session_id, match_error = r.error
FROM jsonb_to_recordset($1::jsonb) AS r (
    tenant integer, station_no integer, connection_epoch bigint, seq integer, session_id text, error text
)
WHERE o.tenant = r.tenant AND o.station_no = r.station_no AND o.connection_epoch = r.connection_epoch AND o.seq = r.seq
    AND o.matched_session_id IS NULL;

-- name: orphan_wanted
-- An orphan whole: its frame, its station as it is known, and what a person wants it to be matched to.
SELECT o.wanted::text AS wanted, o.matched_session_id, f.received_at, f.tenant, f.station_no, f.connection_epoch, f.seq,
    f.direction, f.protocol, f.message_id, f.action, f.raw, f.answer,
    st.identity, st.site_id, site.time_zone, site.country, st.protocol AS speaks, st.vendor, st.model, st.firmware_version,
    st.booted_at,
    (SELECT x.body::text FROM station_traits AS x WHERE x.tenant = st.tenant AND x.station_no = st.station_no
     ORDER BY x.version DESC LIMIT 1) AS traits
FROM orphan AS o
JOIN frame AS f ON f.station_no = o.station_no AND f.connection_epoch = o.connection_epoch AND f.seq = o.seq
    AND f.received_at >= o.received_at - interval '1 day' AND f.received_at <= o.received_at + interval '1 day'
JOIN station AS st ON st.station_no = o.station_no
JOIN site ON site.tenant = st.tenant AND site.id = st.site_id
WHERE o.station_no = $1 AND o.connection_epoch = $2 AND o.seq = $3;

-- name: learn_traits
-- What sessions taught of their stations: a new version, or what is under watch in the present one, unless somebody
-- learned something newer meanwhile.
INSERT INTO station_traits (tenant, station_no, version, learned_at, session_id, body)
SELECT r.tenant, r.station_no, r.version, r.at, r.session_id, r.body
FROM jsonb_to_recordset($1::jsonb) AS r (
    tenant integer, station_no integer, version integer, known_version integer, at timestamptz, session_id text, body jsonb
)
WHERE r.known_version = coalesce(
    (SELECT max(x.version) FROM station_traits AS x WHERE x.tenant = r.tenant AND x.station_no = r.station_no), 0)
ON CONFLICT (tenant, station_no, version) DO UPDATE SET body = excluded.body
WHERE station_traits.body - 'watched' = excluded.body - 'watched';

-- name: keep_curves
-- The packed curves of finished sessions; packed again, the later one counts.
INSERT INTO session_curve (tenant, session_id, packed_at, body)
SELECT r.tenant, r.session_id, r.at, decode(r.body, 'base64')
FROM jsonb_to_recordset($1::jsonb) AS r (tenant integer, session_id text, at timestamptz, body text)
ON CONFLICT (tenant, session_id) DO UPDATE SET packed_at = excluded.packed_at, body = excluded.body;

-- name: add_jobs
-- Work for later; the same work is queued once, at the earlier time.
INSERT INTO job (tenant, kind, key, due_at)
SELECT tenant, kind, key, min(due_at)
FROM jsonb_to_recordset($1::jsonb) AS r (tenant integer, kind text, key text, due_at timestamptz)
GROUP BY tenant, kind, key
ON CONFLICT (kind, key) DO UPDATE SET
    requests = job.requests + 1, failed_at = NULL,
    attempts = CASE WHEN job.failed_at IS NULL THEN job.attempts ELSE 0 END,
    due_at = CASE WHEN job.leased_until IS NULL THEN least(job.due_at, excluded.due_at) ELSE excluded.due_at END;

-- name: queue_commands
-- Commands that the platform sends by itself.
INSERT INTO command (tenant, id, station_no, action, payload, status, requested_by, requested_at)
SELECT tenant, command_id, station_no, action, payload, 'queued', 'laddbok', at
FROM jsonb_to_recordset($1::jsonb) AS r (
    tenant integer, command_id uuid, station_no integer, action text, payload jsonb, at timestamptz
)
ON CONFLICT DO NOTHING;

-- name: move_commands
-- Commands that went out or ended, each that was not ended before; whoever waits for them is told. Only what is queued
-- goes out. One of our own that did not go out after all is queued again, for the station's next connection.
WITH moved AS (
    UPDATE command AS c SET status = r.status, answer = coalesce(r.answer, c.answer),
        sent_at = CASE r.status WHEN 'sent' THEN r.at WHEN 'queued' THEN NULL ELSE c.sent_at END,
        ended_at = CASE WHEN r.status NOT IN ('sent', 'queued') THEN r.at END
    FROM (
        SELECT c.id, r.at, r.answer,
            CASE WHEN r.status = 'not_connected' AND c.requested_by = 'laddbok' THEN 'queued' ELSE r.status END AS status
        FROM command AS c JOIN jsonb_to_recordset($1::jsonb) AS r (
                command_id uuid, status text, at timestamptz, answer jsonb, from_queue boolean
            )
            ON c.id = r.command_id
        WHERE c.ended_at IS NULL AND (c.status = 'queued' OR NOT (r.status = 'sent' OR coalesce(r.from_queue, false)))
        ORDER BY c.id FOR UPDATE OF c
    ) AS r
    WHERE c.id = r.id
    RETURNING c.id, c.status
)
SELECT id::text AS id, (SELECT pg_notify('laddbok_command_done', id::text) WHERE status NOT IN ('sent', 'queued')) FROM moved;

-- name: issue_cdrs
-- CDRs with their prices; from here on they never change.
INSERT INTO cdr (tenant, session_id, revision, kind, issued_at, energy_wh, currency, excl_vat, incl_vat, tariff_id,
    tariff_version, document, rating)
SELECT tenant, session_id, revision, kind, issued_at, energy_wh, currency, excl_vat, incl_vat, tariff_id,
    tariff_version, document, rating
FROM jsonb_to_recordset($1::jsonb) AS r (
    tenant integer, session_id text, revision integer, kind text, issued_at timestamptz, energy_wh bigint, currency text,
    excl_vat numeric, incl_vat numeric, tariff_id text, tariff_version integer, document jsonb, rating jsonb
);

-- name: issue_lines
-- The rated lines of CDRs.
INSERT INTO rated_line (tenant, session_id, revision, kind, number, dimension, quantity, unit, unit_price, excl_vat,
    vat_rate, incl_vat)
SELECT tenant, session_id, revision, kind, number, dimension, quantity, unit, unit_price, excl_vat, vat_rate, incl_vat
FROM jsonb_to_recordset($1::jsonb) AS r (
    tenant integer, session_id text, revision integer, kind text, number integer, dimension text, quantity numeric,
    unit text, unit_price numeric, excl_vat numeric, vat_rate numeric, incl_vat numeric
);

-- name: publish_live
-- What the owner believes of live sessions, for readers and a quick restart. Settled ones are read from their own row.
-- A session whose earlier charging periods are not here is left out and named, so that it is published whole.
WITH given AS MATERIALIZED (
    SELECT r.*, r.first <= coalesce(l.closed_periods, 0) AS follows
    FROM jsonb_to_recordset($1::jsonb) AS r (
        tenant integer, id text, station_no integer, epoch bigint, seq integer, at timestamptz, closed integer,
        first integer, periods jsonb, body jsonb
    )
    JOIN session AS s ON s.tenant = r.tenant AND s.id = r.id AND s.state IN ('pending', 'active', 'ended')
    LEFT JOIN session_live AS l ON l.tenant = r.tenant AND l.session_id = r.id
), published AS (
    INSERT INTO session_live (tenant, session_id, station_no, through_epoch, through_seq, as_of, closed_periods, body)
    SELECT tenant, id, station_no, epoch, seq, at, closed, body FROM given WHERE follows ORDER BY tenant, id
    ON CONFLICT (tenant, session_id) DO UPDATE SET through_epoch = excluded.through_epoch,
        through_seq = excluded.through_seq, as_of = excluded.as_of, closed_periods = excluded.closed_periods,
        body = excluded.body
), periods AS (
    INSERT INTO live_period (tenant, session_id, number, body)
    SELECT g.tenant, g.id, g.first + p.n - 1, p.body
    FROM given AS g, jsonb_array_elements(g.periods) WITH ORDINALITY AS p (body, n)
    WHERE g.follows ORDER BY g.tenant, g.id, p.n
    ON CONFLICT (tenant, session_id, number) DO UPDATE SET body = excluded.body WHERE live_period.body <> excluded.body
)
SELECT id FROM given WHERE NOT follows;

-- name: forget_live
-- What was published of sessions that were settled in the same moment.
DELETE FROM session_live AS l WHERE NOT EXISTS (
    SELECT FROM session AS s
    WHERE s.tenant = l.tenant AND s.id = l.session_id AND s.state IN ('pending', 'active', 'ended')
);

-- name: evidence_session
-- One session as stored, and what is known of its station by now.
SELECT s.body::text AS body, s.state, s.version,
    (SELECT x.body::text FROM station_traits AS x WHERE x.tenant = s.tenant AND x.station_no = s.station_no
     ORDER BY x.version DESC LIMIT 1) AS traits
FROM session AS s
WHERE s.tenant = $1 AND s.id = $2 AND s.origin = 'station';

-- name: evidence_tariffs
-- The documents of the tariff versions that a session's evidence names.
SELECT v.tariff_id, v.version, v.document::text AS document
FROM (SELECT DISTINCT * FROM unnest($2::text[], $3::integer[]) AS q (tariff_id, version)) AS q
JOIN tariff_version AS v ON v.tenant = $1 AND v.tariff_id = q.tariff_id AND v.version = q.version;

-- name: evidence_frames
-- All frames that bear on a session, in order. Time only prunes partitions; our clock may step back.
SELECT DISTINCT ON (f.connection_epoch, f.seq) f.received_at, f.tenant, f.station_no, f.connection_epoch, f.seq, f.direction, f.protocol, f.message_id, f.action,
    f.raw, f.answer
FROM session_range AS x
JOIN frame AS f ON f.station_no = x.station_no AND (f.connection_epoch, f.seq) >= (x.from_epoch, x.from_seq)
    AND (x.to_epoch IS NULL OR (f.connection_epoch, f.seq) <= (x.to_epoch, x.to_seq))
    AND f.received_at >= x.from_at - interval '1 day'
    AND f.received_at <= coalesce(x.to_at + interval '1 day', 'infinity')
WHERE x.tenant = $1 AND x.session_id = $2
ORDER BY f.connection_epoch, f.seq;

-- name: evidence_cdr
-- The CDR of a session's revision, as it was issued.
SELECT issued_at, document::text AS document, rating::text AS rating FROM cdr
WHERE tenant = $1 AND session_id = $2 AND revision = $3 AND kind = 'cdr';

-- name: evidence_decisions
-- Everything else that a session depends on, in order.
SELECT at, kind, decided_by, body::text AS body FROM decision WHERE tenant = $1 AND session_id = $2 ORDER BY number;

-- name: take_jobs
-- Due jobs for one worker, each leased so that no other takes it. They are chosen once: as a subquery the choice may be
-- made anew for each row, and more would be taken than asked for.
WITH due AS MATERIALIZED (
    SELECT id FROM job
    WHERE due_at <= $2 AND failed_at IS NULL AND (leased_until IS NULL OR leased_until <= $2)
    ORDER BY due_at LIMIT $4 FOR UPDATE SKIP LOCKED
)
UPDATE job SET attempts = attempts + 1, leased_by = $1, leased_until = $3
FROM due WHERE job.id = due.id
RETURNING job.id, tenant, kind, key, due_at, attempts, requests;

-- name: finish_job
-- The job is done, unless it was queued again while it ran.
DELETE FROM job WHERE id = $1 AND requests = $2 RETURNING id;

-- name: release_job
-- The lease ends; the job comes again, at this time (NULL: now), or earlier if it was queued for earlier meanwhile.
UPDATE job SET leased_until = NULL, leased_by = NULL, attempts = 0,
    due_at = CASE WHEN requests = $3 THEN coalesce($2, due_at) ELSE least($2, due_at) END
WHERE id = $1;

-- name: fail_job
-- The job failed: it comes again later, or is given up and waits for a person, unless it was queued again meanwhile.
UPDATE job SET leased_until = NULL, leased_by = NULL, last_error = $2,
    attempts = CASE WHEN requests = $5 THEN attempts ELSE 0 END,
    due_at = CASE WHEN requests = $5 THEN $3 ELSE least($3, due_at) END,
    failed_at = CASE WHEN requests = $5 THEN $4::timestamptz END
WHERE id = $1;

-- name: frame_days
-- Partitions of evidence for the days to come.
SELECT laddbok_frame_partition(day::date) FROM generate_series($1::date, $1::date + $2::integer, interval '1 day') AS day;

-- name: import_sessions
-- Sessions from another system's history; one that is here already is left out of the answer.
INSERT INTO session (tenant, id, origin, station, connector_id, id_token, token, state, version, started_at, ended_at,
    energy_wh, import_identity, body)
SELECT $1, id, 'import', station, connector_id, id_token, token, 'settled', 1, started_at, ended_at, energy_wh, identity, body
FROM jsonb_to_recordset($2::jsonb) AS r (
    id text, station text, connector_id integer, id_token text, token text, started_at timestamptz, ended_at timestamptz,
    energy_wh bigint, identity text, body jsonb
)
ON CONFLICT DO NOTHING
RETURNING import_identity;
