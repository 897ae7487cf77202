"""Every page that the service can answer, by the route that answers it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

# Routes that answer a browser with a page, and what a sweep opens of each: `{area}` has runs of
# two years, `{unit}` is one of its units.
PAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "/": ("/",),
    "/conformance": ("/conformance?f=html",),
    "/api": ("/api?f=html",),
    "/docs": ("/docs",),
    "/collections": ("/collections?f=html",),
    "/collections/{collection}": ("/collections/{area}.units?f=html",),
    "/collections/{collection}/queryables": ("/collections/{area}.units/queryables?f=html",),
    "/collections/{collection}/sortables": ("/collections/{area}.units/sortables?f=html",),
    "/collections/{collection}/schema": ("/collections/{area}.facilities/schema?f=html",),
    "/collections/{collection}/items": (
        "/collections/{area}.units/items?f=html&limit=20",
        "/collections/{area}.facilities/items?f=html&limit=20&sortby=-name",
        "/collections/{area}.gaps/items?f=html&limit=20",
    ),
    "/collections/{collection}/items/{item}": ("/collections/{area}.units/items/{unit}?f=html",),
    "/areas/{area}": ("/areas/{area}?f=html",),
    "/areas/{area}/quality": ("/areas/{area}/quality?f=html",),
    "/areas/{area}/report": ("/areas/{area}/report?f=html",),
    "/areas/{area}/robustness": ("/areas/{area}/robustness?f=html&draws=3",),
    "/areas/{area}/scorecard": ("/areas/{area}/scorecard?f=html",),
    "/areas/{area}/siting": (
        "/areas/{area}/siting?f=html&service=health_centre&objective=capacity&add=1&stages={years}",
    ),
    "/build": ("/build",),
    "/check": ("/check",),
    "/login": ("/login",),
    "/maps/{area}/{layer}": tuple(
        f"/maps/{{area}}/{layer}"
        for layer in ("coverage", "gaps", "circles", "catchments", "referral", "proposals",
                      "units", "facilities", "quality", "compare", "desk")
    ),
}  # fmt: skip
PROBLEM: Final = "/areas/nowhere?f=html"
_PLACE: Final = {"lon": "102.01", "lat": "25.03"}
_NEEDS: Final[Mapping[str, Mapping[str, str]]] = {
    "/areas/{area}/point": _PLACE,
    "/areas/{area}/isochrone": _PLACE,
    "/areas/{area}/route": {**_PLACE, "service": "pharmacy"},
    "/areas/{area}/search": {"q": "药"},
    "/areas/{area}/accessibility": {"service": "pharmacy"},
    "/areas/{area}/siting": {"service": "health_centre", "add": "1"},
    "/areas/{area}/robustness": {"draws": "2"},
}
# What nothing stands behind in a fresh workspace: answers that it is not there, never a page of
# its own.
ABSENT: Final = frozenset({
    "/jobs/{job}", "/jobs/{job}/results", "/uploads/{upload}", "/login/oidc",
    "/login/oidc/callback", "/login/oidc/end", "/ground/tianditu/{layer}/{z}/{y}/{x}", "/readyz",
    "/areas/{area}/scenarios/compare", "/areas/{area}/scenarios/{scenario}",
    "/areas/{area}/reviews/{review}", "/areas/{area}/compare", "/areas/{area}/catchments",
    "/areas/{area}/referral",
})  # fmt: skip
_NAMED: Final = {
    "area": "tiny", "collection": "tiny.facilities", "item": "h1", "grid": "WebMercatorQuad",
    "zoom": "9", "row": "219", "column": "401", "layer": "coverage", "process": "siting",
    "piece": "streets",
}  # fmt: skip


def asked_by_get(router: Any) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """Each route that answers GET: as it is written, an address of the tiny city, its query."""
    for route in router.routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from asked_by_get(inner)
        elif "GET" in (getattr(route, "methods", None) or ()):
            path = re.sub(r":\w+(?=})", "", route.path)
            filled = re.sub(r"\{(\w+)\}", lambda one: _NAMED.get(one[1], "x1"), path)
            yield path, filled, _NEEDS.get(path, {})


def addresses(area: str, unit: str, years: str) -> tuple[str, ...]:
    """All pages of an area with runs of some years, one of its units named; a problem too."""
    told = {"area": area, "unit": unit, "years": years}
    return (*(one.format(**told) for pages in PAGES.values() for one in pages), PROBLEM)
