"""Where places may join the streets, and what is said of files that lack parts (``walk.toml``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lifecircle.analysis.policy.cited import Cited
from lifecircle.analysis.policy.tables import CitedTable, JoiningTable, ReadingTable


@dataclass(frozen=True, slots=True)
class JoiningRules:
    """Ways, gates and fences as far as they decide where a place joins the streets.

    `bridge_on_ground`, `tunnel_on_ground`: values of ``bridge`` and ``tunnel`` that stay on the
    ground. `gates`, `fences`: values of ``barrier`` that let people through, and that do not.
    `entrance_no`, `access_no`, `foot_no`, `foot_yes`, `locked_no`: what shuts a gate to the
    public, and what opens it to walkers all the same. `open_buildings`: values of ``building``
    of areas that are entered all around. `reach_m`: how far a gate or fence may lie from the
    crossing it belongs to; `on_line_m`: from the way or outline it stands on.
    """

    bridge_on_ground: frozenset[str]
    tunnel_on_ground: frozenset[str]
    gates: frozenset[str]
    fences: frozenset[str]
    entrance_no: frozenset[str]
    access_no: frozenset[str]
    foot_no: frozenset[str]
    foot_yes: frozenset[str]
    locked_no: frozenset[str]
    open_buildings: frozenset[str]
    reach_m: Cited
    on_line_m: Cited

    @property
    def on_ground(self) -> tuple[tuple[str, frozenset[str]], ...]:
        """Tags of ways that leave the ground, and their values that do not."""
        return ("bridge", self.bridge_on_ground), ("tunnel", self.tunnel_on_ground)

    def is_gate(self, tags: Mapping[str, str]) -> bool:
        """Whether a node with these tags is a gate or an entrance."""
        return tags.get("barrier") in self.gates or "entrance" in tags

    def is_open(self, tags: Mapping[str, str]) -> bool:
        """Whether the public may walk through a gate or entrance with these tags."""
        if tags.get("entrance") in self.entrance_no or tags.get("locked") in self.locked_no:
            return False
        foot = tags.get("foot")
        if foot in self.foot_no:
            return False
        return foot in self.foot_yes or tags.get("access") not in self.access_no


@dataclass(frozen=True, slots=True)
class ReadingRules:
    """When a file that lacks parts is refused, and when people without a street are remarked.

    `missing_refused`: share of the references of walkable ways to nodes that are not there.
    `without_street`: share of the residents.
    """

    missing_refused: Cited
    without_street: Cited


def joining_rules(table: JoiningTable, cite: Callable[[CitedTable], Cited]) -> JoiningRules:
    """The rules of a policy file's ``[joining]``."""
    words = {
        name: frozenset(value)
        for name in JoiningTable.model_fields
        if isinstance(value := getattr(table, name), list)
    }
    return JoiningRules(**words, reach_m=cite(table.reach_m), on_line_m=cite(table.on_line_m))


def reading_rules(table: ReadingTable, cite: Callable[[CitedTable], Cited]) -> ReadingRules:
    """The rules of a policy file's ``[reading]``."""
    return ReadingRules(cite(table.missing_refused), cite(table.without_street))
