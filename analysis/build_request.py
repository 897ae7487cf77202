"""What a build is asked for, refused where it cannot be meant, and the files that it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from lifecircle.analysis.city.residents.settle import People, check_floor
from lifecircle.analysis.city.streets.walkable import Terrain
from lifecircle.analysis.errors import Fault, InputError, ParameterError, Warn
from lifecircle.analysis.policy import Policy, Title
from lifecircle.analysis.postgis.fetch import fetch_inputs
from lifecircle.analysis.provenance import InputFile, describe_input
from lifecircle.analysis.readers.records.declarations import (
    REFUSE,
    Declaration,
    Declarations,
    Part,
    known_other_types,
)
from lifecircle.analysis.readers.records.mapping_file import read_declarations, read_mapping
from lifecircle.analysis.readers.records.tables import (
    CellTable,
    UnitTable,
)
from lifecircle.analysis.readers.services.names import service_words
from lifecircle.analysis.readers.tables.surveyed import (
    Saying,
    split_sayings,
)
from lifecircle.analysis.unknown_names import find_id


@dataclass(frozen=True, slots=True)
class CutFrom:
    """Out of which map that of a request was cut, how far around its units.

    `beyond`: services of which the map has places, but none within `margin_m`, with the margin in
    metres that would take in the nearest.
    """

    map_name: str
    margin_m: float
    beyond: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What to build an area from. One of `osm`, `place` and `graph` gives the streets.

    `datum`, `crs`, `x_is_north`: of files that do not say theirs; `sheet`, `layer`: which one of
    several; `mapping`: a file that says more (see `records.mapping_file`). `place_by_unit`:
    facilities without coordinates stand at the unit their row names. `merges`: decisions on rows
    that may be one place.
    `policy`: an id, a file or a policy made in code.
    `surveyed`: services of which the inputs hold every facility, so that none found means none;
    those in some units only as ``SERVICE:UNIT,UNIT``, or inside polygons as ``SERVICE:FILE``.
    `modelled` names what the files themselves estimate. `remarks` go with every answer.
    `elevation`, `barrier_rule`, `closures`: as in `Terrain`.
    `services`: name of a file of facilities → the service that all its rows are; `other_types`:
    ``skip`` leaves out rows of facilities whose kind is no service. `parts_of`: name of a file →
    its own sheet, layer and order of coordinates, where they are not those of all files.
    `accept_datum`: a doubt about a datum is a remark and does not stop the build.
    `today`: the day for which dates in the files are read (``end_date``);
    None: the day of the build.
    `residents_from_buildings`: floor (m²) per resident by which residents are reckoned from the
    homes of the map, as an illustration, where no file holds any. `calibrate`: cells are scaled
    to the totals of the units. `profiles`: of travelling, whose roads the run keeps beside those
    that the policy's scorecard asks for; ``walk`` needs none. `year`: whose state the files show;
    None: the latest year of the statistics, else that of the build. `cut`: out of which larger
    map `osm` was cut; what that leaves open goes with every answer.
    """

    area: str
    osm: Path | None = None
    place: str | None = None
    graph: Path | None = None
    population: Path | tuple[Path, ...] | None = None
    units: tuple[Path, ...] = ()
    facilities: tuple[Path, ...] = ()
    statistics: tuple[Path, ...] = ()
    datum: str | None = None
    crs: str | None = None
    x_is_north: bool = False
    sheet: str | None = None
    layer: str | None = None
    mapping: Path | None = None
    place_by_unit: bool = False
    merges: Path | None = None
    policy: str | Path | Policy | None = None
    surveyed: tuple[str, ...] = ()
    title: Title | None = None
    synthetic: bool = False
    modelled: tuple[str, ...] = ()
    remarks: tuple[Warn, ...] = ()
    elevation: Path | None = None
    barrier_rule: tuple[str, ...] = ()
    closures: tuple[Path, ...] = ()
    today: date | None = None
    accept_datum: bool = False
    services: Mapping[str, str] = field(default_factory=dict)
    parts_of: Mapping[str, Part] = field(default_factory=dict)
    other_types: str = REFUSE
    residents_from_buildings: float | None = None
    calibrate: bool = False
    profiles: tuple[str, ...] = ()
    year: int | None = None
    cut: CutFrom | None = None

    @property
    def people(self) -> tuple[Path, ...]:
        """The files of residents: one, or the age bands of a raster."""
        given = self.population
        return () if given is None else given if isinstance(given, tuple) else (given,)

    def people_of(self, cells: CellTable | None, units: UnitTable | None) -> People:
        """What is said of residents, by the tables that were read."""
        return People(cells, units, self.residents_from_buildings, self.calibrate)

    @property
    def terrain(self) -> Terrain:
        """What is asked of the ground."""
        return Terrain(self.elevation, self.barrier_rule, self.closures)

    def fetched(self, folder: Path) -> BuildRequest:
        """This request with the tables of databases that it names as files in `folder`."""
        people = fetch_inputs(self.people, folder)
        return replace(
            self,
            population=people or None,
            units=fetch_inputs(self.units, folder),
            facilities=fetch_inputs(self.facilities, folder),
            statistics=fetch_inputs(self.statistics, folder),
        )

    def declared(self) -> Declarations:
        """What is said of the files of this request."""
        plain = Declaration(
            self.datum, self.crs, self.x_is_north, self.sheet, self.layer,
            other_types=known_other_types(self.other_types),
        )  # fmt: skip
        single = [*self.people, *([] if self.merges is None else [self.merges])]
        drawn = [one.file for one in self.sayings if one.file is not None]
        several = (*self.units, *self.facilities, *self.closures, *self.statistics, *drawn)
        said = read_declarations(plain, self.mapping, (*single, *several))
        return said.with_services(self.services).with_parts(self.parts_of)

    @property
    def sayings(self) -> tuple[Saying, ...]:
        """What is declared surveyed, by the request and by its mapping file."""
        said = () if self.mapping is None else read_mapping(self.mapping).surveyed
        return split_sayings((*self.surveyed, *said))

    def surveyed_under(self, policy: Policy) -> tuple[Saying, ...]:
        """The same, services named by a title or another word of the policy by their ids."""
        words = service_words(policy)
        return tuple(
            replace(one, service=find_id(one.service, words) or one.service) for one in self.sayings
        )


