-- name: spot_prices_alone
-- One writer of prices at a time: two would number their versions alike. Readers don't wait.
LOCK TABLE spot_price IN SHARE ROW EXCLUSIVE MODE;

-- name: spot_prices_keep
-- Quarter hours for these tenants: a new one is version 1, another price the next version, the same price nothing. The
-- price of an hour does not replace one that came for the quarter itself.
WITH kept AS (
    INSERT INTO spot_price (
        tenant, zone, currency, start_at, version, price_per_kwh, minutes, source, received_at
    )
    SELECT t.tenant, q.zone, q.currency, q.start_at, coalesce(b.version, 0) + 1, q.price_per_kwh, q.minutes, $7, $8
    FROM unnest($2::text[], $3::text[], $4::timestamptz[], $5::smallint[], $6::numeric[])
        AS q (zone, currency, start_at, minutes, price_per_kwh)
    CROSS JOIN unnest($1::integer[]) AS t (tenant)
    LEFT JOIN LATERAL (
        SELECT p.version, p.price_per_kwh, p.minutes FROM spot_price AS p
        WHERE p.tenant = t.tenant AND p.zone = q.zone AND p.currency = q.currency AND p.start_at = q.start_at
        ORDER BY p.version DESC LIMIT 1
    ) AS b ON true
    WHERE b.version IS NULL OR (b.price_per_kwh <> q.price_per_kwh AND b.minutes >= q.minutes)
    RETURNING version
)
SELECT count(*) FILTER (WHERE version = 1) AS new, count(*) FILTER (WHERE version > 1) AS changed FROM kept;

-- name: spot_prices_read
-- The prices that count of a zone in a currency, of the quarter hours that begin in a span of time.
SELECT DISTINCT ON (start_at) extract(epoch FROM start_at)::bigint AS start_s, price_per_kwh, source
FROM spot_price
WHERE tenant = $1 AND zone = $2 AND currency = $3 AND start_at >= $4 AND start_at < $5
ORDER BY start_at, version DESC;

-- name: spot_prices_lacking
-- Whether any tenant has fewer prices of a zone in a span of time than it has quarter hours, in any of these currencies.
SELECT EXISTS (
    SELECT FROM tenant AS t CROSS JOIN unnest($2::text[]) AS c (currency)
    WHERE $5 > (
        SELECT count(DISTINCT p.start_at) FROM spot_price AS p
        WHERE p.tenant = t.tenant AND p.zone = $1 AND p.currency = c.currency AND p.start_at >= $3 AND p.start_at < $4
    )
);

-- name: spot_prices_exist
-- Whether there is any price of a zone in a currency.
SELECT EXISTS (SELECT FROM spot_price WHERE tenant = $1 AND zone = $2 AND currency = $3);
