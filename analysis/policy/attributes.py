"""The vocabulary of the scorecard: every attribute of units and facilities its rows can need.

One table, ``policies/scorecard/attributes.toml``: statistics tables name the attributes of units,
the columns of the bureau's tables hold those of facilities. Absence never means 0 or no.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Annotated, Final, Literal

from pydantic import Field, TypeAdapter, ValidationError

from lifecircle.analysis.policy.cited import Title, Titled
from lifecircle.analysis.policy.faults import Blame, PolicyFileError, form_faults
from lifecircle.analysis.policy.fields import BY_ID, Record, Text, Texts, Written
from lifecircle.analysis.policy.files import read_toml
from lifecircle.analysis.unknown_names import fold_name

Owner = Literal["unit", "facility"]
Dtype = Literal["flag", "count", "number", "text"]

AREA: Final = "area"  # the level and the unit_code of figures about the whole study area


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute(Titled):
    """One attribute of a unit (in statistics tables) or of a facility (a column of its table).

    `levels`: unit levels that carry it; `services`: kinds of facility that do. `rows`: the rows
    of the scorecard that read it. `null`: what an absent value means. `at`: the moment of an
    ordinary week at which opening hours tell it, where the table does not.
    """

    name: Annotated[str, Field(validation_alias="#id")]
    dtype: Dtype
    unit: str
    null: Title
    levels: Texts = ()
    services: Texts = ()
    rows: Texts = ()
    aliases: Texts = ()
    at: Text | None = None


@dataclass(frozen=True, slots=True)
class _Owners(Record):
    unit: Annotated[Mapping[str, Attribute], BY_ID]
    facility: Annotated[Mapping[str, Attribute], BY_ID]


@dataclass(frozen=True, slots=True)
class _Vocabulary(Record):
    attributes: _Owners


@cache
def attributes() -> Mapping[Owner, Mapping[str, Attribute]]:
    """The attributes of units and of facilities by name.

    Raises
    ------
    PolicyError : the packaged table is not as it should be.
    """
    file = files("lifecircle.analysis").joinpath("policies", "scorecard", "attributes.toml")
    content = read_toml(file)
    try:
        read = TypeAdapter(_Vocabulary).validate_python(content, context=Written({}, {}))
    except ValidationError as error:
        faults = form_faults(error, _Vocabulary, Blame(file.name))
        raise PolicyFileError(list(faults)) from error
    owners = read.attributes
    found: dict[Owner, Mapping[str, Attribute]] = {
        "unit": MappingProxyType(dict(owners.unit)),
        "facility": MappingProxyType(dict(owners.facility)),
    }
    return MappingProxyType(found)


@cache
def unit_attribute_names() -> Mapping[str, str]:
    """Folded word → name of a unit attribute, for the column `attribute` of statistics tables."""
    names: dict[str, str] = {}
    for one in attributes()["unit"].values():
        for word in (one.name, one.zh, one.en, *one.aliases):
            names.setdefault(fold_name(word), one.name)
    return MappingProxyType(names)
