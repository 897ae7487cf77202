"""The panel beside a map: a view of plain values, and its one template, which escapes them all."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, Template
from markupsafe import Markup

from lifecircle.service.maps.escape import html_text
from lifecircle.service.maps.scales import laid_over


@dataclass(frozen=True, slots=True)
class Link:
    """A link on the same server; `current` marks where the reader is."""

    label: str
    href: str
    current: bool = False
    lang: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """A label with its value."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure: None is shown as not assessed; `note` says how to read it, or why it is missing.

    `band`: between what it lies, where that is known.
    """

    label: str
    value: str | None
    note: str
    main: bool = False
    band: str = ""


@dataclass(frozen=True, slots=True)
class Swatch:
    """One mark of a legend: a ``box``, ``dot`` or ``line``; `apart` leaves a gap before it.

    `opacity`: with which `colour` was laid over the light paper, so that the page can lay it over
    another. `ground`: the kind of ground it is a mark of, whose colour follows the chosen ground.
    """

    colour: str
    label: str
    shape: str = "box"
    apart: bool = False
    opacity: float = 1.0
    ground: str = ""


def laid(colour: str, opacity: float, label: str, *, apart: bool = False) -> Swatch:
    """The mark of areas that are filled with `colour` at an opacity, as they look on the map."""
    return Swatch(laid_over(colour, opacity), label, apart=apart, opacity=opacity)


@dataclass(frozen=True, slots=True)
class Toggle:
    """A layer that can be switched off, with its legend; a `ramp` is drawn side by side."""

    layer: str
    label: str
    legend: tuple[Swatch, ...] = ()
    ramp: bool = False


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a field; those of one `group` come one after another."""

    value: str
    label: str
    chosen: bool
    group: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """A question of the form: a choice of `options`, or a number."""

    name: str
    label: str
    options: tuple[Option, ...] = ()
    value: str = ""
    placeholder: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A service on the facilities map: its class among the dots, None = not assessed."""

    label: str
    index: int
    colour: str
    count: str | None


@dataclass(frozen=True, slots=True)
class RankRow:
    """One line of a ranking; `index` is the feature a click goes to, `width` of its bar in %.

    `marks`: places on the bar in %, such as a minimum and a maximum; `tone`: ``over`` | ``under``.
    """

    title: str
    value: str
    detail: str
    width: str
    index: int | None
    marks: tuple[str, ...] = ()
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The worst first."""

    title: str
    note: str
    layer: str
    rows: tuple[RankRow, ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """A small picture in a box of 300 x 120: a rising line, a mark on it, words at its ends.

    `line` is ``x,y x,y ...``; `ticks` are (y, label).
    """

    title: str
    note: str
    line: str
    mark_x: str
    mark_y: str
    mark_label: str
    ticks: tuple[tuple[str, str], ...]
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class View:
    """All that the panel shows, as plain text."""

    layer: str
    area: str
    title: str
    words: dict[str, str]
    subtitle: str = ""
    service: str | None = None
    switch: Link | None = None
    desk: Link | None = None
    tabs: tuple[Link, ...] = ()
    banner: str = ""
    fields: tuple[Field, ...] = ()
    hidden: tuple[tuple[str, str], ...] = ()
    plain: tuple[Fact, ...] = ()
    not_assessed: str = ""
    working: str = ""
    tiles: tuple[Tile, ...] = ()
    facts: tuple[Fact, ...] = ()
    toggles: tuple[Toggle, ...] = ()
    grounds: tuple[Option, ...] = ()
    groups: tuple[Group, ...] = ()
    ranking: Ranking | None = None
    ranking_full: Ranking | None = None
    rankings: tuple[Ranking, ...] = ()
    curve: Curve | None = None
    rests: tuple[str, ...] = ()
    rests_folded: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    footer: tuple[Fact, ...] = ()
    credits: tuple[str, ...] = field(default_factory=tuple)


def _through_the_door(value: Any) -> Any:
    return "" if value is None else html_text(value)


@cache
def _template() -> Template:
    rooms = Environment(
        autoescape=True, finalize=_through_the_door, trim_blocks=True, lstrip_blocks=True
    )
    text = (
        files("lifecircle.service")
        .joinpath("templates", "map_panel.html")
        .read_text(encoding="utf-8")
    )
    return rooms.from_string(text)


def panel_markup(view: View) -> Markup:
    """The panel as markup; every value has gone through `escape.html_text`."""
    return Markup(_template().render(view=view))  # noqa: S704
