-- What is kept beside the documents: charges of contracts by month, settlements with hosts, and what reconciliations found.

-- What a reconciliation of everything found. 0 is the only good number.
CREATE TABLE reconciliation (
    tenant integer NOT NULL REFERENCES tenant,
    at timestamptz NOT NULL,
    differences integer NOT NULL,
    body jsonb NOT NULL,
    PRIMARY KEY (tenant, at)
);
SELECT laddbok_protect('reconciliation');
GRANT SELECT ON reconciliation TO laddbok_api;
