-- What contracts are charged beside their sessions, month by month: fees, and what included energy changes.

-- Whose customers they are; NULL: the tenant's first seller's.
ALTER TABLE contract ADD COLUMN legal_entity_id text,
    ADD FOREIGN KEY (tenant, legal_entity_id) REFERENCES legal_entity;

-- Each is written with the document on which it stands, once. `content` (model.billing.ContractCharge) says what was used, so
-- that a session that comes late continues from it, and one that is corrected gives it back.
CREATE TABLE contract_charge (
    tenant integer NOT NULL,
    contract_id text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('month_fee', 'included', 'included_back')),
    month text NOT NULL CHECK (month ~ '^[0-9]{4}-[0-9]{2}$'),
    number integer NOT NULL CHECK (number = 1 OR kind <> 'month_fee'), -- a month has one fee
    invoice_id text NOT NULL,
    content jsonb NOT NULL,
    PRIMARY KEY (tenant, contract_id, kind, month, number),
    FOREIGN KEY (tenant, contract_id) REFERENCES contract,
    FOREIGN KEY (tenant, invoice_id) REFERENCES invoice (tenant, id)
);
CREATE INDEX contract_charge_of_invoice ON contract_charge (tenant, invoice_id);
CREATE TRIGGER contract_charge_immutable BEFORE UPDATE OR DELETE ON contract_charge
    FOR EACH ROW EXECUTE FUNCTION laddbok_immutable();
SELECT laddbok_protect('contract_charge');
GRANT SELECT ON contract_charge TO laddbok_api;
