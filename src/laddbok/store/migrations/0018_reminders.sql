-- What customers are reminded of, and how documents reach them.

ALTER TABLE payer ADD COLUMN on_paper boolean NOT NULL DEFAULT false; -- wants no mail, though it has an address

-- A reminder is frozen like a document: its PDF and its journal entry are made of `content` (model.reminder) and nothing else.
CREATE TABLE reminder (
    tenant integer NOT NULL,
    invoice_id text NOT NULL,
    number integer NOT NULL CHECK (number > 0), -- the stage: each invoice has one reminder of each
    legal_entity_id text NOT NULL,
    issue_date date NOT NULL,
    pay_by date NOT NULL,
    currency text NOT NULL,
    principal numeric NOT NULL CHECK (principal > 0), -- what was left of the invoice itself
    claimed numeric NOT NULL CHECK (claimed >= 0), -- fee, compensation and interest that it adds
    issued_at timestamptz NOT NULL,
    issued_by text NOT NULL,                    -- 'laddbok' or a person
    content bytea NOT NULL,
    PRIMARY KEY (tenant, invoice_id, number),
    FOREIGN KEY (tenant, invoice_id) REFERENCES invoice (tenant, id),
    FOREIGN KEY (tenant, legal_entity_id) REFERENCES legal_entity
);
CREATE INDEX reminder_by_day ON reminder (tenant, issue_date DESC, invoice_id, number);

-- What it claimed is taken back; that it was sent is not.
CREATE TABLE reminder_cancelled (
    tenant integer NOT NULL,
    invoice_id text NOT NULL,
    number integer NOT NULL,
    reason text NOT NULL,
    cancelled_at timestamptz NOT NULL,
    cancelled_by text NOT NULL,
    PRIMARY KEY (tenant, invoice_id, number),
    FOREIGN KEY (tenant, invoice_id, number) REFERENCES reminder
);

CREATE TABLE reminder_document (
    tenant integer NOT NULL,
    invoice_id text NOT NULL,
    number integer NOT NULL,
    bytes bytea NOT NULL,
    sha256 bytea NOT NULL,
    rendered_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, invoice_id, number),
    FOREIGN KEY (tenant, invoice_id, number) REFERENCES reminder
);

-- A seller's late invoices are looked through once a day; `result` (flow.reminding.Reminded) tells what came of it.
CREATE TABLE reminder_run (
    tenant integer NOT NULL,
    legal_entity_id text NOT NULL,
    day date NOT NULL,
    ended_at timestamptz NOT NULL,
    result jsonb NOT NULL,
    PRIMARY KEY (tenant, legal_entity_id, day),
    FOREIGN KEY (tenant, legal_entity_id) REFERENCES legal_entity
);

CREATE TRIGGER reminder_immutable BEFORE UPDATE OR DELETE ON reminder FOR EACH ROW EXECUTE FUNCTION laddbok_immutable();
CREATE TRIGGER reminder_cancelled_immutable BEFORE UPDATE OR DELETE ON reminder_cancelled
    FOR EACH ROW EXECUTE FUNCTION laddbok_immutable();
CREATE TRIGGER reminder_document_immutable BEFORE UPDATE OR DELETE ON reminder_document
    FOR EACH ROW EXECUTE FUNCTION laddbok_immutable();

-- One row per document, or reminder of it (`reminder` is its number, else 0), from when it was rendered on: it waits, was sent, could
-- not be, or need not be any more. Who has an e-mail address when it is sent gets it by mail; the others by hand.
CREATE TABLE delivery (
    tenant integer NOT NULL,
    invoice_id text NOT NULL,
    reminder integer NOT NULL DEFAULT 0 CHECK (reminder >= 0),
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'failed', 'dropped')),
    due_at timestamptz NOT NULL,                -- not before then
    tries integer NOT NULL DEFAULT 0 CHECK (tries >= 0),
    address text,                               -- where it was tried last; NULL: by hand, or not yet
    last_error text,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, invoice_id, reminder),
    FOREIGN KEY (tenant, invoice_id) REFERENCES invoice (tenant, id)
);
CREATE INDEX delivery_due ON delivery (due_at) WHERE state = 'waiting';
CREATE INDEX delivery_by_state ON delivery (tenant, state, changed_at DESC);

-- To which address a document goes: its customer's as it is now, or the host's, of what we owe a host; NULL: by hand.
CREATE FUNCTION laddbok_mail_address(of_tenant integer, of_invoice text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT nullif(CASE i.kind
        WHEN 'self_billed' THEN (
            SELECT h.email FROM host_settlement AS s JOIN host AS h ON h.tenant = s.tenant AND h.id = s.host_id
            WHERE s.tenant = i.tenant AND s.invoice_id = i.id)
        ELSE (SELECT p.email FROM payer AS p WHERE p.tenant = i.tenant AND p.id = i.payer_id AND NOT p.on_paper) END, '')
    FROM invoice AS i WHERE i.tenant = of_tenant AND i.id = of_invoice
$$;

-- What was sent or dropped stays so.
CREATE FUNCTION laddbok_sent_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state IN ('waiting', 'failed')
        AND (OLD.tenant, OLD.invoice_id, OLD.reminder) = (NEW.tenant, NEW.invoice_id, NEW.reminder) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'document % was sent, or dropped', OLD.invoice_id USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER delivery_sent BEFORE UPDATE OR DELETE ON delivery FOR EACH ROW EXECUTE FUNCTION laddbok_sent_stays();

SELECT laddbok_protect(name::regclass) FROM unnest(ARRAY[
    'reminder', 'reminder_cancelled', 'reminder_document', 'reminder_run', 'delivery']) AS name;
GRANT SELECT ON reminder, reminder_cancelled, reminder_document, reminder_run, delivery TO laddbok_api;
