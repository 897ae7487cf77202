"""Names of areas and runs that are safe as folder names on every system."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from lifecircle.analysis.errors import ParameterError

_NAME: Final = re.compile(r"[\w一-鿿][\w一-鿿.-]{0,63}")
_DEVICES: Final = frozenset(
    {"con", "prn", "aux", "nul"}
    | {f"{port}{n}" for port in ("com", "lpt") for n in "0123456789¹²³"}
)


def safe_name(name: str) -> str:
    """The name itself, when it can be a folder: letters, digits, Chinese, ``_ . -``.

    Raises
    ------
    ParameterError : empty, too long, other signs, a closing dot or a device name of Windows.
    """
    device = name.partition(".")[0].lower() in _DEVICES
    if device or name.endswith(".") or _NAME.fullmatch(name) is None:
        raise ParameterError("unsafe_name", name=name)
    return name


def inside(root: Path, *names: str) -> Path:
    """The path of safe names below a folder, which it does not leave (links followed)."""
    path = root.joinpath(*(safe_name(name) for name in names))
    if not path.resolve().is_relative_to(root.resolve()):
        raise ParameterError("unsafe_name", name="/".join(names))
    return path
