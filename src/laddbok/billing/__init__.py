"""What was rated becomes documents, postings and payments: pure rules, no I/O."""
