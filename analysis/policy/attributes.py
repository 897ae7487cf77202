"""The vocabulary of the scorecard: every attribute of units and facilities its rows can need.

One table, ``policies/scorecard/attributes.toml``: statistics tables name the attributes of units,
the columns of the bureau's tables hold those of facilities. Absence never means 0 or no.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lifecircle.analysis.errors import PolicyError
from lifecircle.analysis.policy.tables import Text, TitleTable

Owner = Literal["unit", "facility"]
Dtype = Literal["flag", "count", "number", "text"]

AREA: Final = "area"  # the level and the unit_code of figures about the whole study area


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a unit (in statistics tables) or of a facility (a column of its table).

    `levels`: unit levels that carry it; `services`: kinds of facility that do. `rows`: the rows
    of the scorecard that read it. `null_zh`, `null_en`: what an absent value means.
    """

    name: str
    owner: Owner
    dtype: Dtype
    unit: str
    zh: str
    en: str
    null_zh: str
    null_en: str
    levels: tuple[str, ...]
    services: tuple[str, ...]
    rows: tuple[str, ...]
    aliases: tuple[str, ...]


class _AttributeTable(TitleTable):
    dtype: Dtype
    unit: str
    null: TitleTable
    levels: list[Text] = Field(default=[])
    services: list[Text] = Field(default=[])
    rows: list[Text] = Field(default=[])
    aliases: list[Text] = Field(default=[])


class _OwnersTable(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    unit: dict[str, _AttributeTable]
    facility: dict[str, _AttributeTable]


class _AttributesFile(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    attributes: _OwnersTable


@cache
def attributes() -> Mapping[Owner, Mapping[str, Attribute]]:
    """The attributes of units and of facilities by name.

    Raises
    ------
    PolicyError : the packaged table is not as it should be.
    """
    file = files("lifecircle.analysis").joinpath("policies", "scorecard", "attributes.toml")
    content = tomllib.loads(file.read_text(encoding="utf-8"))
    try:
        owners = _AttributesFile.model_validate(content).attributes
    except ValidationError as error:
        path = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise PolicyError(
            "policy_bad_value", file=file.name, path=path, value=error.errors()[0]["msg"]
        ) from error
    found: dict[Owner, Mapping[str, Attribute]] = {
        "unit": _of(owners.unit, "unit"),
        "facility": _of(owners.facility, "facility"),
    }
    return MappingProxyType(found)


def _of(tables: Mapping[str, _AttributeTable], owner: Owner) -> Mapping[str, Attribute]:
    return MappingProxyType(
        {
            name: Attribute(
                name=name,
                owner=owner,
                dtype=table.dtype,
                unit=table.unit,
                zh=table.zh,
                en=table.en,
                null_zh=table.null.zh,
                null_en=table.null.en,
                levels=tuple(table.levels),
                services=tuple(table.services),
                rows=tuple(table.rows),
                aliases=tuple(table.aliases),
            )
            for name, table in tables.items()
        }
    )


@cache
def unit_attribute_names() -> Mapping[str, str]:
    """Folded word → name of a unit attribute, for the column `attribute` of statistics tables."""
    names: dict[str, str] = {}
    for one in attributes()["unit"].values():
        for word in (one.name, one.zh, one.en, *one.aliases):
            names.setdefault(folded(word), one.name)
    return MappingProxyType(names)


def folded(text: str) -> str:
    """A name as it is compared: half width, small letters, no spaces, ``_``, ``-`` or ``.``."""
    return re.sub(r"[\s_\-.]+", "", unicodedata.normalize("NFKC", text).casefold())
