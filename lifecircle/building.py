"""An area from files, frames or a graph: what Python builds is what the command builds."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias, TypedDict, Unpack

import geopandas as gpd
import networkx as nx
import pandas as pd

from lifecircle.analysis.build_request import BuildRequest
from lifecircle.analysis.clock import Progress
from lifecircle.analysis.errors import ParameterError
from lifecircle.analysis.pipeline import build_area
from lifecircle.analysis.policy import Policy, Title
from lifecircle.area import Area
from lifecircle.workspace import Workspace

Source: TypeAlias = str | Path | gpd.GeoDataFrame | pd.DataFrame
Sources: TypeAlias = Source | Iterable[Source]
Places: TypeAlias = Sources | Mapping[str, Sources]
_OSM = (".pbf", ".osm")
_GRAPHML = ".graphml"


class Further(TypedDict, total=False):
    """What else `build` takes: as the options of ``lifecircle build``."""

    statistics: Sources
    closures: Sources
    elevation: str | Path
    datum: str
    accept_datum: bool
    residents_from_buildings: float
    calibrate: bool
    year: int
    crs: str
    surveyed: Iterable[str]
    other_types: str
    title: tuple[str, str]
    progress: Progress


def build(
    area: str,
    streets: str | Path | nx.Graph[Any],
    population: Sources | None = None,
    *,
    units: Sources = (),
    facilities: Places = (),
    policy: str | Path | Policy | None = None,
    workspace: str | Path | Workspace = "workspace",
    **further: Unpack[Further],
) -> Area:
    """Build an area and add it to a workspace as its new current run.

    Frames and graphs are written to temporary files and read as any file is, so that the same
    faults are found; a fault names ``population.gpkg``, ``facilities-1.csv`` and so on, and the
    row as a spreadsheet counts it. Columns are those of docs/inputs.md.

    Parameters
    ----------
    streets : an ``.osm.pbf`` or ``.graphml`` file, or a graph of osmnx or networkx in degrees.
    population : residents per point, polygon or pixel; None where the units' totals are
        spread, or nobody knows who lives where: then what needs residents is not assessed.
    units, facilities : one or several; a frame without geometry needs coordinates in columns and
        a `datum`. Facilities may be given by service (``{"primary_school": schools}``): then all
        rows are that service, and no column has to say so.
    policy : id or file of a policy, or one made in code (`with_service`, `with_walker`).
    further : ``statistics``, ``closures``, ``elevation``, ``datum``, ``accept_datum``,
        ``residents_from_buildings`` (m² of floor per resident, an illustration),
        ``calibrate`` (cells are scaled to the totals of the units), ``crs``, ``surveyed``,
        ``year`` (whose state the files show), ``other_types`` (``skip``: rows whose kind is no
        service are left out), ``title`` (Chinese, English) and ``progress``.

    Raises
    ------
    InputError : files that cannot be used: every fault found. The workspace stays as it was.
    ParameterError : streets of no known kind, an area's name that cannot be a folder.

    Examples
    --------
    >>> import lifecircle as lc
    >>> from lifecircle.town import tiny_inputs
    >>> given = tiny_inputs()
    >>> type(given["streets"]).__name__, type(given["population"]).__name__
    ('MultiGraph', 'GeoDataFrame')
    >>> folder = lc.tiny_town().run.path.parents[2]
    >>> mine = lc.build(
    ...     "mine", given["streets"], given["population"], facilities=given["facilities"],
    ...     units=given["units"], workspace=folder,
    ... )
    >>> mine.coverage("pharmacy")["covered"].tolist()
    [500, 400]
    """
    home = workspace if isinstance(workspace, Workspace) else Workspace(workspace)
    with tempfile.TemporaryDirectory(prefix="lifecircle-") as folder:
        files = _Files(Path(folder))
        osm, graph = files.streets(streets)
        places = files.places(facilities)
        title = further.get("title")
        elevation = further.get("elevation")
        request = BuildRequest(
            area,
            osm=osm,
            graph=graph,
            population=None if population is None else files.people(population),
            units=files.all(units, "units"),
            facilities=tuple(path for path, _ in places),
            services={path.name: one for path, one in places if one is not None},
            other_types=further.get("other_types", "refuse"),
            statistics=files.all(further.get("statistics", ()), "statistics"),
            closures=files.all(further.get("closures", ()), "closures"),
            elevation=None if elevation is None else Path(elevation),
            datum=further.get("datum"),
            accept_datum=further.get("accept_datum", False),
            residents_from_buildings=further.get("residents_from_buildings"),
            calibrate=further.get("calibrate", False),
            year=further.get("year"),
            crs=further.get("crs"),
            policy=policy,
            surveyed=tuple(further.get("surveyed", ())),
            title=None if title is None else Title(*title),
        )
        return Area(build_area(request, home, further.get("progress")))


class _Files:
    """Paths as they are; frames and graphs written into a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def streets(self, given: str | Path | nx.Graph[Any]) -> tuple[Path | None, Path | None]:
        """The OpenStreetMap file and the GraphML file, one of them None."""
        if isinstance(given, nx.Graph):
            path = self.folder / f"streets{_GRAPHML}"
            nx.write_graphml(_plain(given), path)
            return None, path
        path = Path(given)
        if path.suffix in _OSM:
            return path, None
        if path.suffix == _GRAPHML:
            return None, path
        raise ParameterError("build_streets", name=path.name)

    def all(self, given: Sources, role: str) -> tuple[Path, ...]:
        """The files of one or several sources."""
        if isinstance(given, str | Path | pd.DataFrame):
            return (self.one(given, role),)
        return tuple(self.one(one, f"{role}-{i}") for i, one in enumerate(given, start=1))

    def people(self, given: Sources) -> tuple[Path, ...]:
        """The files of residents: one named ``population``, or several."""
        if isinstance(given, str | Path | pd.DataFrame):
            return (self.one(given, "population"),)
        return self.all(given, "population")

    def places(self, given: Places) -> list[tuple[Path, str | None]]:
        """The files of facilities, each with the service that all its rows are, if said."""
        if not isinstance(given, Mapping):
            return [(path, None) for path in self.all(given, "facilities")]
        return [
            (path, service)
            for service, sources in given.items()
            for path in self.all(sources, f"facilities-{service}")
        ]

    def one(self, given: Source, stem: str) -> Path:
        """The file of one source."""
        if isinstance(given, gpd.GeoDataFrame):
            path = self.folder / f"{stem}.gpkg"
            given.to_file(path, layer=stem, engine="pyogrio", index=_named(given))
            return path
        if isinstance(given, pd.DataFrame):
            path = self.folder / f"{stem}.csv"
            given.to_csv(path, index=_named(given))
            return path
        return Path(given)


def _named(frame: pd.DataFrame) -> bool:
    """Whether the index has a name of its own, as a column has (``id``, ``code``)."""
    return frame.index.name is not None and frame.index.name not in frame.columns


def _plain(graph: nx.Graph[Any]) -> nx.Graph[Any]:
    """The graph with texts and numbers only, as GraphML can hold them."""
    crs = graph.graph.get("crs")
    plain: nx.Graph[Any] = graph.__class__()
    if crs is not None:
        plain.graph["crs"] = str(crs)
    for node, data in graph.nodes(data=True):
        plain.add_node(node, **{k: float(data[k]) for k in ("x", "y") if k in data})
    for u, v, data in graph.edges(data=True):
        said = {k: getattr(value, "wkt", str(value)) for k, value in data.items()}
        plain.add_edge(u, v, **said)
    return plain
