"""What exists: streets, residents, facilities, units, as frozen arrays in metres."""
