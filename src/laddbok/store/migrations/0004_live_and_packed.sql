-- What is published of a live session stays small however long it lasts: its closed charging periods go into a table of
-- their own, each written once, and its row holds only what still moves.
ALTER TABLE session_live ADD COLUMN closed_periods integer NOT NULL DEFAULT 0;  -- so many of them; the body has none

CREATE UNLOGGED TABLE live_period (
    tenant integer NOT NULL,
    session_id text NOT NULL,
    number integer NOT NULL,                    -- from 0, in time order
    body jsonb NOT NULL,
    PRIMARY KEY (tenant, session_id, number),
    FOREIGN KEY (tenant, session_id) REFERENCES session_live ON DELETE CASCADE
);
SELECT laddbok_protect('live_period');
GRANT SELECT ON live_period TO laddbok_api;

-- The whole document of a live session; NULL when a period of it is missing, so that its stored row counts.
CREATE FUNCTION laddbok_live_body(live session_live) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN live.closed_periods = 0 THEN live.body ELSE (
        SELECT CASE WHEN count(*) = live.closed_periods
            THEN jsonb_set(live.body, '{meter,closed_periods}', jsonb_agg(p.body ORDER BY p.number)) END
        FROM live_period AS p
        WHERE p.tenant = live.tenant AND p.session_id = live.session_id AND p.number < live.closed_periods
    ) END
$$;

-- The curve of a finished session, decoded from its frames once. It can be made again from them at any time.
CREATE TABLE session_curve (
    tenant integer NOT NULL,
    session_id text NOT NULL,
    packed_at timestamptz NOT NULL,
    body bytea NOT NULL,                        -- see flow/packed_curve.py
    PRIMARY KEY (tenant, session_id),
    FOREIGN KEY (tenant, session_id) REFERENCES session
);
ALTER TABLE session_curve ALTER COLUMN body SET STORAGE EXTERNAL;  -- it is compressed already
SELECT laddbok_protect('session_curve');
GRANT SELECT ON session_curve TO laddbok_api;
