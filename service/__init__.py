"""The service: HTTP, OGC API Features, maps and the command, on top of `analysis`."""
