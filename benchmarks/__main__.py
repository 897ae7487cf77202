"""``python -m benchmarks [a b c d e f site whole] [--json FILE]``: every bar beside its peer."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

from benchmarks.bars import Row, Skip, as_json, skipped, table

BARS = ("a", "b", "c", "d", "e", "f", "site", "whole")


def main() -> int:
    """Measure the chosen bars; 1 when one is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("bars", nargs="*", help=f"which of {', '.join(BARS)} (all when none)")
    parser.add_argument("--json", type=Path, help="write the JSON to a file, not after the table")
    given = parser.parse_args()
    unknown = set(given.bars) - set(BARS)
    if unknown:
        parser.error(f"no such bar: {', '.join(sorted(unknown))}")
    rows: list[Row] = []
    for bar in given.bars or BARS:
        try:
            rows += importlib.import_module(f"benchmarks.bar_{bar}").measure()
        except Skip as reason:
            rows.append(skipped(bar, "not measured", str(reason)))
    print(table(rows))
    if given.json:
        given.json.write_text(as_json(rows) + "\n", encoding="utf-8")
    else:
        print(as_json(rows))
    return 1 if any(row.met is False for row in rows) else 0


if __name__ == "__main__":
    raise SystemExit(main())
