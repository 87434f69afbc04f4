-- Which price plans a contract may choose among, who chose, and who pays which part of its sessions.

-- A plan is a tariff under a name that a driver understands. The choice itself is the contract's tariff assignment.
CREATE TABLE price_plan (
    tenant integer NOT NULL,
    contract_id text NOT NULL,
    tariff_id text NOT NULL,
    name_sv text NOT NULL,
    name_en text NOT NULL,
    about_sv text NOT NULL,                     -- what it is for
    about_en text NOT NULL,
    offered_at timestamptz NOT NULL,
    offered_by text NOT NULL,
    withdrawn_at timestamptz,                   -- from then on nobody can choose it; who has it keeps it
    withdrawn_by text,
    PRIMARY KEY (tenant, contract_id, tariff_id),
    FOREIGN KEY (tenant, contract_id) REFERENCES contract,
    FOREIGN KEY (tenant, tariff_id) REFERENCES tariff
);

ALTER TABLE tariff_assignment ADD COLUMN chosen_by text; -- of a contract's plan; NULL: it was assigned

-- Shares of a contract's sessions by payer. The newest that has begun at a session's start counts; NULL: the payer pays all.
CREATE TABLE payers_agreement (
    tenant integer NOT NULL,
    contract_id text NOT NULL,
    valid_from timestamptz NOT NULL,
    document jsonb,
    agreed_by text NOT NULL,
    PRIMARY KEY (tenant, contract_id, valid_from),
    FOREIGN KEY (tenant, contract_id) REFERENCES contract
);

SELECT laddbok_protect('price_plan'), laddbok_protect('payers_agreement');
GRANT SELECT, INSERT, UPDATE ON price_plan TO laddbok_api;
GRANT SELECT, INSERT, UPDATE ON payers_agreement TO laddbok_api;
