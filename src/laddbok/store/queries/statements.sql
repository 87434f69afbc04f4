-- name: statement_terms_newest
-- What was agreed last of a site's apartments, or of a contract at home.
SELECT version, document::text AS document, agreed_at, agreed_by FROM statement_terms
WHERE tenant = $1 AND kind = $2 AND subject_id = $3 ORDER BY version DESC LIMIT 1;

-- name: statement_terms_add
-- What is agreed from now on, as the version after the last one.
INSERT INTO statement_terms (tenant, kind, subject_id, version, document, agreed_at, agreed_by)
SELECT $1, $2, $3, 1 + coalesce(max(version), 0), $4::text::jsonb, $5, $6 FROM statement_terms
WHERE tenant = $1 AND kind = $2 AND subject_id = $3
RETURNING version;

-- name: statement_site
-- A site, its host if it has one, and who sells there at an instant; else the tenant's first seller.
SELECT t.id, t.name, t.time_zone, coalesce(h.name, t.name) AS to_name, coalesce(h.address, t.address) AS street,
    h.postal_code, coalesce(h.city, t.city) AS city,
    coalesce(
        (SELECT e.legal_entity_id FROM site_seller AS e WHERE e.tenant = t.tenant AND e.site_id = t.id AND e.valid_from < $3
            AND (e.valid_to IS NULL OR e.valid_to >= $3) ORDER BY e.valid_from DESC LIMIT 1),
        (SELECT min(e.id) FROM legal_entity AS e WHERE e.tenant = t.tenant)) AS seller_id
FROM site AS t LEFT JOIN host AS h ON h.tenant = t.tenant AND h.id = t.host_id
WHERE t.tenant = $1 AND t.id = $2;

-- name: statement_contract
-- A contract, who drives, and whose customer it is; NULL: the tenant's first seller's.
SELECT k.id, k.name, coalesce(k.driver, k.name) AS driver,
    coalesce(k.legal_entity_id, (SELECT min(e.id) FROM legal_entity AS e WHERE e.tenant = k.tenant)) AS seller_id
FROM contract AS k WHERE k.tenant = $1 AND k.id = $2;

-- name: statement_unknown
-- Which of these contracts and id tokens nobody knows, each by its place in what was sent.
SELECT q.path, q.field, q.known FROM unnest($2::text[], $3::text[], $4::text[]) AS q (path, field, known)
WHERE CASE q.field
    WHEN 'contract_id' THEN NOT EXISTS (SELECT FROM contract AS k WHERE k.tenant = $1 AND k.id = q.known)
    ELSE NOT EXISTS (SELECT FROM id_token AS t WHERE t.tenant = $1 AND t.token = q.known) END
LIMIT 1;

-- name: statement_sessions
-- Sessions at a site, of one contract or of all, that ended in a span: each with the CDR that stands, or with none.
SELECT s.id AS session_id, coalesce(c.revision, s.revision) AS revision, coalesce(c.contract_id, s.contract_id) AS contract_id,
    s.token, c.document, s.ended_at, (s.body #>> '{meter,begin_wh}')::bigint AS begin_wh,
    (s.body #>> '{meter,mark_wh}')::bigint AS end_wh
FROM session AS s
LEFT JOIN LATERAL (
    SELECT d.revision, d.document::text AS document, p.contract_id FROM cdr AS d
    JOIN billing_position AS p ON p.tenant = d.tenant AND p.session_id = d.session_id AND p.revision = d.revision
        AND p.kind = d.kind AND p.part = 0
    WHERE d.tenant = s.tenant AND d.session_id = s.id AND d.kind = 'cdr' AND p.part = 0 AND NOT EXISTS (
        SELECT FROM cdr AS b WHERE b.tenant = d.tenant AND b.session_id = d.session_id AND b.revision = d.revision
            AND b.kind = 'credit')
    ORDER BY d.revision DESC LIMIT 1
) AS c ON true
WHERE s.tenant = $1 AND s.site_id = $2 AND ($3::text IS NULL OR coalesce(c.contract_id, s.contract_id) = $3)
    AND s.ended_at >= $4 AND s.ended_at < $5 AND s.origin = 'station' AND (c.revision IS NOT NULL OR s.state IN ('ended', 'review'))
ORDER BY s.started_at, s.id LIMIT $6;

-- name: statement_tariff
-- Every version of the tariff by which charging at home is paid back, the oldest first.
SELECT valid_from, valid_to, document::text AS document FROM tariff_version WHERE tenant = $1 AND tariff_id = $2
ORDER BY valid_from, version LIMIT 1000;

-- name: statement_last
-- The newest revision of a month.
SELECT revision, content, hash FROM statement
WHERE tenant = $1 AND kind = $2 AND subject_id = $3 AND month = $4 ORDER BY revision DESC LIMIT 1;

-- name: statement_add
-- A revision, once and for ever.
INSERT INTO statement (tenant, kind, subject_id, month, revision, name, currency, energy_wh, total, issued_at, issued_by, content,
    previous_hash, hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);

-- name: statement_content
-- The frozen content of a revision; NULL for the newest.
SELECT revision, content, previous_hash, hash FROM statement
WHERE tenant = $1 AND kind = $2 AND subject_id = $3 AND month = $4 AND ($5::integer IS NULL OR revision = $5)
ORDER BY revision DESC LIMIT 1;

-- name: statement_rows
-- Statements, the newest month first.
SELECT s.kind, s.subject_id, s.month, s.revision, s.name, s.currency, s.energy_wh, s.total, s.issued_at, s.issued_by,
    encode(s.hash, 'hex') AS hash, NOT EXISTS (
        SELECT FROM statement AS n WHERE n.tenant = s.tenant AND n.kind = s.kind AND n.subject_id = s.subject_id
            AND n.month = s.month AND n.revision > s.revision) AS is_newest,
    EXISTS (SELECT FROM statement_pdf AS d WHERE d.tenant = s.tenant AND d.kind = s.kind AND d.subject_id = s.subject_id
        AND d.month = s.month AND d.revision = s.revision) AS is_rendered
FROM statement AS s
WHERE /* filters */ ORDER BY s.month DESC, s.kind, s.subject_id, s.revision DESC LIMIT

-- name: statement_pdf
-- The PDF of a revision.
SELECT bytes FROM statement_pdf WHERE tenant = $1 AND kind = $2 AND subject_id = $3 AND month = $4 AND revision = $5;

-- name: statement_pdf_add
-- The PDF of a revision, if there is none yet.
INSERT INTO statement_pdf (tenant, kind, subject_id, month, revision, bytes, sha256, rendered_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING;
