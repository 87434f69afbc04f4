-- name: payments_lock
-- One at a time moves the money of a seller, until the end of the transaction.
SELECT pg_advisory_xact_lock(hashtextextended('payments/' || $1::integer || '/' || $2::text, 0));

-- name: seller_accounts
-- The accounts on which sellers are paid.
SELECT id, bankgiro, iban FROM legal_entity WHERE tenant = $1 ORDER BY id;

-- name: bank_file_add
-- Remember a file; no row: it was imported before.
INSERT INTO bank_file (tenant, sha256, message_id, name, imported_at, imported_by) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING RETURNING true;

-- name: bank_entries_known
-- Lines of an account that a file told before, and which line each is.
SELECT reference, coalesce(same_as, reference) AS told_as FROM bank_entry
WHERE tenant = $1 AND legal_entity_id = $2 AND reference = ANY($3::text[]);

-- name: bank_entries_like
-- Lines between two days, of which no file of this kind and account told.
SELECT e.reference, e.account, e.amount, e.currency, e.booked_on, e.marks, EXISTS (
        SELECT FROM bank_entry AS d
        WHERE d.tenant = e.tenant AND d.legal_entity_id = e.legal_entity_id AND d.perhaps_same_as <> '{}'
            AND d.perhaps_same_as @> ARRAY[e.reference]) AS is_doubted
FROM bank_entry AS e
WHERE e.tenant = $1 AND e.legal_entity_id = $2 AND e.same_as IS NULL
    AND e.booked_on BETWEEN $5 AND $6 AND NOT EXISTS (
        SELECT FROM bank_entry_told AS t WHERE t.tenant = e.tenant AND t.legal_entity_id = e.legal_entity_id
            AND t.reference = e.reference AND t.kind = $3 AND t.account = $4)
ORDER BY e.booked_on, e.reference;

-- name: bank_entries_add
-- Remember lines of an account that no file told before.
INSERT INTO bank_entry (tenant, legal_entity_id, sha256, reference, account, booked_on, amount, currency, marks, same_as,
    perhaps_same_as)
SELECT $1, $2, $3, q.reference, q.account, q.booked_on, q.amount, q.currency, string_to_array(q.marks, E'\n'), q.same_as,
    coalesce(string_to_array(q.perhaps_same_as, E'\n'), '{}')
FROM unnest($4::text[], $5::text[], $6::date[], $7::numeric[], $8::text[], $9::text[], $10::text[], $11::text[])
    AS q (reference, account, booked_on, amount, currency, marks, same_as, perhaps_same_as);

-- name: bank_entries_told
-- A kind of file of an account told of these lines.
INSERT INTO bank_entry_told (tenant, legal_entity_id, kind, account, reference)
SELECT DISTINCT $1::integer, $2::text, $3::text, $4::text, q.reference FROM unnest($5::text[]) AS q (reference)
ON CONFLICT DO NOTHING;

-- name: payment_payers
-- Customers whose name payments bear, or who paid from their accounts before; at most 50 of each payment.
SELECT q.number, found.id FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS q (name, account, number)
CROSS JOIN LATERAL (
    SELECT p.id FROM payer AS p WHERE p.tenant = $1 AND lower(p.name) = lower(q.name)
    UNION
    SELECT a.payer_id FROM payment AS p JOIN payment_allocation AS a ON a.tenant = p.tenant AND a.payment_id = p.id
    WHERE p.tenant = $1 AND p.payer_account = q.account AND a.kind = 'invoice'
    LIMIT 50
) AS found
WHERE found.id IS NOT NULL;

-- name: payment_invoices
-- Invoices of a seller by number, reference, id, or (those on which one of these amounts is open) payer, with what is open on each: the postings that
-- name it or its credit notes, whatever the account of receivables was called then.
WITH named AS (
    SELECT id FROM invoice WHERE tenant = $1 AND ltrim(payment_reference, '0') = ANY($3::text[])
    UNION SELECT id FROM invoice WHERE tenant = $1 AND ltrim(number_text, '0') = ANY($3::text[])
    UNION SELECT id FROM invoice WHERE tenant = $1 AND id = ANY($4::text[])
), found AS (
    SELECT id, true AS is_named FROM named
    UNION ALL
    SELECT id, false FROM invoice WHERE tenant = $1 AND payer_id = ANY($5::text[]) AND id NOT IN (SELECT id FROM named)
)
SELECT i.id, i.number_text AS number, i.payment_reference, i.payer_id, i.currency, i.due_date,
    coalesce(o.open, 0) AS open, coalesce(-o.credited, 0) AS credited, w.written_off
