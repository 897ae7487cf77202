"""What kinds of places springcity has: how many, in which file, with which tags.

`rate`: places per urban community on average; a kind found `once` stands in exactly that share
of the communities, once in each. ``osm`` kinds stand in the OSM file only, ``table`` kinds in
the bureau's table only. `old`: the share that was there in 2020 already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of place: its service id, rate, file, OSM tags, names, floor area in m²."""

    service: str
    rate: float
    file: Literal["osm", "table"]
    tags: Mapping[str, str]
    zh: str
    en: str
    area_m2: float = 0.0
    once: bool = False
    old: float = 0.8


_NO_TAGS: Final[Mapping[str, str]] = {}
_TRAIL: Final = Kind("fitness_trail", 0.3, "table", _NO_TAGS, "健身步道", "Fitness Trail")

KINDS: Final = (
    Kind("convenience_store", 6.0, "osm", {"shop": "convenience"}, "便利店", "Convenience"),
    Kind("supermarket", 1.0, "osm", {"shop": "supermarket"}, "超市", "Supermarket"),
    Kind("market", 0.5, "osm", {"amenity": "marketplace"}, "菜市场", "Market"),
    Kind("greengrocer", 2.0, "osm", {"shop": "greengrocer"}, "果蔬店", "Greengrocer"),
    Kind("breakfast", 3.0, "osm", {"amenity": "fast_food", "cuisine": "breakfast"}, "早餐店",
         "Breakfast"),
    Kind("laundry", 1.0, "osm", {"shop": "laundry"}, "洗衣店", "Laundry"),
    Kind("hairdresser", 2.0, "osm", {"shop": "hairdresser"}, "理发店", "Hairdresser"),
    Kind("photo_print", 0.6, "osm", {"shop": "copyshop"}, "图文店", "Copy Shop"),
    Kind("housekeeping", 0.5, "osm", {"office": "company"}, "家政服务部", "Housekeeping"),
    Kind("repair", 1.0, "osm", {"shop": "repair"}, "维修店", "Repairs"),
    Kind("pharmacy", 2.0, "osm", {"amenity": "pharmacy"}, "药房", "Pharmacy"),
    Kind("parcel_station", 1.6, "osm", {"amenity": "parcel_locker"}, "快件箱", "Parcel Lockers"),
    Kind("recycling", 0.9, "osm", {"amenity": "recycling"}, "资源回收点", "Recycling"),
    Kind("fitness_indoor", 0.7, "osm", {"leisure": "fitness_centre"}, "健身房", "Gym"),
    Kind("fitness_outdoor", 1.2, "osm", {"leisure": "fitness_station"}, "健身点", "Outdoor Gym"),
    Kind("bookshop", 0.3, "osm", {"shop": "books"}, "书店", "Bookshop"),
    Kind("kindergarten", 0.8, "osm", {"amenity": "kindergarten"}, "幼儿园", "Kindergarten"),
    Kind("swimming_pool", 0.12, "table", _NO_TAGS, "游泳馆", "Swimming Pool", 1_800.0),
    _TRAIL,
    Kind("health_station", 0.6, "table", _NO_TAGS, "社区卫生服务站", "Health Station", 220.0),
    Kind("elder_care", 0.3, "table", _NO_TAGS, "养老服务中心", "Elder Care Centre", 1_500.0),
    Kind("shelter", 0.4, "table", _NO_TAGS, "应急避难场所", "Emergency Shelter"),
    Kind("fitness_outdoor", 1.0, "table", _NO_TAGS, "健身广场", "Fitness Square",
         once=True, old=0.85),
    Kind("service_station", 1.0, "table", _NO_TAGS, "党群服务中心", "Service Station", 620.0,
         once=True, old=0.97),
    Kind("day_care", 0.923, "table", _NO_TAGS, "日间照料中心", "Day Care Centre", 400.0,
         once=True, old=0.6),
    Kind("childcare", 0.7, "table", _NO_TAGS, "托育中心", "Childcare", 350.0, once=True, old=0.4),
    Kind("culture_centre", 0.8, "table", _NO_TAGS, "综合性文化服务中心", "Culture Centre", 500.0,
         once=True),
    Kind("fire_point", 0.85, "table", _NO_TAGS, "微型消防站", "Fire Point", 60.0, once=True,
         old=0.7),
    Kind("social_work_station", 0.4, "table", _NO_TAGS, "社工站", "Social Work Station", 80.0,
         once=True, old=0.2),
    Kind("canteen", 0.6, "table", _NO_TAGS, "老年幸福食堂", "Seniors' Canteen", 180.0, once=True,
         old=0.3),
    Kind("logistics_point", 0.5, "table", _NO_TAGS, "物流配送网点", "Logistics Point", 60.0,
         once=True, old=0.5),
    Kind("children_reading", 0.55, "table", _NO_TAGS, "儿童阅读室", "Children's Reading Room",
         90.0, once=True, old=0.5),
    Kind("childrens_home", 0.95, "table", _NO_TAGS, "儿童之家", "Children's Home", 110.0,
         once=True, old=0.95),
    Kind("ceremony_venue", 0.2, "table", _NO_TAGS, "红白喜事公共场所", "Ceremony Hall", 400.0,
         once=True),
    Kind("volunteer_station", 0.9, "table", _NO_TAGS, "志愿服务站", "Volunteer Station", 40.0,
         once=True, old=0.7),
)  # fmt: skip

