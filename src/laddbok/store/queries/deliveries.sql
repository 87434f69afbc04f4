-- name: delivery_add
-- A document, or a reminder of it, is to reach its customer; it is listed once.
INSERT INTO delivery (tenant, invoice_id, reminder, due_at, changed_at) VALUES ($1, $2, $3, $4, $4) ON CONFLICT DO NOTHING;

-- name: delivery_take
-- The next document that is to be mailed, and is nobody else's until its lease is over. Who pays is written to, and of what
-- we owe a host, the host.
WITH next AS (
    SELECT d.tenant, d.invoice_id, d.reminder, a.address FROM delivery AS d
    JOIN invoice AS i ON i.tenant = d.tenant AND i.id = d.invoice_id
    CROSS JOIN LATERAL (
        SELECT coalesce(
            (SELECT p.email FROM payer AS p WHERE p.tenant = i.tenant AND p.id = i.payer_id AND i.kind <> 'self_billed'),
            (SELECT h.email FROM host_settlement AS s JOIN host AS h ON h.tenant = s.tenant AND h.id = s.host_id
                WHERE s.tenant = i.tenant AND s.invoice_id = i.id)) AS address
    ) AS a
    WHERE d.state = 'waiting' AND d.due_at <= $1 AND a.address IS NOT NULL
    ORDER BY d.due_at, d.invoice_id, d.reminder LIMIT 1 FOR UPDATE OF d SKIP LOCKED
)
UPDATE delivery AS d SET due_at = $2, address = n.address, changed_at = $1
FROM next AS n WHERE (d.tenant, d.invoice_id, d.reminder) = (n.tenant, n.invoice_id, n.reminder)
RETURNING d.tenant, d.invoice_id, d.reminder, d.tries, d.address;

-- name: delivery_becomes
-- How the delivery of a document stands now; what was sent stays so. No row: it was sent meanwhile.
UPDATE delivery SET state = $4, due_at = $5, tries = $6, last_error = $7, address = coalesce($8, address), changed_at = $9
WHERE tenant = $1 AND invoice_id = $2 AND reminder = $3 AND state <> 'sent' RETURNING true;

-- name: delivery_one
-- How the delivery of a document stands.
SELECT state, tries, address, last_error FROM delivery WHERE tenant = $1 AND invoice_id = $2 AND reminder = $3;

-- name: delivery_content
-- What is mailed: the frozen document with its files, or the frozen reminder with its PDF.
SELECT i.content, NULL::bytea AS reminder, d.kind, d.bytes FROM invoice AS i
JOIN invoice_document AS d ON d.tenant = i.tenant AND d.invoice_id = i.id
WHERE i.tenant = $1 AND i.id = $2 AND $3 = 0
UNION ALL
SELECT i.content, r.content, 'pdf', d.bytes FROM reminder AS r
JOIN invoice AS i ON i.tenant = r.tenant AND i.id = r.invoice_id
JOIN reminder_document AS d ON d.tenant = r.tenant AND d.invoice_id = r.invoice_id AND d.number = r.number
WHERE r.tenant = $1 AND r.invoice_id = $2 AND r.number = $3;
