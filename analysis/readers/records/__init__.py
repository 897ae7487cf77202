"""A table or layer, read and understood row by row: columns, coordinates, datums, limits."""
