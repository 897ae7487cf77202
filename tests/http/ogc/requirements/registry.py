"""Requirements of the standards by id, each with the check of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.testclient import TestClient

Check = Callable[[TestClient], None]
CHECKS: dict[str, Check] = {}


def requirement(*ids: str) -> Callable[[Check], Any]:
    """The check that a function is: of each of these requirements."""

    def keep(check: Check) -> Check:
        for one in ids:
            assert one not in CHECKS, one
            CHECKS[one] = check
        return check

    return keep


def of(prefix: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{prefix}/{name}" for name in names)
