-- name: rebuild_count
-- How many sessions of stations are to be derived anew.
SELECT count(*) FROM session
WHERE origin = 'station' AND ($1::text IS NULL OR id = $1) AND ($2::timestamptz IS NULL OR started_at >= $2);

-- name: rebuild_page
-- Sessions of stations, one page after another.
SELECT tenant, id FROM session
WHERE origin = 'station' AND ($1::text IS NULL OR id = $1) AND ($2::timestamptz IS NULL OR started_at >= $2)
    AND (tenant, id) > ($3::integer, $4::text)
ORDER BY tenant, id LIMIT $5;
