"""Where a row lies: which columns hold its place, in which datum and CRS, however written."""
