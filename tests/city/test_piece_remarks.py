"""What is said of people and places that join no street, or a piece of streets by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from lifecircle.analysis.build_request import BuildRequest
from lifecircle.analysis.errors import LifecircleError
from lifecircle.analysis.pipeline import analyse_city
from tests.worlds.drawn import World, draw

Home = tuple[float, float, int]


def said(folder: Path, world: World, homes: list[Home], shops: list[Home]) -> dict[str, dict]:
    """The remarks of a build by key: homes and pharmacies at metres from the origin."""
    files = {}
    for name, head, rows in (
        ("people.csv", "id,lon,lat,population", homes),
        ("shops.csv", "id,lon,lat,service", shops),
    ):
        lines = [head]
        for k, (x, y, last) in enumerate(rows):
            lon, lat = world.lonlat((x, y))
            lines.append(f"{name[0]}{k},{lon},{lat},{last if name[0] == 'p' else 'pharmacy'}")
        files[name] = folder / name
        files[name].write_text("\n".join(lines) + "\n", encoding="utf-8")
    osm = world.write(folder / "drawn.osm.pbf")
    request = BuildRequest(
        "t",
        osm=osm,
        population=files["people.csv"],
        facilities=(files["shops.csv"],),
        datum="wgs84",
    )
    _, _, city, _ = analyse_city(request)
    return {warn.key: dict(warn.params) for warn in city.warnings}


def test_causes_are_told_apart(tmp_path: Path) -> None:
    """A street of 6 km, a village of 2.4 km, a stub of 120 m, and a field without any street."""
    world = draw(
        {"a": (0, 0), "b": (6000, 0), "m": (0, 2000), "n": (2400, 2000), "s": (5000, 2000),
         "t": (5120, 2000)},
        "a b", "m n", "s t",
    )  # fmt: skip
    homes = [(500.0, 20.0, 10), (1000.0, 2020.0, 7), (5050.0, 2010.0, 5), (4000.0, 4000.0, 3)]
    shops = [(600.0, 20.0, 0), (1500.0, 2010.0, 0), (5100.0, 2020.0, 0), (4100.0, 4000.0, 0)]
    found = said(tmp_path, world, homes, shops)
    assert found["short_piece"] == {
        "residents": 7, "facilities": 1, "count": 1, "longest_km": "2.4", "limit_km": "5"
    }  # fmt: skip
    assert found["residents_short_pieces"] == {
        "residents": 5, "longest_m": "120", "limit_m": "300"
    }  # fmt: skip
    assert found["facilities_short_pieces"] == {
        "count": 1, "metres": 250, "ids": "s2", "longest_m": "120", "limit_m": "300"
    }  # fmt: skip
    assert found["facilities_unsnapped"] == {"count": 1, "metres": 250, "ids": "s3"}


def test_a_city_of_long_streets_is_told_nothing(tmp_path: Path) -> None:
    world = draw({"a": (0, 0), "b": (6000, 0)}, "a b")
    found = said(tmp_path, world, [(500.0, 20.0, 10)], [(600.0, 20.0, 0)])
    assert not {"short_piece", "residents_short_pieces", "facilities_short_pieces"} & set(found)


@pytest.mark.parametrize(
    ("home", "key"), [((100.0, 30.0, 4), "short"), ((100.0, 900.0, 4), "nobody")]
)
def test_a_city_nobody_joins_is_refused_with_the_cause(
    tmp_path: Path, home: Home, key: str
) -> None:
    """All streets are 200 m; the refusal names them and the 300 m, or the 250 m of the leg."""
    world = draw({"a": (0, 0), "b": (200, 0)}, "a b")
    with pytest.raises(LifecircleError) as refused:
        said(tmp_path, world, [home], [(100.0, 20.0, 0)])
    text = refused.value.text("en")
    if key == "short":
        assert "200 m" in text
        assert "300 m" in text
    else:
        assert "no resident lives within 250 m" in text
