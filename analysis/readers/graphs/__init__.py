"""Saved graphs of streets, and a place by its name."""
