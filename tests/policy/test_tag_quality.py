"""The draw for blind labels, and the figures made of them, by hand."""

from __future__ import annotations

import csv
import json
import tomllib
from pathlib import Path

import pytest

from benchmarks.tags.tag_draw import NearlyCalled, drawn, write_draw
from benchmarks.tags.tag_quality import (
    Share,
    as_table,
    as_toml,
    put_between,
    qualities,
    read_labels,
)
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.policy.sections.tag_quality import read_tag_quality, tag_quality
from tests.worlds.tagged import tags_of, write_things


@pytest.mark.parametrize(
    ("yes", "n", "low", "high"),
    [  # Brown, Cai, DasGupta (2001), and by hand
        (45, 50, 0.7864, 0.9565),
        (50, 50, 0.9287, 1.0),
        (0, 50, 0.0, 0.0713),
        (1, 1, 0.2065, 1.0),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilson(yes: int, n: int, low: float, high: float) -> None:
    assert Share(yes, n).interval == pytest.approx((low, high), abs=5e-5)


def label(service: str, called: int, word: str, city: str = "a") -> dict[str, str]:
    return {"service": service, "called": str(called), "label": word, "city": city}


def test_precision_and_recall_by_hand() -> None:
    """Eight of ten called are true, one unclear; one of five nearly called is true.

    200 called and 50 nearly called: 160 true found, 10 true missed, recall 160 / 170.
    """
    rows = [label("park", 1, word) for word in ["yes"] * 8 + ["no"] * 2 + ["unclear"]]
    rows += [label("park", 0, word) for word in ["yes", "no", "no", "no", "no"]]
    rows += [label("park", 1, "no", city="b")]
    frame = {
        "seed": 1, "rules": "abc", "cities": {"a": {}, "b": {}},
        "populations": {
            "park": {"called": {"a": 150, "b": 50}, "nearly": {"a": 50}},
            "square": {"called": {}, "nearly": {"a": 3}},
        },
    }  # fmt: skip
    park, square = qualities(rows[:-1], frame, ["b"])
    assert (park.precision, park.missed) == (Share(8, 10, 1), Share(1, 5, 0))
    assert park.recall == pytest.approx(160 / 170)
    (p_low, p_high), (q_low, q_high) = Share(8, 10).interval, Share(1, 5).interval
    assert park.recall_interval == pytest.approx(
        (200 * p_low / (200 * p_low + 50 * q_high), 200 * p_high / (200 * p_high + 50 * q_low))
    )
    assert (square.precision.value, square.recall) == (None, None)
    data = as_toml([park, square], frame, 16)
    read = read_tag_quality(data)
    assert (read["park"].precision.value, read["park"].recall.n) == (0.8, 5)
    assert (read["square"].recall.value, read["square"].recall.high) == (None, 1.0)
    written = tomllib.loads(data)
    told = written["services"]["park"]
    assert told["precision"] == {
        "value": 0.8, "low": 0.4902, "high": 0.9433, "yes": 8, "n": 10, "unclear": 1,
    }  # fmt: skip
    assert told["recall"]["value"] == 0.9412
    assert "value" not in written["services"]["square"]["precision"]
    with_b, _ = qualities(rows, frame, ["b"])
    assert with_b.unread == Share(0, 1)
    table = as_table([park, square], {"park": "Park 公园", "square": "Square 广场"})
    assert "| Park 公园 | 200, 11 | 80 % (49–94) | 50, 5 | 1 of 5 | 94 % (" in table
    assert "| Square 广场 | 0, 0 | – | 3, 0 | 0 of 0 | – | 0 + 0 |" in table


def test_what_is_packaged_is_of_services_there_are() -> None:
    assert set(tag_quality()) <= set(load_policy().services)
    assert len(tag_quality()) == 25


@pytest.mark.parametrize("service", sorted(tag_quality()))
def test_what_is_packaged_follows_from_its_counts(service: str) -> None:
    found = tag_quality()[service]
    told, missed = found.precision, found.recall
    assert told.value == pytest.approx(told.yes / told.n, abs=5e-5)
    assert (told.low, told.high) == pytest.approx(Share(told.yes, told.n).interval, abs=5e-5)
    right = found.places.called * told.yes / told.n
    wrong = found.places.nearly_called * missed.yes / missed.n
    assert missed.value == pytest.approx(right / (right + wrong), abs=5e-5)
    assert missed.low <= missed.value <= missed.high


def test_a_page_keeps_the_rest() -> None:
    page = "a\n<!-- t -->\nold\n<!-- end t -->\nb\n"
    assert put_between(page, "t", "new\n") == "a\n<!-- t -->\nnew\n<!-- end t -->\nb\n"
    with pytest.raises(ValueError, match="no place"):
        put_between(page, "other", "new")


def test_nearly_called_shares_a_tag_or_a_word() -> None:
    near = NearlyCalled(load_policy().services["health_centre"])
    for said in ("amenity=hospital name=某某医院", "healthcare=dentist", "amenity=bank;clinic",
                 "amenity=restaurant name=社区卫生服务中心食堂"):  # fmt: skip
        assert near(tags_of(said)), said
    for said in ("amenity=restaurant", "highway=bus_stop name=社区卫生服务中心", "building=yes"):
        assert not near(tags_of(said)), said


def test_the_draw_hides_the_verdict(tmp_path: Path) -> None:
    """Twelve bakeries, six burger stands: ten and six are drawn, told apart in verdict.csv only."""
    burgers, benches = ["amenity=fast_food cuisine=burger"] * 6, ["amenity=bench"] * 3
    said = ["shop=bakery"] * 12 + burgers + benches
    town = write_things(tmp_path / "t.osm.pbf", dict(enumerate(map(tags_of, said), start=1)))
    out = tmp_path / "labels"
    write_draw(out, {"t": town}, {}, 10)
    with (out / "draw.csv").open(encoding="utf-8-sig", newline="") as handle:
        draw = [row for row in csv.DictReader(handle) if row["service"] == "breakfast"]
    with (out / "verdict.csv").open(encoding="utf-8", newline="") as handle:
        verdict = {row["row"]: row for row in csv.DictReader(handle)}
    assert "called" not in draw[0]
    kinds = {(json.loads(row["tags"]).get("shop"), verdict[row["row"]]["called"]) for row in draw}
    assert kinds == {("bakery", "1"), (None, "0")}
    assert [verdict[row["row"]]["called"] for row in draw].count("1") == 10
    assert len(draw) == 16
    assert len({row["id"] for row in draw}) == 16
    frame = json.loads((out / "frame.json").read_text(encoding="utf-8"))
    assert frame["populations"]["breakfast"] == {"called": {"t": 12}, "nearly": {"t": 6}}
    again = tmp_path / "again"
    write_draw(again, {"t": town}, {}, 10)
    assert (again / "draw.csv").read_bytes() == (out / "draw.csv").read_bytes()
    with (out / "labels.csv").open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(("row", "label", "why"))
        writer.writerows((row, "Yes", "") for row in list(verdict)[1:])
    with pytest.raises(ValueError, match="no label"):
        read_labels(out)


def test_more_cities_only_where_the_first_hold_too_few() -> None:
    import numpy as np

    rng = np.random.default_rng(1)
    of = {"a": ["a"] * 5, "b": ["b"] * 9}
    chosen, sizes = drawn(of, ["a"], 5, rng)
    assert (set(chosen), len(chosen), sizes) == ({"a"}, 5, {"a": 5})
    chosen, sizes = drawn(of, ["a"], 10, rng)
    assert (set(chosen), len(chosen), sizes) == ({"a", "b"}, 10, {"a": 5, "b": 9})
    assert drawn({"a": []}, ["a"], 5, rng) == ([], {})
