"""Gaps: uncovered residents by unit and reason, and what they lie near."""
