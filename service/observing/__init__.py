"""Logs and counters of the service."""
