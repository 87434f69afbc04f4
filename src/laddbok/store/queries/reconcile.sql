-- name: reconcile_figures
-- What stands on both sides of the sums: frames since an instant, CDRs and positions.
WITH told AS (
    SELECT f.station_no, f.connection_epoch, f.seq, f.received_at FROM frame AS f
    WHERE f.tenant = $1 AND f.received_at >= $2 AND f.direction = 'i' AND (
        f.action IN ('StartTransaction', 'StopTransaction', 'TransactionEvent')
        OR f.action = 'MeterValues' AND position('"transactionId"'::bytea IN f.raw) > 0)
), kept AS (
    SELECT EXISTS (
        SELECT FROM session_range AS r WHERE r.tenant = $1 AND r.station_no = t.station_no
            AND (t.connection_epoch, t.seq) >= (r.from_epoch, r.from_seq)
            AND (r.to_epoch IS NULL OR (t.connection_epoch, t.seq) <= (r.to_epoch, r.to_seq))
    ) AS is_of_session, o.station_no IS NOT NULL AND o.matched_session_id IS NULL AS is_orphan
    FROM told AS t LEFT JOIN orphan AS o ON o.tenant = $1 AND o.station_no = t.station_no
        AND o.connection_epoch = t.connection_epoch AND o.seq = t.seq
), of_frames AS (
    SELECT count(*) FILTER (WHERE is_of_session AND NOT is_orphan) AS of_sessions, count(*) FILTER (WHERE is_orphan) AS orphans,
        count(*) AS told FROM kept
), rejected AS (
    SELECT count(*) AS rejected FROM quarantine WHERE tenant = $1 AND received_at >= $2
), positions AS (
    SELECT part > 0 AS is_part, count(*) AS all, count(*) FILTER (WHERE outcome = 'billed') AS billed,
        count(*) FILTER (WHERE outcome IS NULL) AS pending, count(*) FILTER (WHERE outcome = 'netted') AS netted,
        count(*) FILTER (WHERE outcome = 'nothing') AS nothing, count(*) FILTER (WHERE outcome = 'shared') AS shared
    FROM billing_position WHERE tenant = $1 GROUP BY is_part
), figures AS (
    SELECT coalesce(sum(p.all) FILTER (WHERE p.is_part), 0)::bigint AS parts,
        coalesce(sum(p.billed) FILTER (WHERE p.is_part), 0)::bigint AS parts_billed,
        coalesce(sum(p.pending) FILTER (WHERE p.is_part), 0)::bigint AS parts_pending,
        coalesce(sum(p.netted) FILTER (WHERE p.is_part), 0)::bigint AS parts_netted,
        coalesce(sum(p.nothing) FILTER (WHERE p.is_part), 0)::bigint AS parts_of_nothing,
        coalesce(sum(p.billed) FILTER (WHERE NOT p.is_part), 0)::bigint AS cdrs_billed,
        coalesce(sum(p.pending) FILTER (WHERE NOT p.is_part), 0)::bigint AS cdrs_pending,
        coalesce(sum(p.netted) FILTER (WHERE NOT p.is_part), 0)::bigint AS cdrs_netted,
        coalesce(sum(p.nothing) FILTER (WHERE NOT p.is_part), 0)::bigint AS cdrs_of_nothing,
        coalesce(sum(p.shared) FILTER (WHERE NOT p.is_part), 0)::bigint AS cdrs_shared
    FROM positions AS p
)
SELECT f.told + r.rejected AS frames_in, f.of_sessions AS frames_of_sessions, f.orphans AS frames_orphaned,
    r.rejected AS frames_rejected, (SELECT count(*) FROM cdr WHERE tenant = $1) AS cdrs, p.*
FROM of_frames AS f, rejected AS r, figures AS p;

