"""Which places of OpenStreetMap are which service: the rules of osm-tags.toml, read anew.

Written from docs/policies.md ("Words in names", the row of ``osm``) and docs/tags.md ("Not open").
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import osmium

from tests.oracles.audit.words import names_in, stands_in

Said = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Listed:
    """Ids of OpenStreetMap by service, and those left out because they are not open."""

    of: dict[str, set[str]]
    closed: dict[str, set[str]]


def read_lists(osm: Path, tags: Path, today: date | None = None) -> Listed:
    """Every place that some rule takes, open or not on a day."""
    rules, life = read_rules(tags)
    listed = Listed({name: set() for name in rules}, {name: set() for name in rules})
    keys = {key for choices in rules.values() for rule in choices for key in rule["tags"]}
    for name, said, line in _places(osm):
        if keys.isdisjoint(said):
            continue
        for service, choices in rules.items():
            if any(fits(said, rule) for rule in choices if rule.get("lines") or not line):
                shut = gone(said, life, today or date.today())
                (listed.closed if shut else listed.of)[service].add(name)
    return listed


def read_rules(tags: Path) -> tuple[dict[str, list[dict[str, Any]]], dict[str, Any]]:
    """The rules of each service with the words of their lists, and the words of life cycles."""
    told, words = (_toml(path) for path in (tags, tags.with_name("osm-words.toml")))
    lists = words["lists"]
    rules = {
        service: [_spelled(rule, lists) for rule in one["osm"]]
        for service, one in told["services"].items()
        if "osm" in one
    }
    return rules, words["life_cycle"]


def _toml(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return tomllib.load(file)


def _spelled(rule: Mapping[str, Any], lists: Mapping[str, Any]) -> dict[str, Any]:
    """A rule with every "@name" spelled out."""

    def words(said: Any) -> list[str]:
        found: list[str] = []
        for word in [said] if isinstance(said, str) else said:
            found += _of_list(word[1:], lists) if word.startswith("@") else [word]
        return found

    spelled = dict(rule)
    for key in ("name_has", "name_lacks"):
        if key in rule:
            spelled[key] = words(rule[key])
    for key in ("tags", "without"):
        spelled[key] = {tag: words(values) for tag, values in rule.get(key, {}).items()}
    return spelled


def _of_list(name: str, lists: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    for key, values in lists[name].items():
        if key == "of":
            for other in values:
                found += _of_list(other, lists)
        elif isinstance(values, list):
            found += values
    return found


def _places(osm: Path) -> Iterator[tuple[str, dict[str, str], bool]]:
    """Nodes and areas with tags; open ways and routes, which are lines."""
    for item in osmium.FileProcessor(str(osm)).with_areas():
        if not len(item.tags):
            continue
        said = {tag.k: tag.v for tag in item.tags}
        if item.is_node():
            yield f"node/{item.id}", said, False
        elif item.is_area():
            if item.from_way():
                yield f"way/{item.orig_id()}", said, False
            else:
                yield f"relation/{item.orig_id()}", {"area": "yes", **said}, False
        elif item.is_way() and (said.get("area") == "no" or not _is_ring(item)):
            yield f"way/{item.id}", said, True
        elif item.is_relation() and said.get("type") == "route":
            yield f"relation/{item.id}", said, True


def _is_ring(way: Any) -> bool:
    return way.is_closed() and len(way.nodes) > 3


def fits(said: Said, rule: Mapping[str, Any]) -> bool:
    """All of `tags`, none of `without`, a word of `name_has`, none of `name_lacks`."""
    if not all(_has(said, key, values, any) for key, values in rule.get("tags", {}).items()):
        return False
    if any(_has(said, key, values, all) for key, values in rule.get("without", {}).items()):
        return False
    wanted, unwanted = rule.get("name_has", ()), rule.get("name_lacks", ())
    names = names_in(said) if wanted or unwanted else ()
    if wanted and not _called(names, tuple(wanted)):
        return False
    return not _called(names, tuple(unwanted))


def _called(names: Sequence[str], words: tuple[str, ...]) -> bool:
    return any(stands_in(word, name) for name in names for word in words)


def _has(said: Said, key: str, values: Any, how_many: Any) -> bool:
    """Whether any, or all, of the values of a tag are among those named."""
    if key not in said:
        return False
    named = [values] if isinstance(values, str) else values
    told = [one.strip() for one in said[key].split(";") if one.strip()]
    return "*" in named or said[key] in named or (bool(told) and how_many(v in named for v in told))


def gone(said: Said, life: Mapping[str, Any], today: date) -> bool:
    """Not open to people: by a tag of the thing itself, its hours, a state, a date or its name."""
    shut = {*life["gone"], *life["planned"]}
    for key, value in said.items():
        if key in life["value_keys"]:
            if value in shut:
                return True
        elif key in shut and value.casefold() not in life["unsaid"]:
            return True
    hours = said.get("opening_hours", "").casefold().split('"')[0].strip(" ;")
    if hours in life["hours_closed"]:
        return True
    if any(said.get(key, "").casefold() in life["status_closed"] for key in life["status_keys"]):
        return True
    words = tuple(life["gone_names"] + life["planned_names"])
    return _called(names_in(said), words) or _not_now(said, today)


def _not_now(said: Said, today: date) -> bool:
    """Whether its end is past for certain, or its beginning still to come."""
    ends = _days(said.get("end_date", ""))
    if ends and max(ends)[1] < today and not said["end_date"].casefold().startswith("after"):
        return True
    for key in ("start_date", "opening_date"):
        begins = _days(said.get(key, ""))
        sure = not said.get(key, "").casefold().startswith("before")
        if begins and sure and min(begins)[0] > today:
            return True
    return False


@cache
def _days(text: str) -> list[tuple[date, date]]:
    """First and last day of each date written in a text: 2019, 2010s, 2019-04, 2019-04-30."""
    found = []
    for match in re.finditer(r"(?<!\d)(\d{4})(s)?(?:-(\d\d?)(?:-(\d\d?))?)?(?!\d)", text):
        year, decade, month, day = match.groups()
        first = date(int(year), int(month or 1), int(day or 1))
        if day:
            last = first
        elif month:
            last = date.fromordinal(
                date(first.year + first.month // 12, first.month % 12 + 1, 1).toordinal() - 1
            )
        else:
            last = date(first.year + 9 * bool(decade), 12, 31)
        found.append((first, last))
    return found
