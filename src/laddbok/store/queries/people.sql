-- name: on_behalf
-- From here to the end of the transaction: the API's role, this tenant only, and bounded time.
SELECT set_config('statement_timeout', $3, true), set_config('laddbok.tenant', $1, true),
    set_config('laddbok.deployment_administrator', $2, true), set_config('role', 'laddbok_api', true)

-- name: as_owner
-- From here on: the tables' owner, in the same transaction.
SELECT set_config('role', 'none', true)

-- name: as_api
-- From here on: the API's role again, with the tenant that it had.
SELECT set_config('role', 'laddbok_api', true)

-- name: asker_by_key
-- Whose API key this is.
SELECT tenant, id, role, deployment_administrator FROM api_key WHERE digest = $1 AND revoked_at IS NULL

-- name: asker_by_cookie
-- Who is logged in with this cookie.
SELECT p.tenant, p.id, p.name, p.role, p.deployment_administrator, p.must_change_password
FROM login l JOIN person p ON p.tenant = l.tenant AND p.id = l.person_id
WHERE l.digest = $1 AND l.expires_at > $2

-- name: person_by_id
-- A person by log-in name, for checking a password.
SELECT tenant, id, name, role, deployment_administrator, must_change_password, password_hash FROM person WHERE id = $1

-- name: login_add
-- Open a log-in while the password is still the one that was checked, and forget the tenant's expired ones.
WITH expired AS (DELETE FROM login WHERE tenant = $1 AND expires_at <= $4)
INSERT INTO login (tenant, digest, person_id, created_at, expires_at)
SELECT $1, $2, id, $4, $5 FROM person WHERE tenant = $1 AND id = $3 AND password_hash = $6 FOR SHARE
RETURNING person_id

-- name: login_end
-- Log out.
DELETE FROM login WHERE digest = $1

-- name: person_password
-- Set a person's own new password while the old one is still the one that was checked.
UPDATE person SET password_hash = $2, must_change_password = false WHERE id = $1 AND password_hash = $3 RETURNING id

-- name: login_end_others
-- End a person's log-ins but this one.
DELETE FROM login WHERE person_id = $1 AND digest <> $2

-- name: has_people
-- Whether anybody can log in.
SELECT EXISTS (SELECT FROM person)

-- name: first_tenant
-- The oldest tenant.
SELECT tenant FROM tenant ORDER BY tenant LIMIT 1

-- name: tenant_add
-- A new tenant.
INSERT INTO tenant (name, created_at) VALUES ($1, $2) RETURNING tenant

-- name: administrator_add
-- The first person, who must choose a password of their own.
INSERT INTO person (tenant, id, name, role, deployment_administrator, password_hash, must_change_password)
VALUES ($1, $2, 'Administrator', 'administrator', true, $3, true)
ON CONFLICT DO NOTHING RETURNING id

-- name: administrator_key
-- The API key of the setting: valid from now on; keys that the same setting named earlier are revoked.
WITH earlier AS (
    UPDATE api_key SET revoked_at = $3
    WHERE tenant = $1 AND id LIKE 'setting%' AND digest <> $2 AND revoked_at IS NULL
)
INSERT INTO api_key (tenant, id, digest, role, deployment_administrator, created_at)
VALUES ($1, 'setting-' || left(encode($2, 'hex'), 8), $2, 'administrator', true, $3)
ON CONFLICT (digest) DO UPDATE SET revoked_at = NULL
