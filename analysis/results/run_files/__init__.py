"""A run as files: its city, roads of profiles, catchments and manifest; arrays mapped from disk."""
