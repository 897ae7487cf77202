"""What services, walkers, groups, levels and circles are called, and which one a name means."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from lifecircle.analysis.city.model import Cells, City
from lifecircle.analysis.errors import UnknownNameError
from lifecircle.analysis.policy import Policy, Service, Walker
from lifecircle.analysis.readers.records.aliases import aliases_of, known_values
from lifecircle.analysis.readers.records.groups import field_of
from lifecircle.analysis.readers.services.names import service_words
from lifecircle.analysis.texts import Title, group_title
from lifecircle.analysis.unknown_names import Words, find_id, unknown
from lifecircle.analysis.unknown_names import unknown_service as service_unknown

TOTAL: Final = "total"
_RESIDENTS: Final = "population"  # the field of all residents in tables


def service_of(policy: Policy, service: str | None) -> Service:
    """The service of that id, title or alias."""
    if service is not None and service in policy.services:
        return policy.services[service]
    words = service_words(policy)
    found = None if service is None else find_id(service, words)
    if found is None:
        raise service_unknown(str(service), words)
    return policy.services[found]


def unknown_service(name: str, policy: Policy, known: Iterable[str]) -> UnknownNameError:
    """The error for a service that does not exist: the nearest by id, title and alias first."""
    words = service_words(policy)
    return service_unknown(name, {one: words[one] for one in known})


def walker_words(policy: Policy) -> dict[str, Words]:
    """What the walkers of a policy are called."""
    return {one.id: Words(one.title) for one in policy.walkers.values()}


def walker_of(policy: Policy, walker: str) -> Walker:
    """The walker of that id or title."""
    if walker in policy.walkers:
        return policy.walkers[walker]
    words = walker_words(policy)
    found = find_id(walker, words)
    if found is None:
        raise unknown("unknown_walker", walker, policy.walkers, words)
    return policy.walkers[found]


def circle_of(policy: Policy, kind: str) -> str:
    """The kind of circle of that id or title."""
    words = {one.id: Words(one.title) for one in policy.circles.values()}
    found = find_id(kind, words)
    if found is None:
        raise unknown("unknown_circle", kind, policy.circles, words)
    return found


def group_words(cells: Cells) -> dict[str, Words]:
    """What the groups of residents of an area are called, in tables too."""
    names = aliases_of("population")
    fields = {name: field_of(name) for name in cells.groups}
    groups = {
        name: Words(group_title(name), (field, *names.get(field, ())))
        for name, field in fields.items()
    }
    return {TOTAL: Words(group_title(TOTAL), tuple(names[_RESIDENTS])), **groups}


def level_words(city: City, policy: Policy | None = None) -> dict[str, Words]:
    """What the levels of a city's units are called, by the policy and in tables."""
    titles = {} if policy is None else policy.unit_levels
    said: dict[str, list[str]] = {level: [] for level in city.units.levels}
    for word, level in known_values("level").items():
        said.get(level, []).append(word)
    return {one: Words(titles.get(one, Title(one, one)), tuple(said[one])) for one in said}
