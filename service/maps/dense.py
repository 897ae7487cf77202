"""Long lists of a page written short, and read again by `lifecircle.data` as they were.

Whole numbers and nulls are Base64 VLQ, as source maps have it: digits of five bits, the lowest
first; a sixth bit says that more follow, the lowest bit of all is the sign, ``.`` is null.

==================================== ======================================
``{"vlq": text}``                    whole numbers
``{"sum": text}``                    whole numbers as steps from one to the next, where shorter
``{"per": 100000, "vlq": text}``     numbers of up to five or six decimals (also ``sum``)
``{"of": [...], "at": {...}}``       texts that come again, by their number
``{"heads": .., "at": .., "ends": }`` texts with a number in them: what is before and behind it
``{"columns": [...]}``               rows of one length, column by column
==================================== ======================================
"""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np

from lifecircle.analysis.quantities import IntArray

SHORTEST: Final = 64  # shorter lists stay as they are
_DIGITS: Final = np.frombuffer(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.", dtype=np.uint8
)
_BITS: Final = 5
_MORE: Final = 1 << _BITS
_NULL: Final = 64
_LARGEST: Final = 1 << 30  # scripts shift 32 bits
_PER: Final = (100_000, 1_000_000)
_NONE: Final = type(None)
_NUMBERED: Final = re.compile(r"(.*?)([1-9][0-9]{0,8}|0)(\D*)", re.DOTALL)  # no zero leads


def dense(value: Any) -> Any:
    """JSON values with their long lists written short; an array is the list of its numbers."""
    if isinstance(value, dict):
        return {name: dense(one) for name, one in value.items()}
    if isinstance(value, np.ndarray):
        return _array(value.ravel())
    if not isinstance(value, list) or not value:
        return value
    kinds = set(map(type, value))
    if len(value) < SHORTEST:
        return [dense(one) for one in value] if kinds == {list} else value
    if kinds <= {int, _NONE}:
        return _numbers(value, 1) or value
    if kinds <= {int, float, _NONE}:
        return next(filter(None, (_numbers(value, per) for per in _PER)), value)
    if kinds <= {str, _NONE}:
        number = {text: k for k, text in enumerate(dict.fromkeys(value))}
        if 2 * len(number) > len(value):
            return _numbered(value) or value
        return {"of": list(number), "at": dense([number[text] for text in value])}
    if kinds <= {list, tuple} and len({len(row) for row in value}) == 1 and value[0]:
        return {"columns": [dense(list(column)) for column in zip(*value, strict=True)]}
    return value


def _numbered(value: list[str | None]) -> dict[str, Any] | None:
    """Ids such as ``node/408575``, where few begin alike; None where they are not of that kind."""
    parted = [_NUMBERED.fullmatch(one or "") for one in value]
    found = [one for one in parted if one is not None]
    heads, ends = [one[1] for one in found], [one[3] for one in found]
    if len(found) < len(value) or 2 * (len(set(heads)) + len(set(ends))) > len(value):
        return None
    return {"heads": dense(heads), "at": dense([int(one[2]) for one in found]), "ends": dense(ends)}


def _array(value: np.ndarray) -> Any:
    if value.dtype.kind not in "iu" or len(value) < SHORTEST or np.abs(value).max() >= _LARGEST:
        return dense(value.tolist())
    return _shortest(value.astype(np.int64), np.zeros(len(value), dtype=bool))


def _numbers(value: list[Any], per: int) -> dict[str, Any] | None:
    """Numbers in parts of `per`; None where that is not exactly what they are."""
    null = np.array([one is None for one in value])
    given = np.array([0 if one is None else one for one in value])
    whole = np.rint(given * per).astype(np.int64) if np.isfinite(given).all() else None
    if whole is None or np.abs(whole).max() >= _LARGEST or (whole / per != given).any():
        return None
    return _shortest(whole, null) if per == 1 else {"per": per, **_shortest(whole, null)}


def _shortest(whole: IntArray, null: np.ndarray) -> dict[str, str]:
    """Numbers as they are, or as steps where there are all of them and that is shorter."""
    plain = _written(whole, null)
    steps = np.diff(whole, prepend=0)
    if null.any() or np.abs(steps).max() >= _LARGEST:
        return {"vlq": plain}
    short = _written(steps, null)
    return {"sum": short} if len(short) < len(plain) else {"vlq": plain}


def _written(whole: IntArray, null: np.ndarray) -> str:
    signed = (np.abs(whole) << 1) | (whole < 0)
    most = max(1, -(-int(signed.max()).bit_length() // _BITS))
    rest = signed[:, None] >> (_BITS * np.arange(most))
    digits = (rest & (_MORE - 1)) | np.where(rest >> _BITS, _MORE, 0)
    there = rest > 0
    there[:, 0] = True
    digits[null, 0] = _NULL
    return str(_DIGITS[digits[there]].tobytes(), "ascii")
