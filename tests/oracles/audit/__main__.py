"""The command: python -m tests.oracles.audit http://127.0.0.1:PORT AREA --osm F --units F ..."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.oracles.audit.checks import table
from tests.oracles.audit.product import Product
from tests.oracles.audit.run import audit
from tests.oracles.audit.scene import Inputs

TAGS = Path(__file__).resolve().parents[3] / "analysis" / "policies" / "osm-tags.toml"


def main(words: list[str] | None = None) -> int:
    """Prints the table; 1 where anything differs."""
    say = argparse.ArgumentParser(prog="python -m tests.oracles.audit", description=__doc__)
    say.add_argument("base", help="address of the service, http://127.0.0.1:8000")
    say.add_argument("area")
    say.add_argument("--osm", type=Path, required=True)
    say.add_argument("--units", type=Path, nargs="*", default=[])
    say.add_argument("--population", type=Path, help="table with id, lon, lat, population")
    say.add_argument(
        "--facilities", type=Path, nargs="*", default=[], help="CSV with type, lon, lat"
    )
    say.add_argument(
        "--surveyed", nargs="*", default=[], metavar="SERVICE:CODE,CODE",
        help="services whose list covers some units only",
    )  # fmt: skip
    say.add_argument("--elevation", type=Path)
    say.add_argument("--tags", type=Path, default=TAGS, help="rules of OpenStreetMap places")
    say.add_argument("--default-levels", type=float, default=3.0)
    said = say.parse_args(words)
    inputs = Inputs(
        osm=said.osm,
        units=tuple(said.units),
        population=said.population,
        facilities=tuple(said.facilities),
        elevation=said.elevation,
        tags=said.tags,
        default_levels=said.default_levels,
        surveyed={
            service: tuple(codes.split(","))
            for service, _, codes in (one.partition(":") for one in said.surveyed)
        },
    )
    checks = audit(Product(said.base, said.area), inputs)
    print(table(checks))
    return int(not all(check.holds for check in checks))


if __name__ == "__main__":
    sys.exit(main())
