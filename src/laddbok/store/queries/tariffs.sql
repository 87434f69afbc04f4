-- name: tariff_rows
-- Tariffs with the version that holds at a time and where they are assigned.
SELECT f.id, f.created_at, v.version, v.valid_from, v.document ->> 'currency' AS currency,
    coalesce(d.tariff_id = f.id, false) AS is_default
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
SELECT version, valid_from, received_at, document::text AS document FROM tariff_version WHERE tariff_id = $1 ORDER BY version

-- name: tariff_add
-- See to it that the tariff exists, and hold it so that its versions are numbered one at a time.
INSERT INTO tariff (tenant, id, created_at) VALUES (laddbok_tenant(), $1, $2)
ON CONFLICT (tenant, id) DO UPDATE SET id = excluded.id

-- name: tariff_version_add
-- The next version of a tariff.
INSERT INTO tariff_version (tenant, tariff_id, version, valid_from, valid_to, received_at, document)
SELECT laddbok_tenant(), $1, coalesce(max(version), 0) + 1, $2, $3, $4, $5::text::jsonb FROM tariff_version WHERE tariff_id = $1
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
