"""The one table of columns: name, type, unit, title and the meaning of null, layer by layer.

A name with ``{service}`` or ``{group}`` stands for one column per service or group.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Literal

from lifecircle.analysis.policy import Policy, Title

Dtype = Literal["text", "integer", "number", "boolean"]

LAYERS: Final = ("cells", "facilities", "units", "gaps", "circles", "network")
OPTIONAL_LAYERS: Final = ("catchments", "proposals")  # only where a run holds them


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a layer; `unit` is empty where there is none, `null` what absence means."""

    name: str
    dtype: Dtype
    unit: str
    title: Title
    null: Title

    @property
    def repeated(self) -> bool:
        """Whether the column stands for one per service or group."""
        return "{" in self.name


NEVER: Final = Title("不为空", "Never empty")
UNKNOWN: Final = Title("未知", "Unknown")
NO_WAY: Final = Title("走不到，或没有该类设施", "No way there, or no such facility")
NO_SNAP: Final = Title("附近没有可步行道路", "No walkable street near")
NO_UNIT: Final = Title("不在任何单元内", "Outside every unit")
NO_GROUP: Final = Title("本区域没有该人群数据", "The area has no such group")
NO_CENTRE: Final = Title("未获服务，或没有服务区划分", "Unserved, or no catchments")
NO_CATCHMENTS: Final = Title("没有服务区划分", "No catchments")
CIRCLE_OPEN: Final = Title("有服务未评估，不能判定", "Open: a service is not assessed")
NO_LACK: Final = Title("不缺", "Nothing missing")
NOT_ASSESSED: Final = Title("未评估或人口未知", "Not assessed, or residents unknown")

NO_SLOPE: Final = Title("未计入坡度", "Slope does not count")
NOT_PLACED: Final = Title("有坐标", "It has coordinates")
NOT_FILLED: Final = Title("没有补填", "Nothing was filled")
NOT_SPREAD: Final = Title("不是推算", "Not spread")
NO_OTHER: Final = Title("不是推算，或没有第二种方法可比", "Not spread, or no second way to compare")

GROUP_TITLES: Final[Mapping[str, Title]] = MappingProxyType(
    {
        "0_3": Title("0–3 岁居民", "Residents aged 0-3"),
        "65": Title("65 岁及以上居民", "Residents aged 65 and over"),
    }
)
# Counted like a group of residents, but no persons.
_COUNTED_ALIKE: Final = {"households": Title("户数", "Households")}


def text(name: str, zh: str, en: str, null: Title = NEVER) -> Column:
    """A column of words."""
    return Column(name, "text", "", Title(zh, en), null)


def count(name: str, zh: str, en: str, unit: str = "persons", null: Title = NEVER) -> Column:
    """A column of whole numbers, of persons where no other unit is named."""
    return Column(name, "integer", unit, Title(zh, en), null)


def number(name: str, zh: str, en: str, unit: str, null: Title = NEVER) -> Column:
    """A column of numbers in `unit`."""
    return Column(name, "number", unit, Title(zh, en), null)


def flag(name: str, zh: str, en: str) -> Column:
    """A column of yes and no."""
    return Column(name, "boolean", "", Title(zh, en), NEVER)


_ID = text("id", "编号", "Id")
_GROUP = Column(
    "residents_{group}", "integer", "persons", Title("{group} 居民", "Residents {group}"), NO_GROUP
)
_UNIT = (
    text("unit_code", "单元代码", "Unit code", NO_UNIT),
    text("unit_name", "单元名称", "Unit name", NO_UNIT),
)
_SERVICE = (
    text("service", "服务代码", "Service"),
    text("service_zh", "服务（中文）", "Service (Chinese)"),
    text("service_en", "服务（英文）", "Service (English)"),
)
_SNAP = (
    flag("snapped", "已接入道路", "Joined to a street"),
    number("access_m", "到道路的距离", "Distance to the street", "m", NO_SNAP),
)

_CENTRE = (
    text("solution", "分配方式", "Solution"),
    text("facility", "设施编号", "Facility"),
    text("name", "名称", "Name", UNKNOWN),
    count("load", "服务人数", "Load"),
    count("min", "下限", "Minimum"),
    count("max", "上限", "Maximum"),
    text("state", "状态", "State"),
    count("overload", "超载人数", "Overload"),
    count("underload", "不足人数", "Underload"),
    text("basis", "容量依据", "Basis of the capacity"),
    flag("estimated", "容量为估算", "Capacity estimated"),
    number("person_minutes", "总步行分钟", "Minutes walked by all", "minutes"),
)

