"""Dear answers, worked out in processes of their own: the one that serves stays free.

A process comes from the same server of processes as the jail's (`jail.supervised`). It opens the
runs by their memory maps, works the document out within its memory and time, and answers in bytes;
it is ended when nobody waits for it any more. How many work at once is counted over all workers of
a service, and so is who waits (`flights.Tickets`).
"""

from __future__ import annotations

import io
import pickle
import tempfile
import threading
import traceback
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar

import orjson

from lifecircle.analysis.errors import LifecircleError
from lifecircle.analysis.results.by_profile import run_by
from lifecircle.analysis.results.model import Manifest
from lifecircle.analysis.results.store import Workspace
from lifecircle.analysis.texts import Named, Title
from lifecircle.service.apart.jail import TICK_S, Limits, supervised
from lifecircle.service.encoding import Unkept, encode
from lifecircle.service.errors import storage_fault
from lifecircle.service.flights import ReaderLeftError, Tickets
from lifecircle.service.kept_files import HeldFile, KeptFiles
from lifecircle.service.state import AreaState, NamedRun

T = TypeVar("T")
WORK: Final = f"{__name__}:work"
OPEN_FILES: Final = 4_096  # a run is many files
FAULTS: Final = ("dear_too_long", "dear_too_much_memory")
_TITLE, _NAMED = ({one.name for one in fields(kind)} for kind in (Title, Named))
_FINE, _CUT, _REFUSED, _BROKEN = b"=", b"~", b"!", b"?"
LARGE_CELLS: Final = 20_000  # of a city whose answers hold the web process for long


class BrokenError(RuntimeError):
    """The process met a fault of ours, which is told with its traceback."""


@dataclass(frozen=True)
class Apart:
    """A document of runs: ``make(runs, *given, **named)``, a function of a module, for a process.

    Called, it is worked out here.
    """

    make: Callable[..., Any]
    states: tuple[AreaState | NamedRun, ...]
    given: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self) -> Any:
        """The document, worked out in this process."""
        return self.make([state.run for state in self.states], *self.given, **self.named)


def apart_if_large(asked: Apart) -> Callable[[], Any]:
    """The same where its run is large; else what works it out here, as `Apart.__call__`."""
    return asked if is_large(asked.states[0]) else asked.__call__


def is_large(state: AreaState | NamedRun) -> bool:
    """Whether the answers of a city hold the web process for long."""
    return len(state.run.city.cells) > LARGE_CELLS


def is_large_city(manifest: Manifest) -> bool:
    """As `is_large`, of a run that need not be open."""
    return manifest.counts.get("cells", 0) > LARGE_CELLS


class Workshop:
    """Where documents are worked out, a few at once."""

    def __init__(
        self,
        root: Path,
        limits: Limits,
        at_once: int,
        folder: Path | None,
        kept_bytes: int = 0,
    ) -> None:
        self._root = root.absolute()
        self._kept = KeptFiles(self._root, kept_bytes, folder)
        self._limits = limits
        self._places = Tickets(at_once, folder, "at-once")

    def answer(self, asked: Apart, key: Hashable, left: threading.Event) -> bytes:
        """The document of `run`, from the file of whoever worked it out before; else kept in one.

        `key` is all that it depends on beside the runs. Raises as `run`.
        """
        path = self._path(asked, key)

        def make() -> bytes:
            made = self.run(asked, left)
            if not isinstance(made, Unkept):
                self._kept.put(path, made)
            return made

        return self._once(path, left, self._kept.get, make)

    def file(self, asked: Apart, key: Hashable, left: threading.Event) -> HeldFile:
        """The file that ``make(runs, *given, to=path)`` writes there and seals, as `answer`.

        Its process writes it where it is kept: none of it comes through this one's memory.
        """
        path = self._path(asked, key)

        def make() -> HeldFile:
            return self._kept.written(path, lambda to: self.run(_written(asked, to), left))

        return self._once(path, left, self._kept.open, make)

    def _once(
        self,
        path: Path,
        left: threading.Event,
        look: Callable[[Path], T | None],
        make: Callable[[], T],
    ) -> T:
        """What is kept at a path; else made by one of all who ask for it."""
        found = look(path)
        if found is None:
            with self._kept.alone(path, left):
                found = look(path)
                if found is None:
                    found = make()
        return found

    def _path(self, asked: Apart, key: Hashable) -> Path:
        first, *beside = [(state.area, state.name) for state in asked.states]
        profiles = [state.profile for state in asked.states]
        make = f"{asked.make.__module__}.{asked.make.__qualname__}"
        return self._kept.path(*first, profiles, make, key, beside=beside)

    def run(self, asked: Apart, left: threading.Event) -> bytes:
        """The encoded document; `Unkept` where the clock ended the work on it.

        Raises
        ------
        RequestError : it takes more time or memory than it may.
        ReaderLeftError : `left` was set.
        LifecircleError : what the document itself refuses.
        """
        runs = [(state.area, state.name, state.profile) for state in asked.states]
        told = _pickled((str(self._root), runs, asked.make, asked.given, dict(asked.named)))
        place = self._place(left)
        try:
            with tempfile.TemporaryDirectory(prefix="lifecircle-dear-") as folder:
                said = supervised(WORK, told, folder, self._limits, left)
        finally:
            self._places.give(place)
        if said[:1] == _FINE:
            return said[1:]
        if said[:1] == _CUT:
            return Unkept(said[1:])
        if said[:1] == _BROKEN:
            raise BrokenError(said[1:].decode())
        name, key, params = orjson.loads(said[1:])
        raise _error(name, key, params)

    def _place(self, left: threading.Event) -> Any:
        while (place := self._places.take()) is None:
            if left.wait(TICK_S):
                raise ReaderLeftError
        return place


