"""What answers say beside their figures: who is counted, whom no unit shows, what lists cover."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from lifecircle.analysis.city.model import City, Units
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.measures.names import TOTAL
from lifecircle.analysis.measures.question import Study
from lifecircle.analysis.measures.residents import NOBODY_COUNTED, persons_of
from lifecircle.analysis.policy import Service
from lifecircle.analysis.quantities import Int32Array, IntArray
from lifecircle.analysis.texts import Title, listed, say_both

ILLUSTRATIVE: Final = "residents_from_buildings"  # a remark of the build: nobody is counted
ABOUT_RESIDENTS: Final = (NOBODY_COUNTED.key, ILLUSTRATIVE)
_UNITS_NAMED: Final = 5  # of those a list covers, in a remark


def resting_on(city: City) -> tuple[Warn, ...]:
    """What every answer about residents says first: nobody is counted, or all are an illustration.

    Such a remark of the build is no footnote: no figure of residents holds without it.
    """
    if not city.cells.counted:
        return (NOBODY_COUNTED,)
    return tuple(warning for warning in city.warnings if warning.key == ILLUSTRATIVE)


def not_assessed(service: Service) -> Warn:
    """The remark that nothing is known about a service."""
    return Warn(
        "service_not_assessed",
        {"service": service.id, "title": service.title},
    )


def units_unknown(units: Units, missing: Int32Array) -> Iterator[Warn]:
    """Units (indices, int32) of whom nobody knows how many people live there; nothing for none."""
    if len(missing):
        told = {"count": len(missing), "units": named(units, missing)}
        yield Warn("coverage_residents_unknown", told)


def outside_units(city: City, level: str, persons: IntArray) -> Iterator[Warn]:
    """Persons (c,) of cells that the total holds and no unit of a level does; nothing for none."""
    outside = city.cells.unit[level] < 0
    if outside.any():
        told = {"cells": int(outside.sum()), "residents": int(persons[outside].sum())}
        yield Warn("coverage_outside_units", told)


def named(units: Units, indices: Sequence[int] | Int32Array) -> str:
    """Names with codes, for a message."""
    return ", ".join(f"{units.name[i]} ({units.code[i]})" for i in indices)


def list_remarks(
    study: Study, service: Service, group: str = TOTAL, edge: int | None = None
) -> Iterator[Warn]:
    """What the list of a service covers, where it does not cover the area.

    `edge`: residents not covered who live at its edge.
    """
    if service.id not in study.city.extents:
        return
    aside = int(persons_of(study.city.cells, group)[~study.judged(service.id).cell].sum())
    told = {"title": service.title, "residents": aside}
    yield Warn("list_extent", {**told, "where": extent_words(study.city, service.id)})
    if edge:
        yield Warn("edge_of_list", {"title": service.title, "residents": edge})


def extent_words(city: City, service: str) -> Title:
    """Where the list of a service is complete, for a sentence."""
    extent = city.extents[service]
    names = [str(city.units.name[i]) for i in extent.units[:_UNITS_NAMED]]
    more = len(extent.units) - len(names)
    told: list[Title | str] = [*names]
    if more:
        told.append(say_both("list_extent_more", count=more))
    if extent.drawn is not None:
        told.append(say_both("list_extent_drawn"))
    return listed(told)
