"""What an audit says: one line for each thing compared, with its largest difference."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was compared."""

    key: str  # "times.park": room, then what
    what: str
    compared: int
    equal: int
    largest: float = 0.0
    unit: str = ""
    examples: tuple[str, ...] = ()
    note: str = ""
    told_only: bool = False  # known not to be comparable: shown, never a fault
    enough: float = 1.0  # the share that has to be equal

    @property
    def holds(self) -> bool:
        return self.told_only or self.equal >= self.enough * self.compared


@dataclass(slots=True)
class Ledger:
    """Collects the checks of an audit in their order."""

    checks: list[Check] = field(default_factory=list)

    def add(self, check: Check) -> None:
        self.checks.append(check)

    def same(
        self,
        key: str,
        what: str,
        rows: Iterable[tuple[str, object, object]],
        note: str = "",
        *,
        within: float = 0.0,
        unit: str = "",
        told_only: bool = False,
    ) -> None:
        """Compares (name, product, audit) row by row: numbers within a margin, others exactly."""
        compared = equal = 0
        largest, wrong = 0.0, []
        for name, theirs, ours in rows:
            compared += 1
            apart = _apart(theirs, ours)
            largest = max(largest, 0.0 if apart is None else apart)
            if apart is not None and apart <= within:
                equal += 1
            else:
                wrong.append((apart or 0.0, f"{name}: product {_say(theirs)}, audit {_say(ours)}"))
        wrong.sort(key=lambda one: -one[0])
        told = tuple(text for _, text in wrong[:8])
        self.add(Check(key, what, compared, equal, largest, unit, told, note, told_only))


def _apart(theirs: object, ours: object) -> float | None:
    """How far two values lie apart; None where they cannot be measured and differ."""
    if isinstance(theirs, (int, float)) and isinstance(ours, (int, float)):
        return 0.0 if theirs == ours else abs(float(theirs) - float(ours))
    return 0.0 if theirs == ours else None


def _say(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def table(checks: Sequence[Check]) -> str:
    """The checks as a table for a terminal, differences with their examples below each."""
    lines = [f"{'what':58} {'compared':>9} {'equal':>9} {'largest difference':>20}"]
    for check in checks:
        mark = "=" if check.equal == check.compared else ("·" if check.told_only else "≠")
        size = f"{check.largest:.4g} {check.unit}".strip()
        lines.append(f"{mark} {check.what:56} {check.compared:9,} {check.equal:9,} {size:>20}")
        if check.note:
            lines.append(f"      {check.note}")
        lines.extend(f"      - {text}" for text in check.examples)
    faults = sum(not check.holds for check in checks)
    lines.append(f"{len(checks)} checks, {faults} with differences")
    return "\n".join(lines)
