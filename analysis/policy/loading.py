"""A policy from its files: read, checked, every number with its citation."""

import dataclasses
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from lifecircle.analysis.policy.checks import bare_numbers, contradictions
from lifecircle.analysis.policy.faults import (
    Blame,
    Content,
    Place,
    PolicyFault,
    PolicyFileError,
    form_faults,
)
from lifecircle.analysis.policy.fields import Written
from lifecircle.analysis.policy.files import EXTENDS, Joined, default_policy, read_policy
from lifecircle.analysis.policy.model import Policy, policy_reader
from lifecircle.analysis.policy.scorecard import Known, read_scorecard
from lifecircle.analysis.policy.sections.word_lists import spell_out

_SOURCES: Final = "sources"
_SCORECARD: Final = "scorecard"
_UNREAD: Final = {"#digest": "", "#scorecard": None}  # known only once the rest is read
_LATER: Final[tuple[Place, ...]] = (  # not in older runs
    ("life_cycle",), ("terrain",), ("barriers",), ("joining",), ("reading",), ("quality",),
    ("siting",), ("floating",), ("walk", "motorroad_no"), ("walk", "motorroad_foot"),
    ("attachment", "min_piece_m"), ("attachment", "gate_m"), ("joining", "gates"),
    ("joining", "fences"), ("joining", "entrance_no"),
)  # fmt: skip


def load_policy(policy: str | Path | None = None) -> Policy:
    """A policy by the id of a packaged one or the path of a TOML file, checked and complete.

    `policy` None is the one that is meant where none is named.

    Raises
    ------
    PolicyError
        A file that cannot be read, a number without a citation, an unknown or missing key,
        a contradiction. All faults of one stage are told at once, with file and key.

    Examples
    --------
    >>> import lifecircle as lc
    >>> sorted(lc.load_policy().walkers)
    ['adult', 'older', 'with_child']
    """
    joined = read_policy(default_policy() if policy is None else policy)
    content, blame = joined.content, joined.blame
    found = _form(content, blame)
    against = list(contradictions(found, content, blame))
    if against:
        raise PolicyFileError(against)
    return _with_scorecard(found, joined)


def _form(content: Content, blame: Blame) -> Policy:
    """The content as a policy; every fault of its form at once."""
    faults = [*bare_numbers(content, blame), *_around(content, blame)]
    faults += spell_out(content, blame)
    rest = {key: value for key, value in content.items() if key not in (_SOURCES, _SCORECARD)}
    written = Written(
        _tables(content, _SOURCES),
        {
            "services": _tables(content, "services"),
            "levels": _tables(content, "unit_levels"),
            "service_groups": _tables(content, "service_groups"),
        },
    )
    try:
        policy = policy_reader().validate_python({**rest, **_UNREAD}, context=written)
    except ValidationError as error:
        seen = {fault.params["path"] for fault in faults}
        told = form_faults(error, Policy, blame, (_SOURCES, _SCORECARD, EXTENDS))
        faults += [fault for fault in told if fault.params["path"] not in seen]
    if faults:
        raise PolicyFileError(faults)
    return policy


def _around(content: Content, blame: Blame) -> Iterator[PolicyFault]:
    """What is wrong with the keys that the policy itself does not keep, or may lack in a run."""
    for *above, key in ((_SOURCES,), *_LATER):
        held = content.get(str(above[0])) if above else content
        if isinstance(held, Mapping) and key not in held:
            yield blame.fault("policy_missing_key", (*above, key))
    for name, kind in ((_SOURCES, dict), (_SCORECARD, str)):
        if not isinstance(content.get(name, kind()), kind):
            yield blame.fault("policy_bad_value", (name,), value=content[name])
    for name, title in _tables(content, _SOURCES).items():
        if not isinstance(title, str) or not title.strip():
            yield blame.fault("policy_bad_value", (_SOURCES, name), value=title)


def _tables(content: Content, room: str) -> Mapping[str, Any]:
    held = content.get(room)
    return held if isinstance(held, Mapping) else {}


def _with_scorecard(policy: Policy, joined: Joined) -> Policy:
    """The policy with the scorecard it names, and the digest over both."""
    name = joined.content.get(_SCORECARD)
    if name is None:
        return dataclasses.replace(policy, digest=joined.digest)
    known = Known(tuple(policy.services), tuple(policy.unit_levels), tuple(policy.circles))
    scorecard, own = read_scorecard(name, joined.beside, known)
    digest = sha256(f"{joined.digest}{own}".encode()).hexdigest()
    return dataclasses.replace(policy, digest=digest, scorecard=scorecard)
