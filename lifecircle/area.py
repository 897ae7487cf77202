"""An area as Python meets it: questions in words, answers as frames.

Every answer is made where the answer of HTTP is made (`lifecircle.service.catalog`), so that both
say the same; geometry is in EPSG:4326, ``frame.to_crs(area.crs)`` gives metres.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from lifecircle.analysis.city.streets.network import WalkNetwork
from lifecircle.analysis.errors import known_language
from lifecircle.analysis.measures.catchments.kept import catchments_of
from lifecircle.analysis.measures.names import TOTAL
from lifecircle.analysis.measures.point.isochrone import Direction, isochrone
from lifecircle.analysis.measures.question import Question, Study
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.policy.additions import with_walker
from lifecircle.analysis.results.layers.layers import (
    DEGREES,
    catchment_frame,
    gap_frame,
    layer_frame,
    layers_of,
)
from lifecircle.analysis.results.model import Run
from lifecircle.frames import row_table, texts_of, unit_frame
from lifecircle.service.catalog.circles import circles_document
from lifecircle.service.catalog.coverage import coverage_document
from lifecircle.service.catalog.gaps import gaps_asked, sums_row

if TYPE_CHECKING:
    from lifecircle.service.maps.folium_map import OfflineMap
    from lifecircle.service.state import AreaState


class Area:
    """One run of an area, ready to be asked.

    Parameters
    ----------
    run : an opened run; `lifecircle.open` and `lifecircle.build` hand out areas.

    Examples
    --------
    >>> import lifecircle as lc
    >>> town = lc.tiny_town()
    >>> town.residents, town.levels
    (900, ('subdistrict',))
    >>> town.coverage("health_centre")[["residents", "covered"]].sum().tolist()
    [900, 600]
    >>> town.gaps("health_centre")["residents"].tolist()
    [100, 100, 100]
    """

    def __init__(self, run: Run) -> None:
        self.run = run

    def __repr__(self) -> str:
        return repr(self.run).replace("<Run", "<Area", 1)

    def _repr_html_(self) -> str:
        return self.run._repr_html_()

    @property
    def name(self) -> str:
        """The area's name in its workspace."""
        return self.run.manifest.area

    @property
    def crs(self) -> str:
        """The metric CRS that figures are made in, ``EPSG:...``."""
        return self.run.city.crs

    @property
    def study(self) -> Study:
        """What `lifecircle.coverage` and the other measures take."""
        return self.run.study

    @property
    def policy(self) -> Policy:
        """The policy the area was built under."""
        return self.run.policy

    @property
    def network(self) -> WalkNetwork:
        """The walking network; ``.to_networkx()`` gives a graph that osmnx takes as well."""
        return self.run.city.network

    @property
    def residents(self) -> int | None:
        """Residents of the area, persons; None where nobody is counted."""
        return self.run.manifest.residents

    @property
    def services(self) -> tuple[str, ...]:
        """Ids of the services that can be judged."""
        return self.run.manifest.services

    @property
    def levels(self) -> tuple[str, ...]:
        """Ids of the unit levels, the largest units first."""
        return self.run.city.units.levels

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers `layer` gives."""
        return layers_of(self.run)

    def with_walker(self, walker: str, **said: Any) -> Area:
        """The same run with one more walker to ask for; parameters as in `lifecircle.with_walker`.

        Nothing is built again: walks are kept as lengths.
        """
        return Area(replace(self.run, policy=with_walker(self.policy, walker, **said)))

    def coverage(
        self,
        service: str | None = None,
        minutes: float | None = None,
        *,
        walker: str = "adult",
        group: str = TOTAL,
        by: str | None = None,
        at: str | None = None,
    ) -> gpd.GeoDataFrame:
        """Coverage per unit: persons, and the readings U, P, P_core, L, C as fractions 0-1.

        Parameters
        ----------
        service : service id; None means all, one block of rows after the other.
        minutes : longest walk; None = each service's own.
        group : ``total`` or a population group of the area.
        by : unit level, None = the lowest that holds most residents.
        at : a moment of the week (``Sa 19:00``): only what is known to be open then counts.

        Returns
        -------
        A frame in EPSG:4326 indexed by unit ``code``. ``attrs["total"]`` holds the figures of the
        whole area by service, ``attrs["warnings"]`` what is to be known.

        Raises
        ------
        UnknownNameError, ParameterError : as `lifecircle.coverage`.
        """
        question = Question(service, minutes, walker, group, by, at)
        document = coverage_document(self.run, question, lang="en")
        blocks: list[dict[str, Any]] = document.get("services", [document])
        rows = [{"service": one["service"], **row} for one in blocks for row in one["units"]]
        frame = unit_frame(self.run, blocks[0]["by"], rows)
        frame.attrs["total"] = {one["service"]: one["total"] for one in blocks}
        frame.attrs["warnings"] = texts_of(document)
        return frame

    def gaps(
        self,
        service: str | None = None,
        minutes: float | None = None,
        *,
        walker: str = "adult",
        group: str = TOTAL,
        by: str | None = None,
        at: str | None = None,
        min_residents: int = 0,
    ) -> gpd.GeoDataFrame:
        """Gaps, most residents first: the features of HTTP as rows, indexed by ``id``.

        Those of residents whom full places leave out (``over_capacity``) come last. `by`: a unit
        level, or ``none`` for regions that are not cut at the borders of units.
        ``.attrs["sums"]`` says per service who is not within reach, who is but finds no room, and
        who is served.

        Raises
        ------
        UnknownNameError, ParameterError : as `lifecircle.gaps`.
        """
        question = Question(service, minutes, walker, group, by, at)
        answer = gaps_asked(self.run, question, min_residents=min_residents)
        frame = gap_frame(answer.run, answer.found).set_index("id")
        frame.attrs["sums"] = [sums_row(self.study, question, one) for one in answer.bridges]
        return frame

    def circles(
        self,
        kind: str | None = None,
        minutes: float | None = None,
        *,
        walker: str = "adult",
        by: str | None = None,
        at: str | None = None,
    ) -> gpd.GeoDataFrame:
        """Residents with a complete circle per unit, indexed by unit ``code``.

        `kind`: a circle of the policy, None = all; ``missing`` names the services lacking most,
        most residents first.

        Raises
        ------
        UnknownNameError, ParameterError : no such kind, walker or level; impossible minutes.
        """
        question = Question(None, minutes, walker, by=by, at=at)
        blocks = circles_document(self.run, question, kind=kind, lang="en")["circles"]
        rows = [
            {"kind": name, **row, "missing": ", ".join(one["service"] for one in row["missing"])}
            for name, block in blocks.items()
            for row in block["units"]
        ]
        level = next(iter(blocks.values()))["by"]
        return unit_frame(self.run, level, rows)

    def catchments(
        self,
        service: str | None = None,
        minutes: float | None = None,
        *,
        closed: bool = False,
        whole: bool = False,
        estimates: bool = False,
    ) -> gpd.GeoDataFrame:
        """Catchments of the centres of a service, ``natural`` and ``balanced``, indexed by id.

        The columns are those of the layer ``catchments``; `service` None is the first with a
        rule of capacity. Parameters and errors as in `lifecircle.catchments`.
        """
        known = self.policy.capacity_services
        question = Question(service or (known[0] if known else "-"), minutes)
        found = catchments_of(self.study, question, closed=closed, whole=whole, estimates=estimates)
        return catchment_frame(self.run, found).set_index("id")

    def layer(self, name: str) -> gpd.GeoDataFrame:
        """A layer of the run (`layers`) in EPSG:4326, indexed by ``id``.

        Raises
        ------
        UnknownNameError : no such layer.
        """
        return layer_frame(self.run, name).set_index("id")

    def map(
        self,
        layer: str = "coverage",
        service: str | None = None,
        minutes: float | None = None,
        *,
        walker: str = "adult",
        lang: str = "en",
    ) -> OfflineMap:
        """A Folium map that needs no internet; shown by a notebook, ``.page()`` is the HTML.

        Raises
        ------
        MissingError : no such map.
        UnknownNameError, ParameterError : no such service or walker; impossible minutes.
        """
        from lifecircle.service.maps.pages import Page, map_of

        page = Page(lang=known_language(lang), mode="inline")
        return map_of(self.run, layer, Question(service, minutes, walker), page)

    def isochrone(
        self,
        lon: float,
        lat: float,
        minutes: Sequence[float] | None = None,
        *,
        walker: str = "adult",
        direction: Direction = "from",
    ) -> gpd.GeoDataFrame:
        """How far one walks from a place (degrees), one polygon per limit, the widest first.

        Indexed by ``minutes``; no rows where the place is too far from any street. Parameters and
        errors as in `lifecircle.isochrone`.
        """
        found = isochrone(self.study, (lon, lat), minutes, walker=walker, direction=direction)
        shapes = gpd.GeoSeries(list(found.polygons), crs=self.crs).to_crs(DEGREES)
        limits = pd.Index(found.minutes[: len(shapes)], name="minutes", dtype=float)
        return gpd.GeoDataFrame(
            {"walker": walker}, geometry=shapes.array, index=limits, crs=DEGREES
        )

    def what_if(
        self,
        add: Sequence[tuple[str, float, float]] = (),
        remove: Sequence[str] = (),
        *,
        minutes: float | None = None,
        walker: str = "adult",
        by: str | None = None,
    ) -> gpd.GeoDataFrame:
        """Coverage per unit before and after places are added and removed; nothing is kept.

        Parameters
        ----------
        add : places to try, each (service, lon, lat) in degrees.
        remove : ids of facilities, as in the layer ``facilities``.

        Returns
        -------
        A frame indexed by unit ``code`` with ``service``, ``covered_before``, ``covered_after``,
        ``P_before``, ``P_after``; ``attrs["total"]`` holds the area's figures by service.

        Raises
        ------
        ParameterError : nothing to try, no facility of that id, impossible minutes.
        UnknownNameError : no such service, walker or level.
        """
        from lifecircle.service.catalog.access import what_if_document

        places = [{"service": one, "lon": lon, "lat": lat} for one, lon, lat in add]
        question = Question(None, minutes, walker, by=by)
        document = what_if_document(self._state, question, add=places, remove=remove, lang="en")
        changed = document["services"]
        rows = [{"service": one["service"], **row} for one in changed for row in one["units"]]
        frame = unit_frame(self.run, document["by"], rows)
        frame.attrs["total"] = {
            one["service"]: {**one["total"], "gained": one["gained"], "lost": one["lost"]}
            for one in changed
        }
        frame.attrs["warnings"] = texts_of(document)
        return frame

    def scorecard(self, *, walker: str = "adult", lang: str = "en") -> pd.DataFrame:
        """Every promise of the plan, judged; one row each, indexed by its id.

        Raises
        ------
        ParameterError : the policy has no scorecard.
        """
        from lifecircle.service.catalog.scorecard import scorecard_document

        language = known_language(lang)
        document = scorecard_document(self.run, walker=walker, lang=language)
        rows = [
            {
                "id": row["id"],
                "title": row["title"][language],
                "value": row["readings"].get(row["headline"]),
                "target": row["target"],
                "unit": row["unit"],
                "status": row["status"],
            }
            for row in document["rows"]
        ]
        return row_table(rows).set_index("id")

    @cached_property
    def _state(self) -> AreaState:
        """What the service keeps of a run between questions."""
        from lifecircle.service.state import AreaState

        return AreaState(self.run)
