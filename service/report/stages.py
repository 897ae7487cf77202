"""The years of staged siting as one page: which place opens when, and every load within its bounds.

Reads the document that HTTP and the command give; no script, nothing from outside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from markupsafe import Markup, escape

from lifecircle.analysis.city.crs import to_metric
from lifecircle.analysis.errors import Language
from lifecircle.analysis.measures.question import default_level
from lifecircle.analysis.results.model import Run
from lifecircle.service.figures import number, percent, stamp
from lifecircle.service.maps.outside import refuse_outside
from lifecircle.service.report.drawing import Frame, UnitShapes
from lifecircle.service.report.standalone import own_asset, own_policy, own_template
from lifecircle.service.wording import Words

_WIDE, _HIGH = 900, 600  # of the map, in pixels
_BAR: Final = 220
_COLOURS: Final = ("#0b4f4a", "#a8480c", "#7a4fa3", "#1f5fa6", "#7a5b00", "#b3401a")
_STANDING: Final = "#8a9693"
_NARROW: Final = """
@media (max-width: 700px) {
  .sheet > table { display: block; overflow-x: auto; }
  .sheet > table td:nth-child(2) { min-width: 9em; }
  .sheet > svg { max-width: 100%; height: auto; }
}
"""


def stages_page(run: Run, document: Mapping[str, Any], lang: Language) -> str:
    """A document of staged siting as HTML; `run` is that of the last year."""
    words = Words(lang, "stages")
    style = _style()
    page = own_template("stages.html").render(
        lang=lang,
        t=words,
        d=document,
        style=Markup(style),  # noqa: S704  our own file
        policy=own_policy(style),
        created=stamp(document["created"]),
        number=number,
        title=words.title(document["title"]),
        service=words.title(document["service_title"]),
        walker=run.policy.walkers[document["walker"]].title.text(lang),
        limit=words.limit(document["minutes"]),
        opens=[_opening(one, words) for one in document["proposals"]],
        proof=words(
            "proven" if document["proven"] else "bound",
            count=number(document["candidates"]["count"]),
            considered=document["candidates"]["considered"],
            unserved=number(document["unserved"]),
            bound=number(document["bound"]),
            gap=percent(document["gap"]),
        ),
        drawing=_drawing(run, document, words),
        rows=list(_rows(document, words)),
        warnings=[one["text"] for one in document["warnings"]],
    )
    return refuse_outside(page)


def stages_policy() -> str:
    """The Content-Security-Policy of the page."""
    return own_policy(_style())


def _style() -> str:
    return own_asset("scorecard.css") + _NARROW


def _opening(one: Mapping[str, Any], words: Words) -> dict[str, Any]:
    return {
        "rank": one["rank"],
        "year": one["opens"],
        "name": _named(one, words),
        "unit": words.named(one, "unit_name") or words.none,
        "loads": [(year, number(load)) for year, load in one["loads"].items()],
        "colour": _COLOURS[(one["rank"] - 1) % len(_COLOURS)],
    }


def _named(one: Mapping[str, Any], words: Words) -> str:
    return str(words.named(one) or words.near(one) or one["site"])


def _rows(document: Mapping[str, Any], words: Words) -> Iterator[dict[str, Any]]:
    """Every place with a bar of its load in each year, those to be opened first."""
    rank = {one["site"]: one["rank"] for one in document["proposals"]}
    named = {one["site"]: _named(one, words) for one in document["proposals"]}
    seen: dict[tuple[bool, str], dict[int, Mapping[str, Any]]] = {}
    for stage in document["stages"]:
        for row in stage["centres"]:
            seen.setdefault((row["new"], row["id"]), {})[stage["year"]] = row
    years = [stage["year"] for stage in document["stages"]]
    order = sorted(seen, key=lambda key: (not key[0], rank.get(key[1], 0), key[1]))
    most = max((r["maximum"] for held in seen.values() for r in held.values()), default=1)
    for new, identity in order:
        held = seen[new, identity]
        any_row = next(iter(held.values()))
        place = rank.get(identity) if new else None
        yield {
            "rank": place,
            "name": named[identity] if new else words.named(any_row) or identity,
            "colour": _STANDING if place is None else _COLOURS[(place - 1) % len(_COLOURS)],
            "years": [_bar(held.get(year), most, words) for year in years],
        }


def _bar(row: Mapping[str, Any] | None, most: int, words: Words) -> dict[str, Any]:
    if row is None:
        return {"told": words("not_open"), "bar": Markup(), "state": "none"}

    def at(persons: int) -> float:
        return round(_BAR * persons / most, 1)

    colour = "#b7791f" if row["state"] == "underload" else "#1b7f4b"
    bar = (
        f'<svg width="{_BAR}" height="12" viewBox="0 0 {_BAR} 12" aria-hidden="true">'
        f'<rect x="0" y="3" width="{at(row["maximum"])}" height="6" fill="#dfe8e5"/>'
        f'<rect x="0" y="3" width="{at(row["load"])}" height="6" fill="{colour}"/>'
        f'<rect x="{at(row["minimum"])}" y="0" width="1.6" height="12" fill="#1c2b2a"/>'
        f'<rect x="{max(0.0, at(row["maximum"]) - 1.6)}" y="0" width="1.6" height="12" '
        'fill="#1c2b2a"/></svg>'
    )
    state = words("within" if row["state"] == "within" else "underload_state")
    told = f"{number(row['load'])} · {state}"
    return {"told": told, "bar": Markup(bar), "state": row["state"]}  # noqa: S704  numbers only


def _drawing(run: Run, document: Mapping[str, Any], words: Words) -> Markup:
    """The units of the default level with the new places, numbered, and the year of each."""
    units = run.city.units
    level = "subdistrict" if "subdistrict" in units.levels else default_level(run.city)
    rows = units.of_level(level)
    shapes = UnitShapes.of(
        [str(units.code[i]) for i in rows],
        [str(units.name[i]) for i in rows],
        units.geometry[rows],
        _WIDE,
        _HIGH,
    )
    if shapes is None or not document["proposals"]:
        return Markup()
    frame = shapes.frame
    pieces = [
        f'<svg viewBox="-20 -20 {frame.width + 40} {frame.height + 40}" '
        f'width="{frame.width * 2 // 3}" role="img" '
        f'aria-label="{escape(words("map"))}">'
    ]
    pieces += [
        f'<path d="{path}" fill="#eef3f1" stroke="#b8c9c4" stroke-width="1">'
        f"<title>{escape(name)}</title></path>"
        for path, name in zip(shapes.paths, shapes.names, strict=True)
    ]
    lonlat = np.array([[one["lon"], one["lat"]] for one in document["proposals"]])
    for one, (x, y) in zip(
        document["proposals"], _pixels(frame, to_metric(lonlat, run.city.crs)), strict=True
    ):
        colour = _COLOURS[(one["rank"] - 1) % len(_COLOURS)]
        pieces.append(
            f'<circle cx="{x}" cy="{y}" r="13" fill="{colour}" stroke="#fff" stroke-width="2"/>'
            f'<text x="{x}" y="{y + 5}" text-anchor="middle" font-size="14" fill="#fff" '
            f'font-weight="700">{one["rank"]}</text>'
            f'<text x="{x + 18}" y="{y + 5}" font-size="14" fill="#1c2b2a" '
            f'font-weight="600">{one["opens"]}</text>'
        )
    return Markup("".join([*pieces, "</svg>"]))  # noqa: S704  names went through escape


def _pixels(frame: Frame, xy_m: np.ndarray) -> list[tuple[float, float]]:
    x = (xy_m[:, 0] - frame.west) * frame.scale
    y = (frame.north - xy_m[:, 1]) * frame.scale
    return [(round(float(a), 1), round(float(b), 1)) for a, b in zip(x, y, strict=True)]
