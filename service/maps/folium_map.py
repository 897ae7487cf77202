"""Folium maps that need no internet: a map, its figure and layers drawn from compact arrays.

Folium loads ten files from outside by default, and branca reads every piece of a page as a
Jinja template again (so that a facility called ``{{ 7*7 }}`` would be computed). `OfflineMap`
loads Leaflet and our own script only, and puts data and markup into the page as they are.

>>> from lifecircle.service.maps.folium_map import OfflineMap
>>> drawn = OfflineMap(location=[25.04, 102.72], zoom_start=12, mode="inline")
>>> "leafletjs.com" in drawn.page()
False
"""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import Any, ClassVar

import folium
from branca.element import Element, Figure, MacroElement
from folium.elements import JSCSSMixin
from folium.map import Layer
from folium.template import Template
from markupsafe import Markup

from lifecircle.service.maps.dense import dense
from lifecircle.service.maps.escape import html_text, script_json
from lifecircle.service.maps.offline import (
    SCRIPTS,
    STYLES,
    Mode,
    asset,
    inline_script,
    inline_style,
    link,
    page_policy,
)
from lifecircle.service.maps.outside import refuse_outside

_ICONS = {
    "iconUrl": "marker-icon.png",
    "iconRetinaUrl": "marker-icon-2x.png",
    "shadowUrl": "marker-shadow.png",
}
# folium.Popup builds its content with jQuery's $(html)[0]; nothing else of jQuery is asked for.
_DOLLAR = (
    "window.$ = window.$ || function (html) { const t = document.createElement('template');"
    " t.innerHTML = html.trim(); return [t.content.firstChild]; };"
)