COLUMNS: Final[Mapping[str, tuple[Column, ...]]] = MappingProxyType(
    {
        "cells": (
            _ID,
            count("residents", "居民", "Residents"),
            _GROUP,
            *_UNIT,
            *_SNAP,
            count("component", "路网连通分量", "Street component", "", NO_SNAP),
            flag("modelled", "推算人口", "Residents modelled"),
            number("minutes_{service}", "步行到{service}", "Walk to {service}", "minutes", NO_WAY),
            text("circle_{circle}", "{circle}", "{circle}", CIRCLE_OPEN),
            count(
                "circle_{circle}_reached", "{circle}走得到的类型数", "{circle}: types reached", ""
            ),
            text(
                "circle_{circle}_missing",
                "{circle}缺少的服务",
                "{circle}: services missing",
                NO_LACK,
            ),
            text("centre_{capacity}", "{capacity}归属设施", "Assigned to: {capacity}", NO_CENTRE),
            count(
                "unserved_{capacity}",
                "{capacity}未获服务的人",
                "Unserved: {capacity}",
                null=NO_CATCHMENTS,
            ),
        ),
        "facilities": (
            _ID,
            *_SERVICE,
            text("name", "名称", "Name", UNKNOWN),
            text("name_en", "英文名称", "English name", UNKNOWN),
            text("source", "来源", "Source", UNKNOWN),
            text("ownership", "举办主体", "Ownership", UNKNOWN),
            text("level", "级别", "Level", UNKNOWN),
            text("opening_hours", "开放时间", "Opening hours", UNKNOWN),
            *_SNAP,
            text("unit_code", "单元代码", "Unit code", NO_UNIT),
            text("placed_by_unit", "按单元定位", "Placed at its unit", NOT_PLACED),
            text("filled_from", "补自另一来源", "Filled from another row", NOT_FILLED),
        ),
        "units": (
            _ID,
            text("code", "代码", "Code"),
            text("name", "名称", "Name"),
            text("name_en", "英文名称", "English name", UNKNOWN),
            text("level", "层级", "Level"),
            text("class", "城乡类别", "Urban or rural", UNKNOWN),
            text("parent_code", "上级单元代码", "Parent unit", Title("没有上级", "No parent")),
            count("residents", "居民", "Residents", null=UNKNOWN),
            text("spread_method", "人口推算方法", "How residents were spread", NOT_SPREAD),
            count("spread_moved", "推算方法间相差人数", "Moved by another spread", null=NO_OTHER),
            number(
                "P_{service}",
                "{service}人口覆盖率 P",
                "Residents covered (P): {service}",
                "fraction",
                NOT_ASSESSED,
            ),
        ),
        "gaps": (
            _ID,
            text("gap", "缺口编号", "Gap"),
            *_SERVICE,
            count("residents", "居民", "Residents"),
            _GROUP,
            number(
                "minutes_to_nearest", "到最近设施步行", "Walk to the nearest", "minutes", NO_WAY
            ),
            text("nearest_facility", "最近设施编号", "Nearest facility", NO_WAY),
            text("nearest_facility_name", "最近设施", "Name of the nearest", UNKNOWN),
            text("reason", "原因", "Reason"),
            *_UNIT,
            text("region", "所在连片区域编号", "Connected region"),
            text("near", "附近地点", "Nearest named place", UNKNOWN),
            number("near_m", "到附近地点的直线距离", "Straight line to it", "m", UNKNOWN),
        ),
        "circles": (
            _ID,
            text("kind", "生活圈", "Circle"),
            text("unit_code", "单元代码", "Unit code"),
            text("unit_name", "单元名称", "Unit name"),
            text("level", "层级", "Level"),
            count("residents", "居民", "Residents", null=UNKNOWN),
            count("complete", "生活圈完整的居民", "Complete circle", null=UNKNOWN),
            count("incomplete", "生活圈不完整的居民", "Incomplete circle", null=UNKNOWN),
            count("not_assessed", "未评估的居民", "Not assessed", null=UNKNOWN),
            number("share", "完整率", "Share complete", "fraction", NOT_ASSESSED),
            number("share_all", "全部类型完整率", "Share with all types", "fraction", NOT_ASSESSED),
            count("required", "需要的服务类型数", "Types required", "services"),
            text(
                "missing",
                "缺少的服务（人数从多到少）",
                "Services missing, most residents first",
                NO_LACK,
            ),
        ),
        "network": (
            _ID,
            count("osm_way", "OSM 道路编号", "OSM way", ""),
            number("length_m", "长度", "Length", "m"),
            number("forth_m", "沿线方向折算平路长度", "Worth on the flat, along", "m", NO_SLOPE),
            number("back_m", "反方向折算平路长度", "Worth on the flat, back", "m", NO_SLOPE),
            count("component", "路网连通分量", "Street component", ""),
        ),
        "catchments": (
            _ID,
            *_SERVICE,
            *_CENTRE,
            count("cells", "人口单元格数", "Cells", ""),
            text("unit_code", "单元代码", "Unit code", NO_UNIT),
        ),
        "proposals": (
            _ID,
            text("proposal", "方案编号", "Proposal"),
            *_SERVICE,
            text("objective", "选址目标", "Objective"),
            number("minutes", "步行时限", "Limit of the walk", "minutes"),
            text("walker", "步行者", "Walker"),
            count("rank", "次序", "Rank", ""),
            text("site", "候选点编号", "Site"),
            text("name", "名称", "Name", UNKNOWN),
            text("kind", "候选点类型", "Kind of site"),
            *_UNIT,
            count("residents_new", "新覆盖的居民", "Newly covered"),
            count("residents_reached", "时限内的全部居民", "Within its limit"),
            _GROUP,
            number("person_minutes_saved", "节省的人·分钟", "Person-minutes saved", "minutes"),
            count("load", "服务人数", "Load", null=Title("未按容量选址", "Not sited by capacity")),
            text("kept", "保存时间", "Kept at"),
        ),
    }
)

