-- name: plan_rows
-- The plans that a contract is offered, with the version of each that holds at a time.
SELECT p.tariff_id, p.name_sv, p.name_en, p.about_sv, p.about_en, p.offered_at, p.offered_by,
    v.document ->> 'currency' AS currency
FROM price_plan p
LEFT JOIN LATERAL (
    SELECT w.document, w.valid_to FROM tariff_version w
    WHERE w.tenant = p.tenant AND w.tariff_id = p.tariff_id AND w.valid_from <= $2
    ORDER BY w.valid_from DESC, w.version DESC LIMIT 1
) v ON v.valid_to IS NULL OR v.valid_to > $2
WHERE p.contract_id = $1 AND p.withdrawn_at IS NULL ORDER BY p.tariff_id

-- name: plan_present
-- Which tariff a contract has at a time, since when, and who chose it.
SELECT tariff_id, valid_from, chosen_by FROM tariff_assignment
WHERE scope = 'contract' AND scope_id = $1 AND valid_from <= $2 ORDER BY valid_from DESC LIMIT 1

-- name: plan_count
-- How many plans a contract is offered beside this one.
SELECT count(*) FROM price_plan WHERE contract_id = $1 AND tariff_id <> $2 AND withdrawn_at IS NULL

-- name: plan_offer
-- Offer a plan, or offer it again under another name.
INSERT INTO price_plan (tenant, contract_id, tariff_id, name_sv, name_en, about_sv, about_en, offered_at, offered_by)
VALUES (laddbok_tenant(), $1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (tenant, contract_id, tariff_id) DO UPDATE SET name_sv = excluded.name_sv, name_en = excluded.name_en,
    about_sv = excluded.about_sv, about_en = excluded.about_en, withdrawn_at = NULL, withdrawn_by = NULL,
    offered_at = CASE WHEN price_plan.withdrawn_at IS NULL THEN price_plan.offered_at ELSE excluded.offered_at END,
    offered_by = CASE WHEN price_plan.withdrawn_at IS NULL THEN price_plan.offered_by ELSE excluded.offered_by END

-- name: plan_withdraw
-- Offer a plan no more; no row: it was not offered.
UPDATE price_plan SET withdrawn_at = $3, withdrawn_by = $4
WHERE contract_id = $1 AND tariff_id = $2 AND withdrawn_at IS NULL RETURNING tariff_id

-- name: plan_hold
-- Hold an offered plan, so that it is not withdrawn while it is chosen; no row: it is not offered.
SELECT tariff_id FROM price_plan WHERE contract_id = $1 AND tariff_id = $2 AND withdrawn_at IS NULL FOR UPDATE

-- name: plan_choose
-- From a time on, a contract has this tariff, because somebody chose it.
INSERT INTO tariff_assignment (tenant, scope, scope_id, valid_from, tariff_id, chosen_by)
VALUES (laddbok_tenant(), 'contract', $1, $3, $2, $4)
ON CONFLICT (tenant, scope, scope_id, valid_from) DO UPDATE
SET tariff_id = excluded.tariff_id, chosen_by = excluded.chosen_by

-- name: agreement_at
-- Who pays which part of a contract's sessions that begin at a time.
SELECT document::text AS document, valid_from, agreed_by FROM payers_agreement
WHERE contract_id = $1 AND valid_from <= $2 ORDER BY valid_from DESC LIMIT 1

-- name: agreement_put
-- From a time on, this agreement holds for a contract; none: its payer pays all.
INSERT INTO payers_agreement (tenant, contract_id, valid_from, document, agreed_by)
VALUES (laddbok_tenant(), $1, $2, $3::text::jsonb, $4)
ON CONFLICT (tenant, contract_id, valid_from) DO UPDATE SET document = excluded.document, agreed_by = excluded.agreed_by

-- name: payers_unknown
-- Which of these payers we don't have.
SELECT id FROM unnest($1::text[]) AS q (id) WHERE NOT EXISTS (SELECT FROM payer AS p WHERE p.id = q.id) ORDER BY id

-- name: plans_offered_to
-- The tariffs that a contract of a tenant is offered or has at a time, with the document that holds then.
SELECT t.tariff_id, min(t.name_sv) AS name_sv, min(t.name_en) AS name_en, bool_or(t.is_present) AS is_present,
    (SELECT CASE WHEN w.valid_to IS NULL OR w.valid_to > $3 THEN w.document::text END FROM tariff_version w
     WHERE w.tenant = $1 AND w.tariff_id = t.tariff_id AND w.valid_from <= $3
     ORDER BY w.valid_from DESC, w.version DESC LIMIT 1) AS document
FROM (
    SELECT p.tariff_id, p.name_sv, p.name_en, false AS is_present FROM price_plan p
    WHERE p.tenant = $1 AND p.contract_id = $2 AND p.withdrawn_at IS NULL
    UNION ALL
    (SELECT a.tariff_id, NULL, NULL, true FROM tariff_assignment a
     WHERE a.tenant = $1 AND a.scope = 'contract' AND a.scope_id = $2 AND a.valid_from <= $3
     ORDER BY a.valid_from DESC LIMIT 1)
) t
GROUP BY t.tariff_id ORDER BY t.tariff_id

-- name: cdrs_that_stand
-- The newest CDR of each session of a contract, or of all, unless it is credited; of sessions that ended in a span of time.
SELECT c.session_id, s.id_token, c.document::text AS document FROM cdr c
JOIN session s ON s.tenant = c.tenant AND s.id = c.session_id
WHERE c.kind = 'cdr' AND ($1::text IS NULL OR s.contract_id = $1) AND ($2::timestamptz IS NULL OR s.ended_at >= $2)
    AND ($3::timestamptz IS NULL OR s.ended_at < $3)
    AND NOT EXISTS (
        SELECT FROM cdr x WHERE x.tenant = c.tenant AND x.session_id = c.session_id
        AND (x.revision > c.revision OR x.revision = c.revision AND x.kind = 'credit'))
ORDER BY s.started_at, s.id LIMIT $4
