"""A walker or a service of one's own, added to a policy in code and checked like a file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Final, Literal

import orjson
from pydantic import TypeAdapter, ValidationError

from lifecircle.analysis.policy.checks import bare_numbers, name_faults
from lifecircle.analysis.policy.cited import Confidence
from lifecircle.analysis.policy.faults import Blame, Content, PolicyFileError, form_faults
from lifecircle.analysis.policy.fields import BY_ID_TITLED, Record, Written
from lifecircle.analysis.policy.model import Policy
from lifecircle.analysis.policy.sections.rules import Service, Walker

_CODE: Final = "code"  # what faults name in place of a file
_CLAUSE: Final = "added in code"  # where a file would quote the clause


def with_walker(
    policy: Policy,
    walker: str,
    *,
    metres_per_second: float,
    title: tuple[str, str] | None = None,
    source: str,
    confidence: Confidence = "interpretation",
) -> Policy:
    """The policy with one more walker, or with another speed for one it has, metres per second.

    Parameters
    ----------
    title : Chinese and English name; left out, the id is both.
    source : the document or person the speed comes from; no number stands without.

    Raises
    ------
    PolicyError : a speed that is not above 0, an id or a word that cannot be used.

    Examples
    --------
    >>> import lifecircle as lc
    >>> policy = lc.with_walker(
    ...     lc.load_policy(), "cane", metres_per_second=0.6, source="our survey, 2026"
    ... )
    >>> float(policy.walkers["cane"].speed_m_per_s)
    0.6
    """
    number = {"source": source, "clause": _CLAUSE, "confidence": confidence}
    table = {
        **_named(walker, title),
        "metres": {"value": float(metres_per_second), **number},
        "seconds": {"value": 1.0, **number},
    }
    return _joined(policy, "walkers", walker, table, source)


def with_service(
    policy: Policy,
    service: str,
    *,
    minutes: float,
    source: str,
    title: tuple[str, str] | None = None,
    osm: Sequence[Mapping[str, str]] = (),
    more: Mapping[str, Any] | None = None,
) -> Policy:
    """The policy with one more service, walked to in `minutes`.

    Parameters
    ----------
    source : the document or person the minutes come from; no number stands without.
    title : Chinese and English name; left out, the id is both.
    osm : tags of OpenStreetMap that make a place one; each mapping is a rule of its own.
    more : further keys as a policy file has them: ``tier`` (``public``), ``attachment``
        (``outline``), ``confidence`` of the minutes (``interpretation``), ``aliases``, ...

    Raises
    ------
    PolicyError : minutes not above 0, an unknown key, a word that names another service.

    Examples
    --------
    >>> import lifecircle as lc
    >>> policy = lc.with_service(
    ...     lc.load_policy(), "charging", minutes=10, title=("充电站", "Charging station"),
    ...     osm=[{"amenity": "charging_station"}], source="our survey, 2026",
    ... )
    >>> policy.services["charging"].minutes.value
    10.0
    """
    told = dict(more or {})
    confidence = told.pop("confidence", "interpretation")
    table = {
        **_named(service, title),
        "tier": "public",
        "attachment": "outline",
        "minutes": {
            "value": float(minutes), "source": source, "clause": _CLAUSE, "confidence": confidence,
        },
        "osm": [{"tags": dict(tags)} for tags in osm],
        **told,
    }  # fmt: skip
    return _joined(policy, "services", service, table, source)


def _named(name: str, title: tuple[str, str] | None) -> dict[str, str]:
    zh, en = title or (name, name)
    return {"zh": zh, "en": en}


@dataclass(frozen=True, slots=True)
class _Added(Record):
    """The tables that can be added, as a policy file has them."""

    walkers: Annotated[Mapping[str, Walker], BY_ID_TITLED] = field(default_factory=dict)
    services: Annotated[Mapping[str, Service], BY_ID_TITLED] = field(default_factory=dict)


def _joined(
    policy: Policy, room: Literal["walkers", "services"], name: str, table: Content, source: str
) -> Policy:
    """The policy with a table read and checked as that of a file is."""
    blame = Blame(_CODE, {(room, name): _CODE})
    content = {room: {name: table}}
    try:
        bare = list(bare_numbers(content, blame))
        if bare:
            raise PolicyFileError(bare)
        read = TypeAdapter(_Added).validate_python(content, context=Written({source: source}, {}))
    except ValidationError as error:
        raise PolicyFileError(list(form_faults(error, _Added, blame))) from error
    joined = replace(
        policy,
        walkers={**policy.walkers, **read.walkers},
        services={**policy.services, **read.services},
        digest=_digest(policy, name, table),
    )
    faults = list(name_faults(joined, blame))
    if faults:
        raise PolicyFileError(faults)
    return joined


def _digest(policy: Policy, name: str, table: Mapping[str, Any]) -> str:
    """The digest of the policy and what was added to it."""
    added = orjson.dumps([policy.digest, name, table], default=str)
    return hashlib.sha256(added).hexdigest()