def check_request(request: BuildRequest, policy: Policy) -> None:
    """Refuse what cannot be meant, before any file is read.

    Raises
    ------
    ParameterError
    """
    sources = [request.osm, request.place, request.graph]
    if sum(source is not None for source in sources) != 1:
        raise ParameterError("pipeline_one_network")
    if request.calibrate and not (request.population and request.units):
        raise ParameterError("pipeline_calibrate_what")
    if request.residents_from_buildings is not None and request.population:
        raise ParameterError("pipeline_residents_twice")
    check_floor(request.residents_from_buildings)
    declared = request.surveyed_under(policy)
    unknown = sorted({one.service for one in declared} - set(policy.services))
    if unknown:
        raise ParameterError(
            "pipeline_surveyed", names=", ".join(unknown), known=", ".join(policy.services)
        )
    request.terrain.check(with_osm=request.osm is not None)


def describe_inputs(request: BuildRequest) -> tuple[InputFile, ...]:
    """Role, size and digest of every input file; all missing files are named at once."""
    named = [("network", request.osm), ("network", request.graph)]
    named += [("mapping", request.mapping)]
    named += [("population", path) for path in request.people]
    named += [("units", path) for path in request.units]
    named += [("facilities", path) for path in request.facilities]
    named += [("elevation", request.elevation)]
    named += [("closures", path) for path in request.closures]
    named += [("statistics", path) for path in request.statistics]
    named += [("merges", request.merges)]
    named += [("surveyed", saying.file) for saying in request.sayings]
    given = [(role, path) for role, path in named if path is not None]
    missing = [Fault("file_missing", path.name) for _, path in given if not path.is_file()]
    if missing:
        raise InputError(missing)
    return tuple(describe_input(role, path) for role, path in given)
