"""Pages without internet: where Leaflet lies, how it is linked or inlined, and the last check.

Leaflet comes from the package ``XStatic-Leaflet``, our own script and style from
``service/assets``. A page *links* them (``/static/leaflet/leaflet.js``) or holds them *inline*;
in both cases `outside.refuse_outside` has the last word.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

from lifecircle.service.errors import ServiceError

Mode = Literal["linked", "inline"]

SCRIPTS: Final = (
    "leaflet/leaflet.js",
    "lifecircle.js",
    "lifecircle-grounds.js",
    "lifecircle-ground.js",
    "lifecircle-places.js",
    "lifecircle-answer.js",
    "lifecircle-signs.js",
    "lifecircle-marks.js",
    "lifecircle-measure.js",
    "lifecircle-state.js",
    "lifecircle-table.js",
    "lifecircle-search.js",
    "lifecircle-picture.js",
    "lifecircle-view.js",
    "lifecircle-panel.js",
)
STYLES: Final = ("leaflet/leaflet.css", "lifecircle.css")


def leaflet_folder() -> Path:
    """The folder of Leaflet's files inside the installed package (``leaflet.js``, ``images/``)."""
    try:
        spec = find_spec("xstatic.pkg.leaflet")
    except ModuleNotFoundError:
        spec = None
    if spec is None or spec.origin is None:
        raise ServiceError("map_leaflet_missing")
    return Path(spec.origin).parent / "data"


@cache
def asset(name: str) -> bytes:
    """One file a page links to (a name of `SCRIPTS`, `STYLES` or ``leaflet/images/...``)."""
    folder, _, rest = name.partition("/")
    if folder == "leaflet" and rest:
        return leaflet_folder().joinpath(rest).read_bytes()
    return files("lifecircle.service").joinpath("assets", name).read_bytes()


@cache
def link(name: str, static_url: str) -> str:
    """The address of an asset with a mark of its content, so that no browser keeps an old one."""
    return f"{static_url}/{name}?v={hashlib.sha256(asset(name)).hexdigest()[:10]}"


@cache
def inline_script(name: str) -> str:
    """A script's text for a page that stands alone: no comment links, no map, no outside link."""
    text = asset(name).decode("utf-8")
    text = re.sub(r"^//# sourceMappingURL=.*$", "", text, flags=re.MULTILINE)
    text = text.replace("https://leafletjs.com", "#")
    return text.replace("</script", "<\\/script")


@cache
def inline_style(name: str) -> str:
    """A style sheet's text for a page that stands alone: comments off, images as data."""
    text = re.sub(r"/\*.*?\*/", "", asset(name).decode("utf-8"), flags=re.DOTALL)
    folder = name.rpartition("/")[0]

    def as_data(found: re.Match[str]) -> str:
        image = asset(f"{folder}/{found.group(1)}")
        return f"url(data:image/png;base64,{base64.b64encode(image).decode('ascii')})"

    return re.sub(r"url\(([\w/.-]+\.png)\)", as_data, text)


def page_policy(nonce: str, mode: Mode = "linked", *, asks: bool = False) -> str:
    """The Content-Security-Policy of a page: only its own scripts run, nothing is fetched.

    `asks`: a page that asks the service it came from about places a reader clicks. A page that
    stands alone may hold style attributes, which folium's own popups have.
    """
    if mode == "linked":
        return (
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
            "img-src 'self' data:; base-uri 'none'; form-action 'self'"
            + ("; connect-src 'self'" if asks else "")
        )
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src-elem 'nonce-{nonce}'; "
        "style-src-attr 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    )
