-- A credit stands where the CDR stands that it takes back: with the contract, the seller and the times that CDR had. A correction
-- may give a session another driver or another end; what is taken back is still the first driver's, of the first month.
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
        AND b.revision = c.revision AND b.kind = 'cdr';
    RETURN NULL;
END $$;

ALTER TABLE billing_position DISABLE TRIGGER billing_position_once;
UPDATE billing_position AS p
SET legal_entity_id = b.legal_entity_id, contract_id = b.contract_id, started_at = b.started_at, ended_at = b.ended_at
FROM billing_position AS b
WHERE p.kind = 'credit' AND p.outcome IS NULL AND b.tenant = p.tenant AND b.session_id = p.session_id
    AND b.revision = p.revision AND b.kind = 'cdr';
ALTER TABLE billing_position ENABLE TRIGGER billing_position_once;