-- name: reconcile_frames
-- Messages of a transaction that belong to no session and are no orphans, since an instant.
SELECT f.station_no || '/' || f.connection_epoch || '/' || f.seq AS id, f.action AS detail, count(*) OVER () AS of
FROM frame AS f
WHERE f.tenant = $1 AND f.received_at >= $2 AND f.direction = 'i' AND (
        f.action IN ('StartTransaction', 'StopTransaction', 'TransactionEvent')
        OR f.action = 'MeterValues' AND position('"transactionId"'::bytea IN f.raw) > 0)
    AND NOT EXISTS (
        SELECT FROM session_range AS r WHERE r.tenant = $1 AND r.station_no = f.station_no
            AND (f.connection_epoch, f.seq) >= (r.from_epoch, r.from_seq)
            AND (r.to_epoch IS NULL OR (f.connection_epoch, f.seq) <= (r.to_epoch, r.to_seq)))
    AND NOT EXISTS (
        SELECT FROM orphan AS o WHERE o.tenant = $1 AND o.station_no = f.station_no
            AND o.connection_epoch = f.connection_epoch AND o.seq = f.seq AND o.matched_session_id IS NULL)
ORDER BY f.received_at, f.seq LIMIT $3;

-- name: reconcile_cdrs
-- Sessions whose CDRs don't fit their state, and CDRs that are no position.
SELECT id, detail, count(*) OVER () AS of FROM (
    SELECT c.session_id AS id, c.kind || ' of revision ' || c.revision || ' is no position' AS detail FROM cdr AS c
    WHERE c.tenant = $1 AND NOT EXISTS (
        SELECT FROM billing_position AS p WHERE p.tenant = c.tenant AND p.session_id = c.session_id
            AND p.revision = c.revision AND p.kind = c.kind AND p.part = 0 AND p.excl_vat = c.excl_vat AND p.currency = c.currency)
    UNION ALL
    SELECT s.id, s.state || ' with ' || n.standing || ' CDRs that stand' FROM session AS s
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE c.kind = 'cdr') - count(*) FILTER (WHERE c.kind = 'credit') AS standing
        FROM cdr AS c WHERE c.tenant = s.tenant AND c.session_id = s.id
    ) AS n
    WHERE s.tenant = $1 AND n.standing <> CASE WHEN s.state = 'settled' THEN 1 ELSE 0 END
) AS wrong ORDER BY id, detail LIMIT $2;

-- name: reconcile_parts
-- Positions that are shared out and whose parts are not all of them, and parts of those that are not shared out.
SELECT w.session_id AS id, w.kind || ' of revision ' || w.revision || ' is worth ' || w.excl_vat || ', its parts '
        || coalesce(p.excl_vat::text, 'nothing') AS detail, count(*) OVER () AS of
FROM billing_position AS w
LEFT JOIN (
    SELECT session_id, revision, kind, sum(excl_vat) AS excl_vat, sum(incl_vat) AS incl_vat FROM billing_position
    WHERE tenant = $1 AND part > 0 GROUP BY session_id, revision, kind
) AS p USING (session_id, revision, kind)
WHERE w.tenant = $1 AND w.part = 0 AND (w.outcome = 'shared' OR p.session_id IS NOT NULL)
    AND (w.outcome, p.excl_vat, p.incl_vat) IS DISTINCT FROM ('shared', w.excl_vat, w.incl_vat)
ORDER BY w.session_id, w.revision, w.kind LIMIT $2;

-- name: reconcile_billed_once
-- Sessions that are billed twice, or taken back without having been billed; CDRs that are called credited, or nothing, and are not.
SELECT id, detail, count(*) OVER () AS of FROM (
    SELECT session_id AS id, sum(CASE kind WHEN 'cdr' THEN 1 ELSE -1 END) || ' positions are billed' AS detail
    FROM billing_position WHERE tenant = $1 AND outcome = 'billed' AND part = 0
    GROUP BY session_id HAVING sum(CASE kind WHEN 'cdr' THEN 1 ELSE -1 END) NOT IN (0, 1)
    UNION ALL
    SELECT session_id, count(DISTINCT revision) || ' revisions are billed' FROM (
        SELECT session_id, revision FROM billing_position WHERE tenant = $1 AND outcome = 'billed'
        GROUP BY session_id, revision, part HAVING sum(CASE kind WHEN 'cdr' THEN 1 ELSE -1 END) <> 0
    ) AS standing
    GROUP BY session_id HAVING count(DISTINCT revision) > 1
    UNION ALL
    SELECT session_id, 'revision ' || revision || ' was netted alone' FROM billing_position
    WHERE tenant = $1 AND outcome = 'netted'
    GROUP BY session_id, revision, part HAVING count(*) <> 2
    UNION ALL
    SELECT session_id, kind || ' of revision ' || revision || ' came to nothing, and is worth ' || excl_vat FROM billing_position
    WHERE tenant = $1 AND outcome = 'nothing' AND excl_vat <> 0
) AS wrong ORDER BY id, detail LIMIT $2;

