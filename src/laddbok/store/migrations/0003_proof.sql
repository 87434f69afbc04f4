-- Proofs of issued CDRs, and the keys that tenants sign them with.

CREATE TABLE signing_key (
    tenant integer NOT NULL REFERENCES tenant,
    id text NOT NULL,                           -- begin of the SHA-256 of the public key
    public_key bytea NOT NULL,                  -- Ed25519, 32 bytes
    private_key bytea NOT NULL,                 -- Ed25519, 32 bytes; the API's role can't read it
    made_at timestamptz NOT NULL,
    retired_at timestamptz,                     -- what it signed stays signed
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX signing_key_in_use ON signing_key (tenant) WHERE retired_at IS NULL;

-- What a CDR was made of, taken in the commit that issued it: which frames, how many of the session's decisions, and the
-- root hash over all of it and the CDR. A signature is added when somebody wants it.
CREATE TABLE proof (
    tenant integer NOT NULL,
    session_id text NOT NULL,
    revision integer NOT NULL,
    root bytea NOT NULL,                        -- SHA-256
    rules integer NOT NULL,                     -- version of the rules
    frames jsonb NOT NULL,                      -- [[epoch, seq], ...]
    frame_count integer NOT NULL,
    decision_count integer NOT NULL,
    key_id text,
    signature bytea,
    PRIMARY KEY (tenant, session_id, revision),
    FOREIGN KEY (tenant, session_id) REFERENCES session,
    FOREIGN KEY (tenant, key_id) REFERENCES signing_key
);

CREATE FUNCTION laddbok_signed_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.signature IS NULL
        AND to_jsonb(OLD) - 'key_id' - 'signature' = to_jsonb(NEW) - 'key_id' - 'signature' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a proof is never changed, only signed' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER proof_immutable BEFORE UPDATE OR DELETE ON proof FOR EACH ROW EXECUTE FUNCTION laddbok_signed_once();

SELECT laddbok_protect('signing_key'), laddbok_protect('proof');
GRANT SELECT ON proof TO laddbok_api;
GRANT SELECT (tenant, id, public_key, made_at, retired_at) ON signing_key TO laddbok_api;
