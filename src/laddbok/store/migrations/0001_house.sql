-- The house: who runs stations, where they stand, who may charge, what it costs, what happened, and what is to be done.
--
-- Every table carries its tenant and has row-level security from the start. The API works as role laddbok_api with the
-- tenant set per transaction (unset: no rows). Gateway and workers are the tables' owner and therefore exempt.
-- No column defaults to now(): business time is handed in.

DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'laddbok_api') THEN
        CREATE ROLE laddbok_api NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;
    END IF;
    EXECUTE format('GRANT laddbok_api TO %I', current_user);
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;

-- The tenant of this transaction; NULL when none is set, so that no row matches.
CREATE FUNCTION laddbok_tenant() RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT nullif(current_setting('laddbok.tenant', true), '')::integer $$;

-- ------------------------------------------------------------------------------------------------ people and places
CREATE TABLE tenant (
    tenant integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE legal_entity (
    tenant integer NOT NULL REFERENCES tenant,
    id text NOT NULL,
    name text NOT NULL,
    organisation_number text,
    vat_number text,
    f_skatt boolean NOT NULL DEFAULT false,
    address text,
    bankgiro text,
    currency text NOT NULL DEFAULT 'SEK',
    time_zone text NOT NULL DEFAULT 'Europe/Stockholm',
    number_series text,
    PRIMARY KEY (tenant, id)
);

CREATE TABLE host (
    tenant integer NOT NULL REFERENCES tenant,
    id text NOT NULL,
    name text NOT NULL,
    organisation_number text,
    PRIMARY KEY (tenant, id)
);

CREATE TABLE site (
    tenant integer NOT NULL REFERENCES tenant,
    id text NOT NULL,
    name text NOT NULL,
    address text,
    city text,
    country text NOT NULL DEFAULT 'SE',
    time_zone text NOT NULL,
    latitude double precision,
    longitude double precision,
    host_id text,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, host_id) REFERENCES host
);

CREATE TABLE site_seller (
    tenant integer NOT NULL,
    site_id text NOT NULL,
    legal_entity_id text NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to timestamptz,
    PRIMARY KEY (tenant, site_id, valid_from),
    FOREIGN KEY (tenant, site_id) REFERENCES site,
    FOREIGN KEY (tenant, legal_entity_id) REFERENCES legal_entity,
    CHECK (valid_to IS NULL OR valid_to > valid_from)
);

-- ------------------------------------------------------------------------------------------------ stations
CREATE TABLE station (
    station_no integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    tenant integer NOT NULL REFERENCES tenant,
    identity text NOT NULL UNIQUE,              -- in the path of its websocket; unique per deployment
    site_id text NOT NULL,
    name text,
    password_hash bytea,                        -- salt and SHA-256 of a long random string of ours
    protocol text,                              -- spoken on the last connection
    vendor text,
    model text,
    serial_number text,
    firmware_version text,
    booted_at timestamptz,
    admitted_at timestamptz NOT NULL,
    connection_epoch bigint NOT NULL DEFAULT 0, -- fences: only the newest connection may write
    owner text,                                 -- the gateway that holds the newest connection
    connected boolean NOT NULL DEFAULT false,   -- as the owner last said; presence itself is the owner's registry
    connection_changed_at timestamptz,
    last_frame_at timestamptz,
    FOREIGN KEY (tenant, site_id) REFERENCES site,
    UNIQUE (tenant, station_no)
);
CREATE INDEX station_by_tenant ON station (tenant, identity);

CREATE TABLE evse (
    tenant integer NOT NULL,
    station_no integer NOT NULL,
    evse_id integer NOT NULL,
    max_power_w integer,
    phases smallint,
    PRIMARY KEY (tenant, station_no, evse_id),
    FOREIGN KEY (tenant, station_no) REFERENCES station (tenant, station_no)
);

CREATE TABLE connector (
    tenant integer NOT NULL,
    station_no integer NOT NULL,
    evse_id integer NOT NULL,
    connector_id integer NOT NULL,
    standard text,
    status text,
    status_at timestamptz,
    error_code text,
    info text,
    PRIMARY KEY (tenant, station_no, evse_id, connector_id),
    FOREIGN KEY (tenant, station_no, evse_id) REFERENCES evse
);

