"""Sorted layers beyond what the draft requires: several keys over pages; words of lists."""

from __future__ import annotations

from starlette.testclient import TestClient

from tests.http.ogc.asked import by_hand, items, links, refused


def test_several_keys_and_pages_of_a_sorted_layer(served: TestClient) -> None:
    rows = items(served, "gaps")["features"]
    wanted = by_hand(rows, [("reason", False), ("residents", True), ("near_m", False)])
    url = "/collections/tiny.gaps/items?limit=7&sortby=reason,-residents,near_m"
    seen: list[str] = []
    while url:
        found = served.get(url).json()
        seen += [one["id"] for one in found["features"]]
        url = links(found).get("next", "")
    assert seen == wanted
    refused(served, "sortby=residnets", "sort_no_property")
    refused(served, "sortby=-residents,residents", "name_twice")
    refused(served, "sortby=geometry", "sort_no_property")
    refused(served, "sortby=", "bad_parameters")


def test_a_word_that_is_none_of_a_list_is_refused(served: TestClient) -> None:
    answer = served.get("/collections/tiny.gaps/items?reason=too_fat&lang=en")
    assert (answer.status_code, answer.json()["key"]) == (400, "filter_no_word")
    assert "The nearest first: too_far" in answer.json()["detail"]
    told = served.get("/collections/tiny.gaps/queryables").json()["properties"]["reason"]
    assert "over_capacity" in told["enum"]
