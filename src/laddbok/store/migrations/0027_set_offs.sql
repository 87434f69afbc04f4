-- What we owe on a document below 0 goes to its payer's credit by a payment of 0: nothing came in, and nothing went out.
ALTER TABLE payment DROP CONSTRAINT payment_amount_check;
ALTER TABLE payment ADD CONSTRAINT payment_amount_check CHECK ((amount <> 0) = (provider <> 'set_off'));
