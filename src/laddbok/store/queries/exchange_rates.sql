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
WHERE p.tenant = $1 AND p.invoice_id = ANY ($2::text[]) AND p.book_currency IS NOT NULL
GROUP BY p.invoice_id, i.content;
