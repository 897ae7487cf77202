"""Marks of reviews as documents; each is matched by its place with the run that is asked for.

- same: what was marked stands where it stood (a list made anew may give it another id);
- moved: it is there, elsewhere: the same id, or for facilities the same name and service nearby;
- gone: neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from lifecircle.analysis.city.crs import to_lonlat, to_metric
from lifecircle.analysis.errors import Language
from lifecircle.analysis.policy.sections.matching import matching
from lifecircle.analysis.results.columns import count, number, text
from lifecircle.analysis.results.export import export_rows
from lifecircle.analysis.results.layers.layers import layers_of
from lifecircle.service.catalog.common import DECIMALS
from lifecircle.service.database.audit import moment
from lifecircle.service.database.engine import Database
from lifecircle.service.database.kept import REVIEWS, Kept
from lifecircle.service.errors import MissingError, RequestError
from lifecircle.service.state import AreaState

LAYER_OF: Final = {
    "gap": "gaps", "proposal": "proposals", "facility": "facilities", "unit": "units",
}  # fmt: skip
BY_NAME: Final = frozenset({"facility", "unit"})  # what another one of another name is not
FREE: Final = frozenset({"gap", "proposal"})  # of other questions than the layer's too
REASONED: Final = "not_a_gap"

REVIEW_COLUMNS: Final = (
    text("id"),
    text("kind", "column_review_kind"),
    text("target", "column_review_target"),
    text("name", null="unknown"),
    text("service", "word_service_id", "unknown"),
    text("verdict", "column_verdict"),
    text("note", null="unknown"),
    text("author", "column_author"),
    text("at", "column_at"),
    text("matched", "column_matched"),
    number("lon", "column_lon", "°"),
    number("lat", "column_lat", "°"),
    text("run"),
    count("version", "column_version", ""),
)


@dataclass(frozen=True, slots=True)
class _Things:
    """What may be marked in a run, in metres."""

    ids: list[str]
    services: list[str | None]
    names: list[str | None]
    shapes: NDArray[Any]
    crs: str

    @classmethod
    def of(cls, state: AreaState, kind: str) -> _Things:
        layer, crs = LAYER_OF[kind], state.run.city.crs
        if layer not in layers_of(state.run):
            return cls([], [], [], np.empty(0, dtype=object), crs)

        def make() -> _Things:
            table = state.layer(layer)
            frame = table.frame
            metric = shapely.transform(table.geometry, lambda xy: to_metric(xy, crs))
            return cls(
                frame["id"].astype(str).tolist(),
                _texts(frame, "service"),
                _texts(frame, "name"),
                metric,
                crs,
            )

        return state.derived(("reviewed", kind, state.mark(layer)), make)

    def place(self, row: int) -> tuple[float, float]:
        """A place of a thing (on it), in degrees."""
        inside = shapely.point_on_surface(self.shapes[row])
        lon, lat = to_lonlat(shapely.get_coordinates(inside)[:1], self.crs)[0].round(DECIMALS)
        return float(lon), float(lat)

    def metres_to(self, lon: float, lat: float) -> NDArray[np.float64]:
        """How far each is from a place; 0 inside of it."""
        x, y = to_metric(np.array([[lon, lat]]), self.crs)[0]
        found: NDArray[np.float64] = shapely.distance(self.shapes, shapely.Point(x, y))
        return found


def _texts(frame: Any, name: str) -> list[str | None]:
    if name not in frame.columns:
        return [None] * len(frame)
    return [value if isinstance(value, str) else None for value in frame[name].tolist()]


def read_target(state: AreaState, target: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a mark that tell what it is on.

    Raises
    ------
    MissingError : no such thing in the run, and no place given.
    RequestError : a place outside the area.
    """
    kind, identity = target["kind"], target["id"].strip()
    things = _Things.of(state, kind)
    told = {"kind": kind, "target": identity, "run": state.run.manifest.run}
    if identity in things.ids:
        row = things.ids.index(identity)
        lon, lat = things.place(row)
        named = things.names[row]
        return {
            **told, "lon": lon, "lat": lat, "service": things.services[row],
            "name": named and named[:200],
        }  # fmt: skip
    lon, lat, service = target["lon"], target["lat"], target["service"]
    if kind not in FREE or lon is None or lat is None or service not in state.run.policy.services:
        raise MissingError("review_no_target", kind=kind, id=identity)
    x, y = to_metric(np.array([[lon, lat]]), state.run.city.crs)[0]
    west, south, east, north = state.run.city.cells.xy_m.min(axis=0).tolist() + (
        state.run.city.cells.xy_m.max(axis=0).tolist()
    )
    beside = float(matching().nearby_m.value)
    if not (west - beside <= x <= east + beside and south - beside <= y <= north + beside):
        raise RequestError("review_outside", lon=lon, lat=lat)
    return {**told, "lon": lon, "lat": lat, "service": service, "name": None}


