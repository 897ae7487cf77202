"""A quick look at OSM XML: do its objects stand in the usual order, is there anything unusual?

Looked for by patterns in the bytes, which costs a fraction of parsing. What a pattern takes for
unusual although it stands in a text is set in order for nothing, which changes no result.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import IO, Final

_AT_ONCE: Final = 1 << 22
_OVERLAP: Final = 1 << 12  # longer than any tag that is looked for
_OBJECT: Final = re.compile(rb"<(node|way|relation)\b[^<>]*?\bid\s*=\s*[\"'](-?\d+)[\"']")
_OPENED: Final = re.compile(rb"<(?:node|way|relation)\b")
_UNUSUAL: Final = re.compile(
    rb"\baction\s*=\s*[\"']delete"  # JOSM
    rb"|\bvisible\s*=\s*[\"']false|<delete\b"
    rb"|<center\b|<nd\b[^<>]*\blat\s*="  # Overpass: out center, out geom
    rb"|<bounds\b[^<>]*/?>\s*<(?:center|nd|member|tag)\b"  # Overpass: bounds of one object
)
_REMARK: Final = re.compile(rb"<remark>\s*([^<]*runtime error[^<]*)<", re.DOTALL)
_RANK: Final = {b"node": 0, b"way": 1, b"relation": 2}


@dataclass(frozen=True, slots=True)
class XmlMarks:
    """What a look at a file of XML told.

    `ordered`: nodes before ways before relations, ids above 0 and ascending, none twice.
    `unusual`: something only `lifecircle.analysis.readers.osm.xml_objects` understands.
    `broke_off`: what Overpass says of a query that it gave up, None where it does not.
    """

    ordered: bool
    unusual: bool
    broke_off: str | None = None

    @property
    def plain(self) -> bool:
        """Whether libosmium reads all of it as it lies."""
        return self.ordered and not self.unusual


def marks_of(text: IO[bytes], *, wide: bool = False) -> XmlMarks:
    """Look through a file of XML; `wide`: it is written in UTF-16, and only its parser knows."""
    if wide:
        return XmlMarks(ordered=False, unusual=True)
    ordered, unusual = True, False
    broke_off: str | None = None
    last, objects, opened = (0, 0), 0, 0
    rest = b""
    while True:
        more = text.read(_AT_ONCE)
        block = rest + more
        whole = block if not more else block[: max(block.rfind(b"<", 0, -_OVERLAP), 0)]
        if ordered:
            for found in _OBJECT.finditer(whole):
                here = _RANK[found[1]], int(found[2])
                objects += 1
                if here <= last or here[1] <= 0:
                    ordered = False
                    break
                last = here
            opened += len(_OPENED.findall(whole))
        unusual = unusual or _UNUSUAL.search(block) is not None
        said = _REMARK.search(block)
        if said is not None:
            broke_off = said[1].decode("utf-8", errors="replace").strip()
        if not more:
            return XmlMarks(ordered and objects == opened, unusual, broke_off)
        rest = block[len(whole) :]
