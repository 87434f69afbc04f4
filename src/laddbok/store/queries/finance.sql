-- name: billing_alone
-- Whether nobody else does this job; held until the connection ends.
SELECT pg_try_advisory_lock(hashtextextended($1, 0));

-- name: billing_asked
-- Who asked for a run, and how many documents were expected; of a plan, who asked for that.
SELECT coalesce(r.started_by, p.asked_by) AS by, coalesce(r.planned - r.done, 0) AS planned
FROM (SELECT) AS one
LEFT JOIN billing_run AS r ON r.tenant = $1 AND r.id = $4
LEFT JOIN billing_plan AS p ON p.tenant = $1 AND p.legal_entity_id = $2 AND p.period_start = $3
WHERE r.id IS NOT NULL OR p.asked_by IS NOT NULL;

-- name: billing_plan_advance
-- How many customers a plan has looked at.
UPDATE billing_plan SET customers = $4 WHERE tenant = $1 AND legal_entity_id = $2 AND period_start = $3 AND ended_at IS NULL;

-- name: billing_plan_end
-- What a plan found.
UPDATE billing_plan SET customers = $4, ended_at = greatest($5, asked_at), result = $6::jsonb
WHERE tenant = $1 AND legal_entity_id = $2 AND period_start = $3;

-- name: billing_run_told
-- What a run did.
UPDATE billing_run SET result = $3::jsonb WHERE tenant = $1 AND id = $2;

-- name: billing_plan_drop
-- A plan that came true is none any more.
DELETE FROM billing_plan WHERE tenant = $1 AND legal_entity_id = $2 AND period_start = $3;

-- name: billing_plan_ask
-- A month is to be looked at; what was found before is dropped.
INSERT INTO billing_plan (tenant, legal_entity_id, period_start, asked_at, asked_by)
VALUES (laddbok_tenant(), $1, $2, $3, $4)
ON CONFLICT (tenant, legal_entity_id, period_start) DO UPDATE SET
    asked_at = excluded.asked_at, asked_by = excluded.asked_by, customers = 0, ended_at = NULL, result = NULL;

-- name: billing_plan_row
-- What is known of billing a month, and why a worker could not find out.
SELECT p.asked_at, p.asked_by, p.customers, p.ended_at, p.result::text AS result, j.last_error, j.failed_at
FROM billing_plan AS p LEFT JOIN job AS j ON j.kind = 'billing_plan' AND j.key = $3
WHERE p.legal_entity_id = $1 AND p.period_start = $2;

