"""lifecircle (生活圈): who can walk to which community service in time, and who cannot.

The front door: ``import lifecircle as lc`` costs next to nothing; what is asked for is imported
when it is. `open` and `build` give areas (`Area`) whose answers are frames; the measures below
take a `Study` and a `Question` and give plain records.

>>> import lifecircle as lc
>>> town = lc.tiny_town()
>>> float(town.coverage("health_centre").loc["E", "P"])
0.4
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lifecircle.analysis.errors import LifecircleError
    from lifecircle.analysis.measures.catchments.catchments import catchments
    from lifecircle.analysis.measures.circles import circles
    from lifecircle.analysis.measures.coverage import coverage
    from lifecircle.analysis.measures.equity.equity import equity
    from lifecircle.analysis.measures.equity.floating import floating
    from lifecircle.analysis.measures.gaps.gaps import gaps
    from lifecircle.analysis.measures.point.isochrone import isochrone
    from lifecircle.analysis.measures.question import Question, Study
    from lifecircle.analysis.measures.robustness.robustness import robustness
    from lifecircle.analysis.measures.scorecard.card import scorecard
    from lifecircle.analysis.measures.siting.place import place_sites as site
    from lifecircle.analysis.measures.what_if import what_if
    from lifecircle.analysis.policy import Policy, load_policy
    from lifecircle.analysis.policy.additions import with_service, with_walker
    from lifecircle.area import Area
    from lifecircle.building import build
    from lifecircle.town import tiny_town
    from lifecircle.workspace import Workspace
    from lifecircle.workspace import open_workspace as open  # noqa: A004

__all__ = [
    "Area",
    "LifecircleError",
    "Policy",
    "Question",
    "Study",
    "Workspace",
    "build",
    "catchments",
    "circles",
    "coverage",
    "equity",
    "floating",
    "gaps",
    "isochrone",
    "load_policy",
    "open",
    "robustness",
    "scorecard",
    "site",
    "tiny_town",
    "what_if",
    "with_service",
    "with_walker",
]

_HOME = {
    "Area": "lifecircle.area",
    "LifecircleError": "lifecircle.analysis.errors",
    "Policy": "lifecircle.analysis.policy",
    "Question": "lifecircle.analysis.measures.question",
    "Study": "lifecircle.analysis.measures.question",
    "Workspace": "lifecircle.workspace",
    "build": "lifecircle.building",
    "catchments": "lifecircle.analysis.measures.catchments.catchments",
    "circles": "lifecircle.analysis.measures.circles",
    "coverage": "lifecircle.analysis.measures.coverage",
    "equity": "lifecircle.analysis.measures.equity.equity",
    "floating": "lifecircle.analysis.measures.equity.floating",
    "gaps": "lifecircle.analysis.measures.gaps.gaps",
    "isochrone": "lifecircle.analysis.measures.point.isochrone",
    "load_policy": "lifecircle.analysis.policy",
    "open": "lifecircle.workspace",
    "robustness": "lifecircle.analysis.measures.robustness.robustness",
    "scorecard": "lifecircle.analysis.measures.scorecard.card",
    "site": "lifecircle.analysis.measures.siting.place",
    "tiny_town": "lifecircle.town",
    "what_if": "lifecircle.analysis.measures.what_if",
    "with_service": "lifecircle.analysis.policy.additions",
    "with_walker": "lifecircle.analysis.policy.additions",
}
_CALLED = {"open": "open_workspace", "site": "place_sites"}


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'lifecircle' has no attribute {name!r}")
    found = getattr(import_module(home), _CALLED.get(name, name))
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
