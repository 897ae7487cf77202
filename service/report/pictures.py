"""Three small pictures of a run for the home page, as SVG without words: these stand beside them.

Where the worst service is out of reach, how full its places are, who has a complete circle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from lifecircle.analysis.city.crs import to_metric
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.results.model import Run
from lifecircle.analysis.texts import Language
from lifecircle.service.catalog.catchments import catchments_document
from lifecircle.service.catalog.circles import circles_document
from lifecircle.service.catalog.coverage import coverage_document
from lifecircle.service.catalog.headline import headline_of
from lifecircle.service.figures import number, percent
from lifecircle.service.maps import scales
from lifecircle.service.report.drawing import UnitShapes, share_map
from lifecircle.service.wording import Words

_WIDE: Final = 240  # pixels of a picture at its own size
_HIGH: Final = 160
_NAMED: Final = 3  # units named in the words of a map
_SVG: Final = '<svg xmlns="http://www.w3.org/2000/svg" '
_SITE: Final = "#a3145f"
_BAND: Final = "#dfe4e6"
_LOADS: Final = {"within": "#3f8ac4", "overload": "#d95f0e", "underload": "#8c7aa9"}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture with what stands below it, and what is told in its place."""

    name: str
    caption: str
    text: str
    svg: str


def pictures_document(run: Run, lang: Language) -> dict[str, Any]:
    """The pictures of a run that can be drawn, each ``name, caption, text, svg``."""
    words = Words(lang, "page")
    drawn = _drawn(run, words) if run.city.cells.counted else ()
    fields = Picture.__slots__
    pictures = [{name: getattr(one, name) for name in fields} for one in drawn]
    return {"area": run.manifest.area, "run": run.manifest.run, "pictures": pictures}


def _drawn(run: Run, words: Words) -> Iterator[Picture]:
    makers = (_worst_picture, _loads_picture, _circles_picture)
    yield from (found for make in makers if (found := make(run, words)) is not None)


def _worst_picture(run: Run, words: Words) -> Picture | None:
    """Units by the share within reach of the worst service, the proposed place upon them."""
    head = headline_of(run)
    if head["service"] is None:
        return None
    asked = Question(head["service"], head["minutes"])
    document = coverage_document(run, asked, lang=words.lang)
    drawn = _share_map(run, document["by"], {row["code"]: row["P"] for row in document["units"]})
    if drawn is None:
        return None
    shapes, svg = drawn
    told = {
        "service": words.inline(run.policy.services[head["service"]].title),
        "minutes": head["minutes"],
        "level": words.level(run.policy, document["by"]),
    }
    worst = sorted(document["units"], key=lambda row: -(row["not_covered"] or 0))[:_NAMED]
    text = words(
        "picture_worst_text",
        share=percent(head["P"]) or words.unknown,
        names=words.listed(words.named(row) for row in worst),
        **told,
    )
    if head["site"] is None:
        return Picture("worst", words("picture_worst", **told), text, svg)
    lonlat = np.array([[head["site"]["lon"], head["site"]["lat"]]])
    ((x, y),) = shapes.frame.pixels(to_metric(lonlat, run.city.crs)).tolist()
    mark = f'<circle cx="{x:g}" cy="{y:g}" r="6" fill="{_SITE}" stroke="#fff" stroke-width="2"/>'
    marked = svg.removesuffix("</svg>") + mark + "</svg>"
    return Picture("worst", words("picture_worst_site", **told), text, marked)


def _circles_picture(run: Run, words: Words) -> Picture | None:
    """Units by the share of residents with a complete circle, of the first kind."""
    if not run.policy.circles:
        return None
    kind = next(iter(run.policy.circles))
    block = circles_document(run, Question(), kind=kind, lang=words.lang)["circles"][kind]
    shares = {row["code"]: row["share"] for row in block["units"]}
    drawn = _share_map(run, block["by"], shares)
    total = block["total"]
    if drawn is None or total["share"] is None or len(shares) == 1:  # one colour says nothing
        return None
    told = {
        "circle": words.inline(run.policy.circles[kind].title),
        "level": words.level(run.policy, block["by"]),
    }
    text = words(
        "picture_circles_text",
        share=percent(total["share"]),
        complete=number(total["complete"]),
        **told,
    )
    return Picture("circles", words("picture_circles", **told), text, drawn[1])


def _share_map(
    run: Run, level: str, shares: Mapping[str, float | None]
) -> tuple[UnitShapes, str] | None:
    units = run.city.units
    rows = units.of_level(level)
    codes = [str(units.code[i]) for i in rows]
    shapes = UnitShapes.of(codes, codes, units.geometry[rows], _WIDE, _HIGH)
    if shapes is None:
        return None
    return shapes, _SVG + str(share_map(shapes, shares, "", "")).removeprefix("<svg ")


def _loads_picture(run: Run, words: Words) -> Picture | None:
    """A bar for every place with a capacity, the fullest first, before its minimum and maximum."""
    if not run.policy.capacity_services:
        return None
    document = catchments_document(run, Question(), lang=words.lang)
    centres = sorted(document["balanced"]["centres"], key=lambda one: -one["load"])
    if not document["assessed"] or not centres:
        return None
    title = run.policy.services[document["service"]].title
    told = {"service": words.inline(title), "minutes": document["minutes"]}
    states = [one["state"] for one in centres]
    text = words(
        "picture_loads_text",
        count=len(centres),
        under=states.count("underload"),
        within=states.count("within"),
        over=states.count("overload"),
        **told,
    )
    ends = {(one["min"], one["max"]) for one in centres}
    caption = words("picture_loads_own", **told)
    if len(ends) == 1:
        ((minimum, maximum),) = ends
        caption = words("picture_loads", minimum=number(minimum), maximum=number(maximum), **told)
    return Picture("loads", caption, text, _load_bars(centres))


def _load_bars(centres: Sequence[Mapping[str, Any]]) -> str:
    most = max(1, *(max(one["load"], one["max"]) for one in centres))
    step = _WIDE / len(centres)
    wide = step * 0.7

    def at(persons: int) -> float:
        return round((_HIGH - 4) * persons / float(most), 1)

    pieces = [f'{_SVG}viewBox="0 0 {_WIDE} {_HIGH}">']
    for k, one in enumerate(centres):
        x, top = round(step * k, 2), _HIGH - 2 - at(one["max"])
        pieces.append(
            f'<rect x="{x}" y="{top:g}" width="{step + 0.1:.2f}" '
            f'height="{at(one["max"] - one["min"]):g}" fill="{_BAND}" '
            'shape-rendering="crispEdges"/>'
        )
        load, left = at(one["load"]), x + (step - wide) / 2
        pieces.append(
            f'<rect x="{left:.2f}" y="{_HIGH - 2 - load:g}" width="{wide:.2f}" height="{load:g}" '
            f'fill="{_LOADS.get(one["state"], scales.UNKNOWN_COLOUR)}" '
            f'data-value="{one["load"]}"/>'
        )
    line = f'<path d="M0 {_HIGH - 1.5}H{_WIDE}" stroke="#66727a"/>'
    return "".join([*pieces, line, "</svg>"])
