-- name: last_stamp
-- The latest instant that anything was stored at. Frames are looked for in the partitions of the last day only.
WITH heard AS (
    SELECT greatest(max(last_frame_at), max(connection_changed_at)) AS at FROM station
)
SELECT greatest(
    (SELECT at FROM heard), (SELECT max(at) FROM decision),
    (SELECT max(received_at) FROM frame WHERE received_at >= (SELECT at - interval '1 day' FROM heard))
);

-- name: demo_sessions
-- The sessions of a demo, each with the energy of its CDR.
SELECT s.id, s.station, s.transaction_id, s.state, s.ended_at, c.energy_wh AS cdr_wh
FROM session AS s
LEFT JOIN cdr AS c ON c.tenant = s.tenant AND c.session_id = s.id AND c.kind = 'cdr' AND c.revision = s.revision
WHERE s.origin = 'station' AND s.started_at >= $1 AND s.state <> 'void';

-- name: demo_open
-- How many sessions of a demo are not settled yet.
SELECT count(*) FROM session
WHERE origin = 'station' AND started_at >= $1 AND state IN ('pending', 'active', 'ended');

-- name: demo_station
-- A virtual station, with the password that it will show.
INSERT INTO station (tenant, identity, site_id, name, password_hash, admitted_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (identity) DO UPDATE SET password_hash = excluded.password_hash
RETURNING station_no;

-- name: demo_evse
-- An EVSE of a virtual station with its one connector.
WITH e AS (
    INSERT INTO evse (tenant, station_no, evse_id, max_power_w, phases) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (tenant, station_no, evse_id) DO UPDATE SET max_power_w = excluded.max_power_w RETURNING tenant, station_no, evse_id
)
INSERT INTO connector (tenant, station_no, evse_id, connector_id, standard)
SELECT tenant, station_no, evse_id, CASE WHEN $6 THEN evse_id ELSE 1 END, $7 FROM e
ON CONFLICT (tenant, station_no, evse_id, connector_id) DO NOTHING;

-- name: demo_site
-- A site of the demo with its seller.
WITH s AS (
    INSERT INTO site (tenant, id, name, address, city, latitude, longitude, time_zone)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 'Europe/Stockholm') ON CONFLICT (tenant, id) DO NOTHING RETURNING tenant, id
)
INSERT INTO site_seller (tenant, site_id, legal_entity_id, valid_from)
SELECT s.tenant, s.id, e.id, $8 FROM s JOIN legal_entity AS e ON e.tenant = s.tenant AND e.id = 'seller';

-- name: demo_tariff
-- A tariff of the demo in its first version.
WITH t AS (
    INSERT INTO tariff (tenant, id, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING tenant, id
)
INSERT INTO tariff_version (tenant, tariff_id, version, valid_from, received_at, document)
SELECT tenant, id, 1, $3, $4, $5::text::jsonb FROM t;

-- name: demo_assignment
-- Where a tariff of the demo applies.
INSERT INTO tariff_assignment (tenant, scope, scope_id, valid_from, tariff_id) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING;

-- name: demo_driver
-- A driver: payer, contract and id token, linked.
WITH c AS (
    INSERT INTO contract (tenant, id, name, valid_from) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING tenant, id
), p AS (
    INSERT INTO payer (tenant, id, name, email, address, postal_code, city, kind, organisation_number, vat_number,
        endpoint_scheme, endpoint_id, buyer_reference, e_invoice)
    SELECT tenant, id, $7, $8, $9, $10, $11, $12, $13, $14, CASE WHEN $13::text IS NOT NULL THEN '0007' END, $13, $15, false
    FROM c RETURNING tenant, id
), l AS (
    INSERT INTO contract_payer (tenant, contract_id, payer_id, valid_from) SELECT tenant, id, id, $4 FROM p
), t AS (
    INSERT INTO id_token (tenant, token, presented, status, label) SELECT tenant, $5, $6, 'Accepted', $3 FROM c RETURNING tenant, token
)
INSERT INTO id_token_contract (tenant, token, contract_id, valid_from) SELECT t.tenant, t.token, $2, $4 FROM t;

-- name: demo_token
-- A token of somebody who has no contract.
INSERT INTO id_token (tenant, token, presented, status, label) VALUES ($1, $2, $3, 'Accepted', 'Drop-in') ON CONFLICT DO NOTHING;

-- name: demo_drop_ins
-- Sessions that run without a contract, and for which no card was asked yet.
SELECT s.tenant, s.id, e.id AS seller_id, e.currency FROM session AS s
JOIN legal_entity AS e ON e.tenant = s.tenant AND e.id = s.body ->> 'seller_id'
WHERE s.origin = 'station' AND s.state IN ('pending', 'active') AND s.contract_id IS NULL AND NOT EXISTS (
    SELECT FROM card_hold AS h WHERE h.tenant = s.tenant AND h.session_id = s.id)
ORDER BY s.started_at LIMIT $1;

-- name: demo_seller
-- The demo's seller with everything that an invoice must tell of it; a name that people gave stays.
UPDATE legal_entity SET name = $2, organisation_number = $3, vat_number = $4, f_skatt = true, address = $5, postal_code = $6,
    city = $7, bankgiro = $8, email = $9, endpoint_scheme = '0007', endpoint_id = $3, late_terms = $10::text::jsonb
WHERE tenant = $1 AND id = 'seller' AND organisation_number IS NULL;

-- name: demo_plan
-- A price plan that a contract of the demo is offered.
INSERT INTO price_plan (tenant, contract_id, tariff_id, name_sv, name_en, about_sv, about_en, offered_at, offered_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'demo')
ON CONFLICT DO NOTHING;

-- name: demo_boxes
-- The stations of a site.
SELECT station_no FROM station WHERE tenant = $1 AND site_id = $2 ORDER BY identity;

-- name: demo_was_used
-- Whether anything happened at a site.
SELECT EXISTS (SELECT FROM session WHERE tenant = $1 AND site_id = $2);

-- name: demo_unsettled
-- What ended at a site and is not settled.
SELECT tenant, id FROM session WHERE site_id = $1 AND state = 'ended' ORDER BY started_at, id;

-- name: demo_employer
-- An employer of somebody in the demo.
INSERT INTO payer (tenant, id, name, kind, organisation_number, address, postal_code, city)
VALUES ($1, $2, $3, 'company', $4, $5, $6, $7) ON CONFLICT DO NOTHING;

-- name: oldest_tenant
-- The tenant that a demo, or an import from the command line, is filled into.
SELECT min(tenant) FROM tenant;
