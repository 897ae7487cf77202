"""Who belongs to which centre: natural and balanced, the rule 3万–10万."""