-- Stations that nobody has admitted yet. They belong to no tenant; only a deployment's administrator sees them.
CREATE TABLE lobby (
    identity text PRIMARY KEY,
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    address text NOT NULL,                      -- of whoever knocked first
    network text NOT NULL,                      -- of that address; so many rows may come from one
    other_address text,                         -- the last one that knocked from another network
    other_password boolean NOT NULL DEFAULT false,
    protocol text NOT NULL,
    attempts bigint NOT NULL DEFAULT 1,
    vendor text,
    model text,
    password_hash bytea                         -- what was presented first, so that admission can keep that password
);

-- ------------------------------------------------------------------------------------------------ contracts and tokens
CREATE TABLE payer (
    tenant integer NOT NULL REFERENCES tenant,
    id text NOT NULL,
    name text NOT NULL,
    email text,
    address text,
    PRIMARY KEY (tenant, id)
);

CREATE TABLE contract (
    tenant integer NOT NULL REFERENCES tenant,
    id text NOT NULL,
    name text NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to timestamptz,
    PRIMARY KEY (tenant, id),
    CHECK (valid_to IS NULL OR valid_to > valid_from)
);

CREATE TABLE contract_payer (
    tenant integer NOT NULL,
    contract_id text NOT NULL,
    payer_id text NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to timestamptz,
    PRIMARY KEY (tenant, contract_id, valid_from),
    FOREIGN KEY (tenant, contract_id) REFERENCES contract,
    FOREIGN KEY (tenant, payer_id) REFERENCES payer,
    CHECK (valid_to IS NULL OR valid_to > valid_from)
);

CREATE TABLE id_token (
    tenant integer NOT NULL REFERENCES tenant,
    token text NOT NULL,                        -- normalised (see sessions/authorize.py)
    presented text NOT NULL,                    -- as a person wrote it
    kind text NOT NULL DEFAULT '',
    status text NOT NULL CHECK (status IN ('Accepted', 'Blocked', 'Expired')),
    valid_to timestamptz,
    label text,
    PRIMARY KEY (tenant, token)
);

CREATE TABLE id_token_contract (
    tenant integer NOT NULL,
    token text NOT NULL,
    contract_id text NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to timestamptz,
    PRIMARY KEY (tenant, token, valid_from),
    FOREIGN KEY (tenant, token) REFERENCES id_token,
    FOREIGN KEY (tenant, contract_id) REFERENCES contract,
    CHECK (valid_to IS NULL OR valid_to > valid_from)
);

-- ------------------------------------------------------------------------------------------------ tariffs
CREATE TABLE tariff (
    tenant integer NOT NULL REFERENCES tenant,
    id text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, id)
);

CREATE TABLE tariff_version (
    tenant integer NOT NULL,
    tariff_id text NOT NULL,
    version integer NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to timestamptz,                       -- its end_date_time; from then on this tariff has no price until a later version
    received_at timestamptz NOT NULL,
    document jsonb NOT NULL,
    PRIMARY KEY (tenant, tariff_id, version),
    FOREIGN KEY (tenant, tariff_id) REFERENCES tariff,
    CHECK (valid_to IS NULL OR valid_to > valid_from)
);
CREATE INDEX tariff_version_by_time ON tariff_version (tenant, tariff_id, valid_from);

-- Which tariff applies: the first of contract, station, site, default that has one.
CREATE TABLE tariff_assignment (
    tenant integer NOT NULL,
    scope text NOT NULL CHECK (scope IN ('contract', 'station', 'site', 'default')),
    scope_id text NOT NULL,                     -- contract id, station identity, site id; '' for the default
    valid_from timestamptz NOT NULL,
    tariff_id text NOT NULL,
    PRIMARY KEY (tenant, scope, scope_id, valid_from),
    FOREIGN KEY (tenant, tariff_id) REFERENCES tariff
);

