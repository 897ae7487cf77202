"""Administrative and planning units: outlines, names, codes, statistics."""
