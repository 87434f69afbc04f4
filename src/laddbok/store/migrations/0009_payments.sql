-- Money that arrives: what banks' files and providers told, where each part of it went, what is asked for, held and paid back.
-- A payment and its parts never change: a part that moves is taken back by a row with the other sign.

CREATE TABLE bank_file (
    tenant integer NOT NULL REFERENCES tenant,
    sha256 bytea NOT NULL,                      -- the same file twice has no effect
    message_id text NOT NULL,
    name text NOT NULL,
    imported_at timestamptz NOT NULL,
    imported_by text NOT NULL,
    PRIMARY KEY (tenant, sha256)
);

-- One row per booked line of an account: files overlap, and a statement tells again what a notification told.
CREATE TABLE bank_entry (
    tenant integer NOT NULL,
    legal_entity_id text NOT NULL,
    reference text NOT NULL,
    account text NOT NULL,                      -- as it was told: the bankgiro, or the account behind it
    booked_on date NOT NULL,
    amount numeric NOT NULL,
    currency text NOT NULL,
    sha256 bytea NOT NULL,                      -- the file that told it first
    PRIMARY KEY (tenant, legal_entity_id, reference),
    FOREIGN KEY (tenant, sha256) REFERENCES bank_file,
    FOREIGN KEY (tenant, legal_entity_id) REFERENCES legal_entity
);

-- What a provider is asked to collect from somebody: a payment by phone or card.
CREATE TABLE payment_request (
    tenant integer NOT NULL,
    id text NOT NULL, -- our own, and the provider's key: asked twice, it is one
    legal_entity_id text NOT NULL,
    provider text NOT NULL,
    amount numeric NOT NULL CHECK (amount > 0),
    currency text NOT NULL,
    message text NOT NULL,
    invoice_id text,
    session_id text,
    payer_id text,
    payer_alias text,                           -- a phone number, where the provider asks it to pay
    state text NOT NULL CHECK (state IN ('wanted', 'asked', 'paid', 'declined', 'cancelled', 'expired')),
    provider_reference text,
    tries integer NOT NULL DEFAULT 0,
    last_error text,
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, legal_entity_id) REFERENCES legal_entity,
    FOREIGN KEY (tenant, invoice_id) REFERENCES invoice (tenant, id)
);
CREATE UNIQUE INDEX payment_request_key ON payment_request (id);
CREATE INDEX payment_request_by_reference ON payment_request (provider, provider_reference);

CREATE TABLE payment (
    tenant integer NOT NULL,
    id text NOT NULL,
    provider text NOT NULL,
    reference text NOT NULL,                    -- the provider's
    legal_entity_id text NOT NULL,
    received_on date NOT NULL,
    amount numeric NOT NULL CHECK (amount <> 0), -- above 0 it came in, below 0 it went out
    currency text NOT NULL,
    payer_name text,
    payer_account text,
    text text NOT NULL,
    document jsonb NOT NULL,                    -- model.payment.Payment, as it was told
    request_id text,
    sha256 bytea,                               -- of the file that told it
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, legal_entity_id, provider, reference),
    FOREIGN KEY (tenant, legal_entity_id) REFERENCES legal_entity,
    FOREIGN KEY (tenant, request_id) REFERENCES payment_request,
    FOREIGN KEY (tenant, sha256) REFERENCES bank_file
);
CREATE UNIQUE INDEX payment_of_request ON payment (tenant, request_id) WHERE request_id IS NOT NULL;
CREATE INDEX payment_by_time ON payment (tenant, received_on DESC, id);
CREATE INDEX payment_by_account ON payment (tenant, payer_account) WHERE payer_account IS NOT NULL;

CREATE TABLE refund (
    tenant integer NOT NULL,
    id text NOT NULL,
    idempotency_key text NOT NULL,              -- asked for twice, it is one
    payment_id text NOT NULL,
    amount numeric NOT NULL CHECK (amount > 0),
    currency text NOT NULL,
    reason text NOT NULL,
    state text NOT NULL CHECK (state IN ('proposed', 'requested', 'sent', 'paid', 'failed', 'dropped')),
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL,
    provider_reference text,
    last_error text,
    ended_at timestamptz,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, idempotency_key),
    FOREIGN KEY (tenant, payment_id) REFERENCES payment
);
CREATE INDEX refund_open ON refund (tenant, requested_at) WHERE ended_at IS NULL;
CREATE INDEX refund_of_payment ON refund (tenant, payment_id);

CREATE TABLE payment_allocation (
    tenant integer NOT NULL,
    payment_id text NOT NULL,
    number integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('invoice', 'balance', 'suspense', 'settlement', 'refund')),
    amount numeric NOT NULL CHECK (amount <> 0),
    invoice_id text,
    payer_id text,
    refund_id text,
    reason text NOT NULL,
    at timestamptz NOT NULL,
    by text NOT NULL,                           -- 'laddbok' or a person
    PRIMARY KEY (tenant, payment_id, number),
    FOREIGN KEY (tenant, payment_id) REFERENCES payment,
    FOREIGN KEY (tenant, invoice_id) REFERENCES invoice (tenant, id),
    FOREIGN KEY (tenant, refund_id) REFERENCES refund
);
CREATE INDEX payment_allocation_of_invoice ON payment_allocation (tenant, invoice_id) WHERE invoice_id IS NOT NULL;

