"""The abstract tests of every class that `/conformance` claims: one for each requirement, by id."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.http.ogc.requirements import (
    chosen,
    common,
    cql2,
    features,
    filters,
    processes,
    systems,
    tiles,
)
from tests.http.ogc.requirements.ledger import CLAIMED
from tests.http.ogc.requirements.registry import CHECKS

MODULES = (chosen, common, cql2, features, filters, processes, systems, tiles)
BEGIN = "http://www.opengis.net/spec/"
LISTED = [one for requirements in CLAIMED.values() for one in requirements]


def test_every_class_claimed_is_listed_and_every_requirement_has_a_check(
    served: TestClient,
) -> None:
    told = served.get("/conformance").json()["conformsTo"]
    assert sorted(one.removeprefix(BEGIN).removeprefix("ogcapi-") for one in told) == sorted(
        CLAIMED
    )
    assert len(LISTED) == len(set(LISTED))
    assert set(CHECKS) == set(LISTED)
    assert {check.__module__ for check in CHECKS.values()} == {one.__name__ for one in MODULES}


@pytest.mark.parametrize("identity", LISTED)
def test_requirement(served: TestClient, at: TestClient, identity: str, passed: set[str]) -> None:
    check = CHECKS[identity]
    name = f"{check.__module__}.{check.__name__}"
    if name not in passed:
        check(at if identity.startswith("processes-") else served)
        passed.add(name)


@pytest.fixture(scope="module")
def passed() -> set[str]:
    """Checks that have passed: one may hold several requirements."""
    return set()