-- name: reconcile_entries
-- Journal entries that do not sum to 0, those of documents that there are none of, and those that wait for an exchange rate.
SELECT id, detail, count(*) OVER () AS of FROM (
    SELECT e.source_kind || ' ' || e.source_id AS id, coalesce(p.currency, '') || ' is off by ' || coalesce(sum(p.amount), 0) AS detail
    FROM journal_entry AS e LEFT JOIN posting AS p ON p.tenant = e.tenant AND p.entry_id = e.id
    WHERE e.tenant = $1
    GROUP BY e.tenant, e.id, p.currency HAVING coalesce(sum(p.amount), 0) <> 0
    UNION ALL
    SELECT e.source_kind || ' ' || e.source_id, 'in the books, and no document' FROM journal_entry AS e
    WHERE e.tenant = $1 AND e.source_kind IN ('invoice', 'credit_note', 'receipt', 'self_billed') AND NOT EXISTS (
        SELECT FROM invoice AS i WHERE i.tenant = e.tenant AND i.id = e.source_id AND i.kind = e.source_kind
            AND i.legal_entity_id = e.legal_entity_id)
    UNION ALL
    SELECT e.source_kind || ' ' || e.source_id, 'waits for the exchange rate ' || p.currency || '/' || b.books || ' of ' || e.date
    FROM journal_entry AS e JOIN legal_entity AS l ON l.tenant = e.tenant AND l.id = e.legal_entity_id
    CROSS JOIN LATERAL (SELECT coalesce(l.book_currency, CASE l.country WHEN 'SE' THEN 'SEK' ELSE l.currency END) AS books) AS b
    JOIN posting AS p ON p.tenant = e.tenant AND p.entry_id = e.id
    WHERE e.tenant = $1 AND p.book_currency IS NULL AND p.currency <> b.books
        AND NOT EXISTS (SELECT FROM journal_entry AS x WHERE x.tenant = e.tenant AND x.legal_entity_id = e.legal_entity_id
            AND x.source_kind = 'exchange' AND x.source_id = e.id::text)
    GROUP BY e.tenant, e.id, p.currency, b.books
) AS wrong ORDER BY id, detail LIMIT $2;

-- name: reconcile_receivables
-- Documents whose account in the books is not what is to be paid of them less what payments cover and what was written off; fees are
-- beside it.
SELECT id, detail, count(*) OVER () AS of FROM (
    SELECT i.id, 'open ' || owed.amount || ', in the books ' || coalesce(booked.amount, 0) AS detail
    FROM invoice AS i
    CROSS JOIN LATERAL (
        SELECT CASE WHEN i.kind IN ('credit_note', 'self_billed') THEN -i.payable ELSE i.payable END
            - coalesce((SELECT sum(a.amount) FROM payment_allocation AS a
                WHERE a.tenant = i.tenant AND a.invoice_id = i.id AND a.kind = 'invoice'), 0)
            - coalesce((SELECT sum(w.amount) FROM write_off AS w WHERE w.tenant = i.tenant AND w.invoice_id = i.id), 0) AS amount
    ) AS owed
    LEFT JOIN LATERAL (
        SELECT sum(p.amount) AS amount FROM posting AS p
        JOIN journal_entry AS e ON e.tenant = p.tenant AND e.id = p.entry_id AND e.source_kind NOT IN ('reminder', 'reminder_cancelled')
        WHERE p.tenant = i.tenant AND p.invoice_id = i.id
    ) AS booked ON true
    WHERE i.tenant = $1 AND owed.amount <> coalesce(booked.amount, 0)
) AS wrong ORDER BY id LIMIT $2;