-- name: billing_run_ask
-- A run is to be done; one that has ended may be done again for what came later.
INSERT INTO billing_run (tenant, id, legal_entity_id, period_start, period_end, started_at, started_by, planned)
VALUES (laddbok_tenant(), $1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (tenant, id) DO UPDATE SET
    planned = billing_run.done + excluded.planned, ended_at = NULL, started_by = excluded.started_by, result = NULL
WHERE billing_run.ended_at IS NOT NULL
RETURNING id;

-- name: billing_run_rows
-- Runs, the newest first.
SELECT r.id, r.legal_entity_id AS seller_id, r.period_start, r.period_end, r.started_at, r.started_by, r.planned, r.done,
    r.ended_at, r.result::text AS result, j.last_error, j.failed_at
FROM billing_run AS r LEFT JOIN job AS j ON j.kind = 'billing_run' AND j.key = r.tenant || '/' || r.id
WHERE /* filters */ ORDER BY r.started_at DESC, r.id DESC LIMIT

-- name: invoice_rows
-- Documents, the newest first, with what is left to pay of each: the postings that name it, and those that name the credit notes
-- that refer to it, whatever the account of receivables was called then. What we owe a host is none of it. What reminders claimed
-- is paid last.
SELECT i.id, i.legal_entity_id AS seller_id, i.kind, i.number_text AS number, i.run_id, i.payer_id,
    coalesce(p.name, i.payer_id) AS payer_name, i.contract_id, i.period_start, i.period_end, i.issue_date, i.due_date,
    i.currency, i.net, i.vat, i.gross, i.payable, i.payment_reference, i.refers_to, i.finalised_at, m.open, m.claims_open, m.credited,
    m.written_off, m.is_disputed, m.state, m.deadline
FROM invoice AS i
LEFT JOIN payer AS p ON p.tenant = i.tenant AND p.id = i.payer_id
JOIN legal_entity AS e ON e.tenant = i.tenant AND e.id = i.legal_entity_id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(q.amount), 0) AS open FROM posting AS q
    WHERE q.tenant = i.tenant AND i.kind <> 'self_billed'
        AND q.invoice_id = ANY (i.id || ARRAY(
            SELECT c.id FROM invoice AS c WHERE c.tenant = i.tenant AND c.refers_to = i.id AND c.kind = 'credit_note'))
) AS o
CROSS JOIN LATERAL (
    SELECT coalesce(sum(c.gross), 0) AS credited FROM invoice AS c
    WHERE c.tenant = i.tenant AND c.refers_to = i.id AND c.kind = 'credit_note'
) AS k
CROSS JOIN LATERAL (
    SELECT coalesce(sum(r.claimed), 0) AS claimed FROM reminder AS r
    WHERE r.tenant = i.tenant AND r.invoice_id = i.id AND NOT EXISTS (
        SELECT FROM reminder_cancelled AS x WHERE x.tenant = r.tenant AND x.invoice_id = r.invoice_id AND x.number = r.number)
) AS c
CROSS JOIN LATERAL (
    SELECT coalesce(sum(w.amount), 0) AS amount FROM write_off AS w WHERE w.tenant = i.tenant AND w.invoice_id = i.id
) AS w
LEFT JOIN LATERAL (
    SELECT d.deadline FROM dispute AS d
    WHERE d.tenant = i.tenant AND d.invoice_id = i.id AND NOT EXISTS (
        SELECT FROM dispute_decision AS x WHERE x.tenant = d.tenant AND x.invoice_id = d.invoice_id AND x.number = d.number)
    LIMIT 1
) AS d ON true
CROSS JOIN LATERAL (
    SELECT o.open, greatest(0, least(c.claimed, o.open)) AS claims_open, k.credited, w.amount AS written_off,
        d.deadline IS NOT NULL AS is_disputed, d.deadline, CASE
        WHEN i.kind = 'credit_note' THEN 'credit_note'
        WHEN k.credited > 0 AND k.credited >= i.gross THEN 'credited'
        WHEN o.open <= 0 AND w.amount > 0 THEN 'written_off'
        WHEN i.kind <> 'invoice' OR o.open <= 0 THEN 'paid'
        WHEN i.due_date < ($1::timestamptz AT TIME ZONE e.time_zone)::date THEN 'overdue'
        ELSE 'open' END AS state
) AS m
WHERE /* filters */ ORDER BY i.issue_date DESC, i.id DESC LIMIT

-- name: invoice_frozen
-- The frozen content of a document and its place in the chain.
SELECT content, previous_hash, hash FROM invoice WHERE id = $1;

-- name: invoice_events
-- What happened to a document since it became final.
SELECT number, at, kind, by, body::text AS body FROM invoice_event WHERE invoice_id = $1 ORDER BY number LIMIT 500;

-- name: invoice_tell
-- One more thing that happened to a document of the asker's tenant.
INSERT INTO invoice_event (tenant, invoice_id, at, kind, by, body) VALUES (laddbok_tenant(), $1, $2, $3, $4, $5::jsonb);

-- name: invoice_entries
-- The journal entries that touch a document or follow from it, whole, in the currency of the books. A receipt, which was paid
-- before it was written, touches no claim.
SELECT j.id, j.date, j.text, j.source_kind, j.posted_at, q.account, coalesce(q.book_amount, q.amount) AS amount,
    coalesce(q.book_currency, q.currency) AS currency, q.invoice_id
