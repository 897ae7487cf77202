"""Catchments of a run for any question: those the build kept, else computed."""

from __future__ import annotations

from lifecircle.analysis.access.walking import WalkCosts, walk_costs
from lifecircle.analysis.measures.catchments.capacity import capacity_of, capacity_services
from lifecircle.analysis.measures.catchments.catchments import Catchments, catchments
from lifecircle.analysis.measures.catchments.population_rule import RuleResult, population_rule
from lifecircle.analysis.measures.question import TOTAL
from lifecircle.analysis.results.model import Run


def catchments_for(
    run: Run,
    *,
    service: str,
    minutes: float | None = None,
    walker: str = "adult",
    closed: bool = False,
    whole: bool = False,
    estimates: bool = False,
    costs: WalkCosts | None = None,
) -> Catchments:
    """Catchments as `measures.catchments` gives them, from the run if kept.

    `costs`: walking costs of the run's streets, made here when None.
    """
    kept = run.catchments.get(service)
    plain = not (closed or whole or estimates)
    if kept is not None and plain and kept.walker == walker and minutes in (None, kept.minutes):
        return kept
    return catchments(
        run.city,
        walk_costs(run.city.network) if costs is None else costs,
        run.policy,
        service=service,
        minutes=minutes,
        walker=walker,
        closed=closed,
        whole=whole,
        estimates=estimates,
    )


def catchments_for_coverage(
    run: Run, service: str, minutes: float | None, walker: str, group: str = "total"
) -> Catchments | None:
    """The catchments that reading C of a question needs; None where C does not exist for it.

    It does not where the area does not know the group of residents that is to be served.
    """
    if service not in capacity_services(run.policy) or not run.catchments:
        return None
    kept = run.catchments.get(service)
    group_served = kept.group if kept else capacity_of(run.city, run.policy, service).group
    if group_served != TOTAL and group_served not in run.city.cells.groups:
        return None
    if kept is not None and group_served != group:
        return kept  # it says for which group C exists
    return catchments_for(run, service=service, minutes=minutes, walker=walker)


def rule_for(run: Run, costs: WalkCosts | None = None) -> RuleResult | None:
    """The rule 3万–10万 of a run's policy; None where it states none or the area has no street."""
    made = walk_costs(run.city.network) if costs is None else costs
    return population_rule(run.city, made, run.policy)