FROM found AS f JOIN invoice AS i ON i.tenant = $1 AND i.id = f.id
LEFT JOIN LATERAL (
    SELECT sum(g.amount) AS open, sum(g.amount) FILTER (WHERE g.invoice_id <> i.id) AS credited
    FROM posting AS g
    WHERE g.tenant = i.tenant AND g.invoice_id IN (
        SELECT i.id UNION ALL SELECT c.id FROM invoice AS c WHERE c.tenant = i.tenant AND c.refers_to = i.id)
) AS o ON true
CROSS JOIN LATERAL (
    SELECT coalesce(sum(w.amount), 0) AS written_off FROM write_off AS w WHERE w.tenant = i.tenant AND w.invoice_id = i.id
) AS w
WHERE i.legal_entity_id = $2 AND i.kind IN ('invoice', 'receipt') AND i.payer_id IS NOT NULL
    AND (f.is_named OR o.open = ANY($6::numeric[]) OR w.written_off > 0 AND o.open + w.written_off = ANY($6::numeric[]))
ORDER BY i.due_date, i.number_text
LIMIT 50000;

-- name: payments_add
-- Payments as they were told; those that are known are not returned.
INSERT INTO payment (tenant, id, provider, reference, legal_entity_id, received_on, amount, currency, payer_name, payer_account,
    text, document, request_id, sha256, recorded_at, perhaps_same_as)
SELECT $1, q.id, q.provider, q.reference, $2, q.received_on, q.amount, q.currency, q.payer_name, q.payer_account, q.text,
    q.document::jsonb, $13, $14, $15, $16
FROM unnest($3::text[], $4::text[], $5::text[], $6::date[], $7::numeric[], $8::text[], $9::text[], $10::text[], $11::text[],
    $12::text[]) AS q (id, provider, reference, received_on, amount, currency, payer_name, payer_account, text, document)
ON CONFLICT (tenant, legal_entity_id, provider, reference) DO NOTHING RETURNING id;

-- name: payments_sum
-- What payments came to.
SELECT sum(amount) FROM payment WHERE tenant = $1 AND id = ANY($2::text[]);

-- name: payment_one
-- A payment.
SELECT id, provider, reference, legal_entity_id, received_on, amount, currency, request_id, perhaps_same_as FROM payment WHERE tenant = $1 AND id = $2;

-- name: payment_parts
-- Where the parts of a payment went, in order.
SELECT number, kind, amount, invoice_id, payer_id, reason, refund_id FROM payment_allocation
WHERE tenant = $1 AND payment_id = $2 ORDER BY number;

-- name: payment_parts_add
-- Parts of payments, each with its number.
INSERT INTO payment_allocation (tenant, payment_id, number, kind, amount, invoice_id, payer_id, reason, refund_id, at, by)
SELECT $1, q.payment_id, q.number, q.kind, q.amount, q.invoice_id, q.payer_id, q.reason, $9, $10, $11
FROM unnest($2::text[], $3::integer[], $4::text[], $5::numeric[], $6::text[], $7::text[], $8::text[])
    AS q (payment_id, number, kind, amount, invoice_id, payer_id, reason);

-- name: payer_known
-- Whether somebody may have money to their credit: a customer, or the driver of a session.
SELECT EXISTS (SELECT FROM payer WHERE tenant = $1 AND id = $2)
    OR EXISTS (SELECT FROM session WHERE tenant = $1 AND $2 LIKE 'session/%' AND id = substr($2, 9));

-- name: payer_credit
-- What customers have to their credit with a seller: what of payments was put there, less what was taken off their documents as paid.
SELECT q.payer_id, p.put - d.taken AS credit FROM unnest($3::text[]) AS q (payer_id)
CROSS JOIN LATERAL (
    SELECT coalesce(sum(a.amount), 0) AS put FROM payment_allocation AS a
    JOIN payment AS m ON m.tenant = a.tenant AND m.id = a.payment_id AND m.legal_entity_id = $2 AND m.currency = $4
    WHERE a.tenant = $1 AND a.payer_id = q.payer_id AND a.kind = 'balance'
) AS p
CROSS JOIN LATERAL (
    SELECT coalesce(sum(g.amount), 0) AS taken FROM invoice AS i
    JOIN journal_entry AS e ON e.tenant = i.tenant AND e.legal_entity_id = i.legal_entity_id AND e.source_kind = i.kind
        AND e.source_id = i.id
    JOIN posting AS g ON g.tenant = e.tenant AND g.entry_id = e.id AND g.payer_id = i.payer_id AND g.invoice_id IS NULL
    WHERE i.tenant = $1 AND i.payer_id = q.payer_id AND i.legal_entity_id = $2 AND i.currency = $4
) AS d;

