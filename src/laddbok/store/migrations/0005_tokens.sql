-- Id tokens that may be in one session only, and the other forms in which readers send a token.
ALTER TABLE id_token ADD COLUMN single_session boolean NOT NULL DEFAULT false;

CREATE TABLE id_token_alias (
    tenant integer NOT NULL,
    alias text NOT NULL,                        -- normalised like a token, and none itself
    token text NOT NULL,
    PRIMARY KEY (tenant, alias),
    FOREIGN KEY (tenant, token) REFERENCES id_token
);
CREATE INDEX id_token_alias_by_token ON id_token_alias (tenant, token);

SELECT laddbok_protect('id_token_alias');
GRANT SELECT, INSERT, DELETE ON id_token_alias TO laddbok_api;

-- When a connector's status arrived; some tell of the past.
ALTER TABLE connector ADD COLUMN told_at timestamptz;
