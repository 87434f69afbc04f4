-- From priced sessions to documents and books: what is to be billed, invoices with their numbers, what happened to them,
-- and the journal. Final rows never change: they are credited, or followed by an event.

-- ------------------------------------------------------------------------------------------------ who sells, who pays
-- `address` is street and number.
ALTER TABLE legal_entity
    ADD COLUMN postal_code text,
    ADD COLUMN city text,
    ADD COLUMN country text NOT NULL DEFAULT 'SE',
    ADD COLUMN email text,
    ADD COLUMN phone text,
    ADD COLUMN contact text,
    ADD COLUMN iban text,
    ADD COLUMN bic text,
    ADD COLUMN endpoint_scheme text,            -- where its e-invoices come from, such as 0007
    ADD COLUMN endpoint_id text,
    ADD COLUMN payment_days integer NOT NULL DEFAULT 30 CHECK (payment_days BETWEEN 0 AND 120),
    ADD COLUMN draft_days integer NOT NULL DEFAULT 3 CHECK (draft_days BETWEEN 0 AND 60),
    ADD COLUMN late_terms jsonb NOT NULL DEFAULT '{}', -- interest and fees that were agreed; nothing is charged that was not
    ADD COLUMN accounts jsonb NOT NULL DEFAULT '{}';   -- BAS accounts other than the usual ones

ALTER TABLE payer
    ADD COLUMN kind text NOT NULL DEFAULT 'consumer' CHECK (kind IN ('consumer', 'company', 'public')),
    ADD COLUMN organisation_number text,
    ADD COLUMN vat_number text,
    ADD COLUMN postal_code text,
    ADD COLUMN city text,
    ADD COLUMN country text NOT NULL DEFAULT 'SE',
    ADD COLUMN endpoint_scheme text,
    ADD COLUMN endpoint_id text,
    ADD COLUMN buyer_reference text,
    ADD COLUMN order_reference text,
    ADD COLUMN language text NOT NULL DEFAULT 'sv' CHECK (language IN ('sv', 'en')),
    ADD COLUMN e_invoice boolean NOT NULL DEFAULT false,
    ADD COLUMN whole_units boolean NOT NULL DEFAULT false; -- rounding to whole kronor was agreed

ALTER TABLE contract
    ADD COLUMN cost_centre text,
    ADD COLUMN driver text;                     -- who charges, as it stands in the appendix

-- ------------------------------------------------------------------------------------------------ what is to be billed
-- One row per issued CDR and per credit of one: each is billed once, or it is known why not. Written with the CDR.
CREATE TABLE billing_position (
    tenant integer NOT NULL,
    session_id text NOT NULL,
    revision integer NOT NULL,
    kind text NOT NULL,
    legal_entity_id text,
    contract_id text,
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    currency text NOT NULL,
    excl_vat numeric NOT NULL,
    incl_vat numeric,
    outcome text CHECK (outcome IN ('billed', 'netted', 'nothing')), -- NULL: still to be billed
    invoice_id text,
    PRIMARY KEY (tenant, session_id, revision, kind),
    FOREIGN KEY (tenant, session_id, revision, kind) REFERENCES cdr,
    CHECK ((outcome IS NOT DISTINCT FROM 'billed') = (invoice_id IS NOT NULL))
);
CREATE INDEX billing_position_open ON billing_position (tenant, legal_entity_id, ended_at) WHERE outcome IS NULL;
CREATE INDEX billing_position_of_invoice ON billing_position (tenant, invoice_id) WHERE invoice_id IS NOT NULL;

CREATE FUNCTION laddbok_to_be_billed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO billing_position (tenant, session_id, revision, kind, legal_entity_id, contract_id, started_at, ended_at,
        currency, excl_vat, incl_vat)
    SELECT c.tenant, c.session_id, c.revision, c.kind, s.body ->> 'seller_id', s.contract_id, s.started_at,
        coalesce(s.ended_at, c.issued_at), c.currency, c.excl_vat, c.incl_vat
    FROM issued AS c JOIN session AS s ON s.tenant = c.tenant AND s.id = c.session_id;
    RETURN NULL;
