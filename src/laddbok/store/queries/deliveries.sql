-- name: delivery_add
-- A document, or a reminder of it, is to reach its customer; it is listed once.
INSERT INTO delivery (tenant, invoice_id, reminder, due_at, changed_at) VALUES ($1, $2, $3, $4, $4) ON CONFLICT DO NOTHING;
