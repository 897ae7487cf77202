"""Policies of kept runs: written and read as they were frozen, those of earlier versions too."""
