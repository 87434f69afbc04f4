-- name: id_token_rows
-- Id tokens with the contract that they are linked to at a time.
SELECT i.token, i.presented AS id_token, i.kind, i.status, i.valid_to, i.label, i.single_session, ARRAY(
    SELECT a.alias FROM id_token_alias a WHERE a.tenant = i.tenant AND a.token = i.token ORDER BY a.alias) AS aliases, (
    SELECT c.contract_id FROM id_token_contract c
    WHERE c.tenant = i.tenant AND c.token = i.token AND c.valid_from <= $1 AND (c.valid_to IS NULL OR c.valid_to > $1)
    ORDER BY c.valid_from DESC LIMIT 1) AS contract_id
FROM id_token i WHERE /* filters */
ORDER BY i.token LIMIT

-- name: id_token_put
-- Add or change an id token.
INSERT INTO id_token (tenant, token, presented, kind, status, valid_to, label, single_session)
VALUES (laddbok_tenant(), $1, $2, $3, $4, $5, $6, coalesce($7::boolean, false))
ON CONFLICT (tenant, token) DO UPDATE SET presented = excluded.presented, kind = excluded.kind, status = excluded.status,
    valid_to = excluded.valid_to, label = excluded.label, single_session = coalesce($7::boolean, id_token.single_session)

-- name: id_token_of_alias
-- Which token this is another form of.
SELECT token FROM id_token_alias WHERE alias = $1

-- name: id_token_drop_aliases
-- A token's other forms but these are forgotten.
DELETE FROM id_token_alias WHERE token = $1 AND alias <> ALL($2::text[])

-- name: id_token_add_aliases
-- Other forms of a token; one that another token has stays there.
INSERT INTO id_token_alias (tenant, alias, token) SELECT laddbok_tenant(), alias, $1 FROM unnest($2::text[]) AS alias
ON CONFLICT (tenant, alias) DO NOTHING

-- name: id_token_aliases_taken
-- Which of these can't be other forms of this token: they are tokens themselves, or belong to another one.
SELECT alias FROM unnest($2::text[]) AS q (alias)
WHERE EXISTS (SELECT FROM id_token AS i WHERE i.token = q.alias)
    OR NOT EXISTS (SELECT FROM id_token_alias AS a WHERE a.alias = q.alias AND a.token = $1)
ORDER BY alias

-- name: id_token_unlink
-- End a token's present contract at a time, unless it is this one; a link not begun yet is turned to nothing at its start.
UPDATE id_token_contract SET valid_to = greatest($3, valid_from + interval '1 microsecond')
WHERE token = $1 AND (valid_to IS NULL OR valid_to > $3) AND contract_id IS DISTINCT FROM $2

-- name: id_token_link
-- Link a token to a contract from a time on, unless it is linked already.
INSERT INTO id_token_contract (tenant, token, contract_id, valid_from)
SELECT laddbok_tenant(), $1, $2, $3
WHERE NOT EXISTS (
    SELECT FROM id_token_contract WHERE token = $1 AND contract_id = $2 AND (valid_to IS NULL OR valid_to > $3))

-- name: contract_rows
-- Contracts with the payer at a time.
SELECT c.id, c.name, c.valid_from, c.valid_to, p.payer_id, p.payer_name, c.cost_centre, c.driver
FROM contract c LEFT JOIN LATERAL (
    SELECT l.payer_id, w.name AS payer_name FROM contract_payer l JOIN payer w ON w.tenant = l.tenant AND w.id = l.payer_id
    WHERE l.tenant = c.tenant AND l.contract_id = c.id AND l.valid_from <= $1 AND (l.valid_to IS NULL OR l.valid_to > $1)
    ORDER BY l.valid_from DESC LIMIT 1
) AS p ON true
WHERE /* filters */
ORDER BY c.id LIMIT

-- name: contract_describe
-- The cost centre and the driver of a contract, each if it is told.
UPDATE contract SET cost_centre = CASE WHEN $2 THEN $4 ELSE cost_centre END, driver = CASE WHEN $3 THEN $5 ELSE driver END
WHERE id = $1 AND ($2 OR $3)

-- name: contract_add
-- Add a contract; no row: there is one of this id.
INSERT INTO contract (tenant, id, name, valid_from, valid_to) VALUES (laddbok_tenant(), $1, $2, $3, $4)
ON CONFLICT DO NOTHING RETURNING id

-- name: contract_put
-- Add or change a contract; its begin stays when none is given.
INSERT INTO contract (tenant, id, name, valid_from, valid_to) VALUES (laddbok_tenant(), $1, $2, coalesce($3::timestamptz, $5::timestamptz), $4)
ON CONFLICT (tenant, id) DO UPDATE
SET name = excluded.name, valid_from = coalesce($3::timestamptz, contract.valid_from), valid_to = excluded.valid_to

-- name: contract_unlink_payer
-- End a contract's present payer at a time, unless it is this one.
UPDATE contract_payer SET valid_to = greatest($3, valid_from + interval '1 microsecond')
WHERE contract_id = $1 AND (valid_to IS NULL OR valid_to > $3) AND payer_id IS DISTINCT FROM $2

-- name: contract_link_payer
-- Let a payer pay a contract from a time on, unless they do already.
INSERT INTO contract_payer (tenant, contract_id, payer_id, valid_from)
SELECT laddbok_tenant(), $1, $2, $3
WHERE NOT EXISTS (
    SELECT FROM contract_payer WHERE contract_id = $1 AND payer_id = $2 AND (valid_to IS NULL OR valid_to > $3))

