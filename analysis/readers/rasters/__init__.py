"""Rasters: residents and heights."""
