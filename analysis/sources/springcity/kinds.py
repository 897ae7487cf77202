"""What kinds of places springcity has: how many, in which file, with which tags.

`rate`: places per urban community on average. ``osm`` kinds stand in the OSM file only,
``table`` kinds in the bureau's table only.
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


_NO_TAGS: Final[Mapping[str, str]] = {}

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
    Kind("fitness_outdoor", 2.0, "osm", {"leisure": "fitness_station"}, "健身点", "Outdoor Gym"),
    Kind("bookshop", 0.3, "osm", {"shop": "books"}, "书店", "Bookshop"),
    Kind("kindergarten", 0.8, "osm", {"amenity": "kindergarten"}, "幼儿园", "Kindergarten"),
    Kind("swimming_pool", 0.12, "table", _NO_TAGS, "游泳馆", "Swimming Pool", 1_800.0),
    Kind("fitness_trail", 0.3, "table", _NO_TAGS, "健身步道", "Fitness Trail"),
    Kind("health_station", 0.6, "table", _NO_TAGS, "社区卫生服务站", "Health Station", 220.0),
    Kind("elder_care", 0.3, "table", _NO_TAGS, "养老服务中心", "Elder Care Centre", 1_500.0),
    Kind("day_care", 0.9, "table", _NO_TAGS, "日间照料中心", "Day Care Centre", 400.0),
    Kind("childcare", 0.5, "table", _NO_TAGS, "托育中心", "Childcare", 350.0),
    Kind("culture_centre", 0.8, "table", _NO_TAGS, "综合性文化服务中心", "Culture Centre", 500.0),
    Kind("service_station", 0.97, "table", _NO_TAGS, "党群服务中心", "Service Station", 620.0),
    Kind("fire_point", 0.85, "table", _NO_TAGS, "微型消防站", "Fire Point", 60.0),
)  # fmt: skip

EXACTLY_ONE: Final = frozenset({"service_station", "day_care", "culture_centre", "fire_point"})
"""Kinds a community has once or not at all; of the others it may have several."""

VILLAGE_KINDS: Final = (
    ("convenience_store", 1.0),
    ("health_station", 0.9),
    ("service_station", 0.95),
    ("culture_centre", 0.8),
    ("fitness_outdoor", 0.92),
    ("fire_point", 0.7),
    ("parcel_station", 0.5),
)
SEAT_KINDS: Final = ("pharmacy", "market", "supermarket", "bookshop", "elder_care", "kindergarten")
ISLAND_KINDS: Final = ("convenience_store", "fitness_outdoor")
SURVEYED: Final = ("shelter",)

OSM_HOURS: Final = ("24/7", "Mo-Su 07:00-22:00", "Mo-Fr 08:30-17:30; Sa 09:00-12:00", "")
TABLE_HOURS: Final = (
    "每天08:00-20:00",
    "周一至周五 8:30-12:00,14:00-17:30",
    "周一至周六 09:00—18:00",
    "24小时",
    "",
)
SCHOOLS: Final = (("1", "小学", "Primary School"), ("2", "中学", "Middle School"))
GOVERNMENT, PRIVATE = "政府举办", "民办"
CENTRE, STATION, TOWN_HOSPITAL = "社区卫生服务中心", "社区卫生服务站", "乡镇卫生院"
VILLAGE_CLINIC: Final = "村卫生室"