-- name: payer_rows
-- Who pays.
SELECT p.id, p.name, p.email, p.address, p.kind, p.organisation_number, p.vat_number, p.postal_code, p.city, p.country,
    p.endpoint_scheme, p.endpoint_id, p.buyer_reference, p.order_reference, p.language, p.e_invoice, p.whole_units,
    p.on_paper
FROM payer p WHERE /* filters */ ORDER BY p.id LIMIT

-- name: payer_put
-- Add or change a payer.
INSERT INTO payer (tenant, id, name, email, address, kind, organisation_number, vat_number, postal_code, city, country,
    endpoint_scheme, endpoint_id, buyer_reference, order_reference, language, e_invoice, whole_units, on_paper)
VALUES (laddbok_tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
ON CONFLICT (tenant, id) DO UPDATE SET name = excluded.name, email = excluded.email, address = excluded.address,
    kind = excluded.kind, organisation_number = excluded.organisation_number, vat_number = excluded.vat_number,
    postal_code = excluded.postal_code, city = excluded.city, country = excluded.country,
    endpoint_scheme = excluded.endpoint_scheme, endpoint_id = excluded.endpoint_id,
    buyer_reference = excluded.buyer_reference, order_reference = excluded.order_reference, language = excluded.language,
    e_invoice = excluded.e_invoice, whole_units = excluded.whole_units, on_paper = excluded.on_paper

-- name: site_rows
-- Sites with their seller at a time.
SELECT s.id, s.name, s.address, s.city, s.country, s.time_zone, s.latitude, s.longitude, s.host_id, (
    SELECT e.legal_entity_id FROM site_seller e
    WHERE e.tenant = s.tenant AND e.site_id = s.id AND e.valid_from <= $1 AND (e.valid_to IS NULL OR e.valid_to > $1)
    ORDER BY e.valid_from DESC LIMIT 1) AS seller_id
FROM site s WHERE /* filters */ ORDER BY s.id LIMIT

-- name: site_put
-- Add or change a site.
INSERT INTO site (tenant, id, name, address, city, country, time_zone, latitude, longitude, host_id)
VALUES (laddbok_tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (tenant, id) DO UPDATE SET name = excluded.name, address = excluded.address, city = excluded.city,
    country = excluded.country, time_zone = excluded.time_zone, latitude = excluded.latitude,
    longitude = excluded.longitude, host_id = excluded.host_id

-- name: site_unlink_seller
-- End a site's present seller at a time, unless it is this one.
UPDATE site_seller SET valid_to = greatest($3, valid_from + interval '1 microsecond')
WHERE site_id = $1 AND (valid_to IS NULL OR valid_to > $3) AND legal_entity_id IS DISTINCT FROM $2

-- name: site_link_seller
-- Let a legal entity sell at a site from a time on, unless it does already.
INSERT INTO site_seller (tenant, site_id, legal_entity_id, valid_from)
SELECT laddbok_tenant(), $1, $2, $3
WHERE NOT EXISTS (
    SELECT FROM site_seller WHERE site_id = $1 AND legal_entity_id = $2 AND (valid_to IS NULL OR valid_to > $3))

-- name: legal_entity_rows
-- Sellers.
SELECT
    e.id, e.name, e.organisation_number, e.vat_number, e.f_skatt, e.address, e.bankgiro, e.currency, e.time_zone,
    e.number_series, e.postal_code, e.city, e.country, e.email, e.phone, e.contact, e.iban, e.bic, e.endpoint_scheme,
    e.endpoint_id, e.payment_days, e.draft_days, e.late_terms::text AS late_terms, e.accounts::text AS accounts,
    e.book_currency, e.simplified_up_to
FROM legal_entity e WHERE /* filters */ ORDER BY e.id LIMIT

-- name: legal_entity_hold
-- Nothing is posted for a seller until the end of the transaction.
SELECT id FROM legal_entity WHERE id = $1 FOR UPDATE;

-- name: legal_entity_has_entries
-- Whether anything stands in a seller's books.
SELECT EXISTS (SELECT FROM journal_entry WHERE legal_entity_id = $1);

-- name: legal_entity_put
-- Add or change a seller.
INSERT INTO legal_entity (
    tenant, id, name, organisation_number, vat_number, f_skatt, address, bankgiro, currency, time_zone, number_series,
    postal_code, city, country, email, phone, contact, iban, bic, endpoint_scheme, endpoint_id, payment_days,
    draft_days, late_terms, accounts, book_currency, simplified_up_to
) VALUES (
    laddbok_tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
    $22, $23::jsonb, $24::jsonb, $25, $26
) ON CONFLICT (tenant, id) DO UPDATE SET
    name = excluded.name, organisation_number = excluded.organisation_number, vat_number = excluded.vat_number,
    f_skatt = excluded.f_skatt, address = excluded.address, bankgiro = excluded.bankgiro, currency =
    excluded.currency, time_zone = excluded.time_zone, number_series = excluded.number_series, postal_code =
    excluded.postal_code, city = excluded.city, country = excluded.country, email = excluded.email, phone =
    excluded.phone, contact = excluded.contact, iban = excluded.iban, bic = excluded.bic, endpoint_scheme =
    excluded.endpoint_scheme, endpoint_id = excluded.endpoint_id, payment_days = excluded.payment_days, draft_days =
    excluded.draft_days, late_terms = excluded.late_terms, accounts = excluded.accounts,
    book_currency = excluded.book_currency, simplified_up_to = excluded.simplified_up_to
