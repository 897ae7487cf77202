"""The desk: a map on which changes are drawn, and what its scripts are told."""
