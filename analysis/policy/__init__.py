"""Policies: judgements as data. Every number is cited, or the file is refused.

A policy is one TOML file in ``analysis/policies/`` (or a user's folder) that may extend
another (``extends = "cn-15min"``). It names services, walkers, circles and the rules of
attachment, gaps, spreading and sampling. See ``docs/policies.md`` for the file format.
"""

from __future__ import annotations

from lifecircle.analysis.policy.cited import Cited, Confidence, Title
from lifecircle.analysis.policy.files import default_policy, policy_ids
from lifecircle.analysis.policy.loading import load_policy
from lifecircle.analysis.policy.model import Policy
from lifecircle.analysis.policy.sections.capacity import Capacities
from lifecircle.analysis.policy.sections.quality import QualityRules
from lifecircle.analysis.policy.sections.rules import (
    AttachmentRules,
    CapacityRule,
    CircleRule,
    CoverageRules,
    GapRules,
    HomeRules,
    Service,
    SpreadRules,
    TagRule,
    Tags,
    Walker,
    WalkRules,
)
from lifecircle.analysis.policy.sections.siting import FloatingRules, SitingRules
from lifecircle.analysis.policy.sections.terrain import BarrierRules, TerrainRules

__all__ = [
    "AttachmentRules",
    "BarrierRules",
    "Capacities",
    "CapacityRule",
    "CircleRule",
    "Cited",
    "Confidence",
    "CoverageRules",
    "FloatingRules",
    "GapRules",
    "HomeRules",
    "Policy",
    "QualityRules",
    "Service",
    "SitingRules",
    "SpreadRules",
    "TagRule",
    "Tags",
    "TerrainRules",
    "Title",
    "WalkRules",
    "Walker",
    "default_policy",
    "load_policy",
    "policy_ids",
]
