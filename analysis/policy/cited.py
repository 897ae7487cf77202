"""A number of a policy with the document it comes from."""

from __future__ import annotations

from dataclasses import dataclass

from lifecircle.analysis.policy.tables import Confidence


@dataclass(frozen=True, slots=True)
class Cited:
    """One number of a policy with the document it comes from."""

    value: float
    source: str
    clause: str
    confidence: Confidence
