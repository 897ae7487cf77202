"""Policy and scorecard files as written: found, read, joined along ``extends``, digested."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

import orjson

from lifecircle.analysis.errors import PolicyError
from lifecircle.analysis.policy.faults import Blame, Content, PolicyFileError, Writers
from lifecircle.analysis.policy.fields import ID
from lifecircle.analysis.policy.sections.doubts import DOUBTS
from lifecircle.analysis.policy.sections.kinds import KINDS
from lifecircle.analysis.policy.sections.matching import MATCHING
from lifecircle.analysis.policy.sections.plausible import PLAUSIBLE
from lifecircle.analysis.policy.sections.robustness import ROBUSTNESS
from lifecircle.analysis.policy.sections.tag_quality import TAG_QUALITY
from lifecircle.analysis.written_toml import WrittenTomlError, read_written_toml

EXTENDS: Final = "extends"
DROP: Final = "drop"
_PART: Final = "part"
_SUFFIX: Final = ".toml"


@dataclass(frozen=True, slots=True)
class Shelf:
    """A folder of packaged files that others may extend.

    `whole`: rooms whose tables are replaced as they are, not key by key. `droppable`: rooms of
    which a file may drop what it extends. `aside`: packaged files that are no such file.
    """

    folder: tuple[str, ...]
    whole: frozenset[str] = frozenset()
    droppable: tuple[str, ...] = ()
    aside: frozenset[str] = frozenset()

    def packaged(self) -> Mapping[str, Traversable]:
        """The packaged files by id."""
        folder = files("lifecircle.analysis").joinpath(*self.folder)
        names = sorted(f.name for f in folder.iterdir() if f.name.endswith(_SUFFIX))
        ids = (name.removesuffix(_SUFFIX) for name in names)
        return {one: folder.joinpath(one + _SUFFIX) for one in ids if one not in self.aside}


POLICIES: Final = Shelf(
    ("policies",),
    aside=frozenset({DOUBTS, KINDS, MATCHING, PLAUSIBLE, ROBUSTNESS, TAG_QUALITY}),
)


def packaged() -> Mapping[str, Traversable]:
    """The packaged policy files by id."""
    return POLICIES.packaged()


def policy_ids() -> tuple[str, ...]:
    """Ids of the packaged policies, without the parts they are made of."""
    return tuple(i for i, f in packaged().items() if read_toml(f).get(_PART) is not True)


def default_policy() -> str:
    """The id of the policy that is meant where none is named."""
    file = files("lifecircle.analysis").joinpath("policies", "default")
    return file.read_text(encoding="utf-8").strip()


def read_toml(file: Traversable) -> Content:
    """The content of one policy file, unjoined.

    Raises
    ------
    PolicyError
        The file is missing, or not TOML.
    """
    try:
        return read_written_toml(file.read_bytes())
    except OSError as error:
        raise PolicyError("policy_unreadable", file=file.name, why=error.strerror) from error
    except WrittenTomlError as error:
        raise PolicyError("policy_not_toml", file=file.name, why=error.told) from error


@dataclass(slots=True)
class Joined:
    """A file with all that it extends: content, who wrote what, SHA-256 over all the files."""

    blame: Blame
    content: Content
    digest: str
    beside: Path | None = None


def read_policy(policy: str | Path) -> Joined:
    """The joined content of a policy: id of a packaged one, or the path of a ``.toml`` file.

    Raises
    ------
    PolicyError
        A file that cannot be read, a part, a ring of files.
    """
    file = _locate(policy)
    chain = _chain(file, POLICIES)
    own = chain[0][1]
    if own.get(_PART) is True:
        raise PolicyError("policy_is_part", file=file.name, ids=", ".join(policy_ids()))
    if "id" not in own or "title" not in own:
        raise PolicyError("policy_no_identity", file=file.name)
    return _joined(chain, POLICIES)


def read_shelved(
    name: str, beside: Path | None, shelf: Shelf, under: Traversable | None = None
) -> Joined | None:
    """The joined content of a file of a shelf, None where there is none of that name.

    Parameters
    ----------
    beside : folder that is looked into first.
    under : a file that all others of the shelf stand on.
    """
    own = None if beside is None else beside / f"{name}{_SUFFIX}"
    found: Traversable | None = own if own is not None and own.is_file() else None
    if found is None:
        found = shelf.packaged().get(name)
    if found is None:
        return None
    chain = _chain(found, shelf)
    if under is not None:
        chain.append((under, read_toml(under)))
    return _joined(chain, shelf)


def _locate(policy: str | Path) -> Traversable:
    if isinstance(policy, str):
        found = packaged()
        if policy in found:
            return found[policy]
    path = Path(policy)
    if path.suffix == _SUFFIX or isinstance(policy, Path):
        return path
    raise PolicyError("policy_unknown", id=policy, ids=", ".join(policy_ids()))


def _chain(file: Traversable, shelf: Shelf) -> list[tuple[Traversable, Content]]:
    """The file and what it extends, the last one extending nothing."""
    chain: list[tuple[Traversable, Content]] = []
    while True:
        chain.append((file, read_toml(file)))
        own = chain[-1][1]
        part = own.get(_PART, False)
        if not isinstance(part, bool):
            raise PolicyError("policy_bad_value", file=file.name, path=_PART, value=part)
        if EXTENDS not in own:
            return chain
        base = own[EXTENDS]
        if not isinstance(base, str) or not ID.fullmatch(base):
            raise PolicyError("policy_bad_value", file=file.name, path=EXTENDS, value=base)
        found = _base(file, base, shelf)
        names = [f.name for f, _ in chain]
        if any(_same(found, f) for f, _ in chain):
            raise PolicyError(
                "policy_extends_cycle",
                file=chain[0][0].name,
                chain=" → ".join([*names, found.name]),
            )
        file = found


def _base(file: Traversable, base: str, shelf: Shelf) -> Traversable:
    """A file to extend: beside the file first, then among the packaged ones."""
    if isinstance(file, Path):
        beside = file.with_name(f"{base}{_SUFFIX}")
        if beside.is_file() and not _same(beside, file):
            return beside
    packaged_ones = shelf.packaged()
    found = packaged_ones.get(base)
    if found is None or _same(found, file):
        ids = ", ".join(packaged_ones)
        raise PolicyError("policy_extends_unknown", file=file.name, base=base, ids=ids)
    return found


def _same(a: Traversable, b: Traversable) -> bool:
    if isinstance(a, Path) and isinstance(b, Path):
        return a.resolve() == b.resolve()
    return a == b


# ---- joining ---------------------------------------------------------------------------------


def _joined(chain: list[tuple[Traversable, Content]], shelf: Shelf) -> Joined:
    """The files of a chain as one; the digest is of what was written, before joining."""
    digest = _digest(chain)
    top, writers = chain[0][0], Writers()
    content: Content = {}
    for file, own in reversed(chain):
        if shelf.droppable:
            _drop(content, own, Blame(file.name), writers, shelf.droppable)
        rest = {key: own[key] for key in own if key not in (EXTENDS, _PART)}
        if shelf.droppable:
            rest.pop(DROP, None)
        _join(content, rest, file.name, writers, (), shelf.whole)
    beside = top.parent if isinstance(top, Path) else None
    return Joined(Blame(top.name, writers), content, digest, beside)


def _join(
    into: Content,
    own: Content,
    file: str,
    writers: Writers,
    at: tuple[str, ...],
    whole: frozenset[str],
) -> None:
    """Lay a file over its base: tables join key by key, everything else is replaced.

    A cited number is replaced whole, so that no number keeps another number's citation.
    """
    for key, value in own.items():
        path = (*at, key)
        below = into.get(key)
        if (
            isinstance(value, dict)
            and isinstance(below, dict)
            and "value" not in value | below
            and not (len(at) == 1 and at[0] in whole)
        ):
            _join(below, value, file, writers, path, whole)
            continue
        if key in into:
            _forget(writers, path)
        into[key] = value
        writers[path] = file


def _forget(writers: Writers, path: tuple[str, ...]) -> None:
    for old in [p for p in writers if p[: len(path)] == path]:
        del writers[old]


def _drop(
    content: Content, own: Content, blame: Blame, writers: Writers, rooms: tuple[str, ...]
) -> None:
    """Take out of a base what a file says it drops.

    Raises
    ------
    PolicyFileError : no such table to drop.
    """
    dropped = own.get(DROP, {})
    faults = []
    if not isinstance(dropped, dict):
        raise PolicyFileError([blame.fault("policy_bad_value", (DROP,), value=dropped)])
    for room, names in dropped.items():
        if room not in rooms:
            faults.append(blame.fault("policy_unknown_key", (DROP, room), known=rooms))
            continue
        held: Any = content.get(room, {})
        for at, name in enumerate(names if isinstance(names, list) else [names], start=1):
            if name not in held:
                path = (DROP, room, at)
                faults.append(blame.fault("policy_unknown_name", path, value=name, known=held))
                continue
            del held[name]
            _forget(writers, (room, name))
    if faults:
        raise PolicyFileError(faults)


def _digest(chain: list[tuple[Traversable, Content]]) -> str:
    """SHA-256 of the files' content as compact JSON: comments do not count, order does.

    Keys stay in the order written: the order of ``[unit_levels]`` means something.
    """
    return hashlib.sha256(orjson.dumps([own for _, own in chain], default=str)).hexdigest()
