"""Kept proposals: answers of siting beside the runs they belong to.

::

    DIR/<area>/proposals/<run>/<id>.json

A run stays as it was built. A proposal is written aside and appears by one rename; its id is the
service and a digest of question and answer, so that the same question on the same run is one file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from lifecircle.analysis.access.nearest import NodeField
from lifecircle.analysis.access.sites import CellsOnEdges, walks_improved
from lifecircle.analysis.access.walking import WalkCosts
from lifecircle.analysis.city.crs import to_metric
from lifecircle.analysis.city.streets.attach import Attachments
from lifecircle.analysis.city.streets.snap import Positions
from lifecircle.analysis.errors import ParameterError, WorkspaceError
from lifecircle.analysis.quantities import Int32Array
from lifecircle.analysis.results.columns import all_groups
from lifecircle.analysis.results.folders import keep_beside
from lifecircle.analysis.results.model import Run
from lifecircle.analysis.results.names import inside, safe_name

FOLDER: Final = "proposals"
SITE_COLUMNS: Final = (
    "rank",
    "site",
    "name",
    "kind",
    "unit_code",
    "unit_name",
    "residents_new",
    "residents_reached",
    "person_minutes_saved",
    "load",
)
_PASSING: Final = ("seconds", "warnings")  # what says nothing about the answer itself


def keep(run: Run, document: Mapping[str, Any], positions: list[Positions]) -> str:
    """Keep an answer of siting beside its run; the id it has from now on.

    Parameters
    ----------
    document : plain values (`lifecircle.service.catalog.siting_document`), with ``proposals``.
    positions : of each proposal, every place where it joins the streets.

    Raises
    ------
    ParameterError : nothing is proposed.
    WorkspaceError : the workspace cannot be written.
    """
    if not document["proposals"]:
        raise ParameterError("siting_nothing_to_keep")
    told = {name: value for name, value in document.items() if name not in _PASSING}
    text = json.dumps(told, sort_keys=True, ensure_ascii=False)
    name = f"{document['service']}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"
    content = {
        **document,
        "id": name,
        "kept": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "positions": [_plain(position) for position in positions],
    }
    folder = folder_of(run.path)
    text = json.dumps(content, ensure_ascii=False, indent=1)
    keep_beside(inside(folder, f"{safe_name(name)}.json"), text.encode(), run.manifest.area)
    return name


def folder_of(run: Path) -> Path:
    """The folder of a run's kept proposals (it need not exist)."""
    return run.parent.parent / FOLDER / run.name


def any_kept(run: Path) -> bool:
    """Whether a run (its folder) has a kept proposal."""
    return next(folder_of(run).glob("*.json"), None) is not None


def stamp_of(run: Path) -> str:
    """Changes whenever a proposal is kept or taken away; empty where there is none."""
    files = sorted(folder_of(run).glob("*.json"))
    return ",".join(f"{file.stem}:{file.stat().st_mtime_ns}" for file in files)


def kept(run: Run, service: str | None = None) -> tuple[dict[str, Any], ...]:
    """The kept proposals of a run (of one service), the oldest first.

    Raises
    ------
    WorkspaceError : one of them cannot be read.
    """
    found = []
    for file in sorted(folder_of(run.path).glob("*.json")):
        try:
            found.append(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError) as fault:
            raise WorkspaceError("proposal_unreadable", name=file.name) from fault
    mine = [one for one in found if service in (None, one["service"])]
    return tuple(sorted(mine, key=lambda one: (one["kept"], one["id"])))


def sites_of(proposal: Mapping[str, Any]) -> Attachments:
    """Where the sites of a kept proposal join the streets."""
    rows = [(k, *row) for k, rows in enumerate(proposal["positions"]) for row in rows]
    table = np.array(rows, dtype=np.float64).reshape(-1, 6)
    position = Positions(table[:, 1].astype(np.int32), table[:, 2], table[:, 3], table[:, 4:6])
    return Attachments(table[:, 0].astype(np.int32), position)


def walks_with(run: Run, costs: WalkCosts, service: str, sites: Attachments) -> Int32Array:
    """Walks of all cells, int32 (c,) cm, to the nearest of a service's places and these sites."""
    row = run.travel.row(service)
    field = NodeField(run.travel.node_cm[row], run.travel.node_facility[row])
    before = np.array(run.travel.cell_cm[row])
    cells = CellsOnEdges.of(costs, run.city.cells.position)
    together = Attachments(np.zeros(len(sites.facility), dtype=np.int32), sites.position)
    walks = walks_improved(costs, cells, together, 1, field, before)
    before[walks.cell] = walks.cm
    return before


def proposal_values(
    run: Run, found: Sequence[Mapping[str, Any]] | None = None
) -> tuple[dict[str, Any], NDArray[np.object_]]:
    """Columns and points of the layer ``proposals``: one feature per site of each proposal.

    ``residents_<group>`` are those newly covered, as ``residents_new`` is.
    """
    rows = [
        (one, site) for one in (kept(run) if found is None else found) for site in one["proposals"]
    ]
    services = run.policy.services
    values: dict[str, Any] = {
        "id": [f"{one.get('id', one['service'])}-{site['rank']}" for one, site in rows],
        "proposal": [one.get("id", one["service"]) for one, _ in rows],
        "service_zh": [services[one["service"]].title.zh for one, _ in rows],
        "service_en": [services[one["service"]].title.en for one, _ in rows],
    }
    for name in ("service", "objective", "minutes", "walker", "kept"):
        values[name] = [one.get(name, "") for one, _ in rows]
    for name in SITE_COLUMNS:
        values[name] = [site[name] for _, site in rows]
    for group in all_groups(tuple(run.city.cells.groups)):
        values[f"residents_{group}"] = [site.get(f"residents_new_{group}") for _, site in rows]
    lonlat = np.array([[site["lon"], site["lat"]] for _, site in rows]).reshape(-1, 2)
    points = shapely.points(to_metric(lonlat, run.city.crs))
    return values, np.asarray(points, dtype=np.object_)


def _plain(position: Positions) -> list[list[float]]:
    return [
        [int(edge), float(at), float(leg), float(xy[0]), float(xy[1])]
        for edge, at, leg, xy in zip(
            position.edge, position.at_m, position.leg_m, position.xy_m, strict=True
        )
    ]
