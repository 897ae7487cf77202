"""The walking network: junctions and edges with true geometry, slope, and who attaches where."""
