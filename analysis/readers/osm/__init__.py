"""OpenStreetMap files: streets, places, barriers."""
