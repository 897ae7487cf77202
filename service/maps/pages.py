"""A run as a Folium page: coverage, gaps, circles, units, facilities; two runs; the desk.

::

    run + question ──► scene (layers, view) ──► OfflineMap ──► page (linked | inline)
                        numbers only from service.catalog
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import shapely

from lifecircle.analysis.errors import Language, ParameterError
from lifecircle.analysis.measures.question import Question, settle
from lifecircle.analysis.measures.question import ask as check
from lifecircle.analysis.results.model import Run
from lifecircle.analysis.unknown_names import unknown
from lifecircle.service.catalog.headline import worst_service
from lifecircle.service.errors import MissingError
from lifecircle.service.maps.ask import PROFILED, Ask
from lifecircle.service.maps.click_words import page_config
from lifecircle.service.maps.context_layers import ground_choice, ground_layer, tianditu_offer
from lifecircle.service.maps.desk import desk_words
from lifecircle.service.maps.desk.desk_scene import desk_scene
from lifecircle.service.maps.folium_map import Fit, OfflineMap, Panel
from lifecircle.service.maps.offline import Mode
from lifecircle.service.maps.panel import View, panel_markup
from lifecircle.service.maps.scene import (
    CATCHMENTS,
    COMPARE,
    DESK,
    LAYERS,
    REFERRAL,
    Scene,
    layers_for,
)
from lifecircle.service.maps.scenes.catchments import SOLUTIONS, catchments_scene
from lifecircle.service.maps.scenes.circles import circles_scene
from lifecircle.service.maps.scenes.compare import compare_scene
from lifecircle.service.maps.scenes.coverage import coverage_scene
from lifecircle.service.maps.scenes.gaps import gaps_scene
from lifecircle.service.maps.scenes.places import facilities_scene, units_scene
from lifecircle.service.maps.scenes.proposals import proposals_scene, proposals_waiting
from lifecircle.service.maps.scenes.quality import quality_scene
from lifecircle.service.maps.scenes.referral import AT_ONCE, referral_scene
from lifecircle.service.maps.shapes import degrees

__all__ = ["COMPARE", "LAYERS", "SOLVED", "Page", "map_of", "map_page"]

SOLVED: Final = frozenset({"proposals"})  # pages whose answer is solved for, not counted
WAITING: Final = ("lifecircle-working.js",)
_WORKING_WORDS: Final = ("since", "failed", "nobody", "again")


@dataclass(frozen=True, slots=True)
class Page:
    """How a map page is made.

    `mode`: ``linked`` needs `static_url` to be served; ``inline`` is one file. `nonce`: of the
    Content-Security-Policy the page is sent with (`offline.page_policy`). `keep`: query parameters
    that the page's own links carry along, for instance ``run``. `kind`, `variant`: of the circles
    (None = the first kind, each service's own minutes). `before`: the earlier run of `COMPARE`.
    `pass_by`: of the page ``referral``, whether everyone may go to a centre at once.
    `solution`: of the page ``catchments``, one of `SOLUTIONS`, balanced when None.
    `ask_at`: where a served page asks about places (``/areas/springcity``), None where nothing
    answers: a file, a notebook. `pieces_at`: where it fetches streets and ground, None = it holds
    them. `marks`: of reviews (documents of the catalog) that a file shows. `years`: of which the
    area has runs, to choose from. `tianditu`: tiles that the service hands on, where it does
    (``at``, the address before ``/{layer}/{z}/{y}/{x}``, and the ``review_number`` to show);
    never in a file. `waits`: the page of a layer of `SOLVED` is shown without its answer, and asks
    its service until that is there.
    """

    lang: Language = "zh"
    mode: Mode = "linked"
    static_url: str = "/static"
    nonce: str | None = None
    keep: Mapping[str, str] = field(default_factory=dict)
    kind: str | None = None
    variant: str | None = None
    before: Run | None = None
    solution: str | None = None
    pass_by: bool = False
    ask_at: str | None = None
    pieces_at: str | None = None
    marks: Sequence[Mapping[str, Any]] = ()
    years: Sequence[int] = ()
    tianditu: Mapping[str, str] | None = None
    waits: bool = False


def map_page(run: Run, layer: str, question: Question, page: Page) -> str:
    """A map page of a run as HTML that asks nothing of any other server.

    Parameters
    ----------
    layer : one of `LAYERS`, or `COMPARE` with the earlier run in ``page.before``.
    question : service None = the one farthest below its target, else the first that is assessed
        (facilities: all of them).

    Raises
    ------
    MissingError : no such layer.
    UnknownNameError, ParameterError : no such service, walker or level; impossible minutes.
    """
    return map_of(run, layer, question, page).page()


def map_of(
    run: Run, layer: str, question: Question | None = None, page: Page | None = None
) -> OfflineMap:
    """The same as a Folium map, for notebooks; parameters as in `map_page`."""
    page = page or Page(mode="inline")
    lang, mode, solution, before = page.lang, page.mode, page.solution, page.before
    known = (*layers_for(run), *((COMPARE,) if before is not None else ()))
    asks = page.ask_at is not None and mode == "linked"
    known = (*known, DESK) if asks else known
    if layer not in known:
        raise MissingError("map_layer_unknown", layer=layer, known=", ".join(known))
    if solution is not None and solution not in SOLUTIONS:
        raise unknown("unknown_solution", solution, SOLUTIONS)
    chosen = {"solution": solution, AT_ONCE: "true" if page.pass_by else None}
    kept = {**page.keep, **{name: told for name, told in chosen.items() if told is not None}}
    asked = settle(run.study, question or Question())
    ask = Ask(
        *(run, layer, asked, lang, mode, kept, page.kind, page.variant, before, page.marks),
        pieces_at=page.pieces_at if mode == "linked" else None,
        years=page.years,
    )
    if ask.profile is not None and layer not in PROFILED:
        raise ParameterError("profile_only_walk", layer=layer, profile=ask.profile.title)
    scene = waiting_scene(ask) if page.waits else _scene(ask)
    waits = "working" in scene.view  # where nothing is to be solved it is whole already
    offered = page.tianditu if mode == "linked" else None
    scene.view["grounds"] = ground_choice(ask, offered is not None)
    ground = ground_layer(ask)
    if ground is not None:
        scene.view["toggles"] = (*scene.view.get("toggles", ()), ground[1])
    view = View(**scene.view)
    drawn = OfflineMap(
        location=_middle(run),
        title=f"{view.title} · {view.area}",
        lang=lang,
        mode=mode,
        static_url=page.static_url,
        nonce=page.nonce,
        scripts=desk_words.SCRIPTS if layer == DESK else WAITING if waits else (),
        styles=desk_words.STYLES if layer == DESK else (),
        prefer_canvas=True,
        max_zoom=19,
        zoom_snap=0.25,
        wheel_px_per_zoom_level=90,
    )
    drawn.add_child(_fit(run))
    for part in (*(() if ground is None else ground[:1]), *scene.layers):
        drawn.add_child(part)
    config = page_config(ask, view, page.ask_at)
    if offered is not None:
        config["tianditu"] = tianditu_offer(ask, offered)
    if waits:
        config["working"] = {
            name: ask.say(f"working_{name}", n="{n}", why="{why}") for name in _WORKING_WORDS
        }
    if layer == DESK and page.ask_at is not None:
        service = ask.service or first_service(run)
        config["desk"] = desk_words.desk_config(ask, service, page.ask_at)
    drawn.add_child(Panel(panel_markup(view), config))
    return drawn


def waiting_scene(ask: Ask) -> Scene:
    """What is known before a solved page has its answer."""
    return proposals_waiting(ask, first_service(ask.run) if ask.service is None else ask.service)


def _scene(ask: Ask) -> Scene:
    if ask.layer == "units":
        return units_scene(ask)
    if ask.layer == "quality":
        return quality_scene(ask)
    if ask.layer == "circles":
        return circles_scene(ask)
    if ask.layer == "facilities":
        if ask.service is not None:
            check(ask.run.study, ask.question)
        return facilities_scene(ask)
    if ask.layer == CATCHMENTS:
        return catchments_scene(ask, ask.service or ask.run.policy.capacity_services[0])
    if ask.layer == REFERRAL:
        return referral_scene(ask)
    service = first_service(ask.run) if ask.service is None else ask.service
    if ask.layer == COMPARE:
        return compare_scene(ask, service)
    draw = {
        "coverage": coverage_scene,
        "gaps": gaps_scene,
        "proposals": proposals_scene,
        DESK: desk_scene,
    }
    return draw[ask.layer](ask, service)


def first_service(run: Run) -> str:
    """The service a map shows unasked: the farthest below its target, else the first assessed."""
    worst = worst_service(run) if run.city.cells.counted else None
    if worst is not None:
        return worst.service
    services = run.manifest.services or run.travel.services
    return next((name for name in services if run.city.assessed(name)), services[0])


def _bounds(run: Run) -> tuple[float, float, float, float]:
    """West, south, east, north of the people, the facilities and the units, degrees."""
    boxes = [
        shapely.total_bounds(drawn)
        for shapes in (run.city.units.geometry, run.city.facilities.geometry)
        if (drawn := [shape for shape in shapes if shape is not None])
    ]
    xy = run.city.cells.xy_m
    if len(xy):
        boxes.append(np.concatenate([xy.min(axis=0), xy.max(axis=0)]))
    found = np.array([box for box in boxes if np.isfinite(box).all()])
    if not len(found):
        return run.manifest.bbox
    west, south = found[:, 0].min(), found[:, 1].min()
    east, north = found[:, 2].max(), found[:, 3].max()
    corners = np.array([[west, south], [west, north], [east, south], [east, north]])
    lonlat = degrees(corners, run.city.crs)
    (a, b), (c, d) = lonlat.min(axis=0).tolist(), lonlat.max(axis=0).tolist()
    return a, b, c, d


def _middle(run: Run) -> tuple[float, float]:
    west, south, east, north = _bounds(run)
    return (south + north) / 2, (west + east) / 2


def _fit(run: Run) -> Fit:
    west, south, east, north = _bounds(run)
    return Fit([[south, west], [north, east]], padding=18, max_zoom=17)
