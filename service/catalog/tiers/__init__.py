"""Documents about services that send people on from tier to tier."""