-- name: reconcile_books
-- Documents in another currency than the books, of which nothing is open but in the books.
SELECT p.invoice_id AS id, 'nothing is open, and in the books ' || sum(p.book_amount) || ' ' || min(p.book_currency) AS detail,
    count(*) OVER () AS of
FROM posting AS p WHERE p.tenant = $1 AND p.invoice_id IS NOT NULL
GROUP BY p.invoice_id HAVING sum(p.amount) = 0 AND coalesce(sum(p.book_amount), 0) <> 0
ORDER BY p.invoice_id LIMIT $2;

-- name: reconcile_reminders
-- Reminders whose claim is not in the books, cancelled ones that were not taken back, and claims in the books without a reminder.
SELECT id, detail, count(*) OVER () AS of FROM (
    SELECT r.invoice_id || '/' || r.number AS id,
        'claims ' || r.claimed || CASE WHEN c.number IS NULL THEN '' ELSE ', cancelled' END
            || ', in the books ' || coalesce(b.claimed, 0) || ' and ' || coalesce(b.cancelled, 0) AS detail
    FROM reminder AS r
    LEFT JOIN reminder_cancelled AS c USING (tenant, invoice_id, number)
    LEFT JOIN LATERAL (
        SELECT sum(p.amount) FILTER (WHERE e.source_kind = 'reminder') AS claimed,
            sum(p.amount) FILTER (WHERE e.source_kind = 'reminder_cancelled') AS cancelled
        FROM journal_entry AS e JOIN posting AS p ON p.tenant = e.tenant AND p.entry_id = e.id AND p.invoice_id = r.invoice_id
        WHERE e.tenant = r.tenant AND e.legal_entity_id = r.legal_entity_id
            AND e.source_kind IN ('reminder', 'reminder_cancelled') AND e.source_id = r.invoice_id || '/' || r.number
    ) AS b ON true
    WHERE r.tenant = $1 AND (coalesce(b.claimed, 0), coalesce(b.cancelled, 0))
        <> (r.claimed, CASE WHEN c.number IS NULL THEN 0 ELSE -r.claimed END)
    UNION ALL
    SELECT e.source_id, 'in the books, and no reminder' FROM journal_entry AS e
    WHERE e.tenant = $1 AND e.source_kind IN ('reminder', 'reminder_cancelled') AND NOT EXISTS (
        SELECT FROM reminder AS r WHERE r.tenant = e.tenant AND r.legal_entity_id = e.legal_entity_id
            AND r.invoice_id || '/' || r.number = e.source_id)
) AS wrong ORDER BY id, detail LIMIT $2;

-- name: reconcile_payments
-- Payments that are not in the books with their amount, and payments in the books that nobody made.
SELECT id, detail, count(*) OVER () AS of FROM (
    SELECT p.id, 'paid ' || p.amount || ', in the books ' || coalesce(b.amount, 0) AS detail FROM payment AS p
    LEFT JOIN LATERAL (
        SELECT t.amount FROM journal_entry AS e JOIN posting AS t ON t.tenant = e.tenant AND t.entry_id = e.id AND t.line = 1
        WHERE e.tenant = p.tenant AND e.source_kind = 'payment' AND e.source_id = p.id
    ) AS b ON true
    WHERE p.tenant = $1 AND p.amount <> coalesce(b.amount, 0)
    UNION ALL
    SELECT e.source_id, 'in the books, and no payment' FROM journal_entry AS e
    WHERE e.tenant = $1 AND e.source_kind = 'payment' AND NOT EXISTS (
        SELECT FROM payment AS p WHERE p.tenant = e.tenant AND p.id = e.source_id)
) AS wrong ORDER BY id LIMIT $2;

-- name: reconcile_card_holds
-- Amounts that are set aside on a card for no session.
SELECT h.id, 'for session ' || h.session_id AS detail, count(*) OVER () AS of FROM card_hold AS h
WHERE h.tenant = $1 AND NOT EXISTS (SELECT FROM session AS s WHERE s.tenant = h.tenant AND s.id = h.session_id)
ORDER BY h.id LIMIT $2;