-- What is set aside on a driver's card for an ad hoc session.
CREATE TABLE card_hold (
    tenant integer NOT NULL,
    id text NOT NULL,
    legal_entity_id text NOT NULL,
    session_id text NOT NULL,
    provider text NOT NULL,
    amount numeric NOT NULL CHECK (amount > 0), -- what is wanted to be set aside
    highest numeric,                            -- up to which it may be raised; NULL: it can't be
    currency text NOT NULL,
    held numeric NOT NULL DEFAULT 0,            -- what the provider says is set aside
    captured numeric NOT NULL DEFAULT 0,
    not_covered numeric NOT NULL DEFAULT 0,     -- what the session came to beyond it
    state text NOT NULL CHECK (state IN ('wanted', 'asked', 'held', 'captured', 'released', 'failed')),
    provider_reference text,
    stop_asked_at timestamptz,
    last_error text,
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, session_id),
    FOREIGN KEY (tenant, legal_entity_id) REFERENCES legal_entity,
    CHECK (captured <= held)
);
CREATE INDEX card_hold_by_reference ON card_hold (provider, provider_reference);

-- Banks fill references up with zeros.
CREATE INDEX invoice_by_plain_reference ON invoice (tenant, ltrim(payment_reference, '0')) WHERE payment_reference IS NOT NULL;
CREATE INDEX invoice_by_plain_number ON invoice (tenant, ltrim(number_text, '0'));
CREATE INDEX payer_by_name ON payer (tenant, lower(name));

-- ------------------------------------------------------------------------------------------------ what never changes
CREATE TRIGGER bank_file_immutable BEFORE UPDATE OR DELETE ON bank_file FOR EACH ROW EXECUTE FUNCTION laddbok_immutable();
CREATE TRIGGER bank_entry_immutable BEFORE UPDATE OR DELETE ON bank_entry FOR EACH ROW EXECUTE FUNCTION laddbok_immutable();
CREATE TRIGGER payment_immutable BEFORE UPDATE OR DELETE ON payment FOR EACH ROW EXECUTE FUNCTION laddbok_immutable();
CREATE TRIGGER payment_allocation_immutable BEFORE UPDATE OR DELETE ON payment_allocation
    FOR EACH ROW EXECUTE FUNCTION laddbok_immutable();

-- What has ended stays as it ended; what has not keeps its amount and what it is for.
CREATE FUNCTION laddbok_ended_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    lasting text[] := TG_ARGV;
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.ended_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM unnest(lasting) AS name WHERE to_jsonb(OLD) -> name IS DISTINCT FROM to_jsonb(NEW) -> name) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% % has ended, or would become another one', TG_TABLE_NAME, OLD.id USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER payment_request_ended BEFORE UPDATE OR DELETE ON payment_request FOR EACH ROW
    EXECUTE FUNCTION laddbok_ended_stays('tenant', 'id', 'provider', 'amount', 'currency', 'invoice_id', 'session_id', 'payer_id');
CREATE TRIGGER refund_ended BEFORE UPDATE OR DELETE ON refund FOR EACH ROW
    EXECUTE FUNCTION laddbok_ended_stays('tenant', 'id', 'payment_id', 'amount', 'currency', 'reason');
CREATE TRIGGER card_hold_ended BEFORE UPDATE OR DELETE ON card_hold FOR EACH ROW
    EXECUTE FUNCTION laddbok_ended_stays('tenant', 'id', 'provider', 'session_id', 'currency');

-- The parts of a payment come to the payment, or nothing of their transaction is written.
CREATE FUNCTION laddbok_parts_come_to_payment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT sum(amount) FROM payment_allocation WHERE tenant = NEW.tenant AND payment_id = NEW.payment_id) IS DISTINCT FROM
        (SELECT amount FROM payment WHERE tenant = NEW.tenant AND id = NEW.payment_id) THEN
        RAISE EXCEPTION 'the parts of payment % do not come to it', NEW.payment_id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER payment_allocation_whole AFTER INSERT ON payment_allocation DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION laddbok_parts_come_to_payment();

-- As payments name them: people leave zeros out in front.
CREATE INDEX invoice_by_bare_reference ON invoice (tenant, ltrim(payment_reference, '0')) WHERE payment_reference IS NOT NULL;
CREATE INDEX invoice_by_bare_number ON invoice (tenant, ltrim(number_text, '0'));

SELECT laddbok_protect(name::regclass) FROM unnest(ARRAY[
    'bank_file', 'bank_entry', 'payment_request', 'payment', 'refund', 'payment_allocation', 'card_hold']) AS name;
GRANT SELECT, INSERT ON bank_file, bank_entry, payment, payment_allocation TO laddbok_api;
GRANT SELECT, INSERT, UPDATE ON payment_request, refund, card_hold TO laddbok_api;
GRANT INSERT ON journal_entry, posting TO laddbok_api;