END $$;
CREATE TRIGGER cdr_to_be_billed AFTER INSERT ON cdr REFERENCING NEW TABLE AS issued
    FOR EACH STATEMENT EXECUTE FUNCTION laddbok_to_be_billed();

CREATE FUNCTION laddbok_billed_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.outcome IS NULL
        AND to_jsonb(OLD) - 'outcome' - 'invoice_id' = to_jsonb(NEW) - 'outcome' - 'invoice_id' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'session % revision % is billed already', OLD.session_id, OLD.revision USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER billing_position_once BEFORE UPDATE OR DELETE ON billing_position
    FOR EACH ROW EXECUTE FUNCTION laddbok_billed_once();

INSERT INTO billing_position (tenant, session_id, revision, kind, legal_entity_id, contract_id, started_at, ended_at, currency,
    excl_vat, incl_vat)
SELECT c.tenant, c.session_id, c.revision, c.kind, s.body ->> 'seller_id', s.contract_id, s.started_at,
    coalesce(s.ended_at, c.issued_at), c.currency, c.excl_vat, c.incl_vat
FROM cdr AS c JOIN session AS s ON s.tenant = c.tenant AND s.id = c.session_id;

-- ------------------------------------------------------------------------------------------------ documents
CREATE TABLE number_series (
    tenant integer NOT NULL,
    legal_entity_id text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('invoice', 'credit_note', 'receipt', 'self_billed')),
    prefix text NOT NULL CHECK (prefix ~ '^[0-9]{0,8}$'),
    next_number bigint NOT NULL DEFAULT 1 CHECK (next_number > 0),
    last_hash bytea,                            -- of the newest document: the next one is chained to it
    PRIMARY KEY (tenant, legal_entity_id, kind),
    FOREIGN KEY (tenant, legal_entity_id) REFERENCES legal_entity
);

CREATE TABLE billing_run (
    tenant integer NOT NULL,
    id text NOT NULL,                           -- seller and period: the same run twice is the same run
    legal_entity_id text NOT NULL,
    period_start date NOT NULL,
    period_end date NOT NULL,                   -- its last day
    started_at timestamptz NOT NULL,
    started_by text NOT NULL,
    planned integer NOT NULL DEFAULT 0,         -- documents
    done integer NOT NULL DEFAULT 0,
    ended_at timestamptz,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, legal_entity_id) REFERENCES legal_entity,
    CHECK (period_end >= period_start)
);

CREATE TABLE invoice (
    tenant integer NOT NULL,
    id text NOT NULL,                           -- legal entity and number
    legal_entity_id text NOT NULL,
    kind text NOT NULL,
    number bigint NOT NULL,                     -- in its series, without gaps
    number_text text NOT NULL,                  -- as it stands on the document
    run_id text,
    payer_id text,
    contract_id text,
    period_start date NOT NULL,
    period_end date NOT NULL,
    issue_date date NOT NULL,
    due_date date NOT NULL,
    currency text NOT NULL,
    net numeric NOT NULL,
    vat numeric NOT NULL,
    gross numeric NOT NULL,
    payable numeric NOT NULL,
    payment_reference text,
    refers_to text,                             -- the invoice that it credits
    finalised_at timestamptz NOT NULL,
    content bytea NOT NULL,                     -- the frozen document (model.invoice), JSON
    previous_hash bytea,
    hash bytea NOT NULL,                        -- SHA-256 over the previous one and the content
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, legal_entity_id, kind, number),
    FOREIGN KEY (tenant, legal_entity_id, kind) REFERENCES number_series,
    FOREIGN KEY (tenant, refers_to) REFERENCES invoice (tenant, id)
);
CREATE INDEX invoice_by_time ON invoice (tenant, issue_date DESC, id);
CREATE INDEX invoice_by_payer ON invoice (tenant, payer_id, issue_date DESC);
CREATE INDEX invoice_by_reference ON invoice (tenant, payment_reference) WHERE payment_reference IS NOT NULL;
CREATE INDEX invoice_credits ON invoice (tenant, refers_to) WHERE refers_to IS NOT NULL;
CREATE TRIGGER invoice_immutable BEFORE UPDATE OR DELETE ON invoice FOR EACH ROW EXECUTE FUNCTION laddbok_immutable();

