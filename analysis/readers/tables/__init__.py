"""What each kind of table means: residents, facilities, units, statistics, closures, sites."""
