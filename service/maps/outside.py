"""The last check of a page: nothing in it may ask another server for anything.

The page is read as a browser reads it. Only what a browser follows or runs is looked at: addresses
in attributes, styles, scripts. Text between tags, titles and blocks of data are what people or
files say, and may hold any address.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final

from lifecircle.service.errors import ServiceError

_FOLLOWED: Final = frozenset(
    ("action", "background", "cite", "classid", "codebase", "data", "formaction", "href",
     "longdesc", "manifest", "ping", "poster", "profile", "src", "usemap", "xlink:href")
)  # fmt: skip
_LISTS: Final = frozenset({"srcset", "imagesrcset", "archive"})
_RUN: Final = frozenset({"", "module", "text/javascript", "application/javascript"})
_ADDRESS_OUT = re.compile(r"\s*(?:[\\/]{2}|(?!data:)[a-z][a-z0-9+.-]*:)", re.IGNORECASE)
_SLASHES = re.compile(r"\\?/\\?/")
_LEADS_OUT = re.compile(
    r"""[a-z][a-z0-9+.-]*:$        # scheme:
      | url\(\s*["']?\s*$         # url(
      | @import\s*["']$            # @import "
    """,
    re.IGNORECASE | re.VERBOSE,
)
_NAMESPACE = re.compile(r"http://www\.w3\.org/(?:2000/svg|1999/xhtml|1999/xlink)(?=[\"'\\])")
_LOOK_BACK = 24
_SHOWN = 80


class OutsideAddressError(ServiceError, RuntimeError):
    """A page would have asked a server outside; it is not given out."""


def refuse_outside(page: str) -> str:
    """The page itself, once nothing in it leads to another server.

    Raises
    ------
    OutsideAddressError : an address other than the name of an XML namespace would be followed.
    """
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return page


class _Reader(HTMLParser):
    """Goes through a page; raises at the first address that leads out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._within = ""  # script or style whose text comes next

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        for name, value in told.items():
            _check_attribute(name, value)
        if tag == "meta" and told.get("http-equiv", "").lower() == "refresh":
            _check_code(told.get("content", ""))
        kind = told.get("type", "").strip().lower()
        runs = tag == "style" or (tag == "script" and kind in _RUN)
        self._within = tag if runs else ""

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self._within = ""

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002  named by the reader
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within:
            _check_code(data)


def _check_attribute(name: str, value: str) -> None:
    if name in _FOLLOWED:
        if _ADDRESS_OUT.match(value):
            raise OutsideAddressError("map_outside_address", found=f"{name}={value[:_SHOWN]}")
    elif name in _LISTS:
        for part in re.split(r"[\s,]+", value):
            _check_attribute("src", part)
    elif name == "style" or name.startswith("on"):
        _check_code(value)
    elif name == "srcdoc":
        refuse_outside(value)


def _check_code(text: str) -> None:
    """Refuse a script or style that names an address outside."""
    for slashes in _SLASHES.finditer(text):
        at = slashes.start()
        if not _LEADS_OUT.search(text[max(0, at - _LOOK_BACK) : at]):
            continue
        if not _NAMESPACE.match(text, max(0, at - len("http:"))):
            shown = text[max(0, at - _LOOK_BACK) : at + 60]
            raise OutsideAddressError("map_outside_address", found=shown)
