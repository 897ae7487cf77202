"""The order of codes and ids."""

from __future__ import annotations


def code_key(code: str) -> tuple[int, int, str]:
    """Sort key of codes and ids: numbers by value before all others by their letters."""
    return (0, int(code), code) if code.isascii() and code.isdigit() else (1, 0, code)
