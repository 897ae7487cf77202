"""Draw places for blind labels: how good are the tag rules for each service?

    python -m benchmarks.tags.tag_draw OUT --city malta=malta.osm.pbf ... [--more helsinki=... ...]

For each service up to 50 *called* places (facilities by the policy's rules) and up to 50 *nearly
called* ones: they share a tag or a word of a name with the service's rules and are no facility of
it. From the cities; where these hold fewer than wanted, from the cities and the further extracts
together. Every draw is simple and random without replacement, seeded.

``OUT/draw.csv`` is what a labeller sees: no verdict, rows shuffled. ``OUT/questions.md`` asks.
``OUT/verdict.csv`` and ``OUT/frame.json`` (how many there were to draw from, digest of the rules)
are for `benchmarks.tags.tag_quality` and must not be shown.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np
import osmium

from lifecircle.analysis.policy import Policy, Service, load_policy
from lifecircle.analysis.policy.names import has_word, names_of
from lifecircle.analysis.policy.sections.rules import values_of
from lifecircle.analysis.readers.osm.places import read_places

SEED: Final = 20261128
TODAY: Final = date(2026, 11, 28)
QUESTIONS: Final = Path(__file__).with_name("tag_questions.toml")
DRAWN: Final = ("row", "id", "city", "service", "name", "tags", "lon", "lat")

# Keys that much else carries: sharing one of their values counts, sharing the key does not.
_GENERAL: Final = frozenset(
    {
        "amenity", "shop", "leisure", "building", "landuse", "office", "highway", "place", "name",
        "access", "area", "fee", "route", "sport", "cuisine", "operator:type", "tourism", "craft",
        "emergency", "breakfast", "dispensing", "playground",
    }
)  # fmt: skip
_NEVER: Final = frozenset({"name", "access", "area", "fee", "operator:type", "breakfast"})
_PLACES: Final = frozenset(
    {
        "amenity", "shop", "leisure", "healthcare", "office", "building", "landuse", "place",
        "tourism", "emergency", "social_facility", "craft", "club", "sport", "historic",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Thing:
    """A tagged node, way or relation; `lon`, `lat`: the mean of its nodes, degrees."""

    id: str
    city: str
    tags: Mapping[str, str]
    lon: float
    lat: float


def read_things(city: str, path: Path) -> dict[str, Thing]:
    """Every tagged thing of a file that has a place, by id."""
    found: dict[str, Thing] = {}
    middle: dict[int, tuple[float, float]] = {}
    for thing in osmium.FileProcessor(str(path)).with_locations():
        tags = dict(thing.tags)
        where: Sequence[tuple[float, float]] = []
        if isinstance(thing, osmium.osm.Node):
            where = [(thing.lon, thing.lat)] if tags and thing.location.valid() else []
            kind = "node"
        elif isinstance(thing, osmium.osm.Way):
            where = [(n.lon, n.lat) for n in thing.nodes if n.location.valid()]
            kind = "way"
            if where:
                middle[thing.id] = tuple(np.mean(where, axis=0).tolist())
        elif isinstance(thing, osmium.osm.Relation):
            where = [middle[m.ref] for m in thing.members if m.type == "w" and m.ref in middle]
            kind = "relation"
        if tags and where:
            lon, lat = np.mean(where, axis=0).tolist()
            one = f"{kind}/{thing.id}"
            found[one] = Thing(one, city, tags, round(lon, 5), round(lat, 5))
    return found


class NearlyCalled:
    """Whether a thing shares a tag or a word of a name with the rules of a service."""

    def __init__(self, service: Service) -> None:
        named = [(k, v) for rule in service.osm for k, vs in rule.tags.items() for v in vs]
        self._values = {(k, v) for k, v in named if v != "*" and k not in _NEVER}
        self._keys = {k for k, _ in named} - _GENERAL
        self._words = tuple(dict.fromkeys(w for rule in service.osm for w in rule.name_has))

    def __call__(self, tags: Mapping[str, str]) -> bool:
        if not self._keys.isdisjoint(tags):
            return True
        if any((k, v) in self._values for k, whole in tags.items() for v in values_of(whole)):
            return True
        return not _PLACES.isdisjoint(tags) and has_word(names_of(tags), self._words)


@dataclass(frozen=True, slots=True)
class Frame:
    """What there is to draw from for one service: ids by city, called and nearly called."""

    called: Mapping[str, Sequence[Thing]]
    nearly: Mapping[str, Sequence[Thing]]


def frames(
    cities: Mapping[str, Path], policy: Policy, services: Iterable[str]
) -> Mapping[str, Frame]:
    """The frame of every service over the cities; things sorted by id."""
    nearly = {name: NearlyCalled(policy.services[name]) for name in services}
    called: dict[str, dict[str, list[Thing]]] = {name: {} for name in nearly}
    others: dict[str, dict[str, list[Thing]]] = {name: {} for name in nearly}
    for city, path in cities.items():
        things = read_things(city, path)
        facilities = read_places(path, policy, TODAY).facilities
        for name, near in nearly.items():
            ids = set(facilities.id[facilities.service == name])
            inside = sorted(ids & set(things))
            called[name][city] = [things[one] for one in inside]
            others[name][city] = [
                things[one] for one in sorted(things) if one not in ids and near(things[one].tags)
            ]
    return {name: Frame(called[name], others[name]) for name in nearly}


def drawn(
    of: Mapping[str, Sequence[Thing]], first: Sequence[str], each: int, rng: np.random.Generator
) -> tuple[list[Thing], dict[str, int]]:
    """Up to `each` things: of the first cities, or of all where those hold fewer; and the frame."""
    cities = list(first) if sum(len(of[city]) for city in first) >= each else list(of)
    frame = [thing for city in cities for thing in of[city]]
    chosen = rng.choice(len(frame), min(each, len(frame)), replace=False) if frame else []
    return [frame[i] for i in chosen], {city: len(of[city]) for city in cities if of[city]}


def rules_digest() -> str:
    """SHA-256 over the files that hold the tag rules."""
    folder = files("lifecircle.analysis").joinpath("policies")
    text = "".join(
        folder.joinpath(name).read_text(encoding="utf-8")
        for name in ("osm-words.toml", "osm-tags.toml")
    )
    return hashlib.sha256(text.encode()).hexdigest()


def write_draw(out: Path, first: Mapping[str, Path], more: Mapping[str, Path], each: int) -> int:
    """Draw and write the four files; how many rows were drawn."""
    questions = tomllib.loads(QUESTIONS.read_text(encoding="utf-8"))["service"]
    policy = load_policy()
    rng = np.random.default_rng(SEED)
    rows: list[tuple[Thing, str, int]] = []
    populations: dict[str, dict[str, dict[str, int]]] = {}
    for service, frame in frames({**first, **more}, policy, questions).items():
        sizes = {}
        for verdict, of in (("called", frame.called), ("nearly", frame.nearly)):
            chosen, sizes[verdict] = drawn(of, list(first), each, rng)
            rows += [(thing, service, int(verdict == "called")) for thing in chosen]
        populations[service] = sizes
    order = rng.permutation(len(rows))
    out.mkdir(parents=True, exist_ok=True)
    with (
        (out / "draw.csv").open("w", encoding="utf-8-sig", newline="") as seen,
        (out / "verdict.csv").open("w", encoding="utf-8", newline="") as unseen,
    ):
        draw, verdicts = csv.writer(seen), csv.writer(unseen)
        draw.writerow(DRAWN)
        verdicts.writerow(("row", "id", "city", "service", "called"))
        for number, (thing, service, called) in enumerate((rows[i] for i in order), start=1):
            row = f"r{number:04}"
            tags = json.dumps(dict(sorted(thing.tags.items())), ensure_ascii=False)
            name = thing.tags.get("name", "")
            draw.writerow((row, thing.id, thing.city, service, name, tags, thing.lon, thing.lat))
            verdicts.writerow((row, thing.id, thing.city, service, called))
    record = {
        "seed": SEED,
        "each": each,
        "rules": rules_digest(),
        "cities": {
            name: {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
            for name, path in {**first, **more}.items()
        },
        "first": list(first),
        "populations": populations,
    }
    text = json.dumps(record, ensure_ascii=False, indent=1) + "\n"
    (out / "frame.json").write_text(text, encoding="utf-8")
    titles = {name: policy.services[name].title for name in questions}
    asked = [
        f"## {name} ({titles[name].zh}, {titles[name].en})\n\n{questions[name]}\n"
        for name in questions
    ]
    (out / "questions.md").write_text("\n".join([_HOW_TO, *asked]), encoding="utf-8")
    return len(rows)


_HOW_TO: Final = """# Labels for tagged places

`draw.csv` holds one place a row: its id in OpenStreetMap, the city, the service that is asked, its
name, all its tags, longitude and latitude. Answer the question of that service for that place and
write `labels.csv` with the columns `row,label,why`: label is `yes`, `no` or `unclear` (tags, name
and what you know of the place do not tell); `why` is free, a few words. Judge each row by itself.
Names are in any language; a tag may be wrong: ask what the place most likely is on the ground. A
place that is closed, in ruins, planned or being built is `no` for every service.
"""


def _pairs(given: Sequence[str] | None) -> dict[str, Path]:
    return {name: Path(path) for name, _, path in (one.partition("=") for one in given or ())}


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m benchmarks.tags.tag_draw")
    asked.add_argument("out", type=Path)
    asked.add_argument("--city", action="append", required=True, metavar="NAME=FILE")
    asked.add_argument("--more", action="append", metavar="NAME=FILE")
    asked.add_argument("--each", type=int, default=50)
    given = asked.parse_args()
    rows = write_draw(given.out, _pairs(given.city), _pairs(given.more), given.each)
    print(f"{rows} places drawn into {given.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
