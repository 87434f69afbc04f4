-- Who is to be reminded is found among the invoices that fell due lately, however many there are of before.

CREATE INDEX invoice_by_due_day ON invoice (tenant, legal_entity_id, due_date) WHERE kind = 'invoice';
