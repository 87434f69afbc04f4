-- What each apartment of a co-operative pays of a month's electricity, and what an employer pays back for charging at home.

-- What was agreed: of a site its apartments and how they share (model.apartments), of a contract its home, employer and prices
-- (model.home_charging). A change is a new version; `subject_id` is the site or the contract.
CREATE TABLE statement_terms (
    tenant integer NOT NULL REFERENCES tenant,
    kind text NOT NULL CHECK (kind IN ('apartments', 'home')),
    subject_id text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    document jsonb NOT NULL,
    agreed_at timestamptz NOT NULL,
    agreed_by text NOT NULL,
    PRIMARY KEY (tenant, kind, subject_id, version)
);

-- A month's list or statement, revision by revision: what was corrected stands in the next one.
CREATE TABLE statement (
    tenant integer NOT NULL REFERENCES tenant,
    kind text NOT NULL CHECK (kind IN ('apartments', 'home')),
    subject_id text NOT NULL,
    month text NOT NULL CHECK (month ~ '^[0-9]{4}-[0-9]{2}$'),
    revision integer NOT NULL CHECK (revision > 0),
    name text NOT NULL,
    currency text NOT NULL,
    energy_wh bigint NOT NULL,
    total numeric NOT NULL,
    issued_at timestamptz NOT NULL,
    issued_by text NOT NULL,
    content bytea NOT NULL,                     -- the frozen statement (model.statement), JSON
    previous_hash bytea,                        -- of the revision before
    hash bytea NOT NULL,                        -- SHA-256 over the previous one and the content
    PRIMARY KEY (tenant, kind, subject_id, month, revision)
);
CREATE INDEX statement_by_month ON statement (tenant, month DESC, kind, subject_id, revision DESC);

CREATE TABLE statement_pdf (
    tenant integer NOT NULL,
    kind text NOT NULL,
    subject_id text NOT NULL,
    month text NOT NULL,
    revision integer NOT NULL,
    bytes bytea NOT NULL,
    sha256 bytea NOT NULL,
    rendered_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, kind, subject_id, month, revision),
    FOREIGN KEY (tenant, kind, subject_id, month, revision) REFERENCES statement
);
CREATE TRIGGER statement_terms_immutable BEFORE UPDATE OR DELETE ON statement_terms
    FOR EACH ROW EXECUTE FUNCTION laddbok_immutable();
CREATE TRIGGER statement_immutable BEFORE UPDATE OR DELETE ON statement FOR EACH ROW EXECUTE FUNCTION laddbok_immutable();
CREATE TRIGGER statement_pdf_immutable BEFORE UPDATE OR DELETE ON statement_pdf FOR EACH ROW EXECUTE FUNCTION laddbok_immutable();

-- A site's sessions of a month, and a contract's.
CREATE INDEX session_of_site ON session (tenant, site_id, ended_at) WHERE site_id IS NOT NULL;

SELECT laddbok_protect(name::regclass) FROM unnest(ARRAY['statement_terms', 'statement', 'statement_pdf']) AS name;
GRANT SELECT, INSERT ON statement_terms, statement TO laddbok_api;
GRANT SELECT ON statement_pdf TO laddbok_api;
