-- name: write_offs_hold
-- Which of these invoices something was written off on; nobody else takes a step on them until the end of the transaction.
SELECT w.invoice_id AS id, pg_advisory_xact_lock(hashtextextended('write_off/' || $1::integer || '/' || w.invoice_id, 0))
FROM (SELECT DISTINCT invoice_id FROM write_off WHERE tenant = $1 AND invoice_id = ANY ($2::text[]) ORDER BY invoice_id) AS w;

-- name: write_off_ground
-- An invoice with what is open of it and its credit notes, with and without what reminders claimed.
SELECT i.number_text AS number, i.payer_id, coalesce(sum(p.amount), 0) AS open,
    coalesce(sum(p.amount) FILTER (WHERE e.source_kind NOT IN ('reminder', 'reminder_cancelled')), 0) AS principal
FROM invoice AS i
LEFT JOIN posting AS p ON p.tenant = i.tenant AND p.invoice_id = ANY (i.id || ARRAY(
    SELECT c.id FROM invoice AS c WHERE c.tenant = i.tenant AND c.refers_to = i.id))
LEFT JOIN journal_entry AS e ON e.tenant = p.tenant AND e.id = p.entry_id
WHERE i.tenant = $1 AND i.id = $2 GROUP BY i.tenant, i.id;

-- name: write_off_steps
-- The steps of writing off that were taken on an invoice, in order.
SELECT content FROM write_off WHERE tenant = $1 AND invoice_id = $2 ORDER BY number;

-- name: write_off_add
-- A step, frozen.
INSERT INTO write_off (tenant, invoice_id, number, legal_entity_id, kind, day, currency, amount, key, reason, at, by, content)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);

-- name: write_off_before
-- The step that the same wish took, unless it was undone since.
SELECT w.content FROM write_off AS w WHERE w.tenant = $1 AND w.invoice_id = $2 AND w.key = $3 AND NOT EXISTS (
    SELECT FROM write_off AS u WHERE u.tenant = w.tenant AND u.invoice_id = w.invoice_id AND u.number > w.number AND u.kind = 'undone')
LIMIT 1;

-- name: write_off_rows
-- What was written off on an invoice, and what came back, in order.
SELECT number, kind, day, currency, amount, reason, at, by, content FROM write_off WHERE invoice_id = $1 ORDER BY number LIMIT 500;

-- name: credited_whole
-- Those of these invoices of which credit notes left nothing, with the reminders of each that stand.
SELECT r.invoice_id, r.number FROM invoice AS i
JOIN reminder AS r ON r.tenant = i.tenant AND r.invoice_id = i.id
WHERE i.tenant = $1 AND i.id = ANY ($2::text[])
    AND (i.net, i.vat) = (SELECT sum(c.net), sum(c.vat) FROM invoice AS c WHERE c.tenant = i.tenant AND c.refers_to = i.id)
    AND NOT EXISTS (SELECT FROM reminder_cancelled AS x
        WHERE x.tenant = r.tenant AND x.invoice_id = r.invoice_id AND x.number = r.number)
ORDER BY r.invoice_id, r.number;

-- name: reconcile_write_offs
-- Steps that are not in the books with their amount, those in the books that nobody took, and what stands written off below 0 or beside
-- something that is owed the other way.
SELECT id, detail, count(*) OVER () AS of FROM (
    SELECT w.invoice_id || '/' || w.number AS id, 'is ' || w.amount || ', in the books ' || coalesce(b.amount, 0) AS detail
    FROM write_off AS w
    LEFT JOIN LATERAL (
        SELECT -sum(p.amount) AS amount FROM journal_entry AS e
        JOIN posting AS p ON p.tenant = e.tenant AND p.entry_id = e.id AND p.invoice_id = w.invoice_id
        WHERE e.tenant = w.tenant AND e.legal_entity_id = w.legal_entity_id AND e.source_kind = 'write_off'
            AND e.source_id = w.invoice_id || '/' || w.number
    ) AS b ON true
    WHERE w.tenant = $1 AND w.amount <> coalesce(b.amount, 0)
    UNION ALL
    SELECT e.source_id, 'in the books, and nothing was written off' FROM journal_entry AS e
    WHERE e.tenant = $1 AND e.source_kind = 'write_off' AND NOT EXISTS (
        SELECT FROM write_off AS w WHERE w.tenant = e.tenant AND w.legal_entity_id = e.legal_entity_id
            AND w.invoice_id || '/' || w.number = e.source_id)
    UNION ALL
    SELECT s.invoice_id, s.amount || ' are written off, and ' || o.open || ' are open' FROM (
        SELECT tenant, invoice_id, sum(amount) AS amount FROM write_off WHERE tenant = $1 GROUP BY tenant, invoice_id
    ) AS s
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(p.amount), 0) AS open FROM posting AS p
        WHERE p.tenant = s.tenant AND p.invoice_id = ANY (s.invoice_id || ARRAY(
            SELECT c.id FROM invoice AS c WHERE c.tenant = s.tenant AND c.refers_to = s.invoice_id))
    ) AS o
    WHERE s.amount < 0 OR (s.amount > 0 AND o.open < 0)
) AS wrong ORDER BY id, detail LIMIT $2;
