"""Layers of a run: what each holds, and their values."""
