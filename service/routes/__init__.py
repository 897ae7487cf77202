"""Handlers: parse, ask, format."""
