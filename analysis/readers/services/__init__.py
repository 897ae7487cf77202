"""Which service of the policy each row of a table is."""
