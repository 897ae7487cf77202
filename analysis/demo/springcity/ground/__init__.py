"""The land of the generated city: its mesh, streets, terrain, areas and blocks."""
