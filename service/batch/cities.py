"""The file of a batch: the inputs of every city, what they share, and the limits of each.

::

    [defaults]
    policy = "kunming-2022-77"
    timeout_minutes = 60
    memory_gb = 6

    [cities.dali]
    zh = "大理"
    en = "Dali"
    osm = "dali.osm.pbf"
    units = ["dali/streets.gpkg", "dali/communities.gpkg"]
    population = "dali/population.csv"

    [digests]                            # optional: what was fetched is what was meant
    "https://example.org/dali.osm.pbf" = "9f86d081..."
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from math import inf
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from lifecircle.analysis.policy.faults import Blame, PolicyFileError, form_faults
from lifecircle.analysis.policy.fields import Flag, Number, Record, TagValues, Text, Whole
from lifecircle.analysis.results.names import safe_name
from lifecircle.analysis.texts import first_of
from lifecircle.analysis.written_toml import WrittenTomlError, read_written_toml
from lifecircle.service.errors import BatchError

ONE_FILE: Final = ("osm", "map", "graph", "elevation", "mapping", "merges")
FILES: Final = ("population", "units", "facilities", "statistics", "closures")
_STREETS: Final = frozenset({"osm", "map", "place", "graph"})
_MOST_BYTES: Final = 4 * 1024 * 1024
_MISSING_TOLD: Final = 20
_MOST_PARTS: Final = 10_000
_SHA256: Final = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class City(Record):
    """One city of a batch: what ``lifecircle build`` takes, and what its work may take.

    `timeout_minutes`, `memory_gb`: the work is stopped beyond them. `retries`: how often a city
    whose work died (not one whose files are wrong) is tried again. `parts`: into how many parts a
    large area is cut, each worked on alone and laid together to the run that it is without.
    `map`: a larger map that the city is cut out of, `margin_km` around its units (`batch.maps`).
    """

    zh: Text | None = None
    en: Text | None = None
    osm: Text | None = None
    map: Text | None = None
    margin_km: Number | None = None
    place: Text | None = None
    graph: Text | None = None
    population: TagValues = ()
    units: TagValues = ()
    facilities: TagValues = ()
    statistics: TagValues = ()
    closures: TagValues = ()
    elevation: Text | None = None
    mapping: Text | None = None
    merges: Text | None = None
    policy: Text | None = None
    surveyed: TagValues = ()
    barrier_rule: TagValues = ()
    datum: Text | None = None
    crs: Text | None = None
    sheet: Text | None = None
    layer: Text | None = None
    other_types: Text = "refuse"
    x_north: Flag = False
    accept_datum: Flag = False
    place_by_unit: Flag = False
    calibrate: Flag = False
    residents_from_buildings: Number | None = None
    year: Whole | None = None
    timeout_minutes: Number = 120
    memory_gb: Number | None = None
    retries: Whole = 1
    parts: Whole = 1

    def files(self) -> Iterator[tuple[str, str]]:
        """Each file that the city names, with the key that names it."""
        for key in ONE_FILE:
            if (given := getattr(self, key)) is not None:
                yield key, given
        for key in FILES:
            yield from ((key, given) for given in getattr(self, key))
        if self.policy is not None and self.policy.endswith(".toml"):
            yield "policy", self.policy


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written(Record):
    """A file of a batch as it is written."""

    defaults: City = field(default_factory=City)
    cities: Mapping[str, City]
    digests: Mapping[str, Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a batch is asked for: cities by name, and SHA-256 of what is fetched, by address."""

    cities: Mapping[str, City]
    digests: Mapping[str, str] = field(default_factory=dict)

    def only(self, file: Path, names: tuple[str, ...]) -> Plan:
        """Some of the cities.

        Raises
        ------
        BatchError : the plan of that file has no such city.
        """
        for name in names:
            if name not in self.cities:
                known = first_of(self.cities, _MISSING_TOLD)
                raise BatchError("batch_unknown_city", file=file.name, name=name, known=known)
        return replace(self, cities={name: self.cities[name] for name in names})


def is_address(given: str) -> bool:
    """Whether a file is to be fetched (``https://``, ``s3://``, a table ``postgresql://`` ...)."""
    return "://" in given


def split_address(given: str) -> tuple[str, str | None]:
    """Of ``s3://b/schools.csv=primary_school`` the address and the service; of others no service.

    A ``=`` behind a ``?`` belongs to the address.
    """
    head, mark, service = given.rpartition("=")
    if mark and "?" not in head and service.isidentifier():
        return head, service
    return given, None


