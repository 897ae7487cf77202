"""Drawn streets read, cut by rules and closures, and walked from one place to another."""

from __future__ import annotations

from pathlib import Path

from lifecircle.analysis.access.walking import flat_costs
from lifecircle.analysis.city.crs import to_metric
from lifecircle.analysis.city.streets.network import WalkNetwork
from lifecircle.analysis.city.streets.snap import EdgeIndex
from lifecircle.analysis.city.streets.walkable import Terrain, Walkable, walkable_network
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.quantities import UNREACHED_CM
from lifecircle.analysis.readers.osm.streets import RawStreets, read_streets
from tests.worlds.drawn import World, nearest_cm, walk_rules
from tests.worlds.hills import forms


def walkable(world: World, folder: Path, *rule: str) -> Walkable:
    path = world.write(folder / "drawn.osm.pbf")
    terrain = Terrain(barrier_rule=rule)
    policy = load_policy()
    raw = read_streets(path, policy.walk, terrain.form_of(policy))
    return walkable_network(raw, terrain, policy, path)


def metres(network: WalkNetwork, world: World, person, place) -> float | None:
    """The walk between two places, each joined to its nearest street."""
    index = EdgeIndex.build(network, 0)
    at = [
        index.snap(to_metric(world.lonlats([each]), network.crs), 250) for each in (person, place)
    ]
    cm, _ = nearest_cm(flat_costs(network), *at)
    return None if cm[0] == UNREACHED_CM else float(cm[0]) / 100


def keys(found: Walkable) -> list[str]:
    assert all(warn.text("zh") and warn.text("en") for warn in found.warnings)
    return [warn.key for warn in found.warnings]


def streets_of(world: World, folder: Path) -> RawStreets:
    return read_streets(world.write(folder / "drawn.osm.pbf"), walk_rules(), forms())
