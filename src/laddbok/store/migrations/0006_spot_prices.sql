-- Day-ahead prices of bidding zones, one row for each quarter hour: an hourly price has four of them. So each quarter has
-- one price that counts, however finely it came. A price that comes again with another value is a new version; nothing is
-- edited, so that it stays known what a bill was made of.
CREATE TABLE spot_price (
    tenant integer NOT NULL REFERENCES tenant,
    zone text NOT NULL,
    currency text NOT NULL,
    start_at timestamptz NOT NULL,
    version integer NOT NULL,                   -- the highest counts
    price_per_kwh numeric NOT NULL,             -- exactly as it came, without VAT; may be below 0
    minutes smallint NOT NULL,                  -- of the price as it came
    source text NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, zone, currency, start_at, version),
    CHECK (version > 0),
    CHECK (minutes IN (15, 60)),
    CHECK (extract(epoch FROM start_at)::bigint % 900 = 0)
);

CREATE FUNCTION laddbok_only_added() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN RAISE EXCEPTION '% is never changed, only followed by another version', TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation'; END $$;
CREATE TRIGGER spot_price_only_added BEFORE UPDATE OR DELETE ON spot_price
    FOR EACH ROW EXECUTE FUNCTION laddbok_only_added();

SELECT laddbok_protect('spot_price');
GRANT SELECT ON spot_price TO laddbok_api;
