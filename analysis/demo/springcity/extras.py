"""Places that only the plan's later rows ask for: care for disabled people, service complexes,
transport interchanges. They are drawn last and by themselves, so that nothing else moves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from lifecircle.analysis.demo.springcity.kinds import COMPLEX, DISABLED_CARE, OSM_HOURS, TRANSIT
from lifecircle.analysis.demo.springcity.places import Place, Town, bare, chosen

_CARING_STREETS = 0.6  # of the 街道, the share with care for disabled people
_COMPLEXES, _HUBS = 0.12, 0.06  # of the communities, the share with one
_BESIDE_A_SHOP = 0.5  # of both, the share put beside a shop that never closes
_NEAR_OLD = 3  # one old estate in so many has care for disabled people inside


def extra_places(town: Town, places: Sequence[Place]) -> Iterator[Place]:
    """The places, of which `places` are the others that are already there."""
    apart = replace(town, rng=town.plan.rng("extra places"))
    walkable = np.unique(town.streets.edge)
    communities = town.units.of_level("community")
    quads = dict(zip((unit.code for unit in communities), town.mesh.quads(), strict=True))
    streets = town.units.of_level("subdistrict")
    caring = chosen(town.plan, "disabled care", len(streets), _CARING_STREETS)
    for number, unit in enumerate(streets):
        if number in caring:
            node = town.nearest(np.array(unit.outline.centroid.coords[0]), walkable)
            yield apart.place(DISABLED_CARE, node, unit.code, bare(unit))
    for number, unit in enumerate(town.units.of_level("old_estate")):
        if number % _NEAR_OLD == 0:
            node = town.nearest(np.array(unit.outline.centroid.coords[0]), walkable)
            yield apart.place(DISABLED_CARE, node, unit.parent, (unit.name, unit.name_en))
    shops = {p.home: p for p in places if p.tags.get("opening_hours") == OSM_HOURS[0]
             and p.service == "convenience_store"}  # fmt: skip
    for kind, share in ((COMPLEX, _COMPLEXES), (TRANSIT, _HUBS)):
        found = sorted(chosen(town.plan, kind.service, len(communities), share))
        for rank, k in enumerate(found):
            unit = communities[k]
            nodes = town.quad_nodes(*quads[unit.code])
            node = int(nodes[apart.rng.integers(0, len(nodes))])
            if rank < _BESIDE_A_SHOP * len(found) and unit.code in shops:
                node = town.nearest(shops[unit.code].xy, nodes)
            yield apart.place(kind, node, unit.code, bare(unit))