FROM journal_entry AS j JOIN posting AS q ON q.tenant = j.tenant AND q.entry_id = j.id
WHERE j.id IN (
        SELECT entry_id FROM posting WHERE invoice_id = $1
        UNION ALL
        SELECT e.id FROM invoice AS i JOIN journal_entry AS e ON e.tenant = i.tenant
            AND e.legal_entity_id = i.legal_entity_id AND e.source_kind = i.kind AND e.source_id = i.id
        WHERE i.id = $1)
    AND NOT EXISTS (SELECT FROM journal_entry AS x WHERE x.tenant = j.tenant AND x.legal_entity_id = j.legal_entity_id
        AND x.source_kind = 'exchange' AND x.source_id = j.id::text)
ORDER BY j.date, j.id, q.line LIMIT 1000;

-- name: invoice_credits
-- The credit notes that refer to a document.
SELECT id, number_text AS number, issue_date, gross FROM invoice WHERE refers_to = $1 ORDER BY number;

-- name: invoice_documents
-- Which renderings of a document are stored.
SELECT kind, encode(sha256, 'hex') AS sha256, rendered_at, length(bytes) AS size FROM invoice_document WHERE invoice_id = $1
ORDER BY kind;

-- name: invoice_rendering
-- A stored rendering of a document.
SELECT d.bytes, i.number_text AS number FROM invoice_document AS d JOIN invoice AS i ON i.tenant = d.tenant AND i.id = d.invoice_id
WHERE d.invoice_id = $1 AND d.kind = $2;

-- name: dispute_rows
-- What was objected to on a document, with what was decided.
SELECT d.number, d.session_id, d.reason, d.opened_at, d.opened_by, d.deadline, x.decision, x.note, x.decided_at, x.decided_by
FROM dispute AS d LEFT JOIN dispute_decision AS x USING (tenant, invoice_id, number)
WHERE d.invoice_id = $1 ORDER BY d.number LIMIT 100;

-- name: dispute_open
-- Open a dispute: its number is taken while another one is open.
INSERT INTO dispute (tenant, invoice_id, number, session_id, reason, opened_at, opened_by, deadline)
SELECT laddbok_tenant(), $1, count(*) + 1, $2, $3, $4, $5, $6 FROM dispute_decision WHERE invoice_id = $1
RETURNING number;

-- name: dispute_decide
-- Decide the dispute of this number.
INSERT INTO dispute_decision (tenant, invoice_id, number, decision, note, decided_at, decided_by)
VALUES (laddbok_tenant(), $1, $2, $3, $4, $5, $6);

-- name: dispute_is_of_invoice
-- Whether a session is on a document.
SELECT EXISTS (SELECT FROM billing_position WHERE invoice_id = $1 AND session_id = $2);

-- name: receipt_secret_make
-- Under what a tenant's links are signed, made when it is first needed.
INSERT INTO receipt_secret (tenant, made_at) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- name: receipt_secret
-- Under what a tenant's links are signed.
SELECT secret FROM receipt_secret WHERE tenant = $1;

-- name: ledger_entry_rows
-- What was posted on an account, the oldest first, in the currency of the books.
SELECT j.id, j.date, j.text, j.source_kind, j.posted_at, q.line, q.account, coalesce(q.book_amount, q.amount) AS amount,
    coalesce(q.book_currency, q.currency) AS currency, q.invoice_id, q.payer_id
FROM journal_entry AS j JOIN posting AS q ON q.tenant = j.tenant AND q.entry_id = j.id
WHERE NOT EXISTS (SELECT FROM journal_entry AS x WHERE x.tenant = j.tenant AND x.legal_entity_id = j.legal_entity_id
        AND x.source_kind = 'exchange' AND x.source_id = j.id::text)
    AND /* filters */ ORDER BY j.date, j.id, q.line LIMIT

-- name: dispute_ground
-- What a dispute needs to know of its document.
SELECT i.kind, i.number_text AS number, e.time_zone FROM invoice AS i
JOIN legal_entity AS e ON e.tenant = i.tenant AND e.id = i.legal_entity_id WHERE i.id = $1;
