-- What sessions taught of their station, by version; sessions freeze the version with which they opened.
CREATE TABLE station_traits (
    tenant integer NOT NULL,
    station_no integer NOT NULL,
    version integer NOT NULL,
    learned_at timestamptz NOT NULL,
    session_id text NOT NULL,                   -- the session that taught it
    body jsonb NOT NULL,
    PRIMARY KEY (tenant, station_no, version),
    FOREIGN KEY (tenant, station_no) REFERENCES station (tenant, station_no)
);
SELECT laddbok_protect('station_traits');
GRANT SELECT ON station_traits TO laddbok_api;

-- Where the session before on an EVSE left the register is looked up at each start.
CREATE INDEX session_by_evse ON session (station_no, evse_id, started_at DESC);

-- The review desk: what waits for a person, oldest first; and orphans that nobody has matched.
CREATE INDEX session_in_review ON session (tenant, started_at, id) WHERE state = 'review';
CREATE INDEX decision_held ON decision (tenant, at DESC) WHERE kind = 'correction_held';
CREATE INDEX orphan_unmatched ON orphan (tenant, received_at DESC) WHERE matched_session_id IS NULL;

-- A person's decision is a row of its own and asks a worker to settle the session anew, in one transaction.
GRANT INSERT, UPDATE ON job TO laddbok_api;

-- What a person wants an orphan to be matched to; a worker does it, or says why not.
ALTER TABLE orphan ADD COLUMN wanted jsonb, ADD COLUMN match_error text;
GRANT UPDATE (wanted, match_error) ON orphan TO laddbok_api;
