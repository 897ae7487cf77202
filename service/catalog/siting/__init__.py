"""Documents about where the next places of a service go."""
