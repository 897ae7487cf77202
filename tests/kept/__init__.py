"""A run of an earlier lifecircle, kept: it opens and says what it said."""