-- name: settled_by_provider
-- Payments of other providers that a bank's payments name as settled by them.
SELECT reference, amount FROM payment
WHERE tenant = $1 AND legal_entity_id = $2 AND provider <> 'bank' AND reference = ANY($3::text[]);

-- name: refund_add
-- A refund; no row: there is one under this key.
INSERT INTO refund (tenant, id, idempotency_key, payment_id, amount, currency, reason, state, requested_by, requested_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (tenant, idempotency_key) DO NOTHING RETURNING true;

-- name: refund_by_key
-- The refund under a key.
SELECT id, payment_id, amount, state FROM refund WHERE tenant = $1 AND idempotency_key = $2;

-- name: refund_one
-- A refund with its payment.
SELECT r.id, r.payment_id, r.amount, r.currency, r.reason, r.state, r.requested_at, r.provider_reference, p.provider, p.reference, p.legal_entity_id,
    p.request_id, q.provider_reference AS request_reference, h.provider_reference AS hold_reference
FROM refund AS r JOIN payment AS p ON p.tenant = r.tenant AND p.id = r.payment_id
LEFT JOIN payment_request AS q ON q.tenant = p.tenant AND q.id = p.request_id
LEFT JOIN card_hold AS h ON h.tenant = p.tenant AND h.provider = p.provider AND h.id = p.reference
WHERE r.tenant = $1 AND r.id = $2;

-- name: refund_becomes
-- A refund's next state; ended with the last one.
UPDATE refund SET state = $3, provider_reference = coalesce($4, provider_reference), last_error = $5, ended_at = $6
WHERE tenant = $1 AND id = $2 AND ended_at IS NULL AND state <> $3 RETURNING true;

-- name: payment_of_nothing_add
-- A payment of 0, by which what we owe on a document goes to its payer's credit.
INSERT INTO payment (tenant, id, provider, reference, legal_entity_id, received_on, amount, currency, text, document, recorded_at)
VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, $9, $10);

-- name: paid_on_invoice
-- What payments cover of an invoice, in how many rows.
SELECT coalesce(sum(amount), 0) AS paid, count(*) AS rows FROM payment_allocation
WHERE tenant = $1 AND invoice_id = $2 AND kind = 'invoice';

-- name: refund_waiting
-- A refund that has left us by bank, as a line of the account names it.
SELECT r.id, r.amount FROM refund AS r JOIN payment AS p ON p.tenant = r.tenant AND p.id = r.payment_id
WHERE r.tenant = $1 AND p.legal_entity_id = $2 AND p.provider IN ('bank', 'set_off') AND r.state = 'requested' AND r.id = ANY($3::text[])
    AND r.amount = $4 AND r.currency = $5
LIMIT 2;

-- name: payment_rows
-- Payments, the newest first, with what of each is in suspense.
SELECT p.id, p.provider, p.reference, p.legal_entity_id, p.received_on, p.amount, p.currency, p.payer_name, p.payer_account, p.text,
    coalesce(a.suspense, 0) AS suspense, coalesce(a.balance, 0) AS balance, coalesce(a.refund, 0) AS refund, a.reason,
    p.perhaps_same_as, ARRAY(SELECT named ->> 'reference' FROM jsonb_array_elements(p.document -> 'remitted') AS named) AS named
FROM payment AS p
LEFT JOIN LATERAL (
    SELECT sum(amount) FILTER (WHERE kind = 'suspense') AS suspense, sum(amount) FILTER (WHERE kind = 'balance') AS balance,
        sum(amount) FILTER (WHERE kind = 'refund') AS refund, (array_agg(reason ORDER BY number))[1] AS reason
    FROM payment_allocation AS a WHERE a.tenant = p.tenant AND a.payment_id = p.id
) AS a ON true
WHERE /* filters */
ORDER BY p.received_on DESC, p.id DESC LIMIT

-- name: refund_rows
-- Refunds, the newest first.
SELECT r.id, r.payment_id, r.amount, r.currency, r.reason, r.state, r.requested_by, r.requested_at, r.ended_at, r.last_error
FROM refund AS r
WHERE /* filters */
ORDER BY r.requested_at DESC, r.id DESC LIMIT

-- name: suspense_sums
-- How much is in suspense, by currency.
SELECT currency, sum(amount) AS amount, count(*) AS payments FROM (
    SELECT p.currency, sum(a.amount) AS amount FROM payment AS p
    JOIN payment_allocation AS a ON a.tenant = p.tenant AND a.payment_id = p.id
    WHERE p.tenant = $1 AND a.kind = 'suspense' GROUP BY p.id, p.currency HAVING sum(a.amount) <> 0) AS held
