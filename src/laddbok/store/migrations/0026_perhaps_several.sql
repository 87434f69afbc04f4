-- A line may be one that another file told with another amount, or as several lines: it names all that it may be.
DROP INDEX bank_entry_doubted;
ALTER TABLE bank_entry ALTER COLUMN perhaps_same_as TYPE text[]
    USING CASE WHEN perhaps_same_as IS NULL THEN '{}' ELSE ARRAY[perhaps_same_as] END;
ALTER TABLE bank_entry ALTER COLUMN perhaps_same_as SET DEFAULT '{}', ALTER COLUMN perhaps_same_as SET NOT NULL;
CREATE INDEX bank_entry_doubted ON bank_entry USING gin (perhaps_same_as) WHERE perhaps_same_as <> '{}';
ALTER TABLE payment ALTER COLUMN perhaps_same_as TYPE text[]
    USING CASE WHEN perhaps_same_as IS NULL THEN '{}' ELSE ARRAY[perhaps_same_as] END;
ALTER TABLE payment ALTER COLUMN perhaps_same_as SET DEFAULT '{}', ALTER COLUMN perhaps_same_as SET NOT NULL;

-- Money that comes in by the API takes back what was written off; what is written off is the owner's to write.
GRANT INSERT ON write_off TO laddbok_api;
DROP POLICY own_tenant ON write_off;
CREATE POLICY own_tenant ON write_off FOR SELECT TO laddbok_api USING (tenant = (SELECT laddbok_tenant()));
CREATE POLICY gives_way ON write_off FOR INSERT TO laddbok_api WITH CHECK (tenant = (SELECT laddbok_tenant()) AND kind = 'paid');
CREATE POLICY write_off_gives_way ON journal_entry FOR INSERT TO laddbok_api WITH CHECK (
    tenant = (SELECT laddbok_tenant()) AND source_kind = 'write_off' AND EXISTS (
        SELECT FROM write_off AS w WHERE w.tenant = journal_entry.tenant AND w.kind = 'paid'
            AND w.invoice_id || '/' || w.number = source_id));
CREATE POLICY write_off_gives_way ON invoice_event FOR INSERT TO laddbok_api WITH CHECK (
    tenant = (SELECT laddbok_tenant()) AND kind = 'write_off_taken_back' AND EXISTS (
        SELECT FROM write_off AS w WHERE w.tenant = invoice_event.tenant AND w.invoice_id = invoice_event.invoice_id
            AND w.kind = 'paid' AND w.number::text = body ->> 'number'));

-- An entry that waits for its exchange rate keeps at the rate of which day each line goes, and what stood there of it.
ALTER TABLE posting ADD COLUMN valued_on date, ADD COLUMN stood numeric;
