-- name: billing_sellers
-- Legal entities of a tenant, or the one of this id, with everything that their documents need.
SELECT e.id, e.name, e.organisation_number, e.vat_number, e.f_skatt, e.address AS street, e.postal_code, e.city, e.country,
    e.bankgiro, e.iban, e.bic, e.email, e.phone, e.contact, e.endpoint_scheme, e.endpoint_id, e.currency, e.time_zone,
    coalesce(e.book_currency, CASE e.country WHEN 'SE' THEN 'SEK' ELSE e.currency END) AS books,
    e.payment_days, e.draft_days, e.late_terms::text AS late_terms, e.accounts::text AS accounts, e.simplified_up_to
FROM legal_entity AS e WHERE e.tenant = $1 AND ($2::text IS NULL OR e.id = $2) ORDER BY e.id;

-- name: billing_open_positions
-- What a seller has to bill of sessions that ended before an instant, payer by payer: whose part it is by agreement, else the
-- contract's payer at the session's start; of a credit the payer of the document that it takes back from.
-- What is paid at once without a contract gets a receipt and is left out.
SELECT coalesce(o.payer_id, p.payer_id, l.payer_id) AS payer_id, p.session_id, p.revision, p.kind, p.part, p.contract_id,
    c.tariff_version, c.document::text AS cdr, c.rating::text AS rating, p.share::text AS paid, s.station, coalesce(concat_ws(', ', t.address, t.city), s.station) AS place,
    (s.body #>> '{meter,begin_wh}')::bigint AS begin_wh, (s.body #>> '{meter,mark_wh}')::bigint AS end_wh,
    encode(f.root, 'hex') AS root, k.cost_centre, k.driver, o.number_text AS billed_number, o.issue_date AS billed_date
FROM billing_position AS p
JOIN cdr AS c USING (tenant, session_id, revision, kind)
JOIN session AS s ON s.tenant = p.tenant AND s.id = p.session_id
LEFT JOIN site AS t ON t.tenant = s.tenant AND t.id = s.site_id
LEFT JOIN contract AS k ON k.tenant = p.tenant AND k.id = p.contract_id
LEFT JOIN proof AS f ON f.tenant = p.tenant AND f.session_id = p.session_id AND f.revision = p.revision
LEFT JOIN billing_position AS b ON p.kind = 'credit' AND b.tenant = p.tenant AND b.session_id = p.session_id
    AND b.revision = p.revision AND b.kind = 'cdr' AND b.part = p.part
LEFT JOIN invoice AS o ON o.tenant = b.tenant AND o.id = b.invoice_id
LEFT JOIN LATERAL (
    SELECT q.payer_id FROM contract_payer AS q
    WHERE q.tenant = p.tenant AND q.contract_id = p.contract_id AND q.valid_from <= p.started_at
        AND (q.valid_to IS NULL OR q.valid_to > p.started_at)
    ORDER BY q.valid_from DESC LIMIT 1
) AS l ON true
WHERE p.tenant = $1 AND p.legal_entity_id = $2 AND p.ended_at < $3 AND p.currency = $4 AND p.outcome IS NULL
    AND (p.contract_id IS NOT NULL OR NOT laddbok_paid_at_once(p.tenant, p.session_id))
ORDER BY payer_id, p.started_at, p.session_id, p.revision, p.kind, p.part;

-- name: shares_alone
-- One at a time shares out positions of a tenant, until the end of its transaction.
SELECT pg_advisory_xact_lock(hashtext('laddbok shares'), $1);

-- name: positions_to_share
-- Open CDRs of a seller that ended before an instant, and were not credited, with the agreement that held at their start; after one of them.
SELECT p.session_id, p.revision, p.contract_id, p.started_at, g.valid_from AS since, g.document::text AS agreement,
    c.document::text AS cdr, c.rating::text AS rating
FROM billing_position AS p
JOIN LATERAL (
    SELECT a.valid_from, a.document FROM payers_agreement AS a
    WHERE a.tenant = p.tenant AND a.contract_id = p.contract_id AND a.valid_from <= p.started_at
    ORDER BY a.valid_from DESC LIMIT 1
) AS g ON g.document IS NOT NULL
JOIN cdr AS c ON c.tenant = p.tenant AND c.session_id = p.session_id AND c.revision = p.revision AND c.kind = p.kind
WHERE p.tenant = $1 AND p.legal_entity_id = $2 AND p.ended_at < $3 AND p.currency = $4 AND p.outcome IS NULL AND p.part = 0
    AND p.kind = 'cdr' AND (p.excl_vat <> 0 OR p.incl_vat IS DISTINCT FROM 0)
    AND p.contract_id IN (SELECT h.contract_id FROM payers_agreement AS h WHERE h.tenant = $1)
    AND NOT EXISTS (
        SELECT FROM billing_position AS b WHERE b.tenant = p.tenant AND b.session_id = p.session_id
            AND b.revision = p.revision AND b.kind = 'credit')
    AND (p.started_at, p.session_id, p.revision) > ($5, $6, $7)
ORDER BY p.started_at, p.session_id, p.revision LIMIT $8;

-- name: shares_taken
-- What shares of agreements that end at an amount in a month took of it, of sessions that stand.
SELECT p.contract_id, (p.share ->> 'since')::timestamptz AS since, p.share ->> 'month' AS month, t.key::integer AS number,
    sum(t.value::numeric) AS taken
FROM billing_position AS p CROSS JOIN LATERAL jsonb_each_text(p.share -> 'taken') AS t
WHERE p.tenant = $1 AND p.contract_id = ANY($2::text[]) AND p.part > 0 AND p.kind = 'cdr' AND p.share ? 'taken'
    AND NOT EXISTS (
        SELECT FROM billing_position AS b WHERE b.tenant = p.tenant AND b.session_id = p.session_id
            AND b.revision = p.revision AND b.kind = 'credit')
GROUP BY 1, 2, 3, 4;

-- name: parts_add
-- The parts of CDRs, which are shared out by that.
WITH part AS (
    SELECT * FROM unnest($2::text[], $3::integer[], $4::integer[], $5::text[], $6::numeric[], $7::numeric[], $8::text[])
        AS q (session_id, revision, part, payer_id, excl_vat, incl_vat, share)
), whole AS (
    UPDATE billing_position AS p SET outcome = 'shared'
    WHERE p.tenant = $1 AND p.kind = 'cdr' AND p.part = 0 AND (p.session_id, p.revision) IN (SELECT session_id, revision FROM part)
    RETURNING p.*
)
INSERT INTO billing_position (tenant, session_id, revision, kind, part, legal_entity_id, contract_id, started_at, ended_at, currency,
    payer_id, excl_vat, incl_vat, share)
SELECT w.tenant, w.session_id, w.revision, w.kind, q.part, w.legal_entity_id, w.contract_id, w.started_at, w.ended_at, w.currency,
    q.payer_id, q.excl_vat, q.incl_vat, q.share::jsonb
FROM part AS q JOIN whole AS w ON w.session_id = q.session_id AND w.revision = q.revision;

-- name: credits_share
-- Open credits of CDRs that were shared out are shared out like them.
WITH whole AS (
    UPDATE billing_position AS p SET outcome = 'shared'
    WHERE p.tenant = $1 AND p.legal_entity_id = $2 AND p.kind = 'credit' AND p.part = 0 AND p.outcome IS NULL AND EXISTS (
        SELECT FROM billing_position AS b WHERE b.tenant = p.tenant AND b.session_id = p.session_id AND b.revision = p.revision
            AND b.kind = 'cdr' AND b.part > 0)
    RETURNING p.*
)
INSERT INTO billing_position (tenant, session_id, revision, kind, part, legal_entity_id, contract_id, started_at, ended_at, currency,
    payer_id, excl_vat, incl_vat, share)
SELECT w.tenant, w.session_id, w.revision, w.kind, b.part, b.legal_entity_id, b.contract_id, b.started_at, b.ended_at, b.currency,
    b.payer_id, -b.excl_vat, -b.incl_vat, b.share
FROM whole AS w
JOIN billing_position AS b ON b.tenant = w.tenant AND b.session_id = w.session_id AND b.revision = w.revision
    AND b.kind = 'cdr' AND b.part > 0;

-- name: billing_payers
-- Payers with everything that their documents need.
SELECT id, name, email, address AS street, postal_code, city, country, kind, organisation_number, vat_number,
    endpoint_scheme, endpoint_id, buyer_reference, order_reference, language, e_invoice, whole_units
FROM payer WHERE tenant = $1 AND id = ANY($2::text[]);

-- name: billing_left_out
-- Sessions of a seller that ended before an instant and are not priced: held, or waiting for something.
SELECT s.id, s.state, s.review_reasons, s.ended_at FROM session AS s
WHERE s.tenant = $1 AND s.body ->> 'seller_id' = $2 AND s.state IN ('ended', 'review') AND s.ended_at < $3
ORDER BY s.ended_at, s.id LIMIT 1000;

-- name: series_make
-- A seller's number series exist from its first document on.
INSERT INTO number_series (tenant, legal_entity_id, kind, prefix)
SELECT $1, $2, kind, prefix FROM (VALUES ('invoice', '1'), ('credit_note', '5'), ('receipt', '7'), ('self_billed', '8')) AS v (kind, prefix)
ON CONFLICT DO NOTHING;

-- name: series_take
-- The state of a series, held until the end of the transaction: one document after another.
SELECT prefix, next_number, last_hash FROM number_series WHERE tenant = $1 AND legal_entity_id = $2 AND kind = $3 FOR UPDATE;

-- name: series_advance
-- The series after the documents that took its numbers.
UPDATE number_series SET next_number = $4, last_hash = $5 WHERE tenant = $1 AND legal_entity_id = $2 AND kind = $3;

-- name: positions_billed
-- Mark positions with their outcome, each once. Returns how many were still open.
UPDATE billing_position AS p SET outcome = q.outcome, invoice_id = q.invoice_id
FROM unnest($2::text[], $3::integer[], $4::text[], $5::integer[], $6::text[], $7::text[])
    AS q (session_id, revision, kind, part, outcome, invoice_id)
WHERE p.tenant = $1 AND p.session_id = q.session_id AND p.revision = q.revision AND p.kind = q.kind AND p.part = q.part
    AND p.outcome IS NULL;

-- name: journal_add
-- Journal entries, each source once; the ids in the order of their sources.
INSERT INTO journal_entry (tenant, legal_entity_id, date, text, source_kind, source_id, posted_at)
SELECT $1, $2, q.date, q.text, q.source_kind, q.source_id, $7
FROM unnest($3::date[], $4::text[], $5::text[], $6::text[]) AS q (date, text, source_kind, source_id)
RETURNING id, source_kind, source_id;

-- name: postings_add
-- The lines of journal entries.
INSERT INTO posting (tenant, entry_id, line, account, amount, currency, invoice_id, payer_id, book_amount, book_currency,
    valued_on, stood)
SELECT $1, * FROM unnest($2::bigint[], $3::integer[], $4::text[], $5::numeric[], $6::text[], $7::text[], $8::text[], $9::numeric[],
    $10::text[], $11::date[], $12::numeric[]);

-- name: run_begin
-- A run of a seller's period; the same one twice is the same one.
INSERT INTO billing_run (tenant, id, legal_entity_id, period_start, period_end, started_at, started_by, planned)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (tenant, id) DO UPDATE SET planned = billing_run.done + excluded.planned, ended_at = NULL
RETURNING done;

-- name: run_advance
-- So many documents more are final.
UPDATE billing_run SET done = done + $3 WHERE tenant = $1 AND id = $2;

-- name: run_end
-- The run is over.
UPDATE billing_run SET ended_at = $3 WHERE tenant = $1 AND id = $2;

-- name: invoices_of_month
-- The documents that were issued for a month, in the order of their numbers.
SELECT i.id, i.kind, i.number_text, i.payer_id, i.issue_date, i.due_date, i.currency, i.net, i.gross, i.payable
FROM invoice AS i
WHERE i.tenant = $1 AND i.period_start = $2 AND ($3::text IS NULL OR i.legal_entity_id = $3)
ORDER BY i.kind DESC, i.number LIMIT $4;

-- name: invoice_content
-- The frozen content of documents, by number or id.
SELECT id, kind, content, hash, previous_hash FROM invoice WHERE tenant = $1 AND (id = $2 OR number_text = $2);

-- name: invoices_with_credits
-- Documents of a seller by number, and after them the credit notes to each, in order; `of` is the document's number.
SELECT i.number_text, NULL AS of, i.content, i.number FROM invoice AS i
WHERE i.tenant = $1 AND i.legal_entity_id = $2 AND i.number_text = ANY($3::text[]) AND i.kind <> 'credit_note'
UNION ALL
SELECT n.number_text, i.number_text, n.content, n.number FROM invoice AS i
JOIN invoice AS n ON n.tenant = i.tenant AND n.refers_to = i.id
WHERE i.tenant = $1 AND i.legal_entity_id = $2 AND i.number_text = ANY($3::text[]) AND i.kind <> 'credit_note'
ORDER BY of NULLS FIRST, number;

-- name: invoices_taking_back
-- Invoices on which sessions of documents of a seller were taken back, for a credit note had no room; `of` is the document's number.
SELECT o.number_text AS of, i.content FROM invoice AS o
JOIN invoice AS i ON i.tenant = o.tenant AND i.kind = 'invoice' AND i.id IN (
    SELECT p.invoice_id FROM billing_position AS b
    JOIN billing_position AS p ON p.tenant = b.tenant AND p.session_id = b.session_id AND p.revision = b.revision
        AND p.kind = 'credit' AND p.part = b.part
    WHERE b.tenant = o.tenant AND b.invoice_id = o.id AND b.kind = 'cdr')
WHERE o.tenant = $1 AND o.legal_entity_id = $2 AND o.number_text = ANY($3::text[]) AND o.kind <> 'credit_note'
ORDER BY o.number, i.number;

-- name: invoice_named
-- Documents by number or id.
SELECT id, number_text, kind, legal_entity_id FROM invoice WHERE tenant = $1 AND (id = $2 OR number_text = $2) ORDER BY id;

-- name: invoice_credited_before
-- The credit note that the same wish made of a document.
SELECT n.id, n.content FROM invoice_event AS e
JOIN invoice AS n ON n.tenant = e.tenant AND n.id = e.body ->> 'credit_note'
WHERE e.tenant = $1 AND e.invoice_id = $2 AND e.kind = $3 AND e.body ->> 'key' = $4;

-- name: invoice_event_add
-- What happened to a document, after what happened before; one at a time for each document.
INSERT INTO invoice_event (tenant, invoice_id, at, kind, by, body) VALUES ($1, $2, $3, $4, $5, $6::text::jsonb);

-- name: invoice_to_render
-- A frozen document, and whether its buyer receives e-invoices today.
SELECT i.content, coalesce(p.e_invoice, false) AS e_invoice FROM invoice AS i
LEFT JOIN payer AS p ON p.tenant = i.tenant AND p.id = i.payer_id
WHERE i.tenant = $1 AND i.id = $2;

-- name: invoice_hold
-- Nobody else does something with this document until the transaction is over.
SELECT 1 FROM invoice WHERE tenant = $1 AND id = $2 FOR NO KEY UPDATE;

-- name: invoice_document_hashes
-- Which files of a document are stored.
SELECT kind, sha256 FROM invoice_document WHERE tenant = $1 AND invoice_id = $2;

-- name: invoice_document
-- One file of a document.
SELECT bytes FROM invoice_document WHERE tenant = $1 AND invoice_id = $2 AND kind = $3;

-- name: invoice_document_add
-- A file of a document, once and for ever.
INSERT INTO invoice_document (tenant, invoice_id, kind, bytes, sha256, rendered_at) VALUES ($1, $2, $3, $4, $5, $6);

-- name: invoice_event_newest
-- Whether the newest event of a kind says this.
SELECT e.body = $4::text::jsonb FROM invoice_event AS e
WHERE e.tenant = $1 AND e.invoice_id = $2 AND e.kind = $3 ORDER BY e.number DESC LIMIT 1;
-- name: billing_subscriptions
-- The subscriptions that contracts of a seller have in a month, and who pays at its end; without those whose fee is charged.
WITH assigned AS (
    SELECT scope_id, tariff_id, valid_from, lead(valid_from) OVER (PARTITION BY scope_id ORDER BY valid_from) AS until
    FROM tariff_assignment WHERE tenant = $1 AND scope = 'contract'
), versions AS (
    SELECT tariff_id, version, valid_from, document,
        least(valid_to, lead(valid_from) OVER (PARTITION BY tariff_id ORDER BY valid_from, version)) AS until
    FROM tariff_version WHERE tenant = $1
), held AS (
    SELECT k.id AS contract_id, k.name AS contract_name, k.cost_centre, v.tariff_id, v.version, v.document::text AS document,
        greatest(a.valid_from, v.valid_from, k.valid_from) AS valid_from, least(a.until, v.until, k.valid_to) AS valid_to
    FROM contract AS k
    JOIN assigned AS a ON a.scope_id = k.id
    JOIN versions AS v ON v.tariff_id = a.tariff_id
    WHERE k.tenant = $1 AND v.document #> '{laddbok,subscription}' IS NOT NULL
        AND coalesce(k.legal_entity_id, (SELECT min(e.id) FROM legal_entity AS e WHERE e.tenant = $1)) = $2
        AND NOT EXISTS (
            SELECT FROM contract_charge AS c
            WHERE c.tenant = $1 AND c.contract_id = k.id AND c.kind = 'month_fee' AND c.month = $5)
)
SELECT h.*, l.payer_id FROM held AS h
LEFT JOIN LATERAL (
    SELECT q.payer_id FROM contract_payer AS q
    WHERE q.tenant = $1 AND q.contract_id = h.contract_id AND q.valid_from < coalesce(least(h.valid_to, $4), $4)
        AND (q.valid_to IS NULL OR q.valid_to >= coalesce(least(h.valid_to, $4), $4))
    ORDER BY q.valid_from DESC LIMIT 1
) AS l ON true
WHERE h.valid_from < $4 AND (h.valid_to IS NULL OR h.valid_to > greatest(h.valid_from, $3))
ORDER BY h.contract_id, h.valid_from;

-- name: contract_charges
-- What contracts were charged beside their sessions.
SELECT contract_id, content::text AS content FROM contract_charge
WHERE tenant = $1 AND contract_id = ANY($2::text[]) ORDER BY contract_id, month, kind, number;

-- name: charges_of_document
-- What contracts were charged of a kind on a document.
SELECT content::text AS content FROM contract_charge WHERE tenant = $1 AND invoice_id = $2 AND kind = $3
ORDER BY contract_id, month, number;

-- name: contract_charges_add
-- Charges, each once.
INSERT INTO contract_charge (tenant, contract_id, kind, month, number, invoice_id, content)
SELECT $1, q.contract_id, q.kind, q.month, q.number, q.invoice_id, q.content::jsonb
FROM unnest($2::text[], $3::text[], $4::text[], $5::integer[], $6::text[], $7::text[])
    AS q (contract_id, kind, month, number, invoice_id, content);

-- name: charged_positions
-- CDRs by session and revision.
SELECT c.session_id, c.revision, c.kind, s.contract_id, c.tariff_version, k.cost_centre, c.document::text AS cdr,
    c.rating::text AS rating
FROM unnest($2::text[], $3::integer[]) AS q (session_id, revision)
JOIN cdr AS c ON c.tenant = $1 AND c.session_id = q.session_id AND c.revision = q.revision AND c.kind = 'cdr'
JOIN session AS s ON s.tenant = c.tenant AND s.id = c.session_id
LEFT JOIN contract AS k ON k.tenant = s.tenant AND k.id = s.contract_id
ORDER BY s.started_at, c.session_id;