TABLE_KINDS: Final = {kind.service: kind for kind in KINDS if kind.file == "table"}
"""The kind of every service of the bureau's table."""
OSM_KINDS: Final = {kind.service: kind for kind in KINDS if kind.file == "osm"}
CLINIC: Final = Kind("health_station", 0.0, "table", _NO_TAGS, "村卫生室", "Village Clinic", 80.0)
CANTEEN_RURAL: Final = Kind(
    "canteen", 0.0, "table", _NO_TAGS, "老年幸福餐桌", "Seniors' Table", 90.0, old=0.3
)
BOOKSHOP: Final = Kind("bookshop", 0.0, "table", _NO_TAGS, "新华书店", "Xinhua Bookshop")
HEALTH_CENTRE: Final = Kind(
    "health_centre", 0.0, "table", _NO_TAGS, "社区卫生服务中心", "Health Centre", 2_600.0
)
TOWN_HOSPITAL: Final = Kind("health_centre", 0.0, "table", _NO_TAGS, "卫生院", "Hospital", 1_900.0)
STREET_CARE: Final = Kind(
    "elder_care", 0.0, "table", _NO_TAGS, "街道综合养老服务中心", "Subdistrict Elder Care", 3_200.0
)
RURAL_CARE: Final = Kind(
    "elder_care", 0.0, "table", _NO_TAGS, "区域性养老服务中心", "Regional Elder Care", 2_400.0
)
SOCIAL_WORK: Final = Kind(
    "social_work_station", 0.0, "table", _NO_TAGS, "社工站", "Social Work Station", 150.0
)
PROTECTION: Final = Kind(
    "minor_protection_station", 0.0, "table", _NO_TAGS, "未成年人保护工作站",
    "Station for the Protection of Minors", 90.0, old=0.5,
)  # fmt: skip

DISABLED_CARE: Final = Kind(
    "disabled_care", 0.0, "table", _NO_TAGS, "残疾人托养中心", "Care for Disabled People", old=0.5
)
COMPLEX: Final = Kind(
    "community_complex", 0.0, "table", _NO_TAGS, "社区综合服务体", "Service Complex", old=0.1
)
TRANSIT: Final = Kind("transit_hub", 0.0, "table", _NO_TAGS, "公交换乘站", "Transport Interchange")
AREA_M2: Final = {
    kind.service: kind.area_m2
    for kind in (HEALTH_CENTRE, PROTECTION, SOCIAL_WORK, *TABLE_KINDS.values())
}
"""The usual floor area of each service of the bureau's table."""
ALL_DAY: Final = frozenset({"elder_care", "fire_point", "fitness_outdoor", "fitness_trail"})
"""Services that may be open around the clock."""

