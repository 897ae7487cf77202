"""The auditor's reading of what places are, by hand: rules, words, what is not open."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.oracles.audit.__main__ import TAGS
from tests.oracles.audit.lists import fits, gone, read_lists, read_rules
from tests.oracles.audit.words import stands_in


def test_rules_of_places() -> None:
    rule = {"tags": {"shop": ["a", "b"]}, "without": {"access": ["no"]}, "name_lacks": ["Old"]}
    assert fits({"shop": "x;b"}, rule)
    assert not fits({"shop": "b", "access": "no"}, rule)
    assert fits({"shop": "b", "access": "no;yes"}, rule)
    assert not fits({"shop": "b", "name:en": "The OLD shop"}, rule)
    assert fits({"shop": "b", "name:etymology": "old"}, rule)
    named = {"tags": {"office": "*"}, "name_has": ["社区"]}
    assert fits({"office": "x", "name": "社区服务中心"}, named)
    assert not fits({"office": "x"}, named)


@pytest.mark.parametrize(
    ("word", "name", "stands"),
    [
        ("bar", "Barbara", False),
        ("bar", "Snack-BAR", True),
        ("bar", "ABC店bar", True),
        ("dent*", "Dental", True),
        ("dent*", "Student", False),
        ("saude", "Posto de Saúde", True),
        ("centro de saúde", "CENTRO  DE SAUDE", True),
        ("環保加Fun站", "环境", False),
        ("環保加Fun站", "北區環保加ＦＵＮ站", True),
        ("saħħa", "Centru tas-Sahha", True),
    ],
)
def test_words_in_names(word: str, name: str, stands: bool) -> None:
    assert stands_in(word, name) is stands


@pytest.mark.parametrize(
    ("said", "is_gone"),
    [
        ({"disused": "yes"}, True),
        ({"disused": "no"}, False),
        ({"building": "ruins"}, True),
        ({"construction": "minor"}, False),
        ({"disused:amenity": "clinic"}, False),  # closes that clinic, not what stands there now
        ({"opening_hours": 'off "renovation"'}, True),
        ({"operational_status": "closed"}, True),
        ({"name": "新站（拟建）"}, True),
        ({"end_date": "1999"}, True),
        ({"end_date": "2999"}, False),
        ({"end_date": "2026"}, False),  # it may end in December
        ({"end_date": "after 1999"}, False),
        ({"start_date": "2027-03"}, True),
        ({"start_date": "before 2030"}, False),
    ],
)
def test_what_is_not_open(said: dict[str, str], is_gone: bool) -> None:
    _, life = read_rules(TAGS)
    assert gone({"shop": "b", **said}, life, date(2026, 11, 29)) is is_gone


def test_a_list_of_lists_and_lines(tmp_path: Path) -> None:
    """An open track counts by its rule, an open park does not."""
    rules, _ = read_rules(TAGS)
    assert {"not_freely_open", "closed_to_public"}.isdisjoint(str(rules))
    osm = tmp_path / "lines.osm"
    nodes = "".join(f'<node id="{k}" lon="102.{k}" lat="25"/>' for k in range(1, 5))
    ways = "".join(
        f'<way id="{k}">{refs}<tag k="leisure" v="{value}"/></way>'
        for k, value, refs in (
            (1, "track", '<nd ref="1"/><nd ref="2"/>'),
            (2, "park", '<nd ref="1"/><nd ref="2"/>'),
            (3, "park", '<nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="1"/>'),
        )
    )
    osm.write_text(f'<osm version="0.6">{nodes}{ways}</osm>', encoding="utf-8")
    listed = read_lists(osm, TAGS)
    assert {name: ids for name, ids in listed.of.items() if ids} == {
        "fitness_trail": {"way/1"}, "park": {"way/3"},
    }  # fmt: skip
