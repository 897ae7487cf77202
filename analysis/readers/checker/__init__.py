"""Says what is wrong with a file, row by row, and mends what can be mended."""
