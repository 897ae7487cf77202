"""Rasters of residents that many have, known by name, coordinate system and sign for no data.

WorldPop: https://hub.worldpop.org (``chn_ppp_2020.tif``, ``chn_f_65_2020.tif``; -99999).
GHSL: https://human-settlement.emergency.copernicus.eu (GHS-POP, World Mollweide; -200).
LandScan: https://landscan.ornl.gov (``landscan-global-2021.tif``; -2147483647).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import pyproj

from lifecircle.analysis.texts import MESSAGES, Title

Sex = str  # "f", "m" or "t" (both)

_WORLDPOP_BAND: Final = re.compile(r"[a-z]{3}_([fmt])_(\d{1,2})_(\d{4})(?!\d)")
_WORLDPOP: Final = re.compile(r"(?:[a-z]{3}_)?(?:ppp|pop)_(\d{4})(?!\d)")
_WORLDPOP_DENSITY: Final = re.compile(r"[a-z]{3}_pd_(\d{4})(?!\d)")
_NEW_RELEASE: Final = re.compile(r"_r20\d\d[a-z]")  # with bands up to 90+, before up to 80+
_LAST_OLD: Final = 80
_LAST_NEW: Final = 90
_GHSL: Final = re.compile(r"ghs_pop_[a-z]?(\d{4})(?!\d)")
_LANDSCAN: Final = re.compile(r"(?:landscan[-_a-z]*|lspop)(\d{4})?(?!\d)")
_BLANK: Final = {"worldpop": -99_999.0, "ghsl": -200.0, "landscan": -2_147_483_647.0}
_NAMES: Final = {"worldpop": "WorldPop", "ghsl": "GHSL (GHS-POP)", "landscan": "LandScan"}


@dataclass(frozen=True, slots=True)
class Product:
    """What a raster is. `age`, `sex`: of one age band, the age it begins with; else None.

    `last_age`: the age with which the release's last band begins.
    `density`: persons per km², not per pixel. `named`: by its file's name, not its signs alone.
    """

    family: str
    year: int | None = None
    age: int | None = None
    sex: Sex | None = None
    density: bool = False
    named: bool = True
    last_age: int = _LAST_OLD

    @property
    def blank(self) -> float:
        """The product's own sign for no data, whether the file declares it or not."""
        return _BLANK[self.family]

    def title(self) -> Title:
        """What it is called: ``WorldPop 2020, age band 1-4, women``."""
        name = _NAMES[self.family] + (f" {self.year}" if self.year else "")
        if self.age is None:
            return Title(name, name)
        ages, sex = _ages(self.age, self.last_age), MESSAGES.both(f"sex_{self.sex}")
        return MESSAGES.both("raster_band", name=name, ages=ages, sex=sex)


def recognise(file: str, crs: pyproj.CRS, nodata: float | None) -> Product | None:
    """The product of a raster by the name of its file, else by its signs; None where unknown."""
    name = file.lower()
    if band := _WORLDPOP_BAND.match(name):
        last = _LAST_NEW if _NEW_RELEASE.search(name) else _LAST_OLD
        return Product("worldpop", int(band[3]), int(band[2]), band[1], last_age=last)
    if found := _WORLDPOP_DENSITY.match(name):
        return Product("worldpop", int(found[1]), density=True)
    if found := _WORLDPOP.match(name):
        return Product("worldpop", int(found[1]))
    if found := _GHSL.match(name):
        return Product("ghsl", int(found[1]))
    if found := _LANDSCAN.match(name):
        return Product("landscan", int(found[1]) if found[1] else None)
    signs = {"ghsl": _is_mollweide(crs), "landscan": crs.is_geographic}
    for family, there in signs.items():
        if there and nodata == _BLANK[family]:
            return Product(family, named=False)
    return None


def _is_mollweide(crs: Any) -> bool:
    return "mollweide" in str(crs.name).lower()


def _ages(first: int, last: int) -> str:
    """The years of age of a WorldPop band: 0, 1-4, 5-9 and so on; the last is open."""
    if first in (0, last):
        return f"{first}+" if first else "0"
    return "1\N{EN DASH}4" if first == 1 else f"{first}\N{EN DASH}{first + 4}"