GROUP BY currency ORDER BY currency;

-- name: asked_of_provider
-- What we asked a provider for under a reference, its own or ours.
SELECT tenant, id, 'payment_request' AS what FROM payment_request WHERE provider = $1 AND (id = $2 OR provider_reference = $2)
UNION ALL
SELECT tenant, id, 'card_hold' FROM card_hold WHERE provider = $1 AND (id = $2 OR provider_reference = $2)
LIMIT 10;

-- name: payment_request_add
-- Something to be collected.
INSERT INTO payment_request (tenant, id, legal_entity_id, provider, amount, currency, message, invoice_id, session_id, payer_id,
    payer_alias, state, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'wanted', $12)
ON CONFLICT DO NOTHING RETURNING true;

-- name: payment_request_one
-- A request as it stands.
SELECT id, legal_entity_id, provider, amount, currency, message, invoice_id, session_id, payer_id, payer_alias, state,
    provider_reference, tries, created_at, ended_at
FROM payment_request WHERE tenant = $1 AND id = $2;

-- name: payment_request_becomes
-- A request after it was asked about; an end is for good.
UPDATE payment_request SET state = coalesce($3, state), provider_reference = coalesce($4, provider_reference), tries = tries + 1,
    last_error = $5, ended_at = CASE WHEN $3 IN ('paid', 'declined', 'cancelled', 'expired') THEN $6::timestamptz END
WHERE tenant = $1 AND id = $2 AND ended_at IS NULL;

-- name: card_hold_add
-- A hold for a session; one session has one.
INSERT INTO card_hold (tenant, id, legal_entity_id, session_id, provider, amount, highest, currency, state, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'wanted', $9)
ON CONFLICT DO NOTHING RETURNING true;

-- name: card_hold_one
-- A hold as it stands.
SELECT id, legal_entity_id, session_id, provider, amount, highest, currency, held, captured, state, provider_reference,
    stop_asked_at, created_at, ended_at
FROM card_hold WHERE tenant = $1 AND id = $2;

-- name: card_hold_becomes
-- A hold after it was asked about; an end is for good.
UPDATE card_hold SET state = coalesce($3, state), provider_reference = coalesce($4, provider_reference),
    held = greatest($5::numeric, $6::numeric), captured = $6::numeric, not_covered = greatest(not_covered, $7::numeric),
    amount = greatest(amount, $8::numeric), stop_asked_at = coalesce(stop_asked_at, $9::timestamptz), last_error = $10,
    ended_at = CASE WHEN $3 IN ('captured', 'released', 'failed') THEN $11::timestamptz END
WHERE tenant = $1 AND id = $2 AND ended_at IS NULL;

-- name: hold_session
-- How a session of a hold stands: its final cost with VAT once it has one, or that it never will; nothing, where a contract pays.
SELECT s.state, c.currency, CASE WHEN s.contract_id IS NULL THEN c.incl_vat ELSE 0 END AS cost
FROM session AS s
LEFT JOIN LATERAL (
    SELECT currency, incl_vat FROM cdr WHERE cdr.tenant = s.tenant AND cdr.session_id = s.id AND cdr.kind = 'cdr'
    ORDER BY revision DESC LIMIT 1) AS c ON s.state = 'settled'
WHERE s.tenant = $1 AND s.id = $2;

-- name: payment_of_request
-- Whether a request was paid.
SELECT true FROM payment WHERE tenant = $1 AND request_id = $2;

-- name: hold_power
-- The most that the outlet of a session gives.
SELECT e.max_power_w FROM session AS s JOIN evse AS e ON e.tenant = s.tenant AND e.station_no = s.station_no AND e.evse_id = s.evse_id
WHERE s.tenant = $1 AND s.id = $2;

-- name: invoice_seller
-- Whose an invoice is, by number or id.
SELECT id, legal_entity_id FROM invoice WHERE tenant = $1 AND (id = $2 OR number_text = $2) AND kind = 'invoice' ORDER BY id LIMIT 1;

-- name: session_seller
-- Who sells a session.
SELECT e.id AS seller_id, e.currency FROM session AS s
LEFT JOIN legal_entity AS e ON e.tenant = s.tenant AND e.id = s.body ->> 'seller_id'
WHERE s.tenant = $1 AND s.id = $2;

-- name: card_hold_of_session
-- The hold of a session as it stands.
SELECT id, session_id, provider, amount, highest, currency, held, captured, not_covered, state, stop_asked_at, last_error,
    created_at, ended_at
FROM card_hold WHERE tenant = $1 AND session_id = $2;
