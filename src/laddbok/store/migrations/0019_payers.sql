-- Who pays which part of a session. A position of a contract with an agreement is shared out once, before it is billed: it becomes
-- `shared`, and each payer's part is a position of its own, open until it is billed like any other.
ALTER TABLE billing_position
    ADD COLUMN part integer NOT NULL DEFAULT 0 CHECK (part BETWEEN 0 AND 100), -- 0: all of the CDR
    ADD COLUMN payer_id text,                   -- who pays this part by the agreement; NULL: the contract's payer
    ADD COLUMN share jsonb,                     -- what the part is (model.billing.PaidPart)
    DROP CONSTRAINT billing_position_pkey,
    ADD PRIMARY KEY (tenant, session_id, revision, kind, part),
    DROP CONSTRAINT billing_position_outcome_check,
    ADD CONSTRAINT billing_position_outcome_check CHECK (outcome IN ('billed', 'netted', 'nothing', 'shared')),
    ADD CHECK ((part = 0) = (share IS NULL)),
    ADD CHECK (part = 0 OR outcome IS DISTINCT FROM 'shared'),
    ADD CHECK (part > 0 OR payer_id IS NULL);
CREATE UNIQUE INDEX billing_position_part_of_payer
    ON billing_position (tenant, session_id, revision, kind, coalesce(payer_id, '')) WHERE part > 0;
CREATE INDEX billing_position_parts ON billing_position (tenant, contract_id) WHERE part > 0;

-- The parts of a position are all of it, to the smallest coin, or nothing of their transaction is written.
CREATE FUNCTION laddbok_parts_are_all() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM billing_position AS w
        JOIN (
            SELECT sum(excl_vat) AS excl_vat, sum(incl_vat) AS incl_vat FROM billing_position
            WHERE tenant = NEW.tenant AND session_id = NEW.session_id AND revision = NEW.revision AND kind = NEW.kind AND part > 0
        ) AS p ON p.excl_vat = w.excl_vat AND p.incl_vat = w.incl_vat
        WHERE w.tenant = NEW.tenant AND w.session_id = NEW.session_id AND w.revision = NEW.revision AND w.kind = NEW.kind
            AND w.part = 0 AND w.outcome = 'shared'
    ) THEN
        RAISE EXCEPTION 'the parts of session % revision % are not all of it', NEW.session_id, NEW.revision
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER billing_position_part_added AFTER INSERT ON billing_position DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.part > 0) EXECUTE FUNCTION laddbok_parts_are_all();
CREATE CONSTRAINT TRIGGER billing_position_shared AFTER UPDATE OF outcome ON billing_position DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.outcome = 'shared') EXECUTE FUNCTION laddbok_parts_are_all();

-- What a customer has to its credit is found by payer.
CREATE INDEX payment_allocation_to_credit ON payment_allocation (tenant, payer_id) WHERE kind = 'balance';

-- As before: a credit stands where the CDR stands that it takes back; all of the CDR, not a part of it.
CREATE OR REPLACE FUNCTION laddbok_to_be_billed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO billing_position (tenant, session_id, revision, kind, legal_entity_id, contract_id, started_at, ended_at,
        currency, excl_vat, incl_vat)
    SELECT c.tenant, c.session_id, c.revision, c.kind,
        CASE WHEN b.kind IS NULL THEN s.body ->> 'seller_id' ELSE b.legal_entity_id END,
        CASE WHEN b.kind IS NULL THEN s.contract_id ELSE b.contract_id END,
        coalesce(b.started_at, s.started_at), coalesce(b.ended_at, s.ended_at, c.issued_at),
        c.currency, c.excl_vat, c.incl_vat
    FROM issued AS c JOIN session AS s ON s.tenant = c.tenant AND s.id = c.session_id
    LEFT JOIN billing_position AS b ON c.kind = 'credit' AND b.tenant = c.tenant AND b.session_id = c.session_id
        AND b.revision = c.revision AND b.kind = 'cdr' AND b.part = 0;
    RETURN NULL;
END $$;
