"""Opening hours: Chinese notations, what cannot be read, and an oracle minute by minute."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.analysis.errors import ParameterError
from lifecircle.analysis.measures.coverage import coverage
from lifecircle.analysis.measures.facility_subset import with_only
from lifecircle.analysis.measures.opening import (
    CLOSED,
    OPEN,
    UNKNOWN,
    Moment,
    hours_per_day,
    moment_of,
    state_at,
    states_at,
    unreadable,
)
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.readers.opening_hours import DAYS, is_open, osm_hours
from tests.files.tables import said
from tests.worlds.parts import study_of
from tests.worlds.tiny import TINY_PLACES, TINY_STREETS, Place, tiny_city, tiny_policy, walks

READ = {
    "周一至周五 8:00-17:30": "Mo-Fr 08:00-17:30",
    "全天": "24/7",
    "24小时": "24/7",
    "24小时营业": "24/7",
    "全天候开放": "24/7",
    "周一至周日全天": "24/7",
    "每日8:30—12:00，14:00—18:00": "Mo-Su 08:30-12:00,14:00-18:00",
    "每天08:00-20:00": "Mo-Su 08:00-20:00",
    "周一至周五 8:30-12:00,14:00-17:30": "Mo-Fr 08:30-12:00,14:00-17:30",
    "周一至周六 09:00—18:00": "Mo-Sa 09:00-18:00",
    "周一至周五8：00－17：30，节假日休息": "Mo-Fr 08:00-17:30; PH off",
    "８：００～１７：３０（法定节假日除外）": "Mo-Su 08:00-17:30; PH off",
    "周一闭馆，其余时间9:00-17:00": "Mo-Su 09:00-17:00; Mo off",
    "周二至周日 9:00-17:00（周一闭馆）": "Tu-Su 09:00-17:00; Mo off",
    "除周一外每天9:00-17:00": "Mo-Su 09:00-17:00; Mo off",
    "上午8:30-12:00，下午2:00-5:30": "Mo-Su 08:30-12:00,14:00-17:30",
    "上午8点半到12点 下午2点到5点半": "Mo-Su 08:30-12:00,14:00-17:30",
    "工作日 9:00-18:00；周末 10:00-16:00": "Mo-Fr 09:00-18:00; Sa-Su 10:00-16:00",
    "周一、周三、周五 9:00-12:00": "Mo,We,Fr 09:00-12:00",
    "周一三五 9:00-12:00": "Mo,We,Fr 09:00-12:00",
    "周末及法定节假日 9:00-16:00，工作日 8:00-20:00": "Mo-Fr 08:00-20:00; Sa-Su,PH 09:00-16:00",
    "18:00-次日2:00": "Mo-Su 18:00-02:00",
    "晚上7:00-凌晨1:00": "Mo-Su 19:00-01:00",
    "早8:00-晚10:00": "Mo-Su 08:00-22:00",
    "8-20点": "Mo-Su 08:00-20:00",
    "4月-10月 8:00-18:00；11月-3月 9:00-17:00": (
        "Apr-Oct Mo-Su 08:00-18:00; Nov-Mar Mo-Su 09:00-17:00"
    ),
    "星期一至星期五8:00-12:00 14:00-18:00 星期六8:00-12:00": (
        "Mo-Fr 08:00-12:00,14:00-18:00; Sa 08:00-12:00"
    ),
    "法定节假日照常营业 9:00-21:00": "Mo-Su 09:00-21:00",
    "周五至周一 9:00-18:00": "Mo,Fr-Su 09:00-18:00",
    "Mo-Fr 08:00-18:00; PH off": "Mo-Fr 08:00-18:00; PH off",
    "24/7": "24/7",
}

NOT_READ = (
    "",
    "电话预约",
    "节假日休息",  # when it is open is not said
    "周一至周五",
    "8-20",
    "夏季8:00-20:00，冬季8:00-18:00",
    "上午9:00-5:00",  # five in the afternoon or in the morning
    "8:00-17:30 午休",
    "25:00-26:00",
    "周八 8:00-9:00",
)


@pytest.mark.parametrize(("text", "osm"), READ.items())
def test_notations(text: str, osm: str) -> None:
    assert osm_hours(text) == osm


@pytest.mark.parametrize("text", NOT_READ)
def test_what_cannot_be_read_is_not_guessed(text: str) -> None:
    assert osm_hours(text) is None
    assert state_at(text, Moment("Sa", 600)) == UNKNOWN
    assert hours_per_day(text) is None


def test_moments() -> None:
    for text in ("Sa 19:00", "sa 19:00", "周六 19:00", "星期六19：00", "Sa+19:00"):
        assert moment_of(text) == Moment("Sa", 19 * 60)
    assert moment_of("法定节假日 9:05").text == "PH 09:05"
    for text in ("19:00", "Saturday", "Sa 24:00", "周八 9:00", "Sa 7 pm"):
        with pytest.raises(ParameterError) as fault:
            moment_of(text)
        assert "周六 19:00" in fault.value.text("zh")


def test_holidays_and_remarks() -> None:
    plain, off = "周一至周五8:00-17:30", "周一至周五8:00-17:30，节假日休息"
    holiday, wednesday = moment_of("PH 10:00"), moment_of("We 10:00")
    assert (state_at(plain, holiday), state_at(off, holiday)) == (OPEN, CLOSED)
    assert (state_at(plain, wednesday), state_at(off, wednesday)) == (OPEN, OPEN)
    assert state_at('"by appointment"', wednesday) == UNKNOWN
    assert state_at(None, wednesday) == UNKNOWN


def test_hours_per_day() -> None:
    assert hours_per_day("24小时") == 24
    assert hours_per_day("周一至周五 8:30-12:00,14:00-17:30") == 7
    assert hours_per_day("周一至周五 8:00-17:00 周六 9:00-12:00") == 3
    assert hours_per_day("周一至周五 8:00-17:00") == 9
    assert hours_per_day("周一至周五 8:00-17:00", every_day=True) == 0
    assert hours_per_day("18:00-次日2:00") == 8
    assert hours_per_day("off") == 0
    assert hours_per_day('Mo-Fr 08:00-17:00 "by appointment"') is None


# ---- the oracle: schedules drawn at random, written in Chinese, asked minute by minute ---------

HALF_HOUR = st.integers(0, 47)


@st.composite
def schedules(draw: st.DrawFn) -> tuple[str, dict[str, list[tuple[int, int]]]]:
    """A text and, by day, its spans of minutes (none past midnight)."""
    first = draw(st.integers(0, 6))
    last = draw(st.integers(first, 6))
    cuts = sorted(draw(st.sets(HALF_HOUR, min_size=4, max_size=4)))
    spans = [(cuts[0] * 30, cuts[1] * 30), (cuts[2] * 30, cuts[3] * 30)][: draw(st.integers(1, 2))]
    week = draw(st.sampled_from(("周", "星期")))
    dash = draw(st.sampled_from(("-", "—", "～", "至", " - ", "－－")))
    colon = draw(st.sampled_from((":", "：", "点")))
    comma = draw(st.sampled_from((",", "，", "、", " ")))
    days = "一二三四五六日"

    def clock(minute: int) -> str:
        return f"{minute // 60}{colon}{minute % 60:02d}"

    times = comma.join(f"{clock(a)}{dash}{clock(b)}" for a, b in spans)
    named = f"{week}{days[first]}" + (f"至{week}{days[last]}" if last > first else "")
    by_day = {day: (spans if first <= i <= last else []) for i, day in enumerate(DAYS)}
    off = draw(st.sampled_from((None, *range(first, last + 1))))
    if off is not None and last > first:
        by_day[DAYS[off]] = []
        return f"{named}{times}，{week}{days[off]}休息", by_day
    return named + times, by_day


@settings(deadline=None)
@given(schedules(), st.integers(0, 6), st.integers(0, 1439))
def test_against_a_naive_clock(
    drawn: tuple[str, dict[str, list[tuple[int, int]]]], day: int, minute: int
) -> None:
    text, by_day = drawn
    name = DAYS[day]
    expected = any(start <= minute < end for start, end in by_day[name])
    assert state_at(text, Moment(name, minute)) == (OPEN if expected else CLOSED)
    lengths = [sum(b - a for a, b in spans) / 60 for spans in by_day.values()]
    open_days = [length for length in lengths if length]
    assert hours_per_day(text) == pytest.approx(min(open_days) if open_days else 0)
    assert hours_per_day(text, every_day=True) == pytest.approx(min(lengths))


@settings(deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    osm = osm_hours(text)
    if osm is not None:
        assert is_open(osm, Moment("Mo", 600).when) in (True, False, None)


# ---- coverage with only the facilities that are open -------------------------------------------


def test_only_the_chosen_facilities_are_walked_to() -> None:
    policy = tiny_policy()
    city = tiny_city()
    keep = np.ones(len(city.facilities), dtype=np.bool_)
    keep[city.facilities.id == "p1"] = False
    chosen = with_only(study_of(city, policy), keep, ("pharmacy",))
    bare = tiny_city(places=[place for place in TINY_PLACES if place.id != "p1"])
    expected = coverage(
        study_of(bare, policy, travel=walks(bare, ("pharmacy",))), Question(service="pharmacy")
    )
    found = coverage(chosen, Question("pharmacy"))
    assert (found.total, found.units) == (expected.total, expected.units)
    nearest = {chosen.city.facilities.id[i] for i in chosen.travel.cell_facility[0] if i >= 0}
    assert nearest == {"p2"}


def test_none_left_is_known_to_be_none() -> None:
    city = tiny_city()
    nothing = np.zeros(len(city.facilities), dtype=np.bool_)
    chosen = with_only(study_of(city, tiny_policy()), nothing, ("pharmacy", "market"))
    found = coverage(chosen, Question("pharmacy")).total
    assert (found.P, found.U) == (0.0, 0.0)  # assessed: none is open
    assert coverage(chosen, Question("market")).total.P is None


def test_states_of_a_city() -> None:
    places = (
        Place("a", "pharmacy", 500, -20, "甲", (), {"opening_hours": "每天8:00-20:00"}),
        Place("b", "pharmacy", 900, -20, "乙", (), {"opening_hours": "看心情"}),
        Place("c", "pharmacy", 990, -20, "丙"),
    )
    city = tiny_city(places=places, streets=TINY_STREETS)
    assert states_at(city.facilities, moment_of("周六 19:00")).tolist() == [1, -1, -1]
    assert states_at(city.facilities, moment_of("周六 21:00")).tolist() == [0, -1, -1]
    assert unreadable(city.facilities.attributes["opening_hours"]) == {"看心情": 1}
    assert states_at(tiny_city(places=()).facilities, moment_of("Mo 8:00")).tolist() == []


def test_light_comes_from_tables_and_from_osm(tmp_path: Path) -> None:
    from lifecircle.analysis.policy import load_policy
    from lifecircle.analysis.readers.osm.places import read_places
    from lifecircle.analysis.readers.tables.population_and_facilities import read_facilities
    from tests.worlds.drawn import Way, World

    policy = load_policy()
    table = tmp_path / "fitness.csv"
    table.write_text(
        "类型,名称,经度,纬度,夜间照明\n球类场地,灯光球场,102.7,25.0,是\n球类场地,野球场,102.71,25.0,\n",
        encoding="utf-8",
    )
    assert read_facilities(table, policy, said("wgs84")).frame["lit"].tolist() == ["yes", None]
    world = World(
        {"a": (0.0, 0.0), "b": (100.0, 0.0), "c": (100.0, 100.0), "d": (0.0, 100.0)},
        (Way(("a", "b", "c", "d", "a"), {"leisure": "pitch", "sport": "soccer", "lit": "yes"}),),
    )
    world.write(tmp_path / "pitch.osm.pbf")
    found = read_places(tmp_path / "pitch.osm.pbf", policy).facilities.frame
    assert found["service"].tolist() == ["sports_pitch"]
    assert found["lit"].tolist() == ["yes"]
