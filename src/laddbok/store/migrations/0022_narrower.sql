-- The API's role writes what the API writes, and nothing else; what only grows can't be emptied either.

-- ------------------------------------------------------------------------------------------------ what people may write
-- Of the events of a document the API writes those of a dispute that there is; the others are the workers' and the owner's.
DROP POLICY own_tenant ON invoice_event;
CREATE POLICY own_tenant ON invoice_event FOR SELECT TO laddbok_api USING (tenant = (SELECT laddbok_tenant()));
CREATE POLICY dispute_told ON invoice_event FOR INSERT TO laddbok_api WITH CHECK (
    tenant = (SELECT laddbok_tenant()) AND (
        kind = 'disputed' AND EXISTS (
            SELECT FROM dispute AS d WHERE d.tenant = invoice_event.tenant AND d.invoice_id = invoice_event.invoice_id
                AND d.number::text = body ->> 'number')
        OR EXISTS (
            SELECT FROM dispute_decision AS d WHERE d.tenant = invoice_event.tenant AND d.invoice_id = invoice_event.invoice_id
                AND d.number::text = body ->> 'number' AND kind = 'dispute_' || d.decision)));

-- A run and a look ahead are asked for; how far they are, and what came of them, is the worker's to say.
REVOKE INSERT, UPDATE ON billing_run, billing_plan FROM laddbok_api;
GRANT INSERT (tenant, id, legal_entity_id, period_start, period_end, started_at, started_by, planned),
    UPDATE (planned, started_by, ended_at, result) ON billing_run TO laddbok_api;
GRANT INSERT (tenant, legal_entity_id, period_start, asked_at, asked_by),
    UPDATE (asked_at, asked_by, customers, ended_at, result) ON billing_plan TO laddbok_api;
DROP POLICY own_tenant ON billing_run;
CREATE POLICY own_tenant ON billing_run FOR SELECT TO laddbok_api USING (tenant = (SELECT laddbok_tenant()));
CREATE POLICY run_asked ON billing_run FOR INSERT TO laddbok_api WITH CHECK (tenant = (SELECT laddbok_tenant()));
CREATE POLICY run_asked_again ON billing_run FOR UPDATE TO laddbok_api
    USING (tenant = (SELECT laddbok_tenant()) AND ended_at IS NOT NULL)
    WITH CHECK (tenant = (SELECT laddbok_tenant()) AND ended_at IS NULL AND result IS NULL AND planned >= done);
DROP POLICY own_tenant ON billing_plan;
CREATE POLICY own_tenant ON billing_plan TO laddbok_api USING (tenant = (SELECT laddbok_tenant()))
    WITH CHECK (tenant = (SELECT laddbok_tenant()) AND customers = 0 AND ended_at IS NULL AND result IS NULL);

-- Money that is moved by a person is posted as that; documents are posted by who makes them final.
DROP POLICY own_tenant ON journal_entry;
CREATE POLICY own_tenant ON journal_entry FOR SELECT TO laddbok_api USING (tenant = (SELECT laddbok_tenant()));
CREATE POLICY payment_posted ON journal_entry FOR INSERT TO laddbok_api WITH CHECK (
    tenant = (SELECT laddbok_tenant()) AND source_kind IN ('payment', 'allocation', 'refund'));

-- What providers say of requests and holds is written by workers; a person decides on a refund. A decision is never rewritten,
-- nor a version of a tariff.
REVOKE UPDATE ON payment_request, card_hold, refund, decision, tariff_version FROM laddbok_api;
GRANT UPDATE (state, provider_reference, last_error, ended_at) ON refund TO laddbok_api;

-- ------------------------------------------------------------------------------------------------ what is never emptied
-- TRUNCATE fires no trigger of a row: each table whose rows stay has one of its own, and so has each partition of the evidence.
CREATE FUNCTION laddbok_refuse_truncate() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN RAISE EXCEPTION '% is never emptied', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$;

CREATE FUNCTION laddbok_never_emptied(target regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER never_emptied BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION laddbok_refuse_truncate()',
        target);
END $$;

