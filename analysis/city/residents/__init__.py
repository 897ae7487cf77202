"""Who lives where: cells as given, or unit totals spread (dasymetric); residential land."""