def written_here(asked: Apart) -> HeldFile:
    """The file of `Workshop.file`, written by this process."""
    with tempfile.TemporaryDirectory(prefix="lifecircle-file-") as folder:
        to = Path(folder) / "file"
        _written(asked, to)()
        return HeldFile(to)


def _written(asked: Apart, to: Path) -> Apart:
    return replace(asked, named={**asked.named, "to": str(to)})


def _read_only(held: dict[Any, Any]) -> Mapping[Any, Any]:
    return MappingProxyType(held)


class _Pickler(pickle.Pickler):
    """Takes read-only mappings too, of which questions have some."""

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, MappingProxyType):
            return _read_only, (dict(value),)
        return NotImplemented


def _pickled(value: Any) -> bytes:
    held = io.BytesIO()
    _Pickler(held).dump(value)
    return held.getvalue()


def _error(name: str, key: str, params: Mapping[str, Any]) -> LifecircleError:
    """The error that a process told; its kind says the status and whose texts it is told in."""
    kinds = {kind.__qualname__: kind for kind in _family(LifecircleError)}
    told = kinds.get(name, LifecircleError)
    family = (one for one in told.__mro__ if issubclass(one, LifecircleError))
    made = next(  # the nearest that is made of key and parameters alone
        (one for one in family if "__init__" not in vars(one)), LifecircleError
    )
    return made(key, **{name: _told(one) for name, one in params.items()})


def _told(value: Any) -> Any:
    """A parameter as it was: a word in two languages comes as their names and texts."""
    if isinstance(value, list):
        return [_told(one) for one in value]
    if isinstance(value, dict) and value.keys() in (_TITLE, _NAMED):
        return (Title if value.keys() == _TITLE else Named)(**value)
    return value


def _family(kind: type[LifecircleError]) -> Iterator[type[LifecircleError]]:
    yield kind
    for heir in kind.__subclasses__():
        yield from _family(heir)


def work(told: bytes) -> bytes:
    """Inside the process: what `Workshop.run` was asked for (its own words, never a reader's)."""
    try:
        root, runs, make, given, named = pickle.loads(told)  # noqa: S301
        workspace = Workspace(Path(root))
        opened = [(workspace.open(area, run), profile) for area, run, profile in runs]
        on_roads = [run if profile is None else run_by(run, profile) for run, profile in opened]
        made = make(on_roads, *given, **named)
        how = _CUT if isinstance(made, Unkept) else _FINE
        return how + (made if isinstance(made, bytes) else encode(made))
    except MemoryError:
        raise
    except Exception as fault:
        error = fault if isinstance(fault, LifecircleError) else storage_fault(fault)
        if error is None:
            return _BROKEN + traceback.format_exc().encode()  # told there, where it is logged
        told_of = [type(error).__qualname__, error.key, error.params]
        return _REFUSED + orjson.dumps(told_of, str, orjson.OPT_SERIALIZE_NUMPY)
