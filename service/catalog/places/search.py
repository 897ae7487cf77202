"""Services, units, streets, facilities found as people type: Chinese, pinyin, initials, English."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely

from lifecircle.analysis.city.crs import box_of, to_lonlat
from lifecircle.analysis.errors import Language
from lifecircle.analysis.quantities import NOBODY, Int32Array
from lifecircle.analysis.results.model import Run
from lifecircle.service import i18n
from lifecircle.service.catalog.common import DECIMALS, facility_ids

MOST_HITS: Final = 12
_NOT_SAID = re.compile(r"[\W_]+")
_HAN: Final = range(0x3400, 0xA000)


@dataclass(frozen=True, slots=True)
class Entry:
    """Something with a name: `words` are the ways it may be typed, without spaces, in lower case.

    `unit` or `facility`: its row in the run; `street`: its place among the names of streets;
    `service`: its id; the others None. `name_en`: of a street.
    """

    name: str
    words: tuple[str, ...]
    unit: int | None = None
    facility: int | None = None
    service: str | None = None
    street: int | None = None
    name_en: str | None = None

    @property
    def order(self) -> int:
        """Streets stand after units, facilities after streets."""
        return 2 if self.facility is not None else int(self.street is not None)


@dataclass(frozen=True, slots=True)
class Names:
    """Everything of a run that can be searched: services, units, streets, facilities.

    `street_of_edge` (e,): which name of a street each walkable edge has, -1 for none.
    """

    run: Run
    entries: tuple[Entry, ...]
    street_of_edge: Int32Array

    @classmethod
    def of(cls, run: Run) -> Names:
        """The names of a run, each spelled in pinyin once."""
        spelled: dict[str, tuple[str, ...]] = {}
        units, places = run.city.units, run.city.facilities
        english = places.attributes.get("name_en")
        titles = {name: run.policy.services[name].title for name in run.travel.services}
        rows = [
            Entry(title.zh, _words(spelled, (title.zh, title.en)), service=name)
            for name, title in titles.items()
        ]
        rows += [
            Entry(units.name[i], _words(spelled, (units.name[i], units.name_en[i])), unit=i)
            for i in range(len(units.code))
            if units.geometry[i] is not None and not units.geometry[i].is_empty
        ]
        streets, street_of_edge = _streets(run)
        rows += [
            Entry(name[0], _words(spelled, name), street=k, name_en=name[1])
            for k, name in enumerate(streets)
        ]
        rows += [
            Entry(name, _words(spelled, (name, None if english is None else english[i])), None, i)
            for i, name in enumerate(places.name)
            if name
        ]
        return cls(run, tuple(rows), street_of_edge)

    def find(self, text: str) -> list[Entry]:
        """What fits, best first: a whole name, a beginning, anywhere; short names first."""
        typed = _plain(text)
        if not typed:
            return []
        ranked = []
        for k, entry in enumerate(self.entries):
            rank = min((_rank(typed, word) for word in entry.words), default=3)
            if rank < 3:
                ranked.append((rank, entry.order, len(entry.name), k))
        return [self.entries[k] for *_, k in sorted(ranked)[:MOST_HITS]]


def _streets(run: Run) -> tuple[list[tuple[str, str | None]], Int32Array]:
    """Names of the streets one may walk, each once, and which of them each edge has."""
    names, way = run.city.street_names, run.city.network.edge_way
    of_edge = np.full(len(way), NOBODY, dtype=np.int32)
    if names is None or not len(names):
        return [], of_edge
    row = names.rows(way)
    known: dict[tuple[str, str | None], int] = {}
    place = {
        int(k): known.setdefault((str(names.name[k]), names.name_en[k]), len(known))
        for k in np.unique(row[row != NOBODY])
    }
    named = row != NOBODY
    of_edge[named] = [place[k] for k in row[named].tolist()]
    return list(known), of_edge


def _plain(text: str) -> str:
    """Text as it is compared: full width folded, lower case, only letters, digits, characters."""
    return _NOT_SAID.sub("", unicodedata.normalize("NFKC", text).casefold())


def _rank(typed: str, word: str) -> int:
    if typed == word:
        return 0
    if word.startswith(typed):
        return 1
    return 2 if len(typed) > 1 and typed in word else 3


def _words(spelled: dict[str, tuple[str, ...]], names: Iterable[Any]) -> tuple[str, ...]:
    found: list[str] = []
    for name in names:
        if not name:
            continue
        text = str(name)
        if text not in spelled:
            spelled[text] = _spell(text)
        found += spelled[text]
    return tuple(dict.fromkeys(found))


def _spell(name: str) -> tuple[str, ...]:
    """A name itself and, where it is Chinese, its pinyin and the initials of that."""
    written = _plain(name)
    if not any(ord(character) in _HAN for character in name):
        return (written,)
    from pypinyin import lazy_pinyin

    syllables = [_plain(part) for part in lazy_pinyin(name, v_to_u=False)]
    initials = "".join(part[:1] for part in syllables)
    return written, "".join(syllables), initials


def search_document(names: Names, text: str, *, lang: Language = "zh") -> dict[str, Any]:
    """The hits of a search, best first, at most `MOST_HITS`, with where to go on the map."""
    run = names.run
    return {
        "area": run.manifest.area,
        "run": run.manifest.run,
        "q": text,
        "hits": [_hit(names, entry, lang) for entry in names.find(text)],
        "warnings": [],
    }


def _hit(names: Names, entry: Entry, lang: Language) -> dict[str, Any]:
    run = names.run
    units, places, policy = run.city.units, run.city.facilities, run.policy
    if entry.service is not None:
        title = policy.services[entry.service].title
        return {
            "kind": "service",
            "id": entry.service,
            "kind_title": i18n.text("word_service", lang),
            "name": title.text(lang),
            "name_en": title.en,
            **dict.fromkeys(("lon", "lat", "bbox")),
        }
    if entry.street is not None:
        edges = np.flatnonzero(names.street_of_edge == entry.street).astype(np.int32)
        shape = shapely.multilinestrings(run.city.network.lines(edges))
        told = {
            "kind": "street",
            "id": entry.name,
            "kind_title": i18n.text("word_named_street", lang),
            "name_en": entry.name_en,
        }
    elif entry.unit is not None:
        shape, level = units.geometry[entry.unit], units.level[entry.unit]
        named = policy.unit_levels.get(level)
        told = {
            "kind": "unit",
            "id": units.code[entry.unit],
            "kind_title": level if named is None else named.text(lang),
            "name_en": units.name_en[entry.unit],
        }
    else:
        assert entry.facility is not None  # an entry is one of the two
        shape = places.geometry[entry.facility]
        service = policy.services[places.service_ids[places.service[entry.facility]]]
        english = places.attributes.get("name_en")
        told = {
            "kind": "facility",
            "id": facility_ids(run)[entry.facility],
            "kind_title": service.title.text(lang),
            "name_en": None if english is None else english[entry.facility],
        }
    return {**told, "name": entry.name, **_where(shape, run.city.crs)}


def _where(shape: Any, crs: str) -> dict[str, Any]:
    """A place inside a shape and its box in degrees (None for a point)."""
    inside = shapely.point_on_surface(shape)
    lon, lat = to_lonlat(np.array([[inside.x, inside.y]]), crs)[0].round(DECIMALS).tolist()
    if shapely.get_dimensions(shape) == 0:
        return {"lon": lon, "lat": lat, "bbox": None}
    west, south, east, north = shapely.bounds(shape)
    corners = np.array([[west, south], [west, north], [east, south], [east, north]])
    degrees = to_lonlat(corners, crs).round(DECIMALS)
    return {"lon": lon, "lat": lat, "bbox": list(box_of(degrees))}