def check_reason(verdict: str, note: str) -> None:
    """Refuse *not a gap* without a because.

    Raises
    ------
    RequestError : no note.
    """
    if verdict == REASONED and not note.strip():
        raise RequestError("review_because")


def match(state: AreaState, held: Mapping[str, Any]) -> tuple[str, dict[str, Any] | None]:
    """Whether what was marked is there in a run (same, moved, gone), and where."""
    things = _Things.of(state, held["kind"])
    metres = things.metres_to(held["lon"], held["lat"])
    same_place_m, nearby_m = matching().same_place_m.value, matching().nearby_m.value
    alike = [row for row, one in enumerate(things.services) if one == held["service"]]
    near = sorted(
        (row for row in alike if metres[row] <= same_place_m), key=lambda row: metres[row]
    )
    own = [row for row in alike if things.ids[row] == held["target"]]
    here = [row for row in own if row in near] or [
        row for row in near if _may_be(held, things.names[row])
    ]
    if here:
        return "same", _now(things, here[0], metres)
    named = [
        row
        for row in alike
        if held["kind"] == "facility"
        and held["name"] is not None
        and things.names[row] == held["name"]
        and metres[row] <= nearby_m
    ]
    there = own or sorted(named, key=lambda row: metres[row])
    return ("moved", _now(things, there[0], metres)) if there else ("gone", None)


def _may_be(held: Mapping[str, Any], name: str | None) -> bool:
    """Whether a thing at the place marked may be the one marked, by its name."""
    if held["kind"] not in BY_NAME:
        return True
    return name == held["name"] or (held["kind"] == "facility" and None in (name, held["name"]))


def _now(things: _Things, row: int, metres: NDArray[np.float64]) -> dict[str, Any]:
    lon, lat = things.place(row)
    return {"id": things.ids[row], "lon": lon, "lat": lat, "metres": round(float(metres[row]), 1)}


def review_document(
    state: AreaState, kept: Kept, history: Sequence[Mapping[str, Any]] | None = None
) -> dict[str, Any]:
    """A mark, matched with a run."""
    held = kept.held
    matched, now = match(state, held)
    told = {
        "id": kept.id,
        "area": kept.area,
        "target": {
            "kind": held["kind"],
            "id": held["target"],
            **{name: held[name] for name in ("name", "service", "lon", "lat", "run")},
        },
        "verdict": held["verdict"],
        "note": held["note"],
        "author": held["author"],
        "at": moment(kept.changed),
        "created": moment(kept.created),
        "version": kept.version,
        "matched": matched,
        "now": now,
    }
    return told if history is None else {**told, "history": list(history)}


def kept_marks(state: AreaState, database: Database) -> list[dict[str, Any]]:
    """All marks of a run's area, matched with it, the oldest first.

    Raises
    ------
    DatabaseError : the database cannot be read.
    """
    if not database.there():
        return []
    area = state.run.manifest.area
    return [review_document(state, one) for one in REVIEWS.all_of(database.engine(), area)]


def reviews_geojson(reviews: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Marks as points: where what was marked stands now, else where it stood."""
    features = []
    for one in reviews:
        place = one["now"] or one["target"]
        plain = {name: one[name] for name in one if name not in ("target", "now", "history")}
        marked = {f"target_{name}": value for name, value in one["target"].items()}
        point = {"type": "Point", "coordinates": [place["lon"], place["lat"]]}
        features.append(
            {"type": "Feature", "id": one["id"], "geometry": point, "properties": plain | marked}
        )
    return {"type": "FeatureCollection", "features": features}


def export_reviews(reviews: Iterable[Mapping[str, Any]], path: Path, lang: Language = "zh") -> None:
    """Write marks as ``.csv`` or ``.xlsx``.

    Raises
    ------
    WorkspaceError : the file cannot be written.
    """
    rows = [
        {
            **{name: one["target"][name] for name in ("kind", "name", "service", "run")},
            **{name: (one["now"] or one["target"])[name] for name in ("lon", "lat")},
            "target": one["target"]["id"],
            **{
                name: one[name]
                for name in ("id", "verdict", "note", "author", "at", "matched", "version")
            },
        }
        for one in reviews
    ]
    export_rows(rows, REVIEW_COLUMNS, path, "reviews", lang)