ALTER TABLE billing_position ADD FOREIGN KEY (tenant, invoice_id) REFERENCES invoice (tenant, id);

-- What happened to a document after it was final: rendered, sent, reminded, disputed, decided ... in order.
CREATE TABLE invoice_event (
    tenant integer NOT NULL,
    invoice_id text NOT NULL,
    number integer NOT NULL,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    by text NOT NULL,                           -- 'laddbok' or a person
    body jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (tenant, invoice_id, number),
    FOREIGN KEY (tenant, invoice_id) REFERENCES invoice (tenant, id)
);
CREATE TRIGGER invoice_event_immutable BEFORE UPDATE OR DELETE ON invoice_event
    FOR EACH ROW EXECUTE FUNCTION laddbok_immutable();

CREATE TABLE invoice_document (
    tenant integer NOT NULL,
    invoice_id text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('pdf', 'xml')),
    bytes bytea NOT NULL,
    sha256 bytea NOT NULL,
    rendered_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, invoice_id, kind),
    FOREIGN KEY (tenant, invoice_id) REFERENCES invoice (tenant, id)
);
CREATE TRIGGER invoice_document_immutable BEFORE UPDATE OR DELETE ON invoice_document
    FOR EACH ROW EXECUTE FUNCTION laddbok_immutable();

-- ------------------------------------------------------------------------------------------------ the books
CREATE TABLE journal_entry (
    tenant integer NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    legal_entity_id text NOT NULL,
    date date NOT NULL,                         -- in the books of the seller, by its time zone
    text text NOT NULL,
    source_kind text NOT NULL,                  -- what it follows from; each source is posted once
    source_id text NOT NULL,
    posted_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, legal_entity_id, source_kind, source_id),
    FOREIGN KEY (tenant, legal_entity_id) REFERENCES legal_entity
);
CREATE INDEX journal_entry_by_date ON journal_entry (tenant, legal_entity_id, date, id);

CREATE TABLE posting (
    tenant integer NOT NULL,
    entry_id bigint NOT NULL,
    line integer NOT NULL,
    account text NOT NULL CHECK (account ~ '^[0-9]{4}$'),
    amount numeric NOT NULL CHECK (amount <> 0), -- debit above 0, credit below
    currency text NOT NULL,
    invoice_id text,
    payer_id text,
    PRIMARY KEY (tenant, entry_id, line),
    FOREIGN KEY (tenant, entry_id) REFERENCES journal_entry
);
CREATE INDEX posting_by_account ON posting (tenant, account, entry_id);
CREATE INDEX posting_by_invoice ON posting (tenant, invoice_id) WHERE invoice_id IS NOT NULL;
CREATE TRIGGER journal_entry_immutable BEFORE UPDATE OR DELETE ON journal_entry
    FOR EACH ROW EXECUTE FUNCTION laddbok_immutable();
CREATE TRIGGER posting_immutable BEFORE UPDATE OR DELETE ON posting FOR EACH ROW EXECUTE FUNCTION laddbok_immutable();

-- Each entry sums to 0 in each currency, or nothing of its transaction is written.
CREATE FUNCTION laddbok_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM posting WHERE tenant = NEW.tenant AND entry_id = NEW.entry_id GROUP BY currency HAVING sum(amount) <> 0
    ) THEN
        RAISE EXCEPTION 'journal entry % does not balance', NEW.entry_id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER posting_balanced AFTER INSERT ON posting DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION laddbok_balanced();

SELECT laddbok_protect(name::regclass) FROM unnest(ARRAY[
    'billing_position', 'number_series', 'billing_run', 'invoice', 'invoice_event', 'invoice_document', 'journal_entry',
    'posting']) AS name;
GRANT SELECT ON billing_position, number_series, billing_run, invoice, invoice_event, invoice_document, journal_entry, posting
    TO laddbok_api;
GRANT INSERT ON invoice_event TO laddbok_api;
