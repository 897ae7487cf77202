"""Which places of OpenStreetMap are which service: the rules of osm-tags.toml, matched anew."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import osmium

LIFE_TAGS = ("disused", "abandoned", "demolished", "razed", "removed")
GONE_BUILDINGS = frozenset({"ruins", "construction", "collapsed", "demolished"})


@dataclass(frozen=True, slots=True)
class Listed:
    """Ids of OpenStreetMap by service, and those left out because they are not open."""

    of: dict[str, set[str]]
    closed: dict[str, set[str]]


def read_lists(osm: Path, tags: Path) -> Listed:
    """Every place that some rule takes."""
    with tags.open("rb") as file:
        services = tomllib.load(file)["services"]
    rules = {name: one["osm"] for name, one in services.items() if "osm" in one}
    listed = Listed({name: set() for name in rules}, {name: set() for name in rules})
    for name, said in _places(osm):
        for service, choices in rules.items():
            if any(fits(said, rule) for rule in choices):
                (listed.closed if gone(said) else listed.of)[service].add(name)
    return listed


def _places(osm: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Nodes, closed ways and multipolygons with tags."""
    for item in osmium.FileProcessor(str(osm)).with_areas():
        if not len(item.tags) or not (item.is_node() or item.is_area()):
            continue
        said = {tag.k: tag.v for tag in item.tags}
        if item.is_node():
            yield f"node/{item.id}", said
        else:
            yield f"{'way' if item.from_way() else 'relation'}/{item.orig_id()}", said


def fits(said: Mapping[str, str], rule: Mapping[str, Any]) -> bool:
    """All of `tags`, none of `without`, a word of `name_has`, none of `name_lacks`."""
    if not all(_has(said, key, values) for key, values in rule.get("tags", {}).items()):
        return False
    if any(_has(said, key, values) for key, values in rule.get("without", {}).items()):
        return False
    names = [
        value.casefold() for key, value in said.items() if key == "name" or key.startswith("name:")
    ]
    wanted, unwanted = rule.get("name_has"), rule.get("name_lacks", ())
    if wanted and not any(word.casefold() in name for word in wanted for name in names):
        return False
    return not any(word.casefold() in name for word in unwanted for name in names)


def _has(said: Mapping[str, str], key: str, values: Any) -> bool:
    if key not in said:
        return False
    allowed = [values] if isinstance(values, str) else values
    told = {one.strip() for one in said[key].split(";")}
    return "*" in allowed or bool(told & set(allowed))


def gone(said: Mapping[str, str], today: date | None = None) -> bool:
    """Not open to people: a life-cycle tag, a ruin or building site, an end in the past."""
    if any(said.get(key, "no") != "no" for key in LIFE_TAGS):
        return True
    if said.get("construction", "no") != "no" or said.get("building") in GONE_BUILDINGS:
        return True
    end = said.get("end_date", "")
    return bool(end) and end[:4].isdigit() and end < (today or date.today()).isoformat()
