"""Edits of a city against a city built from edited files."""
