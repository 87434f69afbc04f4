-- A journal entry is written with all of its lines at once: nobody adds to one later, though it would still balance.
CREATE FUNCTION laddbok_entry_is_whole() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    found bigint;
BEGIN
    SELECT a.entry_id INTO found
    FROM (SELECT tenant, entry_id, count(*) AS lines FROM added GROUP BY tenant, entry_id) AS a
    WHERE a.lines <> (SELECT count(*) FROM posting AS p WHERE p.tenant = a.tenant AND p.entry_id = a.entry_id) LIMIT 1;
    IF found IS NOT NULL THEN
        RAISE EXCEPTION 'journal entry % is whole, nothing is added to it', found USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER posting_whole AFTER INSERT ON posting REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION laddbok_entry_is_whole();
