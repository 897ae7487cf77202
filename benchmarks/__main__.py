"""``python -m benchmarks [a b c d desk e f growth site whole] [--json FILE] [--docs]``."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path
from typing import Any

from benchmarks.bars import Row, Skip, as_json, as_rows, skipped, table
from benchmarks.performance_page import keep
from benchmarks.where import describe_machine, load, now

BARS = ("a", "b", "c", "d", "desk", "e", "f", "growth", "site", "whole")


def main() -> int:
    """Measure the chosen bars; 1 when one is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("bars", nargs="*", help=f"which of {', '.join(BARS)} (all when none)")
    parser.add_argument("--json", type=Path, help="write the JSON to a file, not after the table")
    parser.add_argument("--docs", action="store_true", help="keep them in docs/performance.*")
    given = parser.parse_args()
    unknown = set(given.bars) - set(BARS)
    if unknown:
        parser.error(f"no such bar: {', '.join(sorted(unknown))}")
    machine, rows = describe_machine(), list[Row]()
    measured: dict[str, Any] = {}
    for bar in given.bars or BARS:
        before = load()
        try:
            found = importlib.import_module(f"benchmarks.bar_{bar}").measure()
        except Skip as reason:
            found = [skipped(bar, "not measured", str(reason))]
        except RuntimeError as died:  # a bar that cannot be reached is missed; the others are told
            found = [Row(bar, "failed", "-", "-", "-", None, "-", False, str(died))]
        rows += found
        measured[bar] = {
            "at": now(), "machine": machine, "load": [before, load()], "rows": as_rows(found),
        }  # fmt: skip
    print(table(rows))
    if given.docs:
        keep(measured)
    if given.json:
        given.json.write_text(as_json(measured) + "\n", encoding="utf-8")
    elif not given.docs:
        print(as_json(measured))
    return 1 if any(row.met is False for row in rows) else 0


if __name__ == "__main__":
    raise SystemExit(main())
