-- name: tariff_rows
-- Tariffs with the version that holds at a time, its name, how many versions there are, and which one is the default.
SELECT f.id, f.created_at, v.version, v.valid_from, v.document ->> 'currency' AS currency,
    coalesce(d.tariff_id = f.id, false) AS is_default,
    v.document #>> '{tariff_alt_text,0,text}' AS name,
    (SELECT count(*) FROM tariff_version c WHERE c.tenant = f.tenant AND c.tariff_id = f.id) AS versions
FROM tariff f
LEFT JOIN LATERAL (
    SELECT version, valid_from, document FROM tariff_version w
    WHERE w.tenant = f.tenant AND w.tariff_id = f.id
    ORDER BY (w.valid_from <= $1) DESC, CASE WHEN w.valid_from <= $1 THEN w.valid_from END DESC, w.valid_from, w.version DESC
    LIMIT 1
) v ON true
LEFT JOIN LATERAL (
    SELECT a.tariff_id FROM tariff_assignment a WHERE a.tenant = f.tenant AND a.scope = 'default' AND a.valid_from <= $1
    ORDER BY a.valid_from DESC LIMIT 1
) d ON true
WHERE /* filters */ ORDER BY f.id LIMIT

-- name: tariff_versions
-- Every version of a tariff, oldest first.
SELECT version, valid_from, received_at, document::text AS document, posted_by FROM tariff_version WHERE tariff_id = $1 ORDER BY version

-- name: tariff_add
-- See to it that the tariff exists, and hold it so that its versions are numbered one at a time.
INSERT INTO tariff (tenant, id, created_at) VALUES (laddbok_tenant(), $1, $2)
ON CONFLICT (tenant, id) DO UPDATE SET id = excluded.id

-- name: tariff_version_add
-- The next version of a tariff.
INSERT INTO tariff_version (tenant, tariff_id, version, valid_from, valid_to, received_at, document, posted_by)
SELECT laddbok_tenant(), $1, coalesce(max(version), 0) + 1, $2, $3, $4, $5::text::jsonb, $6::text FROM tariff_version WHERE tariff_id = $1
RETURNING version

-- name: tariff_default_lock
-- One at a time sees to the tenant's default, to the end of the transaction.
SELECT pg_advisory_xact_lock(hashtext('laddbok default tariff'), laddbok_tenant())

-- name: tariff_default_first
-- The first tariff posted is the default until another is chosen.
INSERT INTO tariff_assignment (tenant, scope, scope_id, valid_from, tariff_id)
SELECT laddbok_tenant(), 'default', '', $2, $1
WHERE NOT EXISTS (SELECT FROM tariff_assignment WHERE scope = 'default')

-- name: tariff_assign
-- From a time on, this tariff applies in this scope.
INSERT INTO tariff_assignment (tenant, scope, scope_id, valid_from, tariff_id) VALUES (laddbok_tenant(), $1, $2, $3, $4)
ON CONFLICT (tenant, scope, scope_id, valid_from) DO UPDATE SET tariff_id = excluded.tariff_id, chosen_by = NULL

-- name: tariff_assignment_rows
-- Which tariff applies where at a time.
SELECT DISTINCT ON (scope, scope_id) scope, scope_id, valid_from, tariff_id FROM tariff_assignment
WHERE valid_from <= $1 AND /* filters */
ORDER BY scope, scope_id, valid_from DESC
LIMIT

-- name: scope_exists
-- Whether there is a contract, station or site of this name to assign a tariff to.
SELECT CASE $1::text
    WHEN 'contract' THEN EXISTS (SELECT FROM contract WHERE id = $2)
    WHEN 'station' THEN EXISTS (SELECT FROM station WHERE identity = $2)
    WHEN 'site' THEN EXISTS (SELECT FROM site WHERE id = $2)
    ELSE $2 = '' END

-- name: tariff_power
-- The highest power of the EVSEs where a tariff applies at a time; where none applies yet, the first one posted will.
SELECT max(e.max_power_w) FROM station s
JOIN evse e ON e.tenant = s.tenant AND e.station_no = s.station_no
WHERE $1 = coalesce(
    (SELECT a.tariff_id FROM tariff_assignment a
     WHERE a.tenant = s.tenant AND a.scope = 'station' AND a.scope_id = s.identity AND a.valid_from <= $2
     ORDER BY a.valid_from DESC LIMIT 1),
    (SELECT a.tariff_id FROM tariff_assignment a
     WHERE a.tenant = s.tenant AND a.scope = 'site' AND a.scope_id = s.site_id AND a.valid_from <= $2
     ORDER BY a.valid_from DESC LIMIT 1),
    (SELECT a.tariff_id FROM tariff_assignment a
     WHERE a.tenant = s.tenant AND a.scope = 'default' AND a.valid_from <= $2 ORDER BY a.valid_from DESC LIMIT 1),
    $1::text)

-- name: scope_power
-- The highest power of the EVSEs that a tariff gets at a time when it is assigned to a station, a site or as the default:
-- those that no narrower scope has a tariff for.
SELECT max(e.max_power_w) FROM station s
JOIN evse e ON e.tenant = s.tenant AND e.station_no = s.station_no
WHERE CASE $1::text WHEN 'station' THEN s.identity = $2::text WHEN 'site' THEN s.site_id = $2 ELSE $1 = 'default' END
    AND ($1 = 'station' OR NOT EXISTS (
        SELECT FROM tariff_assignment a
        WHERE a.tenant = s.tenant AND a.scope = 'station' AND a.scope_id = s.identity AND a.valid_from <= $3))
    AND ($1 <> 'default' OR NOT EXISTS (
        SELECT FROM tariff_assignment a
        WHERE a.tenant = s.tenant AND a.scope = 'site' AND a.scope_id = s.site_id AND a.valid_from <= $3))

-- name: station_tariff
-- The tariff that applies at a station at a time, and the highest power of its EVSEs.
SELECT (SELECT max(e.max_power_w) FROM evse e WHERE e.tenant = s.tenant AND e.station_no = s.station_no) AS power_w,
    (SELECT a.tariff_id FROM tariff_assignment a
     WHERE a.tenant = s.tenant AND a.valid_from <= $2
        AND (a.scope, a.scope_id) IN (('station', s.identity), ('site', s.site_id), ('default', ''))
     ORDER BY array_position(ARRAY['station', 'site', 'default'], a.scope), a.valid_from DESC LIMIT 1) AS tariff_id
FROM station s WHERE s.identity = $1

-- name: tariff_to_come
-- The documents of a tariff that hold at a time or will hold later; of versions that begin at one instant the newest does.
SELECT t.document::text AS document FROM tariff_version t
WHERE t.tariff_id = $1 AND (t.valid_to IS NULL OR t.valid_to > $2)
    AND t.valid_from >= coalesce((
        SELECT max(v.valid_from) FROM tariff_version v WHERE v.tariff_id = $1 AND v.valid_from <= $2), '-infinity')
    AND NOT EXISTS (
        SELECT FROM tariff_version n
        WHERE n.tariff_id = $1 AND n.valid_from = t.valid_from AND n.version > t.version)
ORDER BY t.version

-- name: tariff_held
-- A version of a tariff, or the one that holds at a time, else the first that will; with when it was received.
SELECT version, received_at, document::text AS document FROM tariff_version
WHERE tariff_id = $1 AND version = coalesce($3::integer, version)
ORDER BY (valid_from <= $2) DESC, CASE WHEN valid_from <= $2 THEN valid_from END DESC, valid_from, version DESC
LIMIT 1