-- name: reconcile_rendered
-- Documents that have no PDF, and nobody is about to make one.
SELECT i.id, i.number_text AS detail, count(*) OVER () AS of FROM invoice AS i
WHERE i.tenant = $1
    AND NOT EXISTS (
        SELECT FROM invoice_document AS d WHERE d.tenant = i.tenant AND d.invoice_id = i.id AND d.kind = 'pdf')
    AND NOT EXISTS (
        SELECT FROM job AS j WHERE j.kind = $2 AND j.key = i.tenant || '/' || i.id AND j.failed_at IS NULL)
ORDER BY i.id LIMIT $3;

-- name: reconcile_reminders_rendered
-- Reminders that have no PDF, and nobody is about to make one.
SELECT r.invoice_id || '/' || r.number AS id, 'reminder ' || r.number AS detail, count(*) OVER () AS of FROM reminder AS r
WHERE r.tenant = $1
    AND NOT EXISTS (
        SELECT FROM reminder_document AS d WHERE d.tenant = r.tenant AND d.invoice_id = r.invoice_id AND d.number = r.number)
    AND NOT EXISTS (
        SELECT FROM job AS j
        WHERE j.kind = $2 AND j.key = r.tenant || '/' || r.number || '/' || r.invoice_id AND j.failed_at IS NULL)
ORDER BY r.invoice_id, r.number LIMIT $3;

-- name: reconcile_next_files
-- Whose files a night looks at: so many documents and statements after where the night before was, to the end when fewer are left, and
-- those that were named then.
WITH last AS (
    SELECT files_through, body FROM reconciliation WHERE tenant = $1 ORDER BY at DESC LIMIT 1
), portion AS (
    (SELECT id FROM invoice WHERE tenant = $1 AND id > coalesce((SELECT files_through FROM last), '') ORDER BY id LIMIT $2)
    UNION ALL (
        SELECT s.id FROM (
            SELECT kind || '/' || subject_id || '/' || month || '/' || revision AS id FROM statement WHERE tenant = $1) AS s
        WHERE s.id > coalesce((SELECT files_through FROM last), '') ORDER BY s.id LIMIT $2)
    ORDER BY id LIMIT $2
)
SELECT coalesce((SELECT files_through FROM last), '') AS after, CASE WHEN count(*) = $2 THEN max(id) END AS through,
    ARRAY(
        SELECT item ->> 'id' FROM last, jsonb_array_elements(body) AS told, jsonb_array_elements(told -> 'items') AS item
        WHERE told ->> 'check' = 'files') AS named
FROM portion;

-- name: reconcile_files
-- Files of the documents after one and up to another, of their reminders, of the statements between, and of some more, whose bytes have
-- not the hash with which they are stored, or (of documents) that was told when they were rendered.
WITH looked_at AS (
    SELECT id FROM invoice WHERE tenant = $1 AND id > $2 AND ($3::text IS NULL OR id <= $3)
    UNION SELECT unnest($4::text[])
), hashed AS MATERIALIZED (
    SELECT d.invoice_id AS id, d.kind AS file, d.sha256, sha256(d.bytes) AS hashed, t.sha256 AS told FROM invoice_document AS d
    JOIN looked_at AS l ON l.id = d.invoice_id
    CROSS JOIN LATERAL (
        SELECT coalesce((
            SELECT e.body ->> d.kind FROM invoice_event AS e
            WHERE e.tenant = $1 AND e.invoice_id = d.invoice_id AND e.kind = 'rendered' ORDER BY e.number LIMIT 1), '') AS sha256
    ) AS t
    WHERE d.tenant = $1
    UNION ALL
    SELECT d.invoice_id, 'reminder ' || d.number, d.sha256, sha256(d.bytes), NULL FROM reminder_document AS d
    JOIN looked_at AS l ON l.id = d.invoice_id WHERE d.tenant = $1
    UNION ALL
    SELECT s.id, 'pdf', s.sha256, sha256(s.bytes), NULL FROM (
        SELECT kind || '/' || subject_id || '/' || month || '/' || revision AS id, bytes, sha256 FROM statement_pdf WHERE tenant = $1
    ) AS s
    WHERE s.id > $2 AND ($3::text IS NULL OR s.id <= $3) OR s.id = ANY ($4::text[])
)
SELECT h.id, h.file || CASE WHEN h.hashed <> h.sha256 THEN ': its hash is not that of its bytes'
        ELSE ': is not what was rendered' END AS detail, count(*) OVER () AS of
