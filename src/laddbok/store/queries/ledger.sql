-- name: ledger_balance
-- The accounts of a seller: balance before a day, debit and credit from then to another day, balance after it; in the
-- currency of the books. An entry that waited for its exchange rate stands there by the entry that says what it is worth.
SELECT p.account, p.currency,
    coalesce(sum(p.amount) FILTER (WHERE p.date < $3), 0) AS opening,
    coalesce(sum(p.amount) FILTER (WHERE p.date >= $3 AND p.amount > 0), 0) AS debit,
    coalesce(-sum(p.amount) FILTER (WHERE p.date >= $3 AND p.amount < 0), 0) AS credit,
    sum(p.amount) AS closing
FROM (
    SELECT q.account, coalesce(q.book_currency, q.currency) AS currency, coalesce(q.book_amount, q.amount) AS amount, e.date
    FROM journal_entry AS e JOIN posting AS q ON q.tenant = e.tenant AND q.entry_id = e.id
    WHERE e.tenant = $1 AND e.legal_entity_id = $2 AND e.date <= $4
        AND NOT EXISTS (SELECT FROM journal_entry AS x WHERE x.tenant = e.tenant AND x.legal_entity_id = e.legal_entity_id
        AND x.source_kind = 'exchange' AND x.source_id = e.id::text)
) AS p
GROUP BY p.account, p.currency ORDER BY p.account, p.currency;

-- name: ledger_card
-- The postings on an account of a seller between two days, with the balance after each, in the currency of the books.
SELECT * FROM (
    SELECT p.*, sum(p.amount) OVER (PARTITION BY p.currency ORDER BY p.date, p.entry, p.line) AS balance FROM (
        SELECT e.id AS entry, e.date, e.text, e.source_kind, e.source_id, coalesce(q.book_amount, q.amount) AS amount,
            coalesce(q.book_currency, q.currency) AS currency, q.invoice_id, q.payer_id, q.line
        FROM journal_entry AS e JOIN posting AS q ON q.tenant = e.tenant AND q.entry_id = e.id
        WHERE e.tenant = $1 AND e.legal_entity_id = $2 AND q.account = $3 AND e.date <= $5
            AND NOT EXISTS (SELECT FROM journal_entry AS x WHERE x.tenant = e.tenant AND x.legal_entity_id = e.legal_entity_id
        AND x.source_kind = 'exchange' AND x.source_id = e.id::text)
    ) AS p
) AS card WHERE date >= $4 ORDER BY currency, date, entry, line LIMIT $6;

-- name: ledger_entries
-- The journal of a seller between two days, posting by posting, in the order of the entries' numbers.
SELECT e.id, e.date, e.text, e.source_kind, e.source_id, p.account, p.amount, p.currency, p.book_amount, p.book_currency
FROM journal_entry AS e JOIN posting AS p ON p.tenant = e.tenant AND p.entry_id = e.id
WHERE e.tenant = $1 AND e.legal_entity_id = $2 AND e.date BETWEEN $3 AND $4
    AND NOT EXISTS (SELECT FROM journal_entry AS x WHERE x.tenant = e.tenant AND x.legal_entity_id = e.legal_entity_id
        AND x.source_kind = 'exchange' AND x.source_id = e.id::text)
ORDER BY e.id, p.line;

-- name: ledger_earned
-- Positions of sessions that ended before an instant and were on no document by the end of a day.
SELECT p.session_id, p.revision, p.kind, p.contract_id, c.document::text AS cdr,
    coalesce(p.share -> 'rating', c.rating)::text AS rating
FROM billing_position AS p
JOIN cdr AS c USING (tenant, session_id, revision, kind)
LEFT JOIN invoice AS i ON i.tenant = p.tenant AND i.id = p.invoice_id
WHERE p.tenant = $1 AND p.legal_entity_id = $2 AND p.currency = $3 AND p.ended_at < $4
    AND (p.outcome IS NULL OR p.outcome = 'billed' AND i.issue_date > $5);

-- name: ledger_charged
-- What contracts were charged beside their sessions for months up to one, on documents that were issued after a day.
SELECT c.content::text AS content FROM contract_charge AS c
JOIN invoice AS i ON i.tenant = c.tenant AND i.id = c.invoice_id
WHERE c.tenant = $1 AND i.legal_entity_id = $2 AND c.month <= $3 AND i.issue_date > $4;
