"""How firm an answer stands: assumptions moved one at a time and all together."""
