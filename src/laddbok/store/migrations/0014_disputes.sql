-- What a customer objects to on an invoice, the page on which they can say so, and runs that people ask for.

-- Links to the page of an invoice carry a HMAC under this; a new secret makes all of them void.
CREATE TABLE receipt_secret (
    tenant integer PRIMARY KEY REFERENCES tenant,
    secret bytea NOT NULL DEFAULT uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()),
    made_at timestamptz NOT NULL
);

-- One at a time for each invoice: its number is that of the decisions so far and one.
CREATE TABLE dispute (
    tenant integer NOT NULL,
    invoice_id text NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    session_id text,                            -- what it is about; NULL: all of the invoice
    reason text NOT NULL,
    opened_at timestamptz NOT NULL,
    opened_by text NOT NULL,                    -- a person, or 'customer': from the page of the invoice
    deadline date NOT NULL,                     -- until when it is to be decided
    PRIMARY KEY (tenant, invoice_id, number),
    FOREIGN KEY (tenant, invoice_id) REFERENCES invoice (tenant, id)
);
CREATE INDEX dispute_by_deadline ON dispute (tenant, deadline);

CREATE TABLE dispute_decision (
    tenant integer NOT NULL,
    invoice_id text NOT NULL,
    number integer NOT NULL,
    decision text NOT NULL CHECK (decision IN ('accepted', 'rejected')),
    note text NOT NULL,                         -- what the customer is told
    decided_at timestamptz NOT NULL,
    decided_by text NOT NULL,
    PRIMARY KEY (tenant, invoice_id, number),
    FOREIGN KEY (tenant, invoice_id, number) REFERENCES dispute
);
CREATE TRIGGER dispute_immutable BEFORE UPDATE OR DELETE ON dispute FOR EACH ROW EXECUTE FUNCTION laddbok_immutable();
CREATE TRIGGER dispute_decision_immutable BEFORE UPDATE OR DELETE ON dispute_decision
    FOR EACH ROW EXECUTE FUNCTION laddbok_immutable();

-- What billing a month would do, as a worker found it when it was asked last. It is no promise, and is replaced.
CREATE TABLE billing_plan (
    tenant integer NOT NULL,
    legal_entity_id text NOT NULL,
    period_start date NOT NULL,
    asked_at timestamptz NOT NULL,
    asked_by text NOT NULL,
    customers integer NOT NULL DEFAULT 0,       -- looked at so far
    ended_at timestamptz,
    result jsonb,
    PRIMARY KEY (tenant, legal_entity_id, period_start),
    FOREIGN KEY (tenant, legal_entity_id) REFERENCES legal_entity
);
ALTER TABLE billing_run ADD COLUMN result jsonb;   -- what it did, and what was in the way

SELECT laddbok_protect(name::regclass) FROM unnest(ARRAY[
    'receipt_secret', 'dispute', 'dispute_decision', 'billing_plan']) AS name;
GRANT SELECT (tenant, made_at) ON receipt_secret TO laddbok_api;
GRANT SELECT, INSERT ON dispute, dispute_decision TO laddbok_api;
GRANT SELECT, INSERT, UPDATE ON billing_plan TO laddbok_api;
GRANT INSERT, UPDATE ON billing_run TO laddbok_api;
