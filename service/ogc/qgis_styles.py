"""How layers are drawn in a QGIS project: classes that differ in lightness, not in hue alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from lifecircle.service.figures import number, percent
from lifecircle.service.maps.scales import (
    DOT_COLOUR,
    PERSON_COLOURS,
    PERSON_EDGES,
    SEQUENTIAL_COLOURS,
    SHARE_EDGES,
)
from lifecircle.service.wording import Words

OUTLINE: Final = "#4a5a57"
LINE: Final = "#8a9794"
STATES: Final = ("underload", "within", "overload")  # light, middle, dark
MOST: Final = "1e12"


def renderer_of(layer: str, words: Words) -> Element:
    """How features of a layer of OGC API Features are drawn."""
    if layer == "gaps":
        return _graduated("residents", (0, *PERSON_EDGES), PERSON_COLOURS, _people)
    if layer == "circles":
        return _graduated("share", (0, *SHARE_EDGES), SEQUENTIAL_COLOURS, _share)
    if layer == "catchments":
        return _by_state(words)
    renderer = Element("renderer-v2", type="singleSymbol", symbollevels="0")
    symbols = SubElement(renderer, "symbols")
    if layer == "units":
        _fill(symbols, "0", None)
    else:
        _marker(symbols, "0", star=layer == "proposals")
    return renderer


def tile_styles(layer: str) -> Element:
    """How a layer of vector tiles is drawn: each style with what it is for."""
    renderer = Element("renderer", type="basic")
    styles = SubElement(renderer, "styles")
    if layer == "network":
        _line(_tile_style(styles, layer, "Line", ""), "0")
        return renderer
    edges = (0, *PERSON_EDGES)
    for i, colour in enumerate(SEQUENTIAL_COLOURS):
        above = f'"residents" >= {edges[i]}'
        below = f' AND "residents" < {edges[i + 1]}' if i + 1 < len(edges) else ""
        held = _tile_style(styles, layer, "Polygon", above + below, _people(edges, i))
        _fill(held, "0", colour, bare=True)
    return renderer


def _tile_style(
    styles: Element, layer: str, geometry: str, expression: str, name: str = ""
) -> Element:
    kinds = {"Point": "0", "Line": "1", "Polygon": "2"}
    style = SubElement(styles, "style", {
        "name": name or layer, "layer": layer, "geometry": kinds[geometry], "enabled": "1",
        "expression": expression, "min-zoom": "-1", "max-zoom": "-1",
    })  # fmt: skip
    return SubElement(style, "symbols")


def _graduated(
    column: str,
    edges: Sequence[float],
    colours: Sequence[str],
    told: Callable[[Sequence[float], int], str],
) -> Element:
    """Classes from an edge (included) up to the next."""
    renderer = Element("renderer-v2", type="graduatedSymbol", attr=column, symbollevels="0")
    ranges, symbols = SubElement(renderer, "ranges"), SubElement(renderer, "symbols")
    for i, colour in enumerate(colours):
        upper = str(edges[i + 1]) if i + 1 < len(edges) else MOST
        label = told(edges, i)
        SubElement(
            ranges, "range", lower=str(edges[i]), upper=upper, symbol=str(i), label=label,
            render="true",
        )  # fmt: skip
        _fill(symbols, str(i), colour)
    return renderer


def _people(edges: Sequence[float], i: int) -> str:
    """The label of a class of residents."""
    if i + 1 == len(edges):
        return f"≥ {number(edges[i])}"
    return f"{number(edges[i])}–{number(edges[i + 1])}"


def _share(edges: Sequence[float], i: int) -> str:
    """The label of a class of shares."""
    upper = edges[i + 1] if i + 1 < len(edges) else 1
    return f"{percent(edges[i])}–{percent(upper)}"


def _by_state(words: Words) -> Element:
    renderer = Element("renderer-v2", type="categorizedSymbol", attr="state", symbollevels="0")
    classes, symbols = SubElement(renderer, "categories"), SubElement(renderer, "symbols")
    for i, state in enumerate(STATES):
        SubElement(
            classes, "category", value=state, symbol=str(i), label=words.load(state), render="true"
        )
        _fill(symbols, str(i), SEQUENTIAL_COLOURS[2 * i])
    return renderer


def _symbol(symbols: Element, which: str, kind: str, layer: str, **told: str) -> None:
    symbol = SubElement(symbols, "symbol", type=kind, name=which, alpha="1")
    drawn = SubElement(symbol, "layer", {"class": layer, "enabled": "1", "pass": "0"})
    for key, value in told.items():
        SubElement(drawn, "prop", k=key, v=value)


def _fill(symbols: Element, name: str, colour: str | None, *, bare: bool = False) -> None:
    _symbol(
        symbols, name, "fill", "SimpleFill", color=_rgba(colour or "#ffffff", 200 if colour else 0),
        outline_color=_rgba(OUTLINE, 255), outline_width="0.26",
        outline_style="no" if bare else "solid", style="solid",
    )  # fmt: skip


def _line(symbols: Element, name: str) -> None:
    _symbol(symbols, name, "line", "SimpleLine", line_color=_rgba(LINE, 255), line_width="0.2")


def _marker(symbols: Element, name: str, *, star: bool) -> None:
    _symbol(
        symbols, name, "marker", "SimpleMarker", name="star" if star else "circle",
        color=_rgba(DOT_COLOUR, 255), outline_color=_rgba("#ffffff", 255), outline_width="0.2",
        size="4" if star else "1.8",
    )  # fmt: skip


def _rgba(colour: str, opacity: int) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"{red},{green},{blue},{opacity}"
