"""How the values of policy and scorecard files are read: every kind of value, each once.

The records of this room are plain frozen dataclasses; pydantic reads them from a file or from a
run. While a file is read, `Written` tells what its names may stand for; of a run's frozen policy
nothing is asked again, so that a run opens whatever is thought of its judgements today.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field, GetCoreSchemaHandler, PlainSerializer, ValidationInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

ID: Final = re.compile(r"[a-z0-9][a-z0-9_-]*")
UNKNOWN: Final = "policy_unknown_name"  # nothing has that name
UNDEFINED: Final = "scorecard_undefined"  # nor does the file say what it is
HIDDEN: Final = "#"  # begins what a reader adds to a table: nobody can write such a key by chance


class Record:
    """A table of a file: a key that it does not take is refused."""

    __slots__ = ()
    __pydantic_config__ = ConfigDict(extra="forbid")


@dataclass(slots=True)
class Written:
    """What the names in a file may stand for, while it is read.

    `sources`: key → title of the document. `names`: by room (services, levels, circles, ...),
    what there is; a room that is left out is not asked. `more`: what a scorecard adds.
    """

    sources: Mapping[str, str]
    names: Mapping[str, Collection[str]]
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class As:
    """Read by a core schema as it is: what pydantic need not look for, it does not at any start."""

    schema: CoreSchema

    def __get_pydantic_core_schema__(self, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return self.schema


@dataclass(frozen=True, slots=True, eq=False)
class Before:
    """What is done to a value before it is read."""

    change: Callable[[Any, ValidationInfo], Any]

    def __get_pydantic_core_schema__(self, kind: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_before_validator_function(self.change, handler(kind))


@dataclass(frozen=True, slots=True, eq=False)
class After:
    """What a value is checked for, or made into, once it is read."""

    check: Callable[[Any, ValidationInfo], Any]

    def __get_pydantic_core_schema__(self, kind: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_after_validator_function(self.check, handler(kind))


def refused(key: str, **params: Any) -> PydanticCustomError:
    """A fault of a value: a message key and its parameters, told with file and path."""
    return PydanticCustomError(key, "refused", params)


def nobody_called(name: str, known: Collection[str]) -> PydanticCustomError:
    """The fault of a name that nothing stands for."""
    return refused(UNKNOWN, value=name, known=tuple(known))


def _named(room: str) -> After:
    def check(name: str, info: ValidationInfo) -> str:
        if info.context is not None:
            known = info.context.names.get(room)
            if known is not None and name not in known:
                raise nobody_called(name, known)
        return name

    return After(check)


def _defined(room: str) -> After:
    """A name that the file itself defines, in the table of that name."""

    def check(name: str, info: ValidationInfo) -> str:
        known = None if info.context is None else info.context.names.get(room)
        if known is not None and name not in known:
            raise refused(UNDEFINED, value=name, room=room, known=tuple(known))
        return name

    return After(check)


def _not_blank(text: str, info: ValidationInfo) -> str:
    if info.context is not None and not text.strip():
        raise refused("policy_bad_value", value=text)
    return text


def _source(name: str, info: ValidationInfo) -> str:
    """The full title of a source; a run keeps the title itself."""
    if info.context is None:
        return name
    if name not in info.context.sources:
        known = ", ".join(info.context.sources)
        raise refused("policy_unknown_source", source=name, known=known)
    return str(info.context.sources[name])


def _some(values: Any, info: ValidationInfo) -> Any:
    if info.context is not None and not values:
        raise refused("policy_empty")
    return values


def _one_or_more(values: Any, _: ValidationInfo) -> Any:
    return (values,) if isinstance(values, str) else values


def when_written(check: Callable[[Any], None]) -> After:
    """A check that is made of files, not of what a run keeps."""

    def checked(value: Any, info: ValidationInfo) -> Any:
        if info.context is not None:
            check(value)
        return value

    return After(checked)


_TEXT: Final = core_schema.str_schema(min_length=1, pattern=r"\S")
SOME: Final = After(_some)

Text = Annotated[str, As(_TEXT)]
Said = Annotated[str, As(core_schema.str_schema()), After(_not_blank)]
Source = Annotated[str, As(core_schema.str_schema()), After(_source)]
Number = Annotated[float, As(core_schema.float_schema(strict=True))]
Whole = Annotated[int, As(core_schema.int_schema(strict=True))]
Flag = Annotated[bool, As(core_schema.bool_schema(strict=True))]
Texts = tuple[Text, ...]
Values = Annotated[tuple[Text, ...], SOME]
TagValues = Annotated[tuple[Text, ...], SOME, Before(_one_or_more)]
Words = Annotated[frozenset[Text], SOME, PlainSerializer(sorted)]

ServiceId = Annotated[str, As(_TEXT), _named("services")]
ServiceGroupId = Annotated[str, As(_TEXT), _named("service_groups")]
LevelId = Annotated[str, As(_TEXT), _named("levels")]
BaseLevel = Annotated[str, As(_TEXT), _named("bases")]
CircleId = Annotated[str, As(_TEXT), _named("circles")]
ColumnId = Annotated[str, As(_TEXT), _named("columns")]
StatisticId = Annotated[str, As(_TEXT), _named("statistics")]
UnitId = Annotated[str, As(_TEXT), _defined("units")]
GroupId = Annotated[str, As(_TEXT), _defined("groups")]
LabelId = Annotated[str, As(_TEXT), _defined("labels")]
Services = tuple[ServiceId, ...]


# ---- tables by name --------------------------------------------------------------------------


def _by_id(tables: Any, _: ValidationInfo) -> Any:
    """Each table with the name it stands under."""
    if not isinstance(tables, Mapping):
        return tables
    return {
        name: {**table, "#id": name} if isinstance(table, Mapping) else table
        for name, table in tables.items()
    }


def _by_id_titled(tables: Any, info: ValidationInfo) -> Any:
    """Each table with its name; in a file ``zh`` and ``en`` stand in the table itself."""
    named = _by_id(tables, info)
    if not isinstance(named, Mapping):
        return named
    return {
        name: _titled(table, written=info.context is not None)
        if isinstance(table, Mapping)
        else table
        for name, table in named.items()
    }


def _titled(table: Mapping[str, Any], *, written: bool) -> dict[str, Any]:
    rest = dict(table)
    if not written:
        return {**rest, "#title": rest.pop("title", None)}
    title = {lang: rest.pop(lang) for lang in ("zh", "en") if lang in rest}
    return {**rest, "#title": title}


BY_ID: Final = Before(_by_id)
BY_ID_TITLED: Final = Before(_by_id_titled)
Id = Annotated[str, Field(validation_alias="#id")]
