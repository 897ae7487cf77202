"""Places that a map names and that are not open: counted, told, and no facilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import geopandas as gpd

from lifecircle.analysis.city.notes import NotOpen
from lifecircle.analysis.city.shapes import anchor_xy, project_frame
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.texts import Title, listed, say_both

_IDS_SHOWN: Final = 3
_SERVICES_SHOWN: Final = 5


def note_not_open(
    frame: gpd.GeoDataFrame, crs: str, policy: Policy
) -> tuple[tuple[NotOpen, ...], tuple[Warn, ...]]:
    """Rows of `OsmPlaces.not_open` as notes of a city, and one remark about them.

    Sorted by service in the policy's order, then by id; `crs` metric.
    """
    if len(frame) == 0:
        return (), ()
    order = {service: number for number, service in enumerate(policy.services)}
    xy_m = anchor_xy(project_frame(frame, crs)).tolist()
    told = frame[["id", "service", "name", "source", "state", "why"]].astype(object)
    told = told.where(told.notna(), None)  # a column without any name holds NaN
    columns = (told[name] for name in told.columns)
    rows = [NotOpen(*row, *at) for row, at in zip(zip(*columns, strict=True), xy_m, strict=True)]
    rows.sort(key=lambda row: (order[row.service], row.id))
    return tuple(rows), (_remark(rows, policy),)


def _remark(rows: Sequence[NotOpen], policy: Policy) -> Warn:
    of: dict[str, list[str]] = {}
    for row in rows:
        of.setdefault(row.service, []).append(row.id)
    shown = sorted(of, key=lambda service: -len(of[service]))[:_SERVICES_SHOWN]
    kinds = [
        say_both(
            "facilities_of_kind",
            title=policy.services[one].title,
            count=len(of[one]),
            ids=_some(of[one]),
        )
        for one in shown
    ]
    more = ["…"] * (len(of) > len(shown))
    planned = sum(row.state == "planned" for row in rows)
    params = {"count": len(rows), "gone": len(rows) - planned, "planned": planned}
    return Warn("facilities_not_open", params | {"kinds": listed([*kinds, *more], "clauses")})


def _some(ids: Sequence[str]) -> Title:
    return listed([*ids[:_IDS_SHOWN], *["…"] * (len(ids) > _IDS_SHOWN)])