VILLAGE_SHARES: Final = {
    "convenience_store": 1.0,
    "service_station": 1.0,
    "fitness_outdoor": 1.0,
    "culture_centre": 0.8,
    "fire_point": 0.7,
    "parcel_station": 0.5,
    "canteen": 0.4,
    "logistics_point": 0.6,
    "childrens_home": 0.6,
    "ceremony_venue": 0.7,
    "social_work_station": 0.3,
    "volunteer_station": 0.6,
}
"""Of the 行政村 on the mainland, the share that has one of a kind."""
ISLAND_KINDS: Final = ("convenience_store", "fitness_outdoor")
SEAT_KINDS: Final = ("pharmacy", "market", "supermarket", "kindergarten", "shelter")
SURVEYED: Final = ("burial_facility",)

OSM_HOURS: Final = ("24/7", "Mo-Su 07:00-22:00", "Mo-Fr 08:30-17:30; Sa 09:00-12:00", "")
AROUND_THE_CLOCK: Final = "24小时"
TABLE_HOURS: Final = (
    "每天08:00-20:00",
    "周一至周五 8:30-12:00,14:00-17:30",
    "周一至周六 09:00—18:00",
    AROUND_THE_CLOCK,
    "",
)
EVENING: Final = {
    "24/7": True,
    "Mo-Su 07:00-22:00": True,
    "Mo-Fr 08:30-17:30; Sa 09:00-12:00": False,
    "每天08:00-20:00": False,
    "周一至周五 8:30-12:00,14:00-17:30": False,
    "周一至周六 09:00—18:00": False,
    AROUND_THE_CLOCK: True,
}
"""Which of the hours of fitness places are open at eight in the evening of a weekday."""
SCHOOLS: Final = (("1", "小学", "Primary School"), ("2", "中学", "Middle School"))
GOVERNMENT, PRIVATE = "政府举办", "民办"
YES, NO = "是", "否"
CENTRE, STATION, TOWNSHIP_HOSPITAL = "社区卫生服务中心", "社区卫生服务站", "乡镇卫生院"
VILLAGE_CLINIC: Final = "村卫生室"
STREET_LEVEL, REGIONAL_LEVEL, TOWNSHIP_LEVEL = "街道级", "农村区域性", "乡镇级"
COMMUNITY_LEVEL, VILLAGE_LEVEL = "社区级", "村级"


@dataclass(frozen=True, slots=True)
class Hours:
    """An opening of a service station as it is written, and what is true of it.

    `fewest`: hours of the shortest open day, None where nobody can read the text. `share`: of
    all service stations. `declared`: whether the table also has the hours as a number. `open`:
    whether it is open on Saturdays and Sundays at ten and on Wednesdays at half past six in the
    evening.
    """

    text: str
    fewest: float | None
    share: float
    declared: bool = False
    open: tuple[bool, bool, bool] | None = (False, False, False)


MOMENTS: Final = ("open_saturday", "open_sunday", "open_late")
"""The columns that say what `Hours.open` does."""

STATION_HOURS: Final = (
    Hours("周一至周五 8:00-17:30", 9.5, 0.30),
    Hours("周一至周五 8:30-12:00,13:00-17:30", 8.0, 0.18),
    Hours("每天08:00-20:00", 12.0, 0.16, open=(True, True, True)),
    Hours("周一至周六 09:00—18:00", 9.0, 0.14, open=(True, False, False)),
    Hours("24小时", 24.0, 0.02, open=(True, True, True)),
    Hours("周一至周五 9:00-12:00,14:00-17:00", 6.0, 0.05),
    Hours("周一至周五 8:30-17:30；周六 9:00-12:00", 3.0, 0.03, open=(True, False, False)),
    Hours("工作时间,节假日另行通知", None, 0.03, open=None),
    Hours("以公告为准", 9.0, 0.03, declared=True, open=(True, True, True)),
    Hours("", None, 0.06, open=None),
)
"""How service stations open; the two texts without times are for nobody to read."""
