"""The whole audit of one area, in order."""

from __future__ import annotations

from tests.oracles.audit.checking.check_coverage import check_coverage
from tests.oracles.audit.checking.check_gaps import check_gaps
from tests.oracles.audit.checking.check_loads import check_loads
from tests.oracles.audit.checking.check_residents import check_residents
from tests.oracles.audit.checking.check_walks import check_walks
from tests.oracles.audit.checks import Check, Ledger
from tests.oracles.audit.ground import read_land
from tests.oracles.audit.product import Product
from tests.oracles.audit.scene import Inputs, Scene


def audit(product: Product, inputs: Inputs) -> list[Check]:
    """Every check of an area that is served, against its input files."""
    scene, ledger = Scene(product, inputs), Ledger()
    land = read_land(inputs.osm)
    check_walks(scene, ledger)
    check_residents(scene, ledger, land)
    check_coverage(scene, ledger, land)
    check_gaps(scene, ledger)
    check_loads(scene, ledger)
    return ledger.checks
