-- name: station_rows
-- Stations with what they last said of themselves.
SELECT t.station_no, t.identity AS station_id, t.name, t.site_id, t.protocol, t.vendor, t.model, t.serial_number,
    t.firmware_version, t.connected, t.connection_changed_at, t.last_frame_at, t.booted_at,
    (SELECT a.tariff_id FROM tariff_assignment a WHERE a.scope = 'station' AND a.scope_id = t.identity
     ORDER BY a.valid_from DESC LIMIT 1) AS tariff_id
FROM station t
WHERE /* filters */
ORDER BY t.identity
LIMIT

-- name: outlets_of
-- The EVSEs and connectors of these stations. Number 0 is the station as a whole: nobody can charge there.
SELECT e.station_no, e.evse_id, e.max_power_w, c.connector_id, c.standard, c.status, c.status_at, c.told_at,
    c.error_code, c.info
FROM evse e LEFT JOIN connector c ON c.tenant = e.tenant AND c.station_no = e.station_no AND c.evse_id = e.evse_id
WHERE e.station_no = ANY($1) AND e.evse_id > 0
ORDER BY e.station_no, e.evse_id, c.connector_id

-- name: running_sessions_of
-- Which session occupies which EVSE of these stations; of several the youngest.
SELECT DISTINCT ON (station_no, evse_id) station_no, evse_id, id FROM session
WHERE station_no = ANY($1) AND state IN ('pending', 'active')
ORDER BY station_no, evse_id, started_at DESC

-- name: station_marks
-- A word for each station that changes when anything but its last sign of life does.
SELECT t.identity AS station_id, md5(concat_ws('/', t.connected, t.connection_changed_at, t.booted_at, t.name, t.site_id,
    t.protocol, t.firmware_version, (
        SELECT string_agg(concat_ws('/', c.evse_id, c.connector_id, c.status, c.status_at, c.error_code), ';'
            ORDER BY c.evse_id, c.connector_id)
        FROM connector c WHERE c.tenant = t.tenant AND c.station_no = t.station_no))) AS mark
FROM station t ORDER BY t.identity LIMIT $1

-- name: station_for_command
-- The station to which a command goes, and which gateway has it.
SELECT station_no, protocol, owner, connected FROM station WHERE identity = $1

-- name: station_add
-- Admit a station.
INSERT INTO station (tenant, identity, site_id, name, password_hash, protocol, vendor, model, admitted_at)
VALUES (laddbok_tenant(), $1, $2, $3, $4, $5, $6, $7, $8)
RETURNING station_no

-- name: evse_put
-- An EVSE as a person describes it.
INSERT INTO evse (tenant, station_no, evse_id, max_power_w, phases) VALUES (laddbok_tenant(), $1, $2, $3, $4)
ON CONFLICT (tenant, station_no, evse_id) DO UPDATE SET max_power_w = excluded.max_power_w, phases = excluded.phases

-- name: connector_put
-- A connector as a person describes it; what it last said stays.
INSERT INTO connector (tenant, station_no, evse_id, connector_id, standard) VALUES (laddbok_tenant(), $1, $2, $3, $4)
ON CONFLICT (tenant, station_no, evse_id, connector_id) DO UPDATE SET standard = excluded.standard

-- name: station_change
-- Change what a person may change of a station; NULL leaves it.
UPDATE station SET name = coalesce($2, name), site_id = coalesce($3, site_id) WHERE identity = $1 RETURNING station_no

-- name: station_password
-- Give a station a new password, and tell the gateways, so that a connection with the old one ends.
WITH renewed AS (UPDATE station SET password_hash = $2 WHERE identity = $1 RETURNING station_no)
SELECT station_no, pg_notify('laddbok_password', station_no::text) FROM renewed

-- name: lobby_rows
-- Stations that nobody has admitted.
SELECT identity AS station_id, first_seen_at, last_seen_at, address, other_address, other_password, protocol, attempts,
    vendor, model
FROM lobby WHERE /* filters */
ORDER BY identity LIMIT

-- name: lobby_leave
-- Take a station out of the lobby.
DELETE FROM lobby WHERE identity = $1 RETURNING identity, protocol, vendor, model, password_hash, other_password, other_address

-- name: evse_rows
-- EVSEs with their stations; number 0 is none.
SELECT t.identity AS station_id, t.site_id, t.station_no, e.evse_id, e.max_power_w, e.phases
FROM evse e JOIN station t ON t.tenant = e.tenant AND t.station_no = e.station_no
WHERE e.evse_id > 0 AND /* filters */
ORDER BY t.identity, e.evse_id LIMIT
