-- name: receipt_session
-- A session that is paid at once: how it stands, who sells it, and whether a hold or a request of it has not ended.
SELECT s.state, coalesce(h.legal_entity_id, q.legal_entity_id) AS seller_id,
    h.id IS NOT NULL AND h.ended_at IS NULL OR coalesce(q.is_open, false) AS is_asked
FROM session AS s
LEFT JOIN card_hold AS h ON h.tenant = s.tenant AND h.session_id = s.id
LEFT JOIN LATERAL (
    SELECT min(r.legal_entity_id) AS legal_entity_id, bool_or(r.ended_at IS NULL) AS is_open
    FROM payment_request AS r WHERE r.tenant = s.tenant AND r.session_id = s.id
) AS q ON true
WHERE s.tenant = $1 AND s.id = $2;

-- name: receipt_positions
-- What is to be billed of a session that is paid at once.
SELECT p.session_id, p.revision, p.kind, p.part, p.contract_id, c.tariff_version, c.document::text AS cdr, c.rating::text AS rating,
    p.share::text AS paid, s.station, coalesce(concat_ws(', ', t.address, t.city), s.station) AS place,
    (s.body #>> '{meter,begin_wh}')::bigint AS begin_wh, (s.body #>> '{meter,mark_wh}')::bigint AS end_wh,
    encode(f.root, 'hex') AS root, NULL AS cost_centre, NULL AS driver, o.number_text AS billed_number, o.issue_date AS billed_date
FROM billing_position AS p
JOIN cdr AS c USING (tenant, session_id, revision, kind)
JOIN session AS s ON s.tenant = p.tenant AND s.id = p.session_id
LEFT JOIN site AS t ON t.tenant = s.tenant AND t.id = s.site_id
LEFT JOIN proof AS f ON f.tenant = p.tenant AND f.session_id = p.session_id AND f.revision = p.revision
LEFT JOIN billing_position AS b ON p.kind = 'credit' AND b.tenant = p.tenant AND b.session_id = p.session_id
    AND b.revision = p.revision AND b.kind = 'cdr' AND b.part = p.part
LEFT JOIN invoice AS o ON o.tenant = b.tenant AND o.id = b.invoice_id
WHERE p.tenant = $1 AND p.session_id = $2 AND p.legal_entity_id = $3 AND p.currency = $4 AND p.contract_id IS NULL
    AND p.outcome IS NULL
ORDER BY p.revision, p.kind;

-- name: driver_payments
-- What a driver without a contract paid, the newest first, and how much of it a person is to decide on.
SELECT p.id, p.provider, p.received_on, coalesce((
    SELECT sum(r.amount) FROM refund AS r WHERE r.tenant = p.tenant AND r.payment_id = p.id AND r.state = 'proposed'), 0) AS proposed
FROM payment AS p
WHERE p.tenant = $1 AND p.legal_entity_id = $2 AND p.id IN (
    SELECT a.payment_id FROM payment_allocation AS a
    WHERE a.tenant = $1 AND a.payer_id = $3 AND a.payer_id LIKE 'session/%')
ORDER BY p.recorded_at DESC, p.id;

-- name: driver_credit
-- What a driver without a contract has to its credit in a seller's books.
SELECT coalesce(-sum(g.amount), 0) FROM posting AS g JOIN journal_entry AS e ON e.tenant = g.tenant AND e.id = g.entry_id
WHERE g.tenant = $1 AND e.legal_entity_id = $2 AND g.payer_id = $3 AND g.payer_id LIKE 'session/%' AND g.currency = $4
    AND g.invoice_id IS NULL;

-- name: driver_was_claimed
-- Whether a driver without a contract was asked for a session by an invoice.
SELECT EXISTS (SELECT FROM invoice WHERE tenant = $1 AND payer_id = $2 AND payer_id LIKE 'session/%' AND kind = 'invoice');

-- name: session_documents
-- The documents on which a session stands, the oldest first.
SELECT DISTINCT i.id, i.kind, i.number_text AS number, i.issue_date, i.currency, i.gross, i.payable, i.finalised_at
FROM billing_position AS p JOIN invoice AS i ON i.tenant = p.tenant AND i.id = p.invoice_id
WHERE p.session_id = $1 ORDER BY i.finalised_at, i.id LIMIT 100;
