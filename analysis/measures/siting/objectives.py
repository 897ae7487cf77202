"""What places are proposed for, as words: layers name them without loading what proposes."""

from __future__ import annotations

from typing import Literal

Objective = Literal["covered", "person_minutes", "all", "capacity"]
