"""Documents as JSON bytes, for HTTP, files and jobs alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import pandas as pd


class Unkept(bytes):
    """An answer for those who wait for it, kept nowhere: the clock ended the work on it."""


def unkept_if_cut(document: Mapping[str, Any], used_s: float, limit_s: float) -> Any:
    """The document; as `Unkept` bytes where it is not proven and its time was used up."""
    if document.get("proven", True) or used_s < limit_s:
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
