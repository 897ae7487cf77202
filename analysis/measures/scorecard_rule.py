"""Evaluator of the population rule (每3万—10万居民1所): the states of the catchments' rule."""

from __future__ import annotations

from analysis.measures.scorecard_ground import Ground
from analysis.measures.scorecard_model import Missing, Outcome, nothing
from analysis.policy_scorecard_model import Reading


def rule(_ground: Ground, reading: Reading) -> Outcome:
    """Share of the units in scope whose rule is met (0-1), each with its state in words."""
    return nothing(Missing("capacity", str(reading.service), "容量服务区", "catchments"))
