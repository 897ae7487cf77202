"""A01 to A07 of the truth table: health, elder care, childcare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lifecircle.analysis.demo.springcity import kinds
from lifecircle.analysis.demo.truth.counting import State, ratio, share, within
from lifecircle.analysis.demo.truth.driving import CAR, E_BIKE, residents_driven
from lifecircle.analysis.demo.truth.expected import (
    GOVERNMENT,
    INCLUSIVE,
    Ledger,
    row,
    says,
)
from lifecircle.analysis.demo.truth.persons import certain, land_within, possible, residents_within
from lifecircle.analysis.demo.truth.walking import straight_m

Table = dict[str, Any]
_ADJACENT_M: Final = 100.0


def health_rows(book: Ledger, rule: Mapping[str, State]) -> dict[str, Table]:
    """A01 to A04."""
    centres = book.reach.which(["health_centre"], certain(GOVERNMENT))
    maybe = book.reach.which(["health_centre"], possible(GOVERNMENT))
    served = book.reach.served(centres, 15, [100_000] * len(centres))
    most = book.reach.served(maybe, 15, [100_000] * len(maybe))
    capacity = within(served, most, book.residents)
    clinics = ("health_station", "health_centre")
    standard = says("standardised", kinds.YES)
    return {
        "A01": row(
            "not_met", "一个街道没有中心，并入后超过10万人；一个街道的中心举办主体不明", "rule",
            {
                "rule": share(rule),
                "A": share(book.having(["subdistrict"], ["health_centre"], GOVERNMENT)),
                "P": residents_within(book, ["health_centre"], 15, qualifies=GOVERNMENT),
                "L": land_within(book, ["health_centre"], 15, qualifies=GOVERNMENT),
                "C": capacity,
            },
        ),
        "A02": row(
            "met", "三个乡镇各有一所卫生院", "U",
            {
                "U": share(book.having(["township"], ["health_centre"], GOVERNMENT)),
                **{
                    name: residents_driven(
                        book, ["health_centre"], 30, vehicle, "township", qualifies=GOVERNMENT
                    )
                    for name, vehicle in (("P_car", CAR), ("P_e_bike", E_BIKE))
                },
            },
        ),
        "A03": row(
            "no_target", "岛上没有卫生室，两所未标准化，两所不明", "U",
            {
                "U": share(book.having(["village"], clinics, standard)),
                "U_any": share(book.having(["village"], clinics)),
                "P15": residents_within(book, clinics, 15, "village"),
            },
        ),
        "A04": _adjacency(book),
    }  # fmt: skip


def _adjacency(book: Ledger) -> Table:
    """Urban health places beside care: along streets, straight, on one parcel."""
    rural = [*zip(book.at("township"), book.at("village"), strict=True)]
    health = [
        k for k in book.reach.which(["health_centre", "health_station"]) if rural[k] == (None, None)
    ]
    care = book.reach.which(["elder_care", "day_care"])
    along = book.reach.between(health, care)
    straight = straight_m([book.places[k].lonlat for k in health],
                          [book.places[k].lonlat for k in care])  # fmt: skip
    parcels = [str(book.places[k].attributes.get("parcel", "")) for k in health]
    others = [str(book.places[k].attributes.get("parcel", "")) for k in care]
    same = [_same_parcel(parcel, others) for parcel in parcels]
    one_sided = "" in others and None in same  # no is never told: every known one is a yes
    by_street = [bool(m <= _ADJACENT_M) for m in along]
    return row(
        "no_target", "三成社区卫生服务站与日间照料中心相邻", "adjacent",
        {
            "adjacent": share([True if near else parcel is True for near, parcel in
                               zip(by_street, same, strict=True)]),
            "network": share(by_street),
            "straight": share([bool(m <= _ADJACENT_M) for m in straight]),
            "same_parcel": share(same) | ({"value": None} if one_sided else {}),
        },
    )  # fmt: skip


def _same_parcel(parcel: str, others: Sequence[str]) -> State:
    if parcel == "":
        return None
    return True if parcel in others else None if "" in others else False


def care_rows(book: Ledger) -> dict[str, Table]:
    """A05 to A07."""
    street = book.having(["subdistrict"], ["elder_care"], says("level", kinds.STREET_LEVEL))
    rural = book.having(["township"], ["elder_care"], says("level", kinds.REGIONAL_LEVEL))
    places = [
        float(place.attributes["places"]) for place in book.places if place.service == "childcare"
    ]
    day = ["day_care"]
    return {
        "A05": row(
            "met", "城市社区的92.3%有日间照料中心", "U",
            {
                "U": share(book.having(["community"], day)),
                "P5": residents_within(book, day, 5, "community"),
                "P15": residents_within(book, day, 15, "community"),
                "P65_5": residents_within(book, day, 5, "community", older=True),
                "P65_15": residents_within(book, day, 15, "community", older=True),
                "L": land_within(book, day, 15, "community"),
            },
        ),
        "A06": row(
            "partly", "街道达到65%，农村区域只有三分之一", "U_subdistrict",
            {
                "U": share({**street, **rural}),
                "U_subdistrict": share(street),
                "U_regional": share(rural),
                "P15": residents_within(book, ["elder_care"], 15, "subdistrict", "township"),
            },
        ),
        "A07": row(
            "partly", "乡镇（街道）全部有普惠托育，社区没有全部有", "U_community",
            {
                "U_community": share(book.having(["community"], ["childcare"], INCLUSIVE)),
                "U_township": share(
                    book.having(["township", "subdistrict"], ["childcare"], INCLUSIVE)
                ),
                "P15": residents_within(book, ["childcare"], 15, "community", "township",
                                         "subdistrict", qualifies=INCLUSIVE),
                "places": ratio([(sum(places), float(book.residents))], 1_000.0),
            },
        ),
    }  # fmt: skip
