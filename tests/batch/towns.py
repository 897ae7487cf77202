"""Towns of one street, small enough to build in a moment, and the file of a batch of them."""

from __future__ import annotations

from pathlib import Path

_DEGREE_M = 111_320.0
FAR = "cells-{name}.csv"


def write_town(folder: Path, name: str, *, residents: int = 100, shop_m: float = 20.0) -> str:
    """A street of 2 km on the equator, a shop on it, people at its start and 1.9 km along.

    Returns
    -------
    str : its table for the file of the batch.
    """
    end = 2000 / _DEGREE_M
    (folder / f"{name}.osm").write_text(
        f"""<?xml version="1.0"?><osm version="0.6">
<node id="1" lat="0" lon="0"/><node id="2" lat="0" lon="{end}"/>
<way id="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="residential"/></way></osm>""",
        encoding="utf-8",
    )
    (folder / f"{name}.csv").write_text(
        f"lon,lat,population\n0.0001,0,{residents}\n{1900 / _DEGREE_M},0,{residents * 2}\n",
        encoding="utf-8",
    )
    (folder / f"{name}-places.csv").write_text(
        f"type,name,lon,lat\npharmacy,一店,{shop_m / _DEGREE_M},0\n", encoding="utf-8"
    )
    return f"""
[cities.{name}]
zh = "{name}镇"
osm = "{name}.osm"
population = "{name}.csv"
facilities = ["{name}-places.csv"]
"""


def write_plan(folder: Path, *tables: str, defaults: str = "") -> Path:
    """A file of a batch."""
    plan = folder / "cities.toml"
    head = f'[defaults]\ndatum = "wgs84"\npolicy = "cn-15min"\n{defaults}\n'
    plan.write_text(head + "".join(tables), encoding="utf-8")
    return plan
