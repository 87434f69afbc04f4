-- name: issue_proofs
-- What CDRs were made of, with the root over it; from here on it never changes.
INSERT INTO proof (tenant, session_id, revision, root, rules, frames, frame_count, decision_count)
SELECT tenant, session_id, revision, decode(root, 'hex'), rules, frames, frame_count, decision_count
FROM jsonb_to_recordset($1::jsonb) AS r (
    tenant integer, session_id text, revision integer, root text, rules integer, frames jsonb, frame_count integer,
    decision_count integer
);

-- name: proof_of_revision
-- One issued CDR with its proof; the newest when no revision is named.
SELECT c.revision, c.issued_at, c.document::text AS document, c.rating::text AS rating,
    encode(p.root, 'hex') AS root, p.rules, p.frames::text AS frames, p.decision_count, p.key_id, p.signature
FROM cdr AS c
LEFT JOIN proof AS p ON p.tenant = c.tenant AND p.session_id = c.session_id AND p.revision = c.revision
WHERE c.tenant = $1 AND c.session_id = $2 AND c.kind = 'cdr' AND ($3::integer IS NULL OR c.revision = $3)
ORDER BY c.revision DESC LIMIT 1;

-- name: keep_signature
-- The signature under a root, when it is wanted for the first time.
UPDATE proof SET key_id = $4, signature = $5
WHERE tenant = $1 AND session_id = $2 AND revision = $3 AND signature IS NULL;

-- name: signing_key
-- The key that a tenant signs with; it has one.
SELECT id, public_key, private_key FROM signing_key WHERE tenant = $1 AND retired_at IS NULL;

-- name: signing_key_by_id
-- A key that a tenant signs with, or once did.
SELECT id, public_key, private_key FROM signing_key WHERE tenant = $1 AND id = $2;

-- name: keep_signing_key
-- A tenant's first key, unless somebody made one in the same moment.
INSERT INTO signing_key (tenant, id, public_key, private_key, made_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING;

-- name: tenant_of_session
-- Whose session this is.
SELECT tenant FROM session WHERE id = $1;

-- name: root_of_session
-- The root of the CDR of a session's present revision, for receipts.
SELECT encode(p.root, 'hex') FROM session AS s
JOIN proof AS p ON p.tenant = s.tenant AND p.session_id = s.id AND p.revision = s.revision WHERE s.id = $1;