class Verbatim(Element):
    """A piece of a page that is written as it is, not read as a template."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._name = "Verbatim"
        self.text = text

    def render(self, **_: Any) -> str:
        """The text itself."""
        return self.text


class OfflineFigure(Figure):
    """The page around a map: language, title, nonce; refuses to be given out with a CDN in it."""

    def __init__(self, *, lang: str, mode: Mode, static_url: str, nonce: str | None) -> None:
        super().__init__()
        self.lang = lang
        self.mode = mode
        self.static_url = static_url.rstrip("/")
        self.given_nonce = nonce
        self.nonce = nonce
        self.body_class = ""
        self.frame_height = "620px"
        self.late = Element()
        self.header._children.clear()

    @property
    def mark(self) -> Markup:
        """The nonce as an attribute, empty without one."""
        return Markup(f' nonce="{html_text(self.nonce)}"' if self.nonce else "")  # noqa: S704

    def page(self, mode: Mode | None = None) -> str:
        """The whole page, linked or inline, once it is sure that it asks for nothing outside."""
        asked, self.mode = self.mode, mode or self.mode
        self.nonce = self.given_nonce
        if self.nonce is None and self.mode == "inline":
            self.nonce = self._digest()
        try:
            return refuse_outside(self._written())
        finally:
            self.mode, self.nonce = asked, self.given_nonce

    def _digest(self) -> str:
        seen = hashlib.sha256(str(self.title).encode())
        for child in self._children.values():
            for part in (child, *child._children.values()):
                seen.update(str(getattr(part, "payload", "")).encode())
        return seen.hexdigest()[:32]

    def _written(self) -> str:
        for child in self._children.values():
            child.render()
        lang = "zh-Hans" if self.lang == "zh" else "en"
        policy = (
            f'<meta http-equiv="Content-Security-Policy" '
            f'content="{html_text(page_policy(self.nonce, self.mode))}">\n'
            if self.nonce and self.mode == "inline"
            else ""
        )
        return (
            f'<!DOCTYPE html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">\n{policy}'
            f"<title>{html_text(self.title or '')}</title>\n"
            f'<link rel="icon" href="data:,">\n'
            f"{self.header.render()}\n</head>\n"
            f'<body class="{html_text(self.body_class)}">\n{self.html.render()}\n'
            f"<script{self.mark}>\n{self.script.render()}\n</script>\n"
            f"{''.join(one.render() for one in self.late._children.values())}\n</body>\n</html>\n"
        )

    def render(self, **_: Any) -> str:
        """The whole page."""
        return self.page()

    def _repr_html_(self, **_: Any) -> str:
        """The page for a notebook: standing alone, in a frame that cannot touch the notebook."""
        return (
            f'<iframe sandbox="allow-scripts allow-popups" title="{html_text(self.title or "map")}"'
            f' style="width:100%;height:{html_text(self.frame_height)};border:0"'
            f' srcdoc="{escape(self.page("inline"), quote=True)}"></iframe>'
        )


class OfflineMap(folium.Map):
    """A folium map whose page asks for Leaflet from `static_url`, or holds it (``inline``).

    Parameters
    ----------
    mode : ``linked`` (the service: small pages) or ``inline`` (one file to mail or to open
        from disk). A notebook always gets the inline page.
    lang : ``zh`` or ``en``.
    nonce : of the Content-Security-Policy that the page is sent with.
    scripts, styles : of this page beside those of every page.
    options : those of `folium.Map`; there are no tiles unless asked for.
    """

    default_js = [("leaflet", SCRIPTS[0])]  # noqa: RUF012
    default_css = [("leaflet_css", STYLES[0])]  # noqa: RUF012

    _template = Template(
        """
        {% macro html(this, kwargs) %}<div class="folium-map" id="{{ this.get_name() }}"></div>
        {%- endmacro %}
        {% macro script(this, kwargs) %}
            var {{ this.get_name() }} = L.map({{ this.get_name()|tojson }}, {
                center: {{ this.location|tojson }},
                crs: L.CRS.{{ this.crs }},
                ...{{ this.options|tojavascript }}
            });
            {%- if this.control_scale %}
            L.control.scale({imperial: false}).addTo({{ this.get_name() }});
            {%- endif %}
        {% endmacro %}
        """
    )

    def __init__(
        self,
        location: tuple[float, float] | list[float] | None = None,
        *,
        title: str = "",
        lang: str = "zh",
        mode: Mode = "inline",
        static_url: str = "/static",
        nonce: str | None = None,
        scripts: tuple[str, ...] = (),
        styles: tuple[str, ...] = (),
        **options: Any,
    ) -> None:
        options.setdefault("tiles", None)
        options.setdefault("control_scale", True)
        options.setdefault("attribution_control", bool(options["tiles"]))
        super().__init__(location=location, **options)
        self._id = "main"
        self._more = (styles, scripts)
        figure = OfflineFigure(lang=lang, mode=mode, static_url=static_url, nonce=nonce)
        figure.title = title
        figure.add_child(self)

    @property
    def figure(self) -> OfflineFigure:
        """The page around the map."""
        return _figure_of(self)

    def page(self, mode: Mode | None = None) -> str:
        """The whole page as text."""
        return self.figure.page(mode)

    def render(self, **kwargs: Any) -> str:
        """Put scripts, styles and the map into the page."""
        figure = self.figure
        for name in (*(file for _, file in self.default_css), *STYLES[1:], *self._more[0]):
            figure.header.add_child(Verbatim(_style_tag(figure, name)), name=name)
        for name in (*(file for _, file in self.default_js), *SCRIPTS[1:], *self._more[1]):
            figure.header.add_child(Verbatim(_script_tag(figure, name)), name=name)
        if figure.mode == "inline":
            figure.header.add_child(Verbatim(_stand_alone(figure)), name="stand_alone")
        else:
            figure.header._children.pop("stand_alone", None)
        super(JSCSSMixin, self).render(**kwargs)  # type: ignore[no-untyped-call]
        return ""


def _figure_of(element: Element) -> OfflineFigure:
    root = element.get_root()
    if not isinstance(root, OfflineFigure):
        raise TypeError("layers of lifecircle are drawn on an OfflineMap")
    return root


def _script_tag(figure: OfflineFigure, name: str) -> str:
    if figure.mode == "inline":
        return f"<script{figure.mark}>\n{inline_script(name)}\n</script>"
    return f'<script{figure.mark} src="{html_text(link(name, figure.static_url))}"></script>'


def _style_tag(figure: OfflineFigure, name: str) -> str:
    if figure.mode == "inline":
        return f"<style{figure.mark}>\n{inline_style(name)}\n</style>"
    return f'<link rel="stylesheet" href="{html_text(link(name, figure.static_url))}">'


def _stand_alone(figure: OfflineFigure) -> str:
    icons = {
        option: "data:image/png;base64,"
        + base64.b64encode(asset(f"leaflet/images/{file}")).decode("ascii")
        for option, file in _ICONS.items()
    }
    return (
        f"<script{figure.mark}>L.Icon.Default.imagePath = '';"
        f"L.Icon.Default.mergeOptions({script_json(icons)});{_DOLLAR}</script>"
    )


class Fit(MacroElement):
    """Shows bounds, and again whenever the frame gets another size before a reader moves it."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
            lifecircle.fit({{ this._parent.get_name() }}, {{ this.payload }});
        {% endmacro %}
        """
    )

    def __init__(self, bounds: list[list[float]], *, padding: int, max_zoom: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Fit"
        self._id = "main"
        self.payload = script_json({"bounds": bounds, "padding": padding, "maxZoom": max_zoom})


class DataLayer(Layer):
    """A layer drawn by ``lifecircle.js`` from a block of data: `draws` names the function."""

    draws: ClassVar[str]

    _template = Template(
        """
        {% macro script(this, kwargs) %}
            var {{ this.get_name() }} = lifecircle.{{ this.draws }}(
                {{ this._parent.get_name() }}, lifecircle.data("data_{{ this.get_name() }}"));
        {% endmacro %}
        """
    )

    def __init__(self, data: dict[str, Any], *, name: str | None = None, show: bool = True) -> None:
        super().__init__(
            name=None if name is None else str(html_text(name)), overlay=True, show=show
        )
        self._name = type(self).__name__
        self._id = str(data.get("name", "main"))
        self.payload = script_json(dense(data))

    def render(self, **kwargs: Any) -> str:
        """Put the data and the call that draws it into the page."""
        block = (
            f'<script type="application/json" id="data_{self.get_name()}">{self.payload}</script>'
        )
        _figure_of(self).html.add_child(Verbatim(block), name=f"data_{self.get_name()}")
        super().render(**kwargs)  # type: ignore[no-untyped-call]
        return ""


class LateLayer(DataLayer):
    """A layer that is filled after the first picture: from its own service, or from a block of
    data behind the script of the page.
    """

    _template = Template(
        """
        {% macro script(this, kwargs) %}
            var {{ this.get_name() }} = lifecircle.{{ this.draws }}(
                {{ this._parent.get_name() }}, lifecircle.late({{ this.source }}));
        {% endmacro %}
        """
    )

    def __init__(self, payload: Markup, address: str | None) -> None:
        super().__init__({})
        self.payload = payload
        block = f"data_{self.get_name()}"
        self.source = script_json({"block": block} if address is None else {"from": address})

    def render(self, **kwargs: Any) -> str:
        """Put the call that draws it into the page, and the data at its end."""
        if self.payload:
            name = f"data_{self.get_name()}"
            block = f'<script type="application/json" id="{name}">{self.payload}</script>'
            _figure_of(self).late.add_child(Verbatim(block), name=name)
        super(DataLayer, self).render(**kwargs)  # type: ignore[no-untyped-call]
        return ""


class CellDots(DataLayer):
    """Populated cells coloured by class."""

    draws = "cells"


class Hatching(DataLayer):
    """Some of the cells hatched, whatever colour they have."""

    draws = "hatching"


class Areas(DataLayer):
    """Polygons (units, gaps) with one style function."""

    draws = "areas"


class FacilityDots(DataLayer):
    """Facilities as dots."""

    draws = "dots"


class Panel(MacroElement):
    """The panel beside the map and what a click answers: markup made at the door, and words."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
            lifecircle.panel({{ this._parent.get_name() }}, lifecircle.data("data_panel"));
        {% endmacro %}
        """
    )

    def __init__(self, markup: Markup, config: dict[str, Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Panel"
        self._id = "main"
        self.markup = markup
        self.payload = script_json(config)

    def render(self, **kwargs: Any) -> str:
        """Put the panel beside the map."""
        figure = _figure_of(self)
        figure.body_class = "lc-with-panel"
        block = f'<script type="application/json" id="data_panel">{self.payload}</script>'
        figure.html.add_child(Verbatim(f"{self.markup}\n{block}"), name="panel")
        super().render(**kwargs)  # type: ignore[no-untyped-call]
        return ""
