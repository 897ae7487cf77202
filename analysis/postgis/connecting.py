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
    """An address as messages may show it: without user and password.

    Raises
    ------
    ParameterError : it is none, or a sign of its password would end it (``#``, ``/``, ``?``).
    """
    try:
        parts = urlsplit(address)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        raise _no_address(address) from None
    if not is_postgis(address) or "://" not in address:
        raise _no_address(address)
    if "@" in parts.path + parts.query + parts.fragment:
        raise _no_address(address)
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def _no_address(given: str) -> ParameterError:
    """What is no address is shown only where no password can be in it."""
    plain = all(sign.isalnum() or sign in "._-/" for sign in given)
    kind = given.partition("://")[0]
    value = given if plain else f"{kind}://…" if kind in SCHEMES else "…"
    return ParameterError("postgis_address", value=value)


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
    told = shown(address)
    try:
        connection = psycopg.connect(address, connect_timeout=_CONNECT_S)
    except psycopg.ProgrammingError:  # it cannot read the address, and would show all of it
        raise _no_address(address) from None
    except psycopg.Error as error:
        raise UnsolvedError("postgis_connect", address=told, why=_line(error)) from error
    try:
        with connection:
            yield connection
    except psycopg.Error as error:
        raise UnsolvedError("postgis_refused", address=told, why=_line(error)) from error


def _line(error: Exception) -> str:
    """The first line of what the database says."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
