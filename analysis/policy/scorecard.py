"""Reads the scorecard a policy names: every row checked before any of it is believed.

``scorecard/<name>.toml`` beside the policy's own file, else among the packaged ones. A scorecard
may extend another: rows are added or replaced whole, ``[drop]`` takes some out, everything else
joins key by key.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from lifecircle.analysis.errors import PolicyError
from lifecircle.analysis.policy.attributes import AREA, attributes
from lifecircle.analysis.policy.cited import Cited, Title
from lifecircle.analysis.policy.faults import PolicyFault, PolicyFileError, form_faults
from lifecircle.analysis.policy.fields import UNDEFINED, UNKNOWN, Record, Text, Written
from lifecircle.analysis.policy.files import DROP, EXTENDS, Joined, Shelf, read_shelved
from lifecircle.analysis.policy.scorecard_checks import NO_NUMERALS, Numerals, contradictions
from lifecircle.analysis.policy.scorecard_model import PLAN, Scorecard, scorecard_reader

_VOCABULARY: Final = "attributes"
_UNITS: Final = "units"
_EARLIER: Final = "earlier"  # what runs of before do not say, read where they are opened
SCORECARDS: Final = Shelf(
    ("policies", "scorecard"),
    whole=frozenset({"rows", "not_computed"}),
    droppable=("rows", "not_computed", "settings"),
    aside=frozenset({_VOCABULARY, _UNITS, _EARLIER}),
)


@dataclass(frozen=True, slots=True)
class Known:
    """What the rows of a scorecard may name: the policy's services, levels and circles."""

    services: Collection[str]
    levels: Collection[str]
    circles: Collection[str]


@dataclass(frozen=True, slots=True)
class _Around(Record):
    """What the rows of a file name and the scorecard does not keep.

    `readings`: titles of readings by their id.
    """

    sources: Mapping[str, Text]
    figures: Mapping[str, Cited] = field(default_factory=dict)
    readings: Mapping[str, Title] = field(default_factory=dict)
    numerals: Numerals = NO_NUMERALS


def read_scorecard(name: str, beside: Path | None, known: Known) -> tuple[Scorecard, str]:
    """The scorecard of that name and the SHA-256 of its content.

    Parameters
    ----------
    name : as the policy's key ``scorecard`` says.
    beside : folder of the policy's own file, None for a packaged policy.

    Raises
    ------
    PolicyError
        The file cannot be read, or does not hold: all faults of one stage at once.
    """
    units = files("lifecircle.analysis").joinpath(*SCORECARDS.folder, f"{_UNITS}.toml")
    folder = None if beside is None else beside / "scorecard"
    joined = read_shelved(name, folder, SCORECARDS, units) if _is_name(name) else None
    if joined is None:
        raise PolicyError("scorecard_unknown", name=name, known=", ".join(SCORECARDS.packaged()))
    return scorecard_of(name, joined, known), joined.digest


def scorecard_of(name: str, joined: Joined, known: Known | None) -> Scorecard:
    """The scorecard of a joined file; what a policy knows is not asked where `known` is None.

    Raises
    ------
    PolicyFileError : all faults of one stage at once.
    """
    blame, content = joined.blame, joined.content
    names = _around().keys
    written = Written(_texts(content.get("sources")), {})
    around = _read(_around().adapter, _Around, _part(content, names), joined, written)
    if PLAN not in around.sources:
        raise PolicyFileError([blame.fault("policy_missing_key", ("sources", PLAN))])
    written = Written(
        around.sources,
        {} if known is None else _names(content, known),
        {
            "figures": around.figures,
            "titles": {i: {"zh": t.zh, "en": t.en} for i, t in around.readings.items()},
            "settings": _tables(content.get("settings")),
        },
    )
    rest = {key: value for key, value in content.items() if key not in names}
    rest |= {"#id": name, "#source": around.sources[PLAN]}
    strange: list[PolicyFault] = []
    try:
        card: Scorecard = _read(scorecard_reader(), Scorecard, rest, joined, written)
    except PolicyFileError as error:
        if any(fault.key not in (UNKNOWN, UNDEFINED) for fault in error.faults):
            raise
        # only names that nothing stands for: what contradicts itself can be told beside them
        strange = list(error.faults)
        written.names = {}
        card = _read(scorecard_reader(), Scorecard, rest, joined, written)
    if known is not None:
        faults = [*strange, *contradictions(card, around.numerals, blame)]
        if faults:
            raise PolicyFileError(faults)
    return card


def _is_name(name: str) -> bool:
    return not any(sign in name for sign in "/\\") and name not in ("", ".", "..")


def _names(content: Mapping[str, Any], known: Known) -> dict[str, Collection[str]]:
    vocabulary = attributes()
    return {
        "services": known.services,
        "levels": known.levels,
        "bases": [AREA, *known.levels],
        "circles": known.circles,
        "columns": vocabulary["facility"],
        "statistics": vocabulary["unit"],
        "units": _tables(content.get("units")),
        "groups": _tables(content.get("groups")),
        "labels": _tables(content.get("labels")),
    }


def _read(
    adapter: TypeAdapter[Any], kind: type, content: Any, joined: Joined, written: Written
) -> Any:
    try:
        return adapter.validate_python(content, context=written)
    except ValidationError as error:
        also = (*_around().keys, EXTENDS, DROP)
        raise PolicyFileError(list(form_faults(error, kind, joined.blame, also))) from error


def _part(content: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: content[name] for name in names if name in content}


def _tables(node: Any) -> dict[str, Any]:
    """A table of tables as written; what is no table is told where it is read."""
    if not isinstance(node, Mapping):
        return {}
    return {name: one for name, one in node.items() if isinstance(one, Mapping)}


def _texts(node: Any) -> dict[str, str]:
    if not isinstance(node, Mapping):
        return {}
    return {name: one for name, one in node.items() if isinstance(one, str)}


@dataclass(frozen=True, slots=True)
class _Adapter:
    adapter: TypeAdapter[_Around]
    keys: tuple[str, ...]


@cache
def _around() -> _Adapter:
    return _Adapter(TypeAdapter(_Around), tuple(_Around.__dataclass_fields__))
