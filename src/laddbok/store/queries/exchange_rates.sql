-- name: exchange_rates_alone
-- One writer of rates at a time: two would number their versions alike. Readers don't wait.
LOCK TABLE exchange_rate IN SHARE ROW EXCLUSIVE MODE;

-- name: exchange_rates_keep
-- Rates for these tenants: a new one is version 1, another rate the next version, the same rate nothing.
WITH kept AS (
    INSERT INTO exchange_rate (tenant, base, currency, day, version, rate, source, received_at)
    SELECT t.tenant, q.base, q.currency, q.day, coalesce(b.version, 0) + 1, q.rate, q.source, $7
    FROM unnest($2::text[], $3::text[], $4::date[], $5::numeric[], $6::text[]) AS q (base, currency, day, rate, source)
    CROSS JOIN unnest($1::integer[]) AS t (tenant)
    LEFT JOIN LATERAL (
        SELECT p.version, p.rate FROM exchange_rate AS p
        WHERE p.tenant = t.tenant AND p.base = q.base AND p.currency = q.currency AND p.day = q.day
        ORDER BY p.version DESC LIMIT 1
    ) AS b ON true
    WHERE b.version IS NULL OR b.rate <> q.rate
    RETURNING version
)
SELECT count(*) FILTER (WHERE version = 1) AS new, count(*) FILTER (WHERE version > 1) AS changed FROM kept;

-- name: exchange_rates_read
-- The rates that count, of these currencies against any base, between two days; without days the newest so many.
SELECT base, currency, day, rate, source FROM (
    SELECT DISTINCT ON (day, base, currency) base, currency, day, rate, source FROM exchange_rate
    WHERE tenant = $1 AND currency = ANY ($2::text[]) AND day >= coalesce($3, '-infinity'::date) AND day <= coalesce($4, 'infinity'::date)
    ORDER BY day DESC, base, currency, version DESC
) AS counted ORDER BY day DESC, base, currency LIMIT $5;

-- name: books_of_seller
-- The currency of a seller's books, and its own accounts.
SELECT coalesce(book_currency, CASE country WHEN 'SE' THEN 'SEK' ELSE currency END) AS books, accounts::text AS accounts
FROM legal_entity WHERE tenant = $1 AND id = $2;

-- name: open_items
-- What is open of documents in their own currency, and the exchange rate at which they stand in the books.
SELECT p.invoice_id, sum(p.amount) AS open, (convert_from(i.content, 'UTF8')::jsonb #>> '{books,rate,rate}')::numeric AS rate
FROM posting AS p JOIN invoice AS i ON i.tenant = p.tenant AND i.id = p.invoice_id
WHERE p.tenant = $1 AND p.invoice_id = ANY ($2::text[]) AND (p.book_currency IS NOT NULL OR EXISTS (
    SELECT FROM journal_entry AS x WHERE x.tenant = p.tenant AND x.legal_entity_id = i.legal_entity_id
        AND x.source_kind = 'exchange' AND x.source_id = p.entry_id::text))
GROUP BY p.invoice_id, i.content;

-- name: waiting_entries
-- Entries, after a number and so many, that stand in the books in another currency, for their day had no exchange rate; line by line.
SELECT e.id, e.legal_entity_id, e.date, e.text, e.source_kind, e.source_id, p.account, p.amount, p.currency, p.invoice_id, p.payer_id,
    p.valued_on, coalesce(p.stood, 0) AS stood
FROM (
    SELECT j.* FROM journal_entry AS j JOIN legal_entity AS l ON l.tenant = j.tenant AND l.id = j.legal_entity_id
    WHERE j.tenant = $1 AND j.id > $2 AND EXISTS (
        SELECT FROM posting AS q WHERE q.tenant = j.tenant AND q.entry_id = j.id AND q.book_currency IS NULL
            AND q.currency <> coalesce(l.book_currency, CASE l.country WHEN 'SE' THEN 'SEK' ELSE l.currency END))
        AND NOT EXISTS (SELECT FROM journal_entry AS x WHERE x.tenant = j.tenant AND x.legal_entity_id = j.legal_entity_id
            AND x.source_kind = 'exchange' AND x.source_id = j.id::text)
    ORDER BY j.id LIMIT $3
) AS e JOIN posting AS p ON p.tenant = e.tenant AND p.entry_id = e.id
ORDER BY e.id, p.line;

-- name: exchange_rates_last
-- The last rate of each currency against each base.
SELECT DISTINCT ON (r.base, r.currency) r.base, r.currency, r.day, r.rate, r.source, r.received_at FROM exchange_rate AS r
WHERE r.tenant = $1 ORDER BY r.base, r.currency, r.day DESC, r.version DESC;

-- name: exchange_rate_rows
-- The rates that count, the newest first.
SELECT r.base, r.currency, r.day, r.rate, r.source, r.received_at FROM exchange_rate AS r
WHERE NOT EXISTS (
    SELECT FROM exchange_rate AS n WHERE n.tenant = r.tenant AND n.base = r.base AND n.currency = r.currency AND n.day = r.day
        AND n.version > r.version)
    AND /* filters */ ORDER BY r.day DESC, r.base DESC, r.currency DESC LIMIT
