"""Results as documents: the one place where figures become JSON, for HTTP and the command.

Every function takes an opened run (and the parameters of docs/http.md)
and returns plain dictionaries; names and shapes are the contract of ``docs/http.md``.
"""

from lifecircle.service.catalog.access import accessibility_document, what_if_document
from lifecircle.service.catalog.areas import area_document, area_row
from lifecircle.service.catalog.catchments import catchments_document
from lifecircle.service.catalog.circles import circles_document
from lifecircle.service.catalog.compare import compare_document
from lifecircle.service.catalog.coverage import coverage_document
from lifecircle.service.catalog.equity import equity_document
from lifecircle.service.catalog.firm.robustness import robustness_document
from lifecircle.service.catalog.gaps import gaps_document
from lifecircle.service.catalog.headline import (
    headline_document,
    headline_of,
    kept_headline,
    worst_service,
)
from lifecircle.service.catalog.places.isochrone import isochrone_document
from lifecircle.service.catalog.places.point import PointDesk, point_document
from lifecircle.service.catalog.places.route import Destination, route_document
from lifecircle.service.catalog.places.search import Names, search_document
from lifecircle.service.catalog.places.written import WrittenPoints
from lifecircle.service.catalog.report import report_document
from lifecircle.service.catalog.scenarios.scenario import prepare_scenarios, scenario_document
from lifecircle.service.catalog.scorecard import scorecard_document, settings_given
from lifecircle.service.catalog.siting.siting import siting_document
from lifecircle.service.catalog.tiers.referral import referral_document
from lifecircle.service.catalog.years.growth import growth_document
from lifecircle.service.catalog.years.staged import stages_document

__all__ = [
    "Destination",
    "Names",
    "PointDesk",
    "WrittenPoints",
    "accessibility_document",
    "area_document",
    "area_row",
    "catchments_document",
    "circles_document",
    "compare_document",
    "coverage_document",
    "equity_document",
    "gaps_document",
    "growth_document",
    "headline_document",
    "headline_of",
    "isochrone_document",
    "kept_headline",
    "point_document",
    "prepare_scenarios",
    "referral_document",
    "report_document",
    "robustness_document",
    "route_document",
    "scenario_document",
    "scorecard_document",
    "search_document",
    "settings_given",
    "siting_document",
    "stages_document",
    "what_if_document",
    "worst_service",
]
