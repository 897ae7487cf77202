"""The one table of columns: name, type, unit, title and the meaning of null, layer by layer.

A name with ``{service}`` or ``{group}`` stands for one column per service or group.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Literal

from lifecircle.analysis.policy import Policy
from lifecircle.analysis.texts import MESSAGES, Title, group_title

Dtype = Literal["text", "integer", "number", "boolean"]

LAYERS: Final = ("cells", "facilities", "units", "gaps", "circles", "network")
OPTIONAL_LAYERS: Final = ("catchments", "proposals")  # only where a run holds them
GROUPS: Final = ("0_3", "65")  # in every area, whether it has them or not


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a layer; `unit` is empty where there is none.

    `titled`, `absent`: keys of the texts that title it and say what an empty cell means; `of`: the
    service, circle or group it is one of. `words`: all it can hold, where that is a closed list.
    """

    name: str
    dtype: Dtype
    unit: str
    titled: str
    absent: str = "null_never"
    of: Title | None = None
    words: tuple[str, ...] = ()

    @property
    def repeated(self) -> bool:
        """Whether the column stands for one per service or group."""
        return "{" in self.name

    @property
    def title(self) -> Title:
        """What the column is called."""
        return MESSAGES.both(self.titled, of=self.of or Title("", ""))

    @property
    def null(self) -> Title:
        """What absence means."""
        return MESSAGES.both(self.absent)


def text(name: str, titled: str = "", null: str = "never") -> Column:
    """A column of words, titled by a text of the columns or by the shared word of its name."""
    return Column(name, "text", "", titled or f"word_{name}", f"null_{null}")


def count(name: str, titled: str = "", unit: str = "persons", null: str = "never") -> Column:
    """A column of whole numbers, of persons where no other unit is named."""
    return Column(name, "integer", unit, titled or f"word_{name}", f"null_{null}")


def number(name: str, titled: str, unit: str, null: str = "never") -> Column:
    """A column of numbers in `unit`."""
    return Column(name, "number", unit, titled or f"word_{name}", f"null_{null}")


def flag(name: str, titled: str) -> Column:
    """A column of yes and no."""
    return Column(name, "boolean", "", titled)


_ID = text("id")
_GROUP = count("residents_{group}", "column_group", null="no_group")
_UNIT = (text("unit_code", null="no_unit"), text("unit_name", null="no_unit"))
_NAMES = (text("name", null="unknown"), text("name_en", null="unknown"))
_SERVICE = (
    text("service", "word_service_id"),
    text("service_zh", "column_service_zh"),
    text("service_en", "column_service_en"),
)
_SNAP = (
    flag("snapped", "column_snapped"),
    number("access_m", "word_street_distance", "m", "no_snap"),
)

_CENTRE = (
    text("solution", "column_solution"),
    text("facility", "word_facility_id"),
    text("name", null="unknown"),
    count("load"),
    count("min", "word_minimum"),
    count("max", "word_maximum"),
    text("state", "column_state"),
    count("overload", "column_overload"),
    count("underload", "column_underload"),
    text("basis"),
    flag("estimated", "column_estimated"),
    number("person_minutes", "", "person_minutes"),
)

COLUMNS: Final[Mapping[str, tuple[Column, ...]]] = MappingProxyType(
    {
        "cells": (
            _ID,
            count("residents", null="unknown"),
            _GROUP,
            *_UNIT,
            *_SNAP,
            count("component", "column_component", "", "no_snap"),
            flag("modelled", "column_modelled"),
            number("minutes_{service}", "column_minutes", "minutes", "no_way"),
            text("circle_{circle}", "column_circle", "circle_open"),
            count("circle_{circle}_reached", "column_circle_reached", ""),
            text("circle_{circle}_missing", "column_circle_missing", "no_lack"),
            text("centre_{capacity}", "column_centre", "no_centre"),
            count("unserved_{capacity}", "column_unserved", null="no_catchments"),
        ),
        "facilities": (
            _ID,
            *_SERVICE,
            *_NAMES,
            text("source", null="unknown"),
            text("ownership", "attribute_ownership", "unknown"),
            text("level", "attribute_level", "unknown"),
            text("opening_hours", "attribute_opening_hours", "unknown"),
            *_SNAP,
            text("unit_code", null="no_unit"),
            text("placed_by_unit", "column_placed_by_unit", "not_placed"),
            text("filled_from", "column_filled_from", "not_filled"),
        ),
        "units": (
            _ID,
            text("code"),
            text("name"),
            text("name_en", null="unknown"),
            text("level"),
            text("class", null="unknown"),
            text("parent_code", "column_parent_code", "no_parent"),
            count("residents", null="unknown"),
            text("spread_method", "column_spread_method", "not_spread"),
            count("spread_moved", "column_spread_moved", null="no_other"),
            number("P_{service}", "column_P", "fraction", "not_assessed"),
        ),
        "gaps": (
            _ID,
            text("gap"),
            *_SERVICE,
            count("residents"),
            _GROUP,
            number("minutes_to_nearest", "column_minutes_to_nearest", "minutes", "no_way"),
            text("nearest_facility", "word_nearest_id", "no_way"),
            text("nearest_facility_name", "word_nearest", "unknown"),
            text("reason"),
            *_UNIT,
            text("region"),
            text("street", null="unknown"),
            text("street_en", null="unknown"),
            text("near", null="unknown"),
            text("near_en", null="unknown"),
            number("near_m", "column_near_m", "m", "unknown"),
            count("edge_of_list"),
            count("unsnapped_short_piece"),
        ),
        "circles": (
            _ID,
            text("kind", "word_circle"),
            text("unit_code"),
            text("unit_name"),
            text("level"),
            count("residents", null="unknown"),
            count("complete", null="unknown"),
            count("incomplete", null="unknown"),
            count("not_assessed", "word_circle_open", null="unknown"),
            number("share", "", "fraction", "not_assessed"),
            number("share_all", "", "fraction", "not_assessed"),
            count("unsnapped", null="unknown"),
            count("unsnapped_no_street", null="unknown"),
            count("unsnapped_short_piece", null="unknown"),
            count("required", unit="services"),
            text("missing", "column_missing_services", "no_lack"),
        ),
        "network": (
            _ID,
            count("osm_way", "column_osm_way", ""),
            number("length_m", "column_length", "m"),
            number("forth_m", "column_forth", "m", "no_slope"),
            number("back_m", "column_back", "m", "no_slope"),
            count("component", "column_component", ""),
        ),
        "catchments": (
            _ID,
            *_SERVICE,
            *_CENTRE,
            count("cells", "column_cells", ""),
            text("unit_code", null="no_unit"),
        ),
        "proposals": (
            _ID,
            text("proposal", "column_proposal"),
            *_SERVICE,
            text("objective", "column_objective"),
            number("minutes", "word_limit", "minutes"),
            text("walker"),
            count("rank", "word_site_rank", ""),
            text("site"),
            text("name", null="unknown"),
            text("kind", "word_site_kind"),
            *_UNIT,
            count("residents_new"),
            count("residents_reached"),
            _GROUP,
            number("person_minutes_saved", "", "person_minutes"),
            count("load", null="no_capacity_aim"),
            text("kept", "column_kept"),
        ),
    }
)

