-- Who published a version of a tariff: the person's log-in name, or the key; NULL: it was not recorded.
ALTER TABLE tariff_version ADD COLUMN posted_by text;
