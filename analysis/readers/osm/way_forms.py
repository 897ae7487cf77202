"""How ways run, by the rules of a policy: what readers of streets keep of their tags."""

from __future__ import annotations

from lifecircle.analysis.errors import ParameterError
from lifecircle.analysis.policy import BarrierRules, Policy, TerrainRules
from lifecircle.analysis.policy.sections.terrain import WayForms


def rules_of(policy: Policy) -> tuple[TerrainRules, BarrierRules]:
    """The rules of slope and barriers, which every policy that is read from a file has."""
    if policy.terrain is None or policy.barriers is None:
        raise ParameterError("run_policy_unreadable")
    return policy.terrain, policy.barriers


def way_forms(policy: Policy) -> WayForms:
    """The reader of the tags that tell how a way runs: on the ground, a bridge, stairs."""
    return WayForms.of(*rules_of(policy), policy.joining)
