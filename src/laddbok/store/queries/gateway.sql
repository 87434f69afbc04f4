-- name: stations_by_identity
-- What decides whether these stations may come in.
SELECT identity, station_no, tenant, password_hash FROM station WHERE identity = ANY($1::text[]);

-- name: lobby_seen
-- An unknown station knocked; what it presented is kept, so that admission can keep its password.
INSERT INTO lobby (identity, first_seen_at, last_seen_at, address, protocol, password_hash)
VALUES ($1, $2, $2, $3, $4, $5)
ON CONFLICT (identity) DO UPDATE SET
    last_seen_at = excluded.last_seen_at, address = excluded.address,
    password_hash = coalesce(excluded.password_hash, lobby.password_hash), attempts = lobby.attempts + 1;

-- name: lobby_size
-- How many stations wait.
SELECT count(*) FROM lobby;

-- name: lobby_booted
-- A station in the lobby said what it is; no row: it is not in the lobby any more.
UPDATE lobby SET protocol = $2, vendor = $3, model = $4 WHERE identity = $1 RETURNING true;

-- name: admit_unknown
-- A lab admits every station that knocks, to the first tenant's first site.
INSERT INTO station (tenant, identity, site_id, password_hash, admitted_at)
SELECT tenant, $1, id, $2, $3 FROM site ORDER BY tenant, id LIMIT 1
ON CONFLICT (identity) DO NOTHING;

-- name: stations_speak
-- What these stations speak from now on.
UPDATE station AS st SET protocol = q.protocol FROM unnest($1::integer[], $2::text[]) AS q (station_no, protocol)
WHERE st.station_no = q.station_no AND st.protocol IS DISTINCT FROM q.protocol;

-- name: stations_gone
-- These stations are no longer connected, unless a newer connection has them.
UPDATE station AS st SET connected = false, connection_changed_at = $3, last_frame_at = q.last_frame_at
FROM unnest($1::integer[], $2::bigint[], $4::timestamptz[]) AS q (station_no, epoch, last_frame_at)
WHERE st.station_no = q.station_no AND st.connection_epoch = q.epoch;

-- name: stations_heard
-- When connected stations were last heard.
UPDATE station AS st SET last_frame_at = q.last_frame_at
FROM unnest($1::integer[], $2::bigint[], $3::timestamptz[]) AS q (station_no, epoch, last_frame_at)
WHERE st.station_no = q.station_no AND st.connection_epoch = q.epoch AND st.last_frame_at IS DISTINCT FROM q.last_frame_at;

-- name: gateway_starts
-- A gateway begins: no station is connected to it, and what it had sent before has an unknown outcome.
WITH own AS (
    UPDATE station SET connected = false, connection_changed_at = $2 WHERE owner = $1 AND connected RETURNING station_no
), unknown AS (
    UPDATE command SET status = 'unknown', ended_at = $2
    WHERE status = 'sent' AND station_no IN (SELECT station_no FROM station WHERE owner = $1) RETURNING id
), late AS (
    UPDATE command SET status = 'timed_out', ended_at = $2
    WHERE status = 'queued' AND station_no IN (SELECT station_no FROM station WHERE owner = $1) RETURNING id
)
SELECT pg_notify('laddbok_command_done', id::text) FROM (SELECT id FROM unknown UNION ALL SELECT id FROM late) AS ended;

-- name: command_to_send
-- A queued command, as the gateway that has its station sends it.
SELECT id::text AS id, tenant, station_no, action, payload::text AS payload FROM command WHERE id = $1::uuid AND status = 'queued';

-- name: commands_to_send
-- Queued commands of people to the stations of a gateway, in case an announcement was lost.
SELECT c.id::text AS id, c.tenant, c.station_no, c.action, c.payload::text AS payload
FROM command AS c JOIN station AS st ON st.station_no = c.station_no
WHERE c.status = 'queued' AND st.owner = $1 AND c.requested_by <> 'laddbok'
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