def read_plan(path: Path) -> Plan:
    """The plan of a file, every path absolute.

    Raises
    ------
    BatchError : no such file, no TOML, no streets, or files that are not there: all at once.
    PolicyFileError : unknown keys (the nearest are offered), values of a wrong kind.
    ParameterError : the name of a city cannot be a folder.
    """
    content = _content(path)
    if not content.get("cities") and content.keys() <= {"cities", "defaults", "digests"}:
        raise BatchError("batch_no_city", file=path.name)
    blame = Blame(path.name)
    try:
        raw = _reader().validate_python(content)
    except ValidationError as error:
        raise PolicyFileError(list(form_faults(error, _Written, blame))) from None
    shared = content.get("defaults", {})
    merged: dict[str, City] = {}
    for name, said in content["cities"].items():
        city = _city().validate_python({**_shared_with(shared, said), **said})
        merged[safe_name(name)] = _located(city, path.parent.absolute())
    _check(path, merged)
    _check_digests(path, merged, raw.digests)
    return Plan(merged, dict(raw.digests))


def _shared_with(shared: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """What all cities share, without its streets where the city names its own."""
    left_out = {*_STREETS, "margin_km"} if _STREETS.intersection(said) else set()
    return {key: value for key, value in shared.items() if key not in left_out - {*said}}


def _content(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise BatchError("batch_plan_broken", file=path.name, detail="> 4 MiB")
        return read_written_toml(path.read_bytes())
    except OSError as error:
        detail = error.strerror or str(error)
        raise BatchError("batch_unreadable_plan", file=path.name, detail=detail) from None
    except WrittenTomlError as error:
        raise BatchError("batch_plan_broken", file=path.name, detail=error.told) from None


@cache
def _reader() -> TypeAdapter[_Written]:
    return TypeAdapter(_Written)


@cache
def _city() -> TypeAdapter[City]:
    return TypeAdapter(City)


def _located(city: City, folder: Path) -> City:
    """The city with each of its files by its whole path."""

    def whole(given: str) -> str:
        return given if is_address(given) else str(folder / given)

    found: dict[str, Any] = {
        key: whole(one) for key in ONE_FILE if (one := getattr(city, key)) is not None
    }
    found |= {key: tuple(map(whole, getattr(city, key))) for key in FILES}
    if city.policy is not None and city.policy.endswith(".toml"):
        found["policy"] = whole(city.policy)
    return replace(city, **found)


def path_of(given: str) -> Path:
    """The file of an entry: of ``list.csv=pharmacy`` the list."""
    path = Path(given)
    head, mark, _ = given.rpartition("=")
    return Path(head) if mark and not path.exists() else path


def _check(path: Path, cities: Mapping[str, City]) -> None:
    """Every city has streets, and every file that is not fetched is there."""
    missing = []
    folders: dict[str, str] = {}
    for name, city in cities.items():
        _check_limits(path, name, city)
        if (other := folders.setdefault(name.casefold(), name)) != name:
            raise BatchError("batch_one_folder", file=path.name, city=name, other=other)
        if sum(getattr(city, key) is not None for key in _STREETS) != 1:
            raise BatchError("batch_one_network", file=path.name, city=name)
        if city.map is not None and not city.units:
            raise BatchError("batch_map_units", file=path.name, city=name)
        if city.map is None and city.margin_km is not None:
            raise BatchError("batch_margin", file=path.name, city=name)
        cuttable = city.osm is not None or city.map is not None
        if not 1 <= city.parts <= _MOST_PARTS or (city.parts > 1 and not cuttable):
            raise BatchError(
                "batch_parts", file=path.name, city=name, parts=city.parts, most=_MOST_PARTS
            )
        missing += [
            f"cities.{name}.{key}: {Path(given).name}"
            for key, given in city.files()
            if not is_address(given) and not path_of(given).is_file()
        ]
    if missing:
        told = first_of(missing, _MISSING_TOLD)
        raise BatchError("batch_files_missing", file=path.name, count=len(missing), names=told)


def _check_limits(path: Path, name: str, city: City) -> None:
    """Time and memory are finite and above 0, tries not below 0."""
    for key in ("timeout_minutes", "memory_gb", "margin_km"):
        value = getattr(city, key)
        if value is not None and not 0 < value < inf:
            raise BatchError("batch_limit", file=path.name, city=name, key=key, value=f"{value:g}")
    if city.retries < 0:
        raise BatchError("batch_retries", file=path.name, city=name, value=city.retries)


def _check_digests(path: Path, cities: Mapping[str, City], digests: Mapping[str, str]) -> None:
    """Every digest is one, of an address that a city names: else nothing is checked by it."""
    named = {
        split_address(given)[0]
        for city in cities.values()
        for _, given in city.files()
        if is_address(given)
    }
    for address, digest in digests.items():
        if _SHA256.fullmatch(digest) is None:
            raise BatchError("batch_digest", file=path.name, address=address, value=digest)
        if address not in named:
            raise BatchError("batch_digest_of_nothing", file=path.name, address=address)


def plain(city: City) -> dict[str, Any]:
    """The city as JSON can hold it; `city_from` reads it again."""
    return {one.name: getattr(city, one.name) for one in fields(city)}


def city_from(content: Mapping[str, Any]) -> City:
    """The city of `plain`."""
    said: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in content.items()}
    return City(**said)
