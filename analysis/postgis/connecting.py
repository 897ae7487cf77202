"""Addresses of PostGIS and connections to it; no password ever stands in a message."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from lifecircle.analysis.errors import ParameterError, UnsolvedError

if TYPE_CHECKING:
    import psycopg

SCHEMES: Final = ("postgresql", "postgres")
_CONNECT_S: Final = 10


def is_postgis(given: str) -> bool:
    """Whether an input is an address of a database (``postgresql:/`` where a path lost a ``/``)."""
    return given.partition(":")[0] in SCHEMES and given.partition(":")[2].startswith("/")


def shown(address: str) -> str:
    """An address as messages may show it: without user and password."""
    parts = urlsplit(address)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


@contextmanager
def connected(address: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection whose block is one transaction: all of it, or nothing.

    Raises
    ------
    ParameterError : psycopg is not installed; no address of a database.
    UnsolvedError : the database cannot be reached, or refused what was asked.
    """
    try:
        import psycopg
    except ImportError:
        raise ParameterError("postgis_no_driver") from None
    if not is_postgis(address) or "://" not in address:
        raise ParameterError("postgis_address", value=address.partition("@")[2] or address)
    try:
        connection = psycopg.connect(address, connect_timeout=_CONNECT_S)
    except psycopg.Error as error:
        raise UnsolvedError("postgis_connect", address=shown(address), why=_line(error)) from error
    try:
        with connection:
            yield connection
    except psycopg.Error as error:
        raise UnsolvedError("postgis_refused", address=shown(address), why=_line(error)) from error


def _line(error: Exception) -> str:
    """The first line of what the database says."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
