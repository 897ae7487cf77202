"""Documents as JSON bytes, for HTTP, files and jobs alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson
import pandas as pd

AIMS: Final = 3  # of siting with capacities: the unserved, the underload, the walks


class Unkept(bytes):
    """An answer for those who wait for it, kept nowhere: the clock ended the work on it."""


def unkept_if_cut(document: Mapping[str, Any], used_s: float, limit_s: float) -> Any:
    """The document of siting; as `Unkept` bytes where an aim of it is not proven and the time for
    the exact solver (0: it was not asked) was used up.
    """
    aims = (document.get("loads") or {}).get("aims_proven", AIMS)
    if not 0 < limit_s <= used_s or (document.get("proven", True) and aims == AIMS):
        return document
    return Unkept(encode(document))


def encode(document: Any) -> bytes:
    """JSON bytes: NaN and missing values become null, numpy values plain numbers."""
    return orjson.dumps(
        document, default=_plain, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
    )


def _plain(value: Any) -> Any:
    if value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (tuple, set, frozenset)):
        return list(value)
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    raise TypeError
