"""Where places may join the streets, and when files lack too much (``walk.toml``)."""

from __future__ import annotations

from dataclasses import dataclass

from lifecircle.analysis.policy.cited import Cited
from lifecircle.analysis.policy.tables import JoiningTable


@dataclass(frozen=True, slots=True)
class JoiningRules:
    """Values of ``bridge`` and ``tunnel`` that stay on the ground; any other leaves it."""

    bridge_on_ground: frozenset[str]
    tunnel_on_ground: frozenset[str]

    @property
    def on_ground(self) -> tuple[tuple[str, frozenset[str]], ...]:
        """Tags of ways that leave the ground, and their values that do not."""
        return ("bridge", self.bridge_on_ground), ("tunnel", self.tunnel_on_ground)


@dataclass(frozen=True, slots=True)
class ReadingRules:
    """When a file that lacks parts is refused.

    `missing_refused`: share of the references of walkable ways to nodes that are not there.
    """

    missing_refused: Cited


def joining_rules(table: JoiningTable) -> JoiningRules:
    """The rules of a policy file's ``[joining]``."""
    return JoiningRules(frozenset(table.bridge_on_ground), frozenset(table.tunnel_on_ground))
