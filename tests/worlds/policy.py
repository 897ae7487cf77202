"""A small policy for drawn worlds."""

from __future__ import annotations

from types import MappingProxyType

from lifecircle.analysis.policy import (
    AttachmentRules,
    CircleRule,
    Cited,
    CoverageRules,
    FloatingRules,
    GapRules,
    Policy,
    Service,
    SitingRules,
    SpreadRules,
    TagRule,
    Title,
    Walker,
    WalkRules,
)
from lifecircle.analysis.policy.sections.siting import DecayZone

# ---- a policy ----------------------------------------------------------------------------


def drawn(value: float) -> Cited:
    """A number of a drawn world."""
    return Cited(value, "a drawn world", "tests/worlds/tiny.py", "interpretation")


TITLES = {
    "convenience_store": ("便利店", "Convenience store"),
    "market": ("菜市场", "Market"),
    "pharmacy": ("药店", "Pharmacy"),
    "health_centre": ("社区卫生服务中心", "Community health centre"),
    "elder_care": ("养老服务设施", "Elder care"),
    "fitness_indoor": ("室内健身", "Indoor fitness"),
    "fitness_outdoor": ("室外健身", "Outdoor fitness"),
    "sports_pitch": ("运动场", "Sports pitch"),
    "swimming_pool": ("游泳池", "Swimming pool"),
    "school_grounds": ("开放的校园操场", "Opened school grounds"),
    "park": ("公园", "Park"),
}


def tiny_policy() -> Policy:
    """Eleven services at 15 minutes (pharmacy 10), three walkers, two circles."""
    services = {
        name: Service(
            id=name,
            title=Title(zh, en),
            tier="basic",
            attachment="entrances" if name in {"park", "fitness_outdoor"} else "outline",
            minutes=drawn(10 if name == "pharmacy" else 15),
            metres=None,
            target=None,
            capacity=None,
            osm=(TagRule(MappingProxyType({"drawn": (name,)}), MappingProxyType({})),),
            aliases=(zh,),
            optional=name == "school_grounds",
        )
        for name, (zh, en) in TITLES.items()
    }
    walkers = {
        "adult": Walker("adult", Title("成年人", "Adult"), drawn(1000), drawn(900)),
        "older": Walker("older", Title("老年人", "Older person"), drawn(0.8), drawn(1)),
        "with_child": Walker("with_child", Title("携幼儿", "With a child"), drawn(0.9), drawn(1)),
    }
    circles = {
        "convenience": CircleRule(
            "convenience",
            Title("便民生活圈", "Convenience circle"),
            ("convenience_store", "market", "pharmacy"),
            None,
            drawn(15),
        ),
        "fitness": CircleRule(
            "fitness",
            Title("健身圈", "Fitness circle"),
            (
                "fitness_indoor",
                "fitness_outdoor",
                "sports_pitch",
                "swimming_pool",
                "school_grounds",
            ),
            drawn(3),
            drawn(15),
        ),
    }
    levels = {
        "district": Title("区", "District"),
        "subdistrict": Title("街道", "Subdistrict"),
        "community": Title("社区", "Community"),
        "unit": Title("单元", "Unit"),
    }
    return Policy(
        id="drawn",
        title=Title("手绘世界", "Drawn world"),
        digest="d" * 64,
        services=MappingProxyType(services),
        walkers=MappingProxyType(walkers),
        circles=MappingProxyType(circles),
        walk=WalkRules(
            frozenset({"motorway"}), frozenset({"no"}), frozenset({"yes"}), frozenset({"private"})
        ),
        attachment=AttachmentRules(drawn(250), drawn(5000)),
        gaps=GapRules(drawn(250), drawn(100)),
        spread=SpreadRules(drawn(10), drawn(60), drawn(50), drawn(1), ("apartments",)),
        coverage=CoverageRules(drawn(15), drawn(800), drawn(25)),
        unit_levels=MappingProxyType(levels),
        lists=MappingProxyType({}),
        siting=SitingRules(drawn(150)),
        floating=FloatingRules(
            tuple(
                DecayZone(drawn(share), drawn(weight))
                for share, weight in ((1 / 3, 1.0), (2 / 3, 0.68), (1.0, 0.22))
            )
        ),
    )