_SHARES = tuple(number(one, "", "fraction", "not_assessed") for one in ("U", "P", "P_core", "L"))
_C = number("C", "", "fraction", "not_assessed")
COVERAGE_COLUMNS: Final = (
    text("code"),
    text("name"),
    text("name_en", null="unknown"),
    count("residents", null="unknown"),
    count("covered", null="not_assessed"),
    count("not_covered", null="not_assessed"),
    count("not_assessed", "word_circle_open", null="unknown"),
    count("edge_of_list", null="not_assessed"),
    count("unsnapped", null="unknown"),
    count("unsnapped_no_street", null="unknown"),
    count("unsnapped_short_piece", null="unknown"),
    count("cut_off", null="not_assessed"),
    *_SHARES,
    _C,
)


CENTRE_COLUMNS: Final = (*_CENTRE, text("unit_code", null="no_unit"))

RULE_COLUMNS: Final = (
    text("code"),
    text("name"),
    text("name_en", null="unknown"),
    count("residents", null="unknown"),
    count("served", null="not_assessed"),
    count("reachable_full", null="not_assessed"),
    count("unreachable", null="not_assessed"),
    _C,
    count("government", unit="centres", null="not_assessed"),
    count("private", "column_private", "centres", "not_assessed"),
    count("unknown", "column_owner_unknown", "centres", "not_assessed"),
    text("A", "column_A", "not_assessed"),
    text("B", "column_B", "not_assessed"),
    text("state", null="not_assessed"),
    count("needed_from", "column_needed_from", "centres", "not_assessed"),
    count("needed_to", "column_needed_to", "centres", "no_most"),
    text("missing", "column_what_is_missing", "no_lack"),
    text("notes", "word_note", "none"),
)


def columns_of(layer: str, policy: Policy, groups: tuple[str, ...]) -> tuple[Column, ...]:
    """The columns of a layer, one per service and group where the table says so.

    `groups` are the area's; 0-3 and 65 have a column in every area.
    """
    return tuple(_expanded(layer, policy, all_groups(groups)))


def all_groups(groups: tuple[str, ...]) -> tuple[str, ...]:
    """The groups every layer shows first, then the area's others in name order."""
    return (*GROUPS, *sorted(set(groups) - set(GROUPS)))


def _each(column: Column, word: str, titles: Mapping[str, Title]) -> Iterator[Column]:
    """The column once for each thing it may be of."""
    for name, title in titles.items():
        yield replace(column, name=column.name.format(**{word: name}), of=title)


def _of_group(column: Column, group: str) -> Column:
    named = replace(column, name=column.name.format(group=group), of=group_title(group))
    known = f"group_{group}"
    return replace(named, titled=known) if MESSAGES.has(known) else named


def _expanded(layer: str, policy: Policy, groups: tuple[str, ...]) -> Iterator[Column]:
    services = {name: service.title for name, service in policy.services.items()}
    for column in COLUMNS[layer]:
        if "{capacity}" in column.name:
            limited = {name: services[name] for name in policy.capacity_services}
            yield from _each(column, "capacity", limited)
        elif "{service}" in column.name:
            yield from _each(column, "service", services)
        elif "{circle}" in column.name:
            kinds = {kind: rule.title for kind, rule in policy.circles.items()}
            yield from _each(column, "circle", kinds)
        elif "{group}" in column.name:
            yield from (_of_group(column, group) for group in groups)
        else:
            yield column
