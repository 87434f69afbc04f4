-- Exchange rates as they were published, day by day, and books in another currency than the documents.
CREATE TABLE exchange_rate (
    tenant integer NOT NULL REFERENCES tenant,
    base text NOT NULL CHECK (base ~ '^[A-Z]{3}$'),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    day date NOT NULL,
    version integer NOT NULL CHECK (version > 0), -- the highest counts
    rate numeric NOT NULL CHECK (rate > 0),     -- so many for one of the base
    source text NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, base, currency, day, version),
    CHECK (base <> currency)
);
CREATE TRIGGER exchange_rate_only_added BEFORE UPDATE OR DELETE ON exchange_rate
    FOR EACH ROW EXECUTE FUNCTION laddbok_only_added();
SELECT laddbok_protect('exchange_rate');
GRANT SELECT ON exchange_rate TO laddbok_api;

-- NULL: kronor for a seller in Sweden, else the currency of its documents.
ALTER TABLE legal_entity ADD COLUMN book_currency text CHECK (book_currency ~ '^[A-Z]{3}$');

-- A line of a document in another currency has both amounts. What rounding or another day's rate leaves has only the books'.
ALTER TABLE posting
    ADD COLUMN book_amount numeric,
    ADD COLUMN book_currency text,
    DROP CONSTRAINT posting_amount_check,
    ADD CONSTRAINT posting_amount_check CHECK (amount <> 0 OR book_amount <> 0),
    ADD CONSTRAINT posting_books_check CHECK ((book_amount IS NULL) = (book_currency IS NULL));

CREATE OR REPLACE FUNCTION laddbok_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM posting WHERE tenant = NEW.tenant AND entry_id = NEW.entry_id GROUP BY currency HAVING sum(amount) <> 0
    ) OR (SELECT coalesce(sum(book_amount), 0) <> 0 OR count(book_amount) NOT IN (0, count(*)) FROM posting
        WHERE tenant = NEW.tenant AND entry_id = NEW.entry_id
    ) THEN
        RAISE EXCEPTION 'journal entry % does not balance', NEW.entry_id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
