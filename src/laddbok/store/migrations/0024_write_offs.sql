-- What was given up of invoices as a loss, and what came back of it: a row for each step.
CREATE TABLE write_off (
    tenant integer NOT NULL,
    invoice_id text NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    legal_entity_id text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('written_off', 'paid', 'not_owed', 'cancelled', 'undone')),
    day date NOT NULL,                          -- in the books of the seller
    currency text NOT NULL,
    amount numeric NOT NULL CHECK ((amount > 0) = (kind = 'written_off') AND amount <> 0), -- below 0: it came back
    key text,                                   -- of the wish: the same one on the same day is one
    reason text NOT NULL,
    at timestamptz NOT NULL,
    by text NOT NULL,                           -- 'laddbok' or a person
    content bytea NOT NULL,                     -- model.write_off, JSON: its journal entry is made of it and nothing else
    PRIMARY KEY (tenant, invoice_id, number),
    FOREIGN KEY (tenant, invoice_id) REFERENCES invoice (tenant, id),
    FOREIGN KEY (tenant, legal_entity_id) REFERENCES legal_entity
);
CREATE TRIGGER write_off_immutable BEFORE UPDATE OR DELETE ON write_off FOR EACH ROW EXECUTE FUNCTION laddbok_immutable();
SELECT laddbok_protect('write_off'), laddbok_never_emptied('write_off');
GRANT SELECT ON write_off TO laddbok_api;
