-- name: delivery_add
-- A document, or a reminder of it, is to reach its customer or host; it is listed once. Who paid at once without a contract is neither:
-- they see theirs on the page where they paid.
INSERT INTO delivery (tenant, invoice_id, reminder, due_at, changed_at)
SELECT i.tenant, i.id, $3, $4, $4 FROM invoice AS i
WHERE i.tenant = $1 AND i.id = $2 AND (
    i.kind = 'self_billed' OR EXISTS (SELECT FROM payer AS p WHERE p.tenant = i.tenant AND p.id = i.payer_id))
ON CONFLICT DO NOTHING;

-- name: delivery_take
-- The next document that is to be mailed, and is nobody else's until its lease is over. In the order of the index on `due_at` and of
-- nothing else, so that taking one looks at one, however many wait.
WITH next AS (
    SELECT d.tenant, d.invoice_id, d.reminder, a.address FROM delivery AS d
    CROSS JOIN LATERAL laddbok_mail_address(d.tenant, d.invoice_id) AS a (address)
    WHERE d.state = 'waiting' AND d.due_at <= $1 AND a.address IS NOT NULL
    ORDER BY d.due_at LIMIT 1 FOR UPDATE OF d SKIP LOCKED
)
UPDATE delivery AS d SET due_at = $2, address = n.address, changed_at = $1
FROM next AS n WHERE (d.tenant, d.invoice_id, d.reminder) = (n.tenant, n.invoice_id, n.reminder)
RETURNING d.tenant, d.invoice_id, d.reminder, d.tries, d.address;

-- name: delivery_set_aside
-- Of so many that are due, those that have no address are looked at again later, and stand before nothing that is to be mailed.
WITH due AS (
    SELECT tenant, invoice_id, reminder FROM delivery WHERE state = 'waiting' AND due_at <= $1
    ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED
), aside AS (
    UPDATE delivery AS d SET due_at = $2 FROM due AS n
    WHERE (d.tenant, d.invoice_id, d.reminder) = (n.tenant, n.invoice_id, n.reminder)
        AND laddbok_mail_address(n.tenant, n.invoice_id) IS NULL
    RETURNING true
)
SELECT count(*) FROM aside;

-- name: delivery_look_again
-- A customer, or a host, may have an address now: what never had one is due at once.
UPDATE delivery SET due_at = $4
WHERE tenant = $1 AND state = 'waiting' AND address IS NULL AND due_at > $4 AND invoice_id IN (
    SELECT id FROM invoice WHERE tenant = $1 AND payer_id = $2
    UNION ALL SELECT invoice_id FROM host_settlement WHERE tenant = $1 AND host_id = $3);

-- name: delivery_drop
-- A reminder that was cancelled need not be sent any more.
UPDATE delivery SET state = 'dropped', changed_at = $4
WHERE tenant = $1 AND invoice_id = $2 AND reminder = $3 AND state IN ('waiting', 'failed');

-- name: delivery_becomes
-- How the delivery of a document stands now. No row: it was sent or dropped meanwhile, and stays so.
UPDATE delivery SET state = $4, due_at = $5, tries = $6, last_error = $7, address = coalesce($8, address), changed_at = $9
WHERE tenant = $1 AND invoice_id = $2 AND reminder = $3 AND state IN ('waiting', 'failed') RETURNING true;

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

-- name: delivery_rows
-- Documents and reminders on their way, what changed last first; `address` is where they go now, `tried` where they were tried. The
-- address is that of laddbok_mail_address, joined: asked for one by one it takes too long where few of many fit.
SELECT d.invoice_id, d.reminder, i.kind, i.number_text AS number, coalesce(h.id, i.payer_id) AS payer_id,
    coalesce(h.name, p.name, i.payer_id) AS payer_name, i.issue_date, d.state, a.address, d.address AS tried, d.tries,
    d.last_error, d.due_at, d.changed_at
FROM delivery AS d
JOIN invoice AS i ON i.tenant = d.tenant AND i.id = d.invoice_id
LEFT JOIN payer AS p ON p.tenant = i.tenant AND p.id = i.payer_id AND i.kind <> 'self_billed'
LEFT JOIN host_settlement AS s ON s.tenant = i.tenant AND s.invoice_id = i.id
LEFT JOIN host AS h ON h.tenant = s.tenant AND h.id = s.host_id
CROSS JOIN LATERAL (
    SELECT nullif(CASE WHEN i.kind = 'self_billed' THEN h.email WHEN NOT p.on_paper THEN p.email END, '') AS address) AS a
WHERE /* filters */ ORDER BY d.changed_at DESC, d.invoice_id DESC, d.reminder DESC LIMIT

-- name: delivery_figures
-- How many documents wait for the mail server, for a person's hands, or could not be mailed, and what the server said last. The address is
-- that of laddbok_mail_address, joined: counted in one go, however many wait.
SELECT count(*) FILTER (WHERE d.state = 'waiting' AND a.address IS NOT NULL) AS for_mail,
    count(*) FILTER (WHERE d.state = 'waiting' AND a.address IS NULL) AS by_hand,
    count(*) FILTER (WHERE d.state = 'failed') AS failed,
    (SELECT l.last_error FROM delivery AS l WHERE l.tenant = $1 AND l.state = 'waiting' AND l.last_error IS NOT NULL
        ORDER BY l.changed_at DESC LIMIT 1) AS trouble
FROM delivery AS d
JOIN invoice AS i ON i.tenant = d.tenant AND i.id = d.invoice_id
LEFT JOIN payer AS p ON p.tenant = i.tenant AND p.id = i.payer_id AND i.kind <> 'self_billed' AND NOT p.on_paper
LEFT JOIN host_settlement AS s ON s.tenant = i.tenant AND s.invoice_id = i.id AND i.kind = 'self_billed'
LEFT JOIN host AS h ON h.tenant = s.tenant AND h.id = s.host_id
CROSS JOIN LATERAL (SELECT nullif(coalesce(h.email, p.email), '') AS address) AS a
WHERE d.tenant = $1 AND d.state IN ('waiting', 'failed');
