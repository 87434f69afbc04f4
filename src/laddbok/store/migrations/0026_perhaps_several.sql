-- A line may be one that another file told with another amount, or as several lines: it names all that it may be.
DROP INDEX bank_entry_doubted;
ALTER TABLE bank_entry ALTER COLUMN perhaps_same_as TYPE text[]
    USING CASE WHEN perhaps_same_as IS NULL THEN '{}' ELSE ARRAY[perhaps_same_as] END;
ALTER TABLE bank_entry ALTER COLUMN perhaps_same_as SET DEFAULT '{}', ALTER COLUMN perhaps_same_as SET NOT NULL;
CREATE INDEX bank_entry_doubted ON bank_entry USING gin (perhaps_same_as) WHERE perhaps_same_as <> '{}';
ALTER TABLE payment ALTER COLUMN perhaps_same_as TYPE text[]
    USING CASE WHEN perhaps_same_as IS NULL THEN '{}' ELSE ARRAY[perhaps_same_as] END;
ALTER TABLE payment ALTER COLUMN perhaps_same_as SET DEFAULT '{}', ALTER COLUMN perhaps_same_as SET NOT NULL;