COVERAGE_COLUMNS: Final = (
    text("code", "代码", "Code"),
    text("name", "名称", "Name"),
    text("name_en", "英文名称", "English name", UNKNOWN),
    count("residents", "居民", "Residents", null=UNKNOWN),
    count("covered", "已覆盖的居民", "Covered", null=NOT_ASSESSED),
    count("unsnapped", "远离道路的居民", "Off the streets", null=UNKNOWN),
    count("cut_off", "路网不通的居民", "Cut off", null=NOT_ASSESSED),
    number("U", "单元覆盖率 U", "Units with a facility (U)", "fraction", NOT_ASSESSED),
    number("P", "人口覆盖率 P", "Residents covered (P)", "fraction", NOT_ASSESSED),
    number("P_core", "内圈人口覆盖率 P_core", "Inner ring (P_core)", "fraction", NOT_ASSESSED),
    number("L", "居住用地覆盖率 L", "Residential land covered (L)", "fraction", NOT_ASSESSED),
    number("C", "考虑容量的覆盖率 C", "Covered within capacity (C)", "fraction", NOT_ASSESSED),
)


CENTRE_COLUMNS: Final = (
    *_CENTRE,
    text("unit_code", "单元代码", "Unit code", NO_UNIT),
)

RULE_COLUMNS: Final = (
    text("code", "代码", "Code"),
    text("name", "名称", "Name"),
    text("name_en", "英文名称", "English name", UNKNOWN),
    count("residents", "居民", "Residents", null=UNKNOWN),
    count("served", "获得服务", "Served", null=NOT_ASSESSED),
    count("reachable_full", "可达但满员", "In reach but full", null=NOT_ASSESSED),
    count("unreachable", "不可达", "Out of reach", null=NOT_ASSESSED),
    number("C", "考虑容量的覆盖率 C", "Covered within capacity (C)", "fraction", NOT_ASSESSED),
    count("government", "政府举办", "Government-run", "centres", NOT_ASSESSED),
    count("private", "非政府举办", "Run by others", "centres", NOT_ASSESSED),
    count("unknown", "举办主体未知", "Owner unknown", "centres", NOT_ASSESSED),
    text("A", "口径 A：街道内有政府举办的中心", "Reading A: a government-run centre", NOT_ASSESSED),
    text(
        "B",
        "口径 B：服务人口在规定范围内",
        "Reading B: residents per centre in range",
        NOT_ASSESSED,
    ),
    text("state", "状态", "State", NOT_ASSESSED),
    count("needed_from", "至少需要", "Needed from", "centres", NOT_ASSESSED),
    count("needed_to", "至多需要", "Needed to", "centres", NOT_ASSESSED),
    text("missing", "缺少什么", "What is missing", Title("不缺", "Nothing missing")),
    text("notes", "说明", "Notes", Title("没有", "None")),
)


def columns_of(layer: str, policy: Policy, groups: tuple[str, ...]) -> tuple[Column, ...]:
    """The columns of a layer, one per service and group where the table says so.

    `groups` are the area's; 0-3 and 65 have a column in every area.
    """
    return tuple(_expanded(layer, policy, all_groups(groups)))


def all_groups(groups: tuple[str, ...]) -> tuple[str, ...]:
    """The groups every layer shows first, then the area's others in name order."""
    return (*GROUP_TITLES, *sorted(set(groups) - set(GROUP_TITLES)))


def _per_service(
    column: Column, word: str, services: tuple[str, ...], policy: Policy
) -> Iterator[Column]:
    for name in services:
        title = policy.services[name].title
        yield replace(
            column,
            name=column.name.format(**{word: name}),
            title=Title(
                column.title.zh.format(**{word: title.zh}),
                column.title.en.format(**{word: title.en}),
            ),
        )


def _expanded(layer: str, policy: Policy, groups: tuple[str, ...]) -> Iterator[Column]:
    for column in COLUMNS[layer]:
        if "{capacity}" in column.name:
            yield from _per_service(column, "capacity", policy.capacity_services, policy)
        elif "{service}" in column.name:
            yield from _per_service(column, "service", tuple(policy.services), policy)
        elif "{circle}" in column.name:
            for kind, rule in policy.circles.items():
                yield replace(
                    column,
                    name=column.name.format(circle=kind),
                    title=Title(
                        column.title.zh.format(circle=rule.title.zh),
                        column.title.en.format(circle=rule.title.en),
                    ),
                )
        elif "{group}" in column.name:
            for group in groups:
                fallback = Title(
                    column.title.zh.format(group=group), column.title.en.format(group=group)
                )
                yield replace(
                    column,
                    name=column.name.format(group=group),
                    title=GROUP_TITLES.get(group) or _COUNTED_ALIKE.get(group, fallback),
                )
        else:
            yield column
