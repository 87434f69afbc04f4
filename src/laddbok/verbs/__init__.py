"""What is typed after `laddbok`: one module per group of verbs, imported when one is typed."""