FROM hashed AS h
WHERE h.hashed <> h.sha256 OR h.told <> encode(h.hashed, 'hex')
ORDER BY h.id, h.file LIMIT $5;

-- name: reconcile_statements
-- Revisions of statements that are not chained to the one before, have not the hash of their content, or other columns than that says.
SELECT id, detail, count(*) OVER () AS of FROM (
    SELECT s.kind || '/' || s.subject_id || '/' || s.month || '/' || s.revision AS id, CASE
        WHEN s.hash <> sha256(coalesce(s.previous_hash, '') || s.content) THEN 'its hash is not that of its content'
        WHEN s.previous_hash IS DISTINCT FROM s.hash_before THEN 'it is not chained to the revision before'
        WHEN s.revision <> s.place THEN 'the revision before is missing'
        WHEN (h.head ->> 'subject_id', h.head ->> 'month', (h.head ->> 'revision')::integer, h.head ->> 'name', h.head ->> 'currency')
            IS DISTINCT FROM (s.subject_id, s.month, s.revision, s.name, s.currency) THEN 'its columns are not its content'
        END AS detail
    FROM (
        SELECT *, lag(hash) OVER w AS hash_before, row_number() OVER w AS place FROM statement WHERE tenant = $1
        WINDOW w AS (PARTITION BY kind, subject_id, month ORDER BY revision)
    ) AS s
    CROSS JOIN LATERAL (SELECT convert_from(s.content, 'UTF8')::jsonb -> 'head' AS head) AS h
) AS wrong WHERE detail IS NOT NULL ORDER BY id LIMIT $2;

-- name: reconcile_statements_rendered
-- Revisions of statements that have no PDF, and nobody is about to make one.
SELECT s.kind || '/' || s.subject_id || '/' || s.month || '/' || s.revision AS id, s.name AS detail, count(*) OVER () AS of
FROM statement AS s
WHERE s.tenant = $1
    AND NOT EXISTS (
        SELECT FROM statement_pdf AS d WHERE d.tenant = s.tenant AND d.kind = s.kind AND d.subject_id = s.subject_id
            AND d.month = s.month AND d.revision = s.revision)
    AND NOT EXISTS (
        SELECT FROM job AS j WHERE j.kind = $2 AND j.failed_at IS NULL
            AND j.key = s.tenant || '/' || s.kind || '/' || s.month || '/' || s.revision || '/' || s.subject_id)
ORDER BY 1 LIMIT $3;

-- name: reconcile_to_nobody
-- Positions that wait to be billed and have no seller, or one who bills in another currency, or nobody who pays.
SELECT p.session_id AS id, CASE WHEN e.id IS NULL THEN 'no seller'
        WHEN e.currency <> p.currency THEN 'in ' || p.currency || ', and its seller bills in ' || e.currency
        WHEN p.payer_id IS NOT NULL THEN p.payer_id || ' has no customer account'
        ELSE 'nobody pays' END AS detail,
    count(*) OVER () AS of
FROM billing_position AS p
LEFT JOIN legal_entity AS e ON e.tenant = p.tenant AND e.id = p.legal_entity_id
WHERE p.tenant = $1 AND p.outcome IS NULL AND p.excl_vat <> 0 AND (e.id IS NULL OR e.currency <> p.currency OR CASE
    WHEN p.payer_id IS NOT NULL THEN NOT EXISTS (SELECT FROM payer AS y WHERE y.tenant = p.tenant AND y.id = p.payer_id)
    ELSE NOT EXISTS (
        SELECT FROM contract_payer AS q WHERE q.tenant = p.tenant AND q.contract_id = p.contract_id
            AND q.valid_from <= p.started_at AND (q.valid_to IS NULL OR q.valid_to > p.started_at))
            AND NOT (p.contract_id IS NULL AND laddbok_paid_at_once(p.tenant, p.session_id)) END)
ORDER BY p.session_id LIMIT $2;

