"""What the user says about input files: datum, coordinate system, sheet, column names, words.

One declaration holds for every file (the options of the command line); a mapping file (TOML)
says more, for every file or for one by its name. What is said for one file by its name goes
before what that file says about itself; what is said for all files does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from lifecircle.analysis.errors import ParameterError
from lifecircle.analysis.readers.records.coordinates.datums import known_datum

REFUSE: Final = "refuse"
SKIP: Final = "skip"
OTHER_TYPES: Final = (REFUSE, SKIP)  # what becomes of rows whose kind is no service
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Declaration:
    """What is said about one file.

    Parameters
    ----------
    datum
        Of the degrees that come out of the coordinates: any word for one of `datums.DATUMS`,
        held as that.
    crs
        Of coordinates that are no degrees: an authority's code such as ``EPSG:4543``.
    x_is_north
        Surveying order: the column (or ordinate) called x holds the northing.
    sheet, layer
        Which one of several.
    of_this_file
        `datum` or `crs` was said for this very file: it goes before a layer's own CRS.
    columns
        Field → title of the column that holds it; `own_columns` are the fields said for this very
        file: they have to be there, the others only where a file has them.
    words
        Field → (folded word of the file → our word).
    service
        Of facilities: what all rows are, by any name of a service.
    other_types
        Of facilities: ``skip`` leaves out rows whose kind is no service, ``refuse`` does not.

    Raises
    ------
    ParameterError : a datum that nobody knows.
    """

    datum: str | None = None
    crs: str | None = None
    x_is_north: bool = False
    sheet: str | None = None
    layer: str | None = None
    of_this_file: bool = False
    columns: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: _NOTHING)
    own_columns: frozenset[str] = frozenset()
    service: str | None = None
    other_types: str = REFUSE

    def __post_init__(self) -> None:
        if self.datum is not None:
            object.__setattr__(self, "datum", known_datum(self.datum))

    def or_datum(self, datum: str | None) -> Declaration:
        """This declaration, with a datum where it says neither datum nor CRS."""
        return self if self.datum or self.crs else replace(self, datum=datum)


UNSAID: Final = Declaration()


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of one file is meant, and the order of its coordinates; None: as for all."""

    sheet: str | None = None
    layer: str | None = None
    x_is_north: bool | None = None


@dataclass(frozen=True, slots=True)
class Declarations:
    """What is said about all files (`plain`), and about some by their names.

    `surveyed`: what is declared surveyed besides, as ``lifecircle build --surveyed`` takes it.
    """

    plain: Declaration = UNSAID
    of_file: Mapping[str, Declaration] = field(default_factory=lambda: _NOTHING)
    surveyed: tuple[str, ...] = ()

    def of(self, path: Path) -> Declaration:
        """What is said about a file."""
        return self.of_file.get(path.name, self.plain)

    def with_services(self, services: Mapping[str, str]) -> Declarations:
        """These, where all rows of the files named are one service."""
        said = {n: replace(self.of(Path(n)), service=one) for n, one in services.items()}
        return Declarations(self.plain, {**self.of_file, **said})

    def with_parts(self, parts: Mapping[str, Part]) -> Declarations:
        """These, where other parts of the files named are meant."""
        said = {}
        for name, part in parts.items():
            own = {one: getattr(part, one) for one in Part.__slots__}
            known = {one: told for one, told in own.items() if told is not None}
            said[name] = replace(self.of(Path(name)), **known)
        return replace(self, of_file={**self.of_file, **said})

    def unused(self, paths: Iterable[Path]) -> tuple[str, ...]:
        """Names of files of which something is said, but which are not among `paths`."""
        given = {path.name for path in paths}
        return tuple(name for name in self.of_file if name not in given)


SILENT: Final = Declarations()


def known_other_types(word: str) -> str:
    """The word for what becomes of rows whose kind is no service, whatever its letters.

    Raises
    ------
    ParameterError : neither ``skip`` nor ``refuse``.
    """
    known = word.strip().casefold()
    if known not in OTHER_TYPES:
        raise ParameterError("other_types_unknown", value=word, known=", ".join(OTHER_TYPES))
    return known


def split_service(given: Path) -> tuple[Path, str | None]:
    """A file and the service that all its rows are said to be: ``schools.csv=primary_school``.

    A file whose own name holds the ``=`` is that file.
    """
    head, mark, service = str(given).rpartition("=")
    if not mark or given.exists() or not Path(head).is_file():
        return given, None
    return Path(head), service.strip()