-- ------------------------------------------------------------------------------------------------ evidence
-- One row per frame that bears on a session, with our answer to it, verbatim. Append-only; by our receive time.
-- No foreign key to or from it.
CREATE TABLE frame (
    received_at timestamptz NOT NULL,
    tenant integer NOT NULL,
    station_no integer NOT NULL,
    connection_epoch bigint NOT NULL,
    seq integer NOT NULL,
    direction "char" NOT NULL,                  -- i: a call from the station, o: our call, r: the station's answer to it
    protocol "char" NOT NULL,                   -- 6: OCPP 1.6, 2: OCPP 2.0.1
    message_id text NOT NULL,
    action text NOT NULL,
    raw bytea NOT NULL,
    answer bytea                                -- our answer, for direction i
) PARTITION BY RANGE (received_at);
CREATE INDEX frame_by_station ON frame (station_no, connection_epoch, seq);

CREATE TABLE frame_rest PARTITION OF frame DEFAULT;

-- Frames that could not be used, alone with the reason; nothing is lost.
CREATE TABLE quarantine (
    tenant integer NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    received_at timestamptz NOT NULL,
    station_no integer NOT NULL,
    connection_epoch bigint NOT NULL,
    seq integer NOT NULL,
    reason text NOT NULL,
    raw bytea NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX quarantine_by_station ON quarantine (station_no, received_at);

-- Everything else that a session depended on, in order: authorisation, contract, tariff version, decisions of people.
CREATE TABLE decision (
    tenant integer NOT NULL,
    session_id text NOT NULL,
    number integer NOT NULL,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    decided_by text NOT NULL,                   -- 'laddbok' or a person
    body jsonb NOT NULL,
    PRIMARY KEY (tenant, session_id, number)
);

-- ------------------------------------------------------------------------------------------------ sessions
CREATE TABLE session (
    tenant integer NOT NULL REFERENCES tenant,
    id text NOT NULL,
    origin text NOT NULL CHECK (origin IN ('station', 'import')),
    station_no integer,                         -- NULL: imported
    station text NOT NULL,                      -- identity in the path, or the source's name
    site_id text,
    evse_id integer,
    connector_id integer,
    transaction_id text,
    id_token text,                              -- as first presented
    token text,                                 -- normalised, for search
    contract_id text,
    state text NOT NULL CHECK (state IN ('pending', 'active', 'ended', 'settled', 'review', 'void')),
    version integer NOT NULL,                   -- every transition is conditional on it
    revision integer NOT NULL DEFAULT 1,        -- of the CDR
    start_key text,                             -- de-duplicates starts by content
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    energy_wh bigint,
    review_reasons text[] NOT NULL DEFAULT '{}',
    due_at timestamptz,                         -- of an open session: when somebody must look at it
    import_identity text,
    body jsonb NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX session_start_once ON session (station_no, start_key) WHERE start_key IS NOT NULL;
CREATE UNIQUE INDEX session_import_once ON session (tenant, import_identity) WHERE import_identity IS NOT NULL;
CREATE INDEX session_by_time ON session (tenant, started_at DESC, id);
CREATE INDEX session_by_state ON session (tenant, state, started_at DESC, id);
CREATE INDEX session_by_station ON session (tenant, station, started_at DESC, id);
CREATE INDEX session_by_token ON session (tenant, token, started_at DESC, id);
CREATE INDEX session_by_transaction ON session (station_no, transaction_id);
CREATE INDEX session_open ON session (station_no) WHERE state IN ('pending', 'active', 'ended');
CREATE INDEX session_due ON session (due_at) WHERE due_at IS NOT NULL;

-- Attribution: which stretch of a station's frames a session is folded from. Open end: still running.
CREATE TABLE session_range (
    tenant integer NOT NULL,
    session_id text NOT NULL,
    number integer NOT NULL,
    station_no integer NOT NULL,
    from_epoch bigint NOT NULL,
    from_seq integer NOT NULL,
    to_epoch bigint,
    to_seq integer,
    from_at timestamptz NOT NULL,               -- receive times, so that only few partitions are read
    to_at timestamptz,
    PRIMARY KEY (tenant, session_id, number),
    FOREIGN KEY (tenant, session_id) REFERENCES session
);

-- What the owner knows of a live session, each 2 s. A cache for readers and for a quick restart, never a source of money.
CREATE UNLOGGED TABLE session_live (
    tenant integer NOT NULL,
    session_id text NOT NULL,
    station_no integer NOT NULL,
    through_epoch bigint NOT NULL,
    through_seq integer NOT NULL,
    as_of timestamptz NOT NULL,
    body jsonb NOT NULL,
    PRIMARY KEY (tenant, session_id)
);
CREATE INDEX session_live_by_station ON session_live (station_no);
CREATE INDEX session_live_by_time ON session_live (as_of);

-- Frames about a transaction that nobody knows: acknowledged, kept, to be matched later.
CREATE TABLE orphan (
    tenant integer NOT NULL,
    station_no integer NOT NULL,
    connection_epoch bigint NOT NULL,
    seq integer NOT NULL,
    received_at timestamptz NOT NULL,
    action text NOT NULL,
    transaction_id text,
    evse_id integer,
    matched_session_id text,
    PRIMARY KEY (tenant, station_no, connection_epoch, seq)
);

CREATE TABLE cdr (
    tenant integer NOT NULL,
    session_id text NOT NULL,
    revision integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('cdr', 'credit')),
    issued_at timestamptz NOT NULL,
    energy_wh bigint NOT NULL,
    currency text NOT NULL,
    excl_vat numeric NOT NULL,
    incl_vat numeric,
    tariff_id text NOT NULL,
    tariff_version integer NOT NULL,
    document jsonb NOT NULL,
    rating jsonb NOT NULL,
    PRIMARY KEY (tenant, session_id, revision, kind),
    FOREIGN KEY (tenant, session_id) REFERENCES session
);
CREATE INDEX cdr_by_time ON cdr (tenant, issued_at DESC, session_id);

CREATE TABLE rated_line (
    tenant integer NOT NULL,
    session_id text NOT NULL,
    revision integer NOT NULL,
    kind text NOT NULL,
    number integer NOT NULL,
    dimension text NOT NULL,
    quantity numeric NOT NULL,
    unit text NOT NULL,
    unit_price numeric NOT NULL,
    excl_vat numeric NOT NULL,
    vat_rate numeric,
    incl_vat numeric,
    PRIMARY KEY (tenant, session_id, revision, kind, number),
    FOREIGN KEY (tenant, session_id, revision, kind) REFERENCES cdr
);

-- An issued CDR and its lines never change.
CREATE FUNCTION laddbok_immutable() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN RAISE EXCEPTION '% is never changed, only credited', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$;
CREATE TRIGGER cdr_immutable BEFORE UPDATE OR DELETE ON cdr FOR EACH ROW EXECUTE FUNCTION laddbok_immutable();
CREATE TRIGGER rated_line_immutable BEFORE UPDATE OR DELETE ON rated_line FOR EACH ROW EXECUTE FUNCTION laddbok_immutable();

-- 1.6 transaction ids: 31 bits, unique over all stations and restarts, never reused; a gateway takes them a hundred at a time.
CREATE SEQUENCE transaction_number AS integer START 1 INCREMENT 100 MAXVALUE 2147483600 NO CYCLE;

-- ------------------------------------------------------------------------------------------------ work to do
CREATE TABLE job (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    tenant integer NOT NULL REFERENCES tenant,
    kind text NOT NULL,
    key text NOT NULL,                          -- the same work is queued once
    due_at timestamptz NOT NULL,
    requests integer NOT NULL DEFAULT 1,        -- how often it was queued: one queued again while it runs, runs again
    attempts integer NOT NULL DEFAULT 0,
    leased_until timestamptz,
    leased_by text,
    last_error text,
    failed_at timestamptz,                      -- given up after the last attempt; a person must look
    UNIQUE (kind, key)
);
CREATE INDEX job_due ON job (due_at) WHERE failed_at IS NULL;

CREATE TABLE command (
    tenant integer NOT NULL REFERENCES tenant,
    id uuid NOT NULL,
    station_no integer NOT NULL,
    action text NOT NULL,
    payload jsonb NOT NULL,
    status text NOT NULL CHECK (status IN ('queued', 'sent', 'answered', 'error', 'not_connected', 'timed_out', 'unknown')),
    answer jsonb,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL,
    sent_at timestamptz,
    ended_at timestamptz,
    session_id text,
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX command_by_id ON command (id);
CREATE INDEX command_open ON command (station_no) WHERE status IN ('queued', 'sent');
CREATE INDEX command_by_time ON command (tenant, requested_at DESC, id);

-- ------------------------------------------------------------------------------------------------ who may ask
CREATE TABLE person (
    tenant integer NOT NULL REFERENCES tenant,
    id text NOT NULL,                           -- the name they log in with; unique per deployment
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('administrator', 'operator', 'reader')),
    deployment_administrator boolean NOT NULL DEFAULT false,
    password_hash text NOT NULL,                -- argon2id
    must_change_password boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tenant, id),
    UNIQUE (id)
);

