"""Where places may join the streets (``[joining]`` of ``walk.toml``)."""

from __future__ import annotations

from dataclasses import dataclass

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


def joining_rules(table: JoiningTable) -> JoiningRules:
    """The rules of a policy file's ``[joining]``."""
    return JoiningRules(frozenset(table.bridge_on_ground), frozenset(table.tunnel_on_ground))
