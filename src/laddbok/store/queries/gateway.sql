-- name: stations_by_identity
-- What decides whether these stations may come in.
SELECT identity, station_no, tenant, password_hash FROM station WHERE identity = ANY($1::text[]);

-- name: station_passwords
-- What these stations must present from now on.
SELECT station_no, password_hash FROM station WHERE station_no = ANY($1::integer[]);

-- name: lobby_seen
-- An unknown station knocked. What the first knock presented stays, and is given back; no row: there is no room for it.
INSERT INTO lobby (identity, first_seen_at, last_seen_at, address, network, protocol, password_hash)
SELECT $1::text, $2::timestamptz, $2::timestamptz, $3::text, $4::text, '', $5::bytea
WHERE EXISTS (SELECT 1 FROM lobby WHERE identity = $1)
   OR ((SELECT count(*) FROM lobby) < $6::bigint AND (SELECT count(*) FROM lobby WHERE network = $4) < $7::bigint)
ON CONFLICT (identity) DO UPDATE SET last_seen_at = excluded.last_seen_at, attempts = lobby.attempts + 1,
    other_address = CASE WHEN lobby.network = excluded.network THEN lobby.other_address ELSE excluded.address END
RETURNING password_hash;

-- name: lobby_other_password
-- Somebody presented another password than the first under this identity.
UPDATE lobby SET other_password = true WHERE identity = $1;

-- name: lobby_booted
-- Stations in the lobby said what they are; no row: it is not in the lobby any more.
UPDATE lobby AS l SET protocol = q.protocol, vendor = q.vendor, model = q.model, last_seen_at = $5
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS q (identity, protocol, vendor, model)
WHERE l.identity = q.identity RETURNING l.identity;

-- name: lobby_forget
-- Stations that have not knocked since this instant leave the lobby.
DELETE FROM lobby WHERE last_seen_at < $1;

-- name: admit_unknown
-- A lab admits every station that knocks, to the first tenant's first site.
INSERT INTO station (tenant, identity, site_id, password_hash, admitted_at)
SELECT tenant, $1, id, $2, $3 FROM site ORDER BY tenant, id LIMIT 1
ON CONFLICT (identity) DO NOTHING;

-- name: stations_speak
-- What these stations speak from now on.
UPDATE station AS st SET protocol = q.protocol
FROM (
    SELECT q.* FROM station JOIN unnest($1::integer[], $2::text[]) AS q (station_no, protocol)
        ON q.station_no = station.station_no AND q.protocol IS DISTINCT FROM station.protocol
    ORDER BY q.station_no FOR NO KEY UPDATE OF station
) AS q
WHERE st.station_no = q.station_no;

-- name: stations_gone
-- These stations are no longer connected, unless a newer connection has them.
UPDATE station AS st SET connected = false, connection_changed_at = $3, last_frame_at = q.last_frame_at
FROM (
    SELECT q.* FROM station JOIN unnest($1::integer[], $2::bigint[], $4::timestamptz[]) AS q (station_no, epoch, last_frame_at)
        ON q.station_no = station.station_no
    ORDER BY q.station_no FOR NO KEY UPDATE OF station
) AS q
WHERE st.station_no = q.station_no AND st.connection_epoch = q.epoch;

-- name: stations_heard
-- When connected stations were last heard.
UPDATE station AS st SET last_frame_at = q.last_frame_at
FROM (
    SELECT q.* FROM station JOIN unnest($1::integer[], $2::bigint[], $3::timestamptz[]) AS q (station_no, epoch, last_frame_at)
        ON q.station_no = station.station_no
    ORDER BY q.station_no FOR NO KEY UPDATE OF station
) AS q
WHERE st.station_no = q.station_no AND st.connection_epoch = q.epoch AND st.last_frame_at IS DISTINCT FROM q.last_frame_at;

-- name: gateway_starts
-- A gateway begins: no station is connected to it, and what it had sent before has an unknown outcome. What people asked
-- for came too late; what we send by ourselves waits for the station.
WITH own AS (
    UPDATE station SET connected = false, connection_changed_at = $2
    WHERE station_no IN (
        SELECT station_no FROM station WHERE owner = $1 AND connected ORDER BY station_no FOR NO KEY UPDATE
    )
), unknown AS (
    UPDATE command SET status = 'unknown', ended_at = $2
    WHERE status = 'sent' AND station_no IN (SELECT station_no FROM station WHERE owner = $1) RETURNING id
), late AS (
    UPDATE command SET status = 'timed_out', ended_at = $2
    WHERE status = 'queued' AND requested_by <> 'laddbok'
        AND station_no IN (SELECT station_no FROM station WHERE owner = $1)
    RETURNING id
)
SELECT pg_notify('laddbok_command_done', id::text) FROM (SELECT id FROM unknown UNION ALL SELECT id FROM late) AS ended;

-- name: command_to_send
-- A queued command, as the gateway that has its station sends it.
SELECT id::text AS id, tenant, station_no, action, payload::text AS payload, requested_by
FROM command WHERE id = $1::uuid AND status = 'queued';

-- name: commands_to_send
-- Queued commands to the stations of a gateway: those of people, in case an announcement was lost, and our own.
SELECT c.id::text AS id, c.tenant, c.station_no, c.action, c.payload::text AS payload, c.requested_by
FROM command AS c JOIN station AS st ON st.station_no = c.station_no
WHERE c.status = 'queued' AND st.owner = $1 AND (st.connected OR c.requested_by <> 'laddbok')
ORDER BY c.requested_at LIMIT $2;

-- name: first_sites
-- What a new installation has: one tenant, one seller, one site. Changes nothing where a tenant is.
WITH t AS (
    INSERT INTO tenant (name, created_at) SELECT $1, $2 WHERE NOT EXISTS (SELECT 1 FROM tenant) RETURNING tenant
), e AS (
    INSERT INTO legal_entity (tenant, id, name, currency, time_zone) SELECT tenant, 'seller', $1, 'SEK', $3 FROM t RETURNING tenant, id
), s AS (
    INSERT INTO site (tenant, id, name, time_zone) SELECT tenant, 'main', 'Main site', $3 FROM t RETURNING tenant, id
)
SELECT s.tenant FROM s;

-- name: first_seller
-- The seller of a new installation's site.
INSERT INTO site_seller (tenant, site_id, legal_entity_id, valid_from)
SELECT s.tenant, s.id, e.id, '2000-01-01T00:00:00Z' FROM site AS s JOIN legal_entity AS e ON e.tenant = s.tenant AND e.id = 'seller'
WHERE s.id = 'main' AND NOT EXISTS (SELECT 1 FROM site_seller AS x WHERE x.tenant = s.tenant AND x.site_id = s.id);

-- name: silent_stations
-- Stations that nobody has heard for too long, with sessions that still run.
SELECT t.station_no, t.heard_at
FROM (
    SELECT station_no, connected, coalesce(greatest(last_frame_at, connection_changed_at), admitted_at) AS heard_at
    FROM station
    WHERE station_no IN (SELECT s.station_no FROM session AS s WHERE s.state IN ('pending', 'active'))
) AS t
WHERE NOT t.connected AND t.heard_at <= $1
ORDER BY t.heard_at
LIMIT $2;
