-- Who lets us have stations at their place, what was agreed with them, and what they were paid.

ALTER TABLE host
    ADD COLUMN vat_number text,                 -- NULL: not registered; then there is no VAT on what it gets
    ADD COLUMN address text,                    -- street and number
    ADD COLUMN postal_code text,
    ADD COLUMN city text,
    ADD COLUMN country text NOT NULL DEFAULT 'SE',
    ADD COLUMN bankgiro text,
    ADD COLUMN iban text,
    ADD COLUMN email text,
    ADD COLUMN f_skatt boolean NOT NULL DEFAULT false;

-- `document` (model.host.HostTerms): so much per kWh, per cent of net, and per month. What holds at a session's start counts.
CREATE TABLE host_agreement (
    tenant integer NOT NULL,
    site_id text NOT NULL,
    host_id text NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to timestamptz,
    document jsonb NOT NULL,
    agreed_by text NOT NULL,
    PRIMARY KEY (tenant, site_id, valid_from),
    FOREIGN KEY (tenant, site_id) REFERENCES site,
    FOREIGN KEY (tenant, host_id) REFERENCES host,
    CHECK (valid_to IS NULL OR valid_to > valid_from)
);
CREATE INDEX host_agreement_of_host ON host_agreement (tenant, host_id);

-- A host's month with a seller is settled once.
CREATE TABLE host_settlement (
    tenant integer NOT NULL,
    legal_entity_id text NOT NULL,
    host_id text NOT NULL,
    month text NOT NULL CHECK (month ~ '^[0-9]{4}-[0-9]{2}$'),
    invoice_id text NOT NULL,
    PRIMARY KEY (tenant, legal_entity_id, host_id, month),
    FOREIGN KEY (tenant, host_id) REFERENCES host,
    FOREIGN KEY (tenant, invoice_id) REFERENCES invoice (tenant, id)
);

-- A CDR, or the credit of one, that a host was paid for: once.
CREATE TABLE host_settled (
    tenant integer NOT NULL,
    session_id text NOT NULL,
    revision integer NOT NULL,
    kind text NOT NULL,
    invoice_id text NOT NULL,
    PRIMARY KEY (tenant, session_id, revision, kind),
    FOREIGN KEY (tenant, session_id, revision, kind) REFERENCES cdr,
    FOREIGN KEY (tenant, invoice_id) REFERENCES invoice (tenant, id)
);
CREATE TRIGGER host_settlement_immutable BEFORE UPDATE OR DELETE ON host_settlement
    FOR EACH ROW EXECUTE FUNCTION laddbok_immutable();
CREATE TRIGGER host_settled_immutable BEFORE UPDATE OR DELETE ON host_settled
    FOR EACH ROW EXECUTE FUNCTION laddbok_immutable();

SELECT laddbok_protect(name::regclass) FROM unnest(ARRAY['host_agreement', 'host_settlement', 'host_settled']) AS name;
GRANT SELECT ON host_settlement, host_settled TO laddbok_api;
GRANT SELECT, INSERT, UPDATE ON host_agreement TO laddbok_api;