SELECT laddbok_never_emptied(target) FROM (
    SELECT tgrelid::regclass AS target FROM pg_trigger WHERE NOT tgisinternal AND tgtype & 11 = 11 -- each row, before DELETE
    UNION SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'frame'::regclass
    UNION SELECT name::regclass FROM unnest(ARRAY[
        'frame', 'quarantine', 'decision', 'session', 'session_range', 'orphan', 'station_traits', 'tariff_version',
        'tariff_assignment', 'payers_agreement', 'host_agreement', 'number_series', 'billing_run', 'reconciliation',
        'signing_key', 'legal_entity', 'payer', 'contract', 'contract_payer', 'tenant']) AS name
) AS kept;

CREATE OR REPLACE FUNCTION laddbok_frame_partition(day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    name text := 'frame_' || to_char(day, 'YYYYMMDD');
    begins timestamptz := day::timestamp AT TIME ZONE 'UTC';
    ends timestamptz := (day + 1)::timestamp AT TIME ZONE 'UTC';
BEGIN
    -- One process at a time: two that make the same day would wait for each other.
    PERFORM pg_advisory_xact_lock(x'6c616464626f6b'::bigint);
    -- A day that began without its partition stays in the rest.
    IF to_regclass(name) IS NULL
        AND NOT EXISTS (SELECT 1 FROM frame_rest WHERE received_at >= begins AND received_at < ends) THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF frame FOR VALUES FROM (%L) TO (%L)', name, begins, ends);
        PERFORM laddbok_protect(name::regclass), laddbok_never_emptied(name::regclass);
    END IF;
END $$;

-- ------------------------------------------------------------------------------------------------ events in order
-- Events of a document are numbered one after the other, whoever tells them: a statement of its own sees what was committed while it
-- waited.
CREATE FUNCTION laddbok_next_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('invoice_event/' || NEW.tenant || '/' || NEW.invoice_id, 0));
    NEW.number := 1 + coalesce(
        (SELECT max(number) FROM invoice_event WHERE tenant = NEW.tenant AND invoice_id = NEW.invoice_id), 0);
    RETURN NEW;
END $$;
CREATE TRIGGER invoice_event_numbered BEFORE INSERT ON invoice_event FOR EACH ROW EXECUTE FUNCTION laddbok_next_event();
ALTER TABLE invoice_event ALTER COLUMN number SET DEFAULT 0;   -- the trigger says

-- ------------------------------------------------------------------------------------------------ payments
-- A line may be told by a statement and by a notification under references of their own. `marks` are the references in it that both
-- may give; `same_as` is the line that it is, `perhaps_same_as` the one that it may be.
ALTER TABLE bank_entry ADD COLUMN marks text[] NOT NULL DEFAULT '{}', ADD COLUMN same_as text, ADD COLUMN perhaps_same_as text;
CREATE INDEX bank_entry_by_day ON bank_entry (tenant, legal_entity_id, booked_on, amount);
CREATE INDEX bank_entry_doubted ON bank_entry (tenant, legal_entity_id, perhaps_same_as) WHERE perhaps_same_as IS NOT NULL;

-- Which kinds of file, of which account, told of a line.
CREATE TABLE bank_entry_told (
    tenant integer NOT NULL,
    legal_entity_id text NOT NULL,
    reference text NOT NULL,
    kind text NOT NULL,
    account text NOT NULL,
    PRIMARY KEY (tenant, legal_entity_id, reference, kind, account),
    FOREIGN KEY (tenant, legal_entity_id, reference) REFERENCES bank_entry
);
CREATE TRIGGER bank_entry_told_immutable BEFORE UPDATE OR DELETE ON bank_entry_told
    FOR EACH ROW EXECUTE FUNCTION laddbok_immutable();
SELECT laddbok_protect('bank_entry_told'), laddbok_never_emptied('bank_entry_told');
GRANT SELECT, INSERT ON bank_entry_told TO laddbok_api;

ALTER TABLE payment ADD COLUMN perhaps_same_as text;   -- the payment that it may be
ALTER TABLE payment_allocation DROP CONSTRAINT payment_allocation_kind_check, ADD CONSTRAINT payment_allocation_kind_check
    CHECK (kind IN ('invoice', 'balance', 'suspense', 'settlement', 'refund', 'fee', 'same'));

-- The same as invoice_by_plain_reference and invoice_by_plain_number.
DROP INDEX invoice_by_bare_reference, invoice_by_bare_number;

-- ------------------------------------------------------------------------------------------------ reconciliation
-- Up to which document the files were hashed again that night; NULL: to the last one.
ALTER TABLE reconciliation ADD COLUMN files_through text;
