"""Policy files as written: found, read, joined along ``extends``, digested."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from lifecircle.analysis.errors import PolicyError
from lifecircle.analysis.policy.checks import ID, Content, Writers, check
from lifecircle.analysis.policy.tables import PolicyFile
from lifecircle.analysis.policy.tag_quality import TAG_QUALITY

_HEAD = frozenset({"extends", "part"})


def packaged() -> Mapping[str, Traversable]:
    """The packaged policy files by id."""
    folder = files("lifecircle.analysis").joinpath("policies")
    found = (f for f in folder.iterdir() if f.name.endswith(".toml"))
    policies = {f.name.removesuffix(".toml"): f for f in sorted(found, key=lambda f: f.name)}
    policies.pop(TAG_QUALITY, None)
    return policies


def read_toml(file: Traversable) -> Content:
    """The content of one policy file, unjoined.

    Raises
    ------
    PolicyError
        The file is missing, not UTF-8 or not TOML.
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise PolicyError("policy_unreadable", file=file.name, why=error.strerror) from error
    except UnicodeDecodeError as error:
        raise PolicyError("policy_not_utf8", file=file.name) from error
    except tomllib.TOMLDecodeError as error:
        raise PolicyError("policy_not_toml", file=file.name, why=str(error)) from error


def read_policy_file(policy: str | Path) -> tuple[PolicyFile, str]:
    """The checked content of a policy and the SHA-256 over all files it is made of.

    Parameters
    ----------
    policy : id of a packaged policy, or the path of a ``.toml`` file.

    Raises
    ------
    PolicyError
        Any fault, with the file and the path of the key.
    """
    chain = _chain(_locate(policy))
    top_file, top = chain[0]
    if top.get("part") is True:
        raise PolicyError("policy_is_part", file=top_file.name, ids=", ".join(policy_ids()))
    if "id" not in top or "title" not in top:
        raise PolicyError("policy_no_identity", file=top_file.name)
    content: Content = {}
    writers: Writers = {}
    for file, own in reversed(chain):
        _join(content, {k: own[k] for k in own if k not in _HEAD}, file.name, writers, ())
    return check(content, top_file.name, writers), _digest(chain)


def policy_ids() -> tuple[str, ...]:
    """Ids of the packaged policies, without the parts they are made of."""
    return tuple(i for i, f in packaged().items() if read_toml(f).get("part") is not True)


def _locate(policy: str | Path) -> Traversable:
    if isinstance(policy, str) and policy in packaged():
        return packaged()[policy]
    path = Path(policy)
    if path.suffix == ".toml" or isinstance(policy, Path):
        return path
    raise PolicyError("policy_unknown", id=policy, ids=", ".join(policy_ids()))


def _chain(file: Traversable) -> list[tuple[Traversable, Content]]:
    """The file and what it extends, the last one extending nothing."""
    chain: list[tuple[Traversable, Content]] = []
    while True:
        chain.append((file, read_toml(file)))
        own = chain[-1][1]
        part = own.get("part", False)
        if not isinstance(part, bool):
            raise PolicyError("policy_bad_value", file=file.name, path="part", value=part)
        if "extends" not in own:
            return chain
        base = own["extends"]
        if not isinstance(base, str) or not ID.fullmatch(base):
            raise PolicyError("policy_bad_value", file=file.name, path="extends", value=base)
        found = _base(file, base)
        names = [f.name for f, _ in chain]
        if any(_same(found, f) for f, _ in chain):
            raise PolicyError(
                "policy_extends_cycle",
                file=chain[0][0].name,
                chain=" → ".join([*names, found.name]),
            )
        file = found


def _base(file: Traversable, base: str) -> Traversable:
    """A policy to extend: beside the file first, then among the packaged ones."""
    if isinstance(file, Path):
        beside = file.with_name(f"{base}.toml")
        if beside.is_file() and not _same(beside, file):
            return beside
    found = packaged().get(base)
    if found is None or _same(found, file):
        ids = ", ".join(packaged())
        raise PolicyError("policy_extends_unknown", file=file.name, base=base, ids=ids)
    return found


def _same(a: Traversable, b: Traversable) -> bool:
    if isinstance(a, Path) and isinstance(b, Path):
        return a.resolve() == b.resolve()
    return a == b


def _join(into: Content, own: Content, file: str, writers: Writers, at: tuple[str, ...]) -> None:
    """Lay a file over its base: tables join key by key, everything else is replaced.

    A cited number is replaced whole, so that no number keeps another number's citation.
    """
    for key, value in own.items():
        path = (*at, key)
        below = into.get(key)
        if isinstance(value, dict) and isinstance(below, dict) and "value" not in value | below:
            _join(below, value, file, writers, path)
            continue
        into[key] = _copied(value)
        for old in [p for p in writers if p[: len(path)] == path]:
            del writers[old]
        writers[path] = file


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _copied(v) for k, v in value.items()}
    return [_copied(v) for v in value] if isinstance(value, list) else value


def _digest(chain: list[tuple[Traversable, Content]]) -> str:
    """SHA-256 of the files' content as compact JSON: comments do not count, order does.

    Keys stay in the order written: the order of ``[unit_levels]`` means something.
    """
    written = [own for _, own in chain]
    text = json.dumps(written, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()
