"""Policies: every number cited, every refusal, who may walk where, tag rules, the plan's words."""

from __future__ import annotations

import dataclasses
import pickle
import tomllib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

import pytest

from lifecircle.analysis.errors import PolicyError
from lifecircle.analysis.policy import Cited, Confidence, Policy, TagRule, load_policy, policy_ids
from lifecircle.analysis.policy.files import packaged

PARTS = {"osm-tags", "osm-words", "profiles", "walk"}
SERVICES = [
    "convenience_store", "supermarket", "market", "greengrocer", "breakfast", "laundry",
    "hairdresser", "photo_print", "housekeeping", "repair", "pharmacy", "parcel_station",
    "recycling", "fitness_indoor", "fitness_outdoor", "sports_pitch", "swimming_pool",
    "fitness_trail", "school_grounds", "health_centre", "health_station", "elder_care",
    "day_care", "childcare", "kindergarten", "primary_school", "middle_school", "park",
    "square", "culture_centre", "bookshop", "service_station", "shelter", "fire_point",
]  # fmt: skip
ONLY_IN_THE_PLAN = [
    "social_work_station", "canteen", "logistics_point", "children_reading", "childrens_home",
    "ceremony_venue", "burial_facility", "minor_protection_station", "volunteer_station",
    "disabled_care", "community_complex", "transit_hub",
]  # fmt: skip
LEVELS = [
    "district", "subdistrict", "township", "community", "village", "natural_village", "estate",
    "old_estate", "new_estate", "resettlement", "central_town", "unit",
]  # fmt: skip


@pytest.fixture(scope="module")
def kunming() -> Policy:
    return load_policy()


def raw(name: str) -> dict[str, Any]:
    return tomllib.loads(packaged()[name].read_text(encoding="utf-8"))


# ---- what is packaged -----------------------------------------------------------------------


def test_packaged_policies_load_and_parts_do_not() -> None:
    assert {"cn-15min", "kunming-2022-77"} <= set(policy_ids())
    assert set(policy_ids()) == set(packaged()) - PARTS
    for name in policy_ids():
        assert load_policy(name).id == name
    for name in sorted(PARTS):
        with pytest.raises(PolicyError, match="not a policy by itself") as caught:
            load_policy(name)
        assert caught.value.key == "policy_is_part"


def test_ids_that_others_rely_on(kunming: Policy) -> None:
    assert list(kunming.services) == [*SERVICES, *ONLY_IN_THE_PLAN]
    assert list(kunming.unit_levels) == LEVELS
    assert list(kunming.walkers) == ["adult", "older", "with_child"]
    assert list(kunming.circles) == ["convenience", "fitness"]
    assert [s.id for s in kunming.services.values() if s.optional] == ["school_grounds"]
    assert all(s.aliases for s in kunming.services.values())
    assert [s.id for s in kunming.services.values() if not s.osm] == ONLY_IN_THE_PLAN


