"""Who has how much: parity of groups, inequality, floating catchments."""
