"""Every row of a scorecard, judged; the rows are data."""