def numbers(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every number of a TOML file with the table that holds it."""
    if isinstance(node, dict):
        for key, below in node.items():
            if isinstance(below, int | float) and not isinstance(below, bool):
                yield (*path, key), node
            yield from numbers(below, (*path, key))
    elif isinstance(node, list):
        for below in node:
            assert isinstance(below, bool) or not isinstance(below, int | float), path
            yield from numbers(below, (*path, "[]"))


@pytest.mark.parametrize("name", sorted(packaged()))
def test_every_number_of_every_file_is_cited(name: str) -> None:
    for path, table in numbers(raw(name)):
        assert path[-1] == "value", path
        assert set(table) == {"value", "source", "clause", "confidence"}, path
        assert table["source"].strip(), path
        assert table["clause"].strip(), path
        assert table["confidence"] in get_args(Confidence), path


def test_the_files_hold_numbers_at_all() -> None:
    counts = {name: len(list(numbers(raw(name)))) for name in packaged()}
    assert counts["walk"] == 23
    assert counts["osm-tags"] == counts["osm-words"] == 0
    assert counts["cn-15min"] > len(SERVICES)
    assert counts["kunming-2022-77"] == 9 + len(ONLY_IN_THE_PLAN)


def test_figures_of_definitions(kunming: Policy) -> None:
    speeds = {name: walker.speed_m_per_s for name, walker in kunming.walkers.items()}
    assert speeds == {
        "adult": Fraction(1000, 900), "older": Fraction(4, 5), "with_child": Fraction(9, 10)
    }  # fmt: skip
    assert kunming.walkers["older"].metres.confidence == "unverified"
    assert kunming.walkers["with_child"].metres.confidence == "unverified"
    assert (kunming.attachment.max_leg_m.value, kunming.attachment.min_component_m.value) == (
        250, 5000,
    )  # fmt: skip
    assert kunming.attachment.min_piece_m is not None
    assert kunming.attachment.min_piece_m.value == 300
    assert (kunming.gaps.link_m.value, kunming.gaps.disc_radius_m.value) == (250, 100)
    assert (kunming.coverage.core_minutes.value, kunming.coverage.core_metres.value) == (15, 800)
    assert kunming.coverage.land_lattice_m.value == 25
    spread = kunming.spread
    assert (spread.min_floor_m2_per_resident.value, spread.max_floor_m2_per_resident.value) == (
        10, 60,
    )  # fmt: skip
    assert spread.lattice_m.value == 50
    assert "yes" not in spread.residential_buildings


# minutes as named in METHODS.md 3.3 (TD/T 1063) and 3.4 (the guide's definition)
@pytest.mark.parametrize(
    ("service", "minutes"),
    [
        ("health_centre", 15), ("primary_school", 10), ("middle_school", 15), ("elder_care", 5),
        ("day_care", 5), ("culture_centre", 15), ("market", 10), ("sports_pitch", 15),
        ("park", 5), ("square", 5), ("pharmacy", 15), ("convenience_store", 15),
    ],
)  # fmt: skip
def test_minutes_of_the_standards(service: str, minutes: float, kunming: Policy) -> None:
    assert kunming.services[service].minutes.value == minutes
    assert kunming.services[service].minutes.source.strip()


def test_open_grounds_attach_at_entrances_buildings_at_their_outline(kunming: Policy) -> None:
    open_grounds = {s.id for s in kunming.services.values() if s.attachment == "entrances"}
    assert open_grounds == {
        "park", "square", "sports_pitch", "fitness_outdoor", "fitness_trail", "school_grounds",
        "shelter",
    }  # fmt: skip


def test_circles(kunming: Policy) -> None:
    convenience, fitness = kunming.circles["convenience"], kunming.circles["fitness"]
    assert len(convenience.services) == 13
    assert {kunming.services[s].tier for s in convenience.services} == {"basic"}
    assert convenience.required is None
    assert fitness.required is not None
    assert fitness.required.value == 3
    assert convenience.minutes_all.value == fitness.minutes_all.value == 15


def test_a_policy_can_be_pickled_and_copied(kunming: Policy) -> None:
    assert pickle.loads(pickle.dumps(kunming)) == kunming
    assert dataclasses.asdict(kunming)["services"]["park"]["minutes"]["value"] == 5
    with pytest.raises(dataclasses.FrozenInstanceError):
        kunming.id = "other"  # type: ignore[misc]


# ---- the plan, word for word ----------------------------------------------------------------

PLAN = {
    "三(二)4": (
        "在每个街道范围或按照每3万—10万居民规划设置1所政府举办的社区卫生服务中心",
        "城市社区日间照料机构覆盖率达到90%以上",
        "街道级综合养老服务机构和农村区域性养老服务中心覆盖率达65%以上",
    ),
    "三(二)5": ("打造“15分钟便民生活服务圈”",),
    "专栏1": ("普惠性托育机构覆盖率 100%", "城市社区综合服务设施覆盖率 100%"),
    "专栏2-7": ("打造“15分钟健身圈”",),
}
SENTENCES = {f"{place}: {words}" for place, quoted in PLAN.items() for words in quoted}


def clauses() -> set[str]:
    return {table["clause"] for _, table in numbers(raw("kunming-2022-77"))}


def test_every_clause_of_the_plan_is_quoted() -> None:
    assert clauses() == SENTENCES


def test_the_quotations_stand_in_the_plan(shared_data: Path) -> None:
    text = (shared_data.parent / "docs" / "plan-2022-77.zh.txt").read_text(encoding="utf-8")
    joined = " ".join(text.split())  # 专栏1 has the figure on the next line
    for quoted in PLAN.values():
        for words in quoted:
            assert words in joined
    assert "村(社区)普遍建立综合性文化服务中心" in joined


def test_the_plan_s_own_numbers(kunming: Policy) -> None:
    targets = {s.id: s.target.value for s in kunming.services.values() if s.target}
    assert targets == {
        "elder_care": 0.65, "day_care": 0.90, "childcare": 1.0, "service_station": 1.0
    }  # fmt: skip
    capacity = kunming.services["health_centre"].capacity
    assert capacity is not None
    assert (capacity.minimum.value, capacity.maximum.value) == (30_000, 100_000)
    assert capacity.minimum == dataclasses.replace(capacity.maximum, value=30_000.0)
    assert [s.id for s in kunming.services.values() if s.capacity] == ["health_centre"]
    assert capacity.minimum.source.startswith("昆政办〔2022〕77号")
    plain = load_policy("cn-15min")
    assert not any(s.target or s.capacity for s in plain.services.values())


# ---- who may walk where ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tags", "walks"),
    [
        ({}, False),  # 1. no highway
        ({"railway": "rail", "foot": "yes"}, False),
        *[({"highway": h, "foot": "yes"}, False) for h in (  # 2. before foot=yes
            "motorway", "motorway_link", "construction", "proposed", "planned", "raceway",
            "bus_guideway", "abandoned", "disused", "razed", "platform", "elevator", "corridor",
            "rest_area", "services", "no")],
        *[({"highway": "residential", "foot": f}, False)  # 3.
          for f in ("no", "private", "use_sidepath")],
        ({"highway": "residential", "foot": "no", "access": "yes"}, False),  # 3. before access
        ({"highway": "pedestrian", "area": "yes"}, False),  # 4. an area
        ({"highway": "pedestrian", "area": "yes", "foot": "yes"}, False),  # 4. before 5.
        ({"highway": "pedestrian", "area": "no"}, True),
        *[({"highway": "service", "foot": f, "access": "private"}, True)  # 5. before 6.
          for f in ("yes", "designated", "permissive", "destination")],
        ({"highway": "trunk", "foot": "yes", "access": "no"}, True),
        ({"highway": "service", "access": "private"}, False),  # 6.
        ({"highway": "service", "access": "no"}, False),
        ({"highway": "service", "access": "no", "foot": "customers"}, False),
        ({"highway": "service", "access": "customers"}, True),  # 7. everything else
        ({"highway": "steps"}, True),
        ({"highway": "trunk"}, True),
        ({"highway": "cycleway"}, True),
        ({"highway": "track", "foot": "unknown"}, True),
    ],
)  # fmt: skip
def test_who_may_walk_where(tags: dict[str, str], walks: bool, kunming: Policy) -> None:
    assert kunming.walk.walkable(tags) is walks


# ---- tag rules ------------------------------------------------------------------------------


def test_a_rule_needs_all_tags_and_none_of_without() -> None:
    rule = TagRule({"leisure": ("park", "garden"), "name": ("*",)}, {"access": ("no", "private")})
    place = {"leisure": "park", "name": "翠湖"}
    assert rule.matches(place)
    assert not rule.matches({"leisure": "park"})
    assert not rule.matches({**place, "leisure": "pitch"})
    assert not rule.matches({**place, "access": "private"})
    assert rule.matches({**place, "access": "yes"})
    assert rule.matches({**place, "leisure": "garden;fountain"})
    assert not rule.matches({**place, "leisure": "gardening"})


def test_a_rule_of_names_looks_into_all_languages() -> None:
    rule = TagRule({"amenity": ("hospital",)}, {}, name_has=("Health Centre",), name_lacks=("站",))
    assert rule.matches({"amenity": "hospital", "name": "Mosta HEALTH centre"})
    assert rule.matches({"amenity": "hospital", "name": "Ċentru", "name:en": "Health Centre"})
    assert not rule.matches({"amenity": "hospital", "operator": "Health Centre"})
    assert not rule.matches({"amenity": "hospital"})
    assert not rule.matches({"amenity": "hospital", "name": "Health Centre", "name:zh": "服务站"})


@pytest.mark.parametrize(
    ("tags", "services"),
    [
        ({"shop": "convenience"}, {"convenience_store"}),
        ({"shop": "chemist"}, set()),
        ({"amenity": "cafe"}, set()),
        ({"amenity": "cafe", "breakfast": "yes"}, {"breakfast"}),
        ({"leisure": "swimming_pool"}, set()),
        ({"leisure": "swimming_pool", "access": "private"}, set()),
        ({"leisure": "swimming_pool", "access": "yes"}, {"swimming_pool"}),
        ({"leisure": "sports_centre", "sport": "swimming"}, {"swimming_pool"}),
        ({"leisure": "sports_centre", "sport": "scuba_diving"}, set()),
        ({"leisure": "pitch", "sport": "soccer"}, {"sports_pitch"}),
        ({"leisure": "track", "sport": "karting"}, set()),
        ({"amenity": "clinic"}, {"health_centre"}),
        ({"amenity": "clinic", "healthcare": "clinic"}, {"health_centre"}),
        ({"amenity": "clinic", "healthcare:speciality": "dentistry"}, set()),
        ({"amenity": "clinic", "name": "翠湖社区卫生服务站"}, {"health_station"}),
        ({"amenity": "hospital", "name": "云南省第一人民医院"}, set()),
        ({"amenity": "hospital", "name": "大观街道社区卫生服务中心"}, {"health_centre"}),
        ({"amenity": "hospital", "name": "Mosta Health Centre"}, {"health_centre"}),
        ({"amenity": "doctors"}, {"health_station"}),
        ({"amenity": "doctors", "name": "Paola Health Center"}, {"health_centre"}),
        ({"amenity": "school"}, {"primary_school"}),
        ({"amenity": "school", "isced:level": "1"}, {"primary_school"}),
        ({"amenity": "school", "isced:level": "1;2"}, {"primary_school", "middle_school"}),
        ({"amenity": "school", "isced:level": "3", "name": "某某小学"}, set()),
        ({"amenity": "school", "name": "昆明市第十中学"}, {"middle_school"}),
        ({"amenity": "school", "name": "春城小学"}, {"primary_school"}),
        ({"amenity": "school", "name": "某某高级中学"}, set()),
        ({"amenity": "school", "name": "EF Language School"}, set()),
        ({"amenity": "school", "access": "yes"}, {"primary_school", "school_grounds"}),
        ({"amenity": "kindergarten"}, {"kindergarten"}),
        ({"amenity": "kindergarten", "name": "阳光托育园"}, {"childcare"}),
        ({"amenity": "social_facility", "social_facility": "nursing_home"}, {"elder_care"}),
        ({"amenity": "community_centre", "name": "某社区居家养老服务中心"}, {"day_care"}),
        ({"amenity": "community_centre"}, {"culture_centre"}),
        ({"amenity": "community_centre", "name": "某社区党群服务中心"}, {"service_station"}),
        ({"leisure": "park"}, {"park"}),
        ({"leisure": "garden"}, set()),
        ({"leisure": "garden", "access": "yes"}, {"park"}),
        ({"highway": "pedestrian", "area": "yes"}, set()),
        ({"highway": "pedestrian", "area": "yes", "name": "Misraħ San Pawl"}, {"square"}),
        ({"amenity": "shelter"}, set()),
        ({"emergency": "assembly_point"}, set()),
        ({"emergency": "assembly_point", "name": "翠湖应急避难场所"}, {"shelter"}),
        ({"name": "某社区微型消防站"}, {"fire_point"}),
        ({"amenity": "parking", "name": "敬老院停车场"}, set()),
    ],
)  # fmt: skip
def test_places_of_openstreetmap(tags: dict[str, str], services: set[str], kunming: Policy) -> None:
    found = {s.id for s in kunming.services.values() if any(r.matches(tags) for r in s.osm)}
    assert found == services


def test_a_cited_number_carries_the_whole_title_of_its_source(kunming: Policy) -> None:
    minutes = kunming.services["market"].minutes
    assert isinstance(minutes, Cited)
    assert minutes.source == "TD/T 1063-2021 国土空间规划城市体检评估规程"
    assert "菜市场(生鲜超市)步行10分钟覆盖率" in minutes.clause
    assert minutes.confidence == "second_hand"
