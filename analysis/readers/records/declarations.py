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

from lifecircle.analysis.readers.records.coordinates.datums import known_datum

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

    def __post_init__(self) -> None:
        if self.datum is not None:
            object.__setattr__(self, "datum", known_datum(self.datum))

    def or_datum(self, datum: str | None) -> Declaration:
        """This declaration, with a datum where it says neither datum nor CRS."""
        return self if self.datum or self.crs else replace(self, datum=datum)


UNSAID: Final = Declaration()


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

    def unused(self, paths: Iterable[Path]) -> tuple[str, ...]:
        """Names of files of which something is said, but which are not among `paths`."""
        given = {path.name for path in paths}
        return tuple(name for name in self.of_file if name not in given)


SILENT: Final = Declarations()
