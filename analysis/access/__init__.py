"""How long it takes: walking costs, shortest paths, isochrones."""
