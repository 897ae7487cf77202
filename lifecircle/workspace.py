"""A workspace as Python meets it: ``lc.open("workspace")["springcity"]``."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path

from lifecircle.analysis.errors import WorkspaceError
from lifecircle.analysis.results.store import Workspace as _Store
from lifecircle.area import Area


class Workspace(_Store):
    """A folder of areas: a mapping from their names to `Area`.

    Parameters
    ----------
    root : the folder, as text or path; it need not exist before the first build.

    Examples
    --------
    >>> import lifecircle as lc
    >>> lc.Workspace("nowhere-yet").areas()
    []
    """

    def __getitem__(self, area: str) -> Area:
        return self.area(area)

    def __iter__(self) -> Iterator[str]:
        return iter(self.areas())

    def __len__(self) -> int:
        return len(self.areas())

    def __contains__(self, area: object) -> bool:
        return area in self.areas()

    def area(self, name: str, run: str | None = None) -> Area:
        """An area by its name: its current run, or the run named.

        Raises
        ------
        UnknownNameError : no such area or run.
        WorkspaceError : its files cannot be read.
        """
        return Area(self.open(name, run))

    def _repr_html_(self) -> str:
        told = [self.manifest(area) for area in self.areas()]
        rows = "".join(
            f"<tr><td>{escape(one.area)}</td><td>{escape(one.title.zh)}</td>"
            f"<td>{escape(one.title.en)}</td><td>{one.residents:,}</td>"
            f"<td>{escape(one.run)}</td></tr>"
            for one in told
        )
        head = "".join(f"<th>{name}</th>" for name in ("area", "zh", "en", "residents", "run"))
        return f"<table><tr>{head}</tr>{rows}</table>"


def open_workspace(folder: str | Path = "workspace") -> Workspace:
    """The workspace in a folder; its areas are asked for by name.

    Raises
    ------
    WorkspaceError : there is no such folder.

    Examples
    --------
    >>> import lifecircle as lc
    >>> folder = lc.tiny_town().run.path.parents[2]
    >>> lc.open(folder)["tiny"].residents
    900
    """
    if not Path(folder).is_dir():
        raise WorkspaceError("workspace_missing", path=str(folder))
    return Workspace(folder)
