-- name: host_agreements
-- What was agreed with hosts for sites, at any time in a month: host by host, of those that a seller has not settled with yet.
-- It held for this seller, `held_from` and `held_to`, while it sold there in the month; what comes late of a seller that is gone is its own.
SELECT g.host_id, g.site_id, coalesce(t.name, g.site_id) AS site, g.valid_from, g.valid_to, g.document::text AS document,
    greatest(g.valid_from, sold.valid_from) AS held_from, least(g.valid_to, sold.valid_to) AS held_to,
    h.name, h.organisation_number, h.vat_number, h.address AS street, h.postal_code, h.city, h.country, h.bankgiro, h.iban,
    h.email, h.f_skatt
FROM host_agreement AS g
JOIN host AS h ON h.tenant = g.tenant AND h.id = g.host_id
JOIN site AS t ON t.tenant = g.tenant AND t.id = g.site_id
CROSS JOIN LATERAL (
    SELECT coalesce(min(e.valid_from) FILTER (WHERE e.valid_to IS NULL OR e.valid_to > $3), $4) AS valid_from,
        CASE WHEN every(e.valid_to IS NOT NULL) THEN max(e.valid_to) END AS valid_to
    FROM site_seller AS e
    WHERE e.tenant = g.tenant AND e.site_id = g.site_id AND e.legal_entity_id = $2 AND e.valid_from < $4
    HAVING count(*) > 0
) AS sold
WHERE g.tenant = $1 AND g.valid_from < $4
    AND NOT EXISTS (
        SELECT FROM host_settlement AS s
        WHERE s.tenant = g.tenant AND s.legal_entity_id = $2 AND s.host_id = g.host_id AND s.month = $5)
ORDER BY g.host_id, g.site_id, g.valid_from;

-- name: host_positions
-- What sessions at a host's site that began under an agreement, and ended before an instant, took and cost before VAT; each is settled once.
SELECT p.session_id, p.revision, p.kind, CASE p.kind WHEN 'credit' THEN -c.energy_wh ELSE c.energy_wh END AS energy_wh, p.excl_vat
FROM session AS s
JOIN billing_position AS p ON p.tenant = s.tenant AND p.session_id = s.id AND p.part = 0
JOIN cdr AS c ON c.tenant = p.tenant AND c.session_id = p.session_id AND c.revision = p.revision AND c.kind = p.kind
WHERE s.tenant = $1 AND s.site_id = $3 AND p.legal_entity_id = $2 AND p.currency = $7
    AND p.started_at >= $4 AND ($5::timestamptz IS NULL OR p.started_at < $5) AND p.ended_at < $6
    AND NOT EXISTS (
        SELECT FROM host_settled AS d WHERE d.tenant = p.tenant AND d.session_id = p.session_id
            AND d.revision = p.revision AND d.kind = p.kind)
ORDER BY p.session_id, p.revision, p.kind;

-- name: host_settled_add
-- These are settled, by this statement.
INSERT INTO host_settled (tenant, session_id, revision, kind, invoice_id)
SELECT $1, q.session_id, q.revision, q.kind, $5 FROM unnest($2::text[], $3::integer[], $4::text[]) AS q (session_id, revision, kind);

-- name: host_settlement_add
-- A host's month with a seller is settled.
INSERT INTO host_settlement (tenant, legal_entity_id, host_id, month, invoice_id) VALUES ($1, $2, $3, $4, $5);

-- name: host_agreement_end
-- An agreement for a site ends where the next one begins.
UPDATE host_agreement SET valid_to = $3 WHERE tenant = $1 AND site_id = $2 AND valid_from < $3
    AND (valid_to IS NULL OR valid_to > $3);

-- name: host_agreement_put
-- From an instant on, this was agreed with the host of a site; it ends where a later one begins.
INSERT INTO host_agreement (tenant, site_id, host_id, valid_from, valid_to, document, agreed_by)
SELECT $1, $2, $3, $4, min(g.valid_from), $5::text::jsonb, $6 FROM host_agreement AS g
WHERE g.tenant = $1 AND g.site_id = $2 AND g.valid_from > $4;

-- name: host_rows
-- Hosts, with how many of their sites have an agreement that has no end, and the last month that was settled.
SELECT h.id, h.name, h.organisation_number, h.vat_number, h.address, h.postal_code, h.city, h.country, h.bankgiro, h.iban, h.email,
    h.f_skatt, (SELECT count(*) FROM host_agreement AS g
        WHERE g.tenant = h.tenant AND g.host_id = h.id AND g.valid_to IS NULL) AS sites,
    (SELECT max(s.month) FROM host_settlement AS s WHERE s.tenant = h.tenant AND s.host_id = h.id) AS settled
FROM host AS h WHERE /* filters */ ORDER BY h.id LIMIT

-- name: host_put
-- Add or change a host.
INSERT INTO host (tenant, id, name, organisation_number, vat_number, address, postal_code, city, country, bankgiro, iban, email, f_skatt)
VALUES (laddbok_tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (tenant, id) DO UPDATE SET name = excluded.name, organisation_number = excluded.organisation_number,
    vat_number = excluded.vat_number, address = excluded.address, postal_code = excluded.postal_code, city = excluded.city,
    country = excluded.country, bankgiro = excluded.bankgiro, iban = excluded.iban, email = excluded.email, f_skatt = excluded.f_skatt;

-- name: host_agreement_rows
-- What was agreed with a host, the newest first.
SELECT g.site_id, s.name AS site_name, s.time_zone, g.valid_from, g.valid_to, g.document::text AS terms, g.agreed_by,
    (g.valid_from AT TIME ZONE s.time_zone)::date AS first_day, (g.valid_to AT TIME ZONE s.time_zone)::date AS until_day
FROM host_agreement AS g JOIN site AS s ON s.tenant = g.tenant AND s.id = g.site_id
WHERE g.host_id = $1 ORDER BY g.valid_from DESC, g.site_id LIMIT 500;

-- name: host_statement_rows
-- The months that were settled with a host, the newest first.
SELECT s.legal_entity_id AS seller_id, s.month, s.invoice_id, i.number_text AS number, i.issue_date, i.payable, i.currency, EXISTS (
        SELECT FROM invoice_document AS d WHERE d.tenant = s.tenant AND d.invoice_id = s.invoice_id AND d.kind = 'pdf') AS has_pdf
FROM host_settlement AS s JOIN invoice AS i ON i.tenant = s.tenant AND i.id = s.invoice_id
WHERE s.host_id = $1 ORDER BY s.month DESC, s.legal_entity_id LIMIT 500;

-- name: host_site_zone
-- By which clock a site's agreements begin.
SELECT time_zone FROM site WHERE id = $1;

-- name: host_settled_since
-- Whether sessions at a site that began from an instant on, or a month of the site from one on, are settled.
SELECT EXISTS (
    SELECT FROM host_settled AS d JOIN session AS s ON s.tenant = d.tenant AND s.id = d.session_id
    WHERE s.site_id = $2 AND s.started_at >= $3)
    OR EXISTS (
    SELECT FROM host_settlement AS m JOIN host_agreement AS g ON g.tenant = m.tenant AND g.host_id = m.host_id
    WHERE m.host_id = $1 AND g.site_id = $2 AND m.month >= $4);
