"""What is said of a list that covers a part of the area only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lifecircle.analysis.city.model import City
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.measures.names import TOTAL
from lifecircle.analysis.measures.question import Study, persons_of
from lifecircle.analysis.policy import Service
from lifecircle.analysis.texts import Title, listed, say_both

_UNITS_NAMED: Final = 5  # of those a list covers, in a remark


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
