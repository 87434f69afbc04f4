-- Drivers without a contract who pay at once: their receipts.

ALTER TABLE legal_entity
    ADD COLUMN simplified_up_to numeric NOT NULL DEFAULT 4000 CHECK (simplified_up_to >= 0); -- of an invoice, VAT included

CREATE INDEX payment_request_of_session ON payment_request (tenant, session_id) WHERE session_id IS NOT NULL;
CREATE INDEX payment_allocation_of_driver ON payment_allocation (tenant, payer_id) WHERE payer_id LIKE 'session/%';
CREATE INDEX posting_of_driver ON posting (tenant, payer_id) WHERE payer_id LIKE 'session/%';
CREATE INDEX invoice_of_driver ON invoice (tenant, payer_id) WHERE payer_id LIKE 'session/%';

-- Whether a session is paid by card or phone, or was to be, by somebody without a contract.
CREATE FUNCTION laddbok_paid_at_once(of_tenant integer, of_session text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM card_hold AS h WHERE h.tenant = of_tenant AND h.session_id = of_session)
        OR EXISTS (SELECT FROM payment_request AS q WHERE q.tenant = of_tenant AND q.session_id = of_session)
$$;

-- Their receipt is due with the CDR, and what follows from a correction with its credit: no path that issues one forgets it.
CREATE FUNCTION laddbok_receipt_is_due() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO job (tenant, kind, key, due_at)
    SELECT p.tenant, 'receipt', p.tenant || '/' || p.session_id, min(p.ended_at) FROM added AS p
    WHERE p.contract_id IS NULL AND laddbok_paid_at_once(p.tenant, p.session_id)
    GROUP BY p.tenant, p.session_id
    ON CONFLICT (kind, key) DO UPDATE SET
        requests = job.requests + 1, failed_at = NULL,
        attempts = CASE WHEN job.failed_at IS NULL THEN job.attempts ELSE 0 END,
        due_at = CASE WHEN job.leased_until IS NULL THEN least(job.due_at, excluded.due_at) ELSE excluded.due_at END;
    RETURN NULL;
END $$;
CREATE TRIGGER billing_position_has_receipt AFTER INSERT ON billing_position REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION laddbok_receipt_is_due();

-- What waited before there were receipts.
INSERT INTO job (tenant, kind, key, due_at)
SELECT tenant, 'receipt', tenant || '/' || session_id, min(ended_at) FROM billing_position
WHERE outcome IS NULL AND contract_id IS NULL AND laddbok_paid_at_once(tenant, session_id)
GROUP BY tenant, session_id
ON CONFLICT (kind, key) DO NOTHING;