-- name: reconcile_receipts
-- Sessions that were paid at once and have no receipt, drivers who still have something to their credit, and nobody is about to
-- do anything about it; a refund that waits for a person, or failed, says so itself.
SELECT id, detail, count(*) OVER () AS of FROM (
    SELECT p.session_id AS id, p.kind || ' of revision ' || p.revision || ' has no receipt' AS detail FROM billing_position AS p
    WHERE p.tenant = $1 AND p.outcome IS NULL AND p.excl_vat <> 0 AND p.contract_id IS NULL
        AND laddbok_paid_at_once(p.tenant, p.session_id)
    UNION ALL
    SELECT split_part(g.payer_id, '/', 2), -sum(g.amount) || ' ' || g.currency || ' are to the driver''s credit' FROM posting AS g
    WHERE g.tenant = $1 AND g.payer_id LIKE 'session/%' AND g.invoice_id IS NULL AND NOT EXISTS (
        SELECT FROM payment_allocation AS a JOIN refund AS r ON r.tenant = a.tenant AND r.payment_id = a.payment_id
        WHERE a.tenant = g.tenant AND a.payer_id = g.payer_id AND a.payer_id LIKE 'session/%'
            AND r.state IN ('proposed', 'dropped', 'failed'))
    GROUP BY g.payer_id, g.currency HAVING sum(g.amount) <> 0
) AS wrong
WHERE NOT EXISTS (SELECT FROM job AS j WHERE j.kind = $2 AND j.key = $1 || '/' || wrong.id AND j.failed_at IS NULL)
ORDER BY id, detail LIMIT $3;

-- name: reconcile_positions_of_documents
-- Sessions on each document by its positions, and their amounts before VAT.
SELECT invoice_id, count(*) AS sessions, sum(excl_vat) AS excl_vat FROM billing_position
WHERE tenant = $1 AND outcome = 'billed' GROUP BY invoice_id;

-- name: reconcile_charges_of_documents
-- What contracts were charged beside their sessions on each document; what was given back stands apart.
SELECT invoice_id, sum((content ->> 'net')::numeric) AS net FROM contract_charge
WHERE tenant = $1 AND kind <> 'included_back' GROUP BY invoice_id;

-- name: reconcile_series
-- The number series of a tenant.
SELECT legal_entity_id, kind, next_number, last_hash FROM number_series WHERE tenant = $1 ORDER BY legal_entity_id, kind;

-- name: reconcile_documents
-- The documents of a series in order, with what stands in the books for each.
SELECT i.id, i.number, i.number_text, i.content, i.previous_hash, i.hash, i.net, i.vat, i.gross, i.payable, i.currency,
    i.payer_id, i.issue_date, i.due_date, i.payment_reference, o.number_text AS refers_to, e.amounts
FROM invoice AS i
LEFT JOIN invoice AS o ON o.tenant = i.tenant AND o.id = i.refers_to
LEFT JOIN LATERAL (
    SELECT coalesce(array_agg(p.amount ORDER BY p.line) FILTER (WHERE p.line IS NOT NULL), '{}') AS amounts
    FROM journal_entry AS j
    LEFT JOIN posting AS p ON p.tenant = j.tenant AND p.entry_id = j.id
    WHERE j.tenant = i.tenant AND j.legal_entity_id = i.legal_entity_id AND j.source_kind = i.kind AND j.source_id = i.id
    GROUP BY j.id
) AS e ON true
WHERE i.tenant = $1 AND i.legal_entity_id = $2 AND i.kind = $3 ORDER BY i.number;

-- name: reconciliation_keep
-- What a reconciliation found.
INSERT INTO reconciliation (tenant, at, differences, body, files_through) VALUES ($1, $2, $3, $4::text::jsonb, $5)
ON CONFLICT (tenant, at) DO NOTHING;

-- name: reconciliation_last
-- When a tenant was last reconciled, and how many differences there were.
SELECT at, differences, body::text AS body FROM reconciliation WHERE tenant = $1 ORDER BY at DESC LIMIT 1;

-- name: reconciliations_last
-- The differences that the last reconciliation of each tenant found, over all, and when the oldest of them was.
SELECT min(at) AS at, sum(differences) AS differences FROM (
    SELECT DISTINCT ON (tenant) tenant, at, differences FROM reconciliation ORDER BY tenant, at DESC
) AS last;