CREATE TABLE login (
    tenant integer NOT NULL,
    digest bytea PRIMARY KEY,                   -- SHA-256 of the cookie
    person_id text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    FOREIGN KEY (tenant, person_id) REFERENCES person
);

CREATE TABLE api_key (
    tenant integer NOT NULL REFERENCES tenant,
    id text NOT NULL,
    digest bytea NOT NULL UNIQUE,               -- SHA-256 of the key
    role text NOT NULL CHECK (role IN ('administrator', 'operator', 'reader')),
    deployment_administrator boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz,
    PRIMARY KEY (tenant, id)
);

CREATE TABLE idempotency (
    tenant integer NOT NULL REFERENCES tenant,
    key text NOT NULL,
    request_digest bytea NOT NULL,
    status smallint,
    response bytea,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, key)
);

-- ------------------------------------------------------------------------------------------------ row-level security
-- Run over every table by the tests too: a table without it does not pass.
CREATE FUNCTION laddbok_protect(target regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    has_tenant boolean := EXISTS (
        SELECT 1 FROM pg_attribute WHERE attrelid = target AND attname = 'tenant' AND NOT attisdropped);
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    IF has_tenant THEN
        EXECUTE format(
            'CREATE POLICY own_tenant ON %s TO laddbok_api USING (tenant = (SELECT laddbok_tenant())) WITH CHECK (tenant = (SELECT laddbok_tenant()))',
            target);
    END IF;
END $$;

-- A day of evidence gets a partition of its own, protected like its parent. Called ahead of time by a worker.
CREATE FUNCTION laddbok_frame_partition(day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    name text := 'frame_' || to_char(day, 'YYYYMMDD');
    begins timestamptz := day::timestamp AT TIME ZONE 'UTC';
    ends timestamptz := (day + 1)::timestamp AT TIME ZONE 'UTC';
BEGIN
    -- One process at a time: two that make the same day would wait for each other.
    PERFORM pg_advisory_xact_lock(x'6c616464626f6b'::bigint);
    -- A day that began without its partition stays in the rest.
    IF to_regclass(name) IS NULL
        AND NOT EXISTS (SELECT 1 FROM frame_rest WHERE received_at >= begins AND received_at < ends) THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF frame FOR VALUES FROM (%L) TO (%L)', name, begins, ends);
        PERFORM laddbok_protect(name::regclass);
    END IF;
END $$;

SELECT laddbok_protect(oid::regclass) FROM pg_class
WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace;

CREATE POLICY deployment_administrator ON lobby TO laddbok_api
    USING (current_setting('laddbok.deployment_administrator', true) = 'yes')
    WITH CHECK (current_setting('laddbok.deployment_administrator', true) = 'yes');

GRANT SELECT ON tenant, legal_entity, host, site, site_seller, station, evse, connector, lobby, payer, contract, contract_payer,
    id_token, id_token_contract, tariff, tariff_version, tariff_assignment, frame, quarantine, decision, session, session_range,
    session_live, orphan, cdr, rated_line, job, command, person, login, api_key, idempotency TO laddbok_api;
GRANT INSERT, UPDATE ON legal_entity, host, site, site_seller, station, evse, connector, payer, contract, contract_payer,
    id_token, id_token_contract, tariff, tariff_version, tariff_assignment, decision, command, person, login, api_key,
    idempotency TO laddbok_api;
GRANT DELETE ON lobby, login, idempotency TO laddbok_api;
