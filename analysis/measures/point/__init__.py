"""One place on the map: who serves it, what is missing, and how far one walks from it."""
