-- name: reminders_due
-- Invoices of a seller to its customers, after one of them, that were due between two days, of which something is left (what reminders claimed
-- is beside it), and that have fewer reminders than so many. Of a driver without a contract nobody has an address.
SELECT i.id FROM invoice AS i
CROSS JOIN LATERAL (
    SELECT coalesce(sum(p.amount), 0) AS open FROM posting AS p
    JOIN journal_entry AS e ON e.tenant = p.tenant AND e.id = p.entry_id
    WHERE p.tenant = i.tenant AND e.source_kind NOT IN ('reminder', 'reminder_cancelled') AND p.invoice_id = ANY (i.id || ARRAY(
        SELECT c.id FROM invoice AS c WHERE c.tenant = i.tenant AND c.refers_to = i.id))
) AS o
WHERE i.tenant = $1 AND i.legal_entity_id = $2 AND i.kind = 'invoice' AND i.due_date BETWEEN $7 AND $3
    AND EXISTS (SELECT FROM payer AS y WHERE y.tenant = i.tenant AND y.id = i.payer_id)
    AND i.id > $4 AND o.open > 0
    AND (SELECT count(*) FROM reminder AS r WHERE r.tenant = i.tenant AND r.invoice_id = i.id) < $5
ORDER BY i.id LIMIT $6;

-- name: reminder_ground
-- An invoice as a reminder of it needs it.
SELECT i.content, i.legal_entity_id, EXISTS (
    SELECT FROM dispute AS d WHERE d.tenant = i.tenant AND d.invoice_id = i.id AND NOT EXISTS (
        SELECT FROM dispute_decision AS x WHERE x.tenant = d.tenant AND x.invoice_id = d.invoice_id AND x.number = d.number)
    ) AS is_disputed
FROM invoice AS i WHERE i.tenant = $1 AND i.id = $2 AND i.kind = 'invoice';

-- name: invoice_owed_steps
-- What changed how much is open of an invoice itself: its postings and those of its credit notes, without what reminders claimed.
SELECT e.date, p.amount FROM posting AS p
JOIN journal_entry AS e ON e.tenant = p.tenant AND e.id = p.entry_id
WHERE p.tenant = $1 AND e.source_kind NOT IN ('reminder', 'reminder_cancelled') AND p.invoice_id IN (
    SELECT $2 UNION ALL SELECT c.id FROM invoice AS c WHERE c.tenant = $1 AND c.refers_to = $2);

-- name: reminders_of_invoice
-- The reminders of an invoice, in order.
SELECT r.content, c.number IS NOT NULL AS is_cancelled FROM reminder AS r
LEFT JOIN reminder_cancelled AS c USING (tenant, invoice_id, number)
WHERE r.tenant = $1 AND r.invoice_id = $2 ORDER BY r.number;

-- name: reminder_add
-- A reminder, frozen; no row: this one is there.
INSERT INTO reminder (tenant, invoice_id, number, legal_entity_id, issue_date, pay_by, currency, principal, claimed, issued_at,
    issued_by, content)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT DO NOTHING RETURNING true;

-- name: reminder_one
-- A reminder, and whether it was cancelled.
SELECT r.legal_entity_id, r.content, c.number IS NOT NULL AS is_cancelled FROM reminder AS r
LEFT JOIN reminder_cancelled AS c USING (tenant, invoice_id, number)
WHERE r.tenant = $1 AND r.invoice_id = $2 AND r.number = $3;

-- name: reminder_cancel
-- What a reminder claimed is taken back.
INSERT INTO reminder_cancelled (tenant, invoice_id, number, reason, cancelled_at, cancelled_by)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING true;

-- name: reminder_hold
-- Whether a reminder stands; nobody else renders or cancels it until the transaction is over.
SELECT NOT EXISTS (
    SELECT FROM reminder_cancelled AS c WHERE (c.tenant, c.invoice_id, c.number) = (r.tenant, r.invoice_id, r.number)) AS stands
FROM reminder AS r WHERE r.tenant = $1 AND r.invoice_id = $2 AND r.number = $3 FOR NO KEY UPDATE;

-- name: reminder_document_add
-- The PDF of a reminder, once and for ever; no row: it is there.
INSERT INTO reminder_document (tenant, invoice_id, number, bytes, sha256, rendered_at)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING true;

-- name: reminder_document
-- The PDF of a reminder.
SELECT bytes, sha256 FROM reminder_document WHERE tenant = $1 AND invoice_id = $2 AND number = $3;

-- name: reminder_run_days
-- When sellers' late invoices were looked through last.
SELECT e.id, max(r.day) AS day FROM legal_entity AS e
LEFT JOIN reminder_run AS r ON r.tenant = e.tenant AND r.legal_entity_id = e.id
WHERE e.tenant = $1 GROUP BY e.id;

-- name: reminder_run_keep
-- What came of looking through a seller's late invoices.
INSERT INTO reminder_run (tenant, legal_entity_id, day, ended_at, result) VALUES ($1, $2, $3, $4, $5::text::jsonb)
ON CONFLICT (tenant, legal_entity_id, day) DO UPDATE SET ended_at = excluded.ended_at, result = excluded.result;

-- name: reminder_runs_last
-- What came of the last look through each seller's late invoices.
SELECT DISTINCT ON (legal_entity_id) legal_entity_id, day, ended_at, (result ->> 'count')::integer AS count,
    (result -> 'left_out')::text AS left_out
FROM reminder_run ORDER BY legal_entity_id, day DESC;

-- name: entry_of_source
-- A journal entry by what it follows from, posting by posting.
SELECT e.date, e.text, e.source_kind, e.source_id, p.account, p.amount, p.currency, p.invoice_id, p.payer_id, p.book_amount,
    p.book_currency
FROM journal_entry AS e JOIN posting AS p ON p.tenant = e.tenant AND p.entry_id = e.id
WHERE e.tenant = $1 AND e.legal_entity_id = $2 AND e.source_kind = $3 AND e.source_id = $4 ORDER BY p.line;

-- name: reminder_rows
-- Reminders, the newest first.
SELECT r.invoice_id, i.number_text AS invoice_number, i.payer_id, coalesce(p.name, i.payer_id) AS payer_name, r.number, r.issue_date, r.pay_by,
    r.currency, r.principal, r.claimed, r.issued_at, r.issued_by, r.content, d.invoice_id IS NOT NULL AS is_rendered,
    c.reason AS cancelled_because, c.cancelled_at, c.cancelled_by, v.state AS delivery
FROM reminder AS r
JOIN invoice AS i ON i.tenant = r.tenant AND i.id = r.invoice_id
LEFT JOIN payer AS p ON p.tenant = i.tenant AND p.id = i.payer_id
LEFT JOIN reminder_cancelled AS c ON c.tenant = r.tenant AND c.invoice_id = r.invoice_id AND c.number = r.number
LEFT JOIN reminder_document AS d ON d.tenant = r.tenant AND d.invoice_id = r.invoice_id AND d.number = r.number
LEFT JOIN delivery AS v ON v.tenant = r.tenant AND v.invoice_id = r.invoice_id AND v.reminder = r.number
WHERE /* filters */ ORDER BY r.issue_date DESC, r.invoice_id DESC, r.number DESC LIMIT
