"""What the service refuses over HTTP, with its problem and all faults at once."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

REFUSED = [
    ("/areas/tiny/coverage?servce=x", 400, "bad_parameters"),
    ("/areas/tiny/coverage?minutes=abc", 400, "bad_parameters"),
    ("/areas/tiny/coverage?minutes=0", 400, "bad_parameters"),
    ("/areas/tiny/coverage?minutes=inf", 400, "bad_parameters"),
    ("/areas/tiny/coverage?minutes=500", 400, "minutes_too_many"),
    ("/areas/tiny/coverage?service=airport", 404, "unknown_service"),
    ("/areas/tiny/coverage?service=pharmacy&walker=horse", 404, "unknown_walker"),
    ("/areas/tiny/coverage?service=pharmacy&group=cats", 404, "unknown_group"),
    ("/areas/tiny/coverage?service=pharmacy&by=planet", 404, "unknown_level"),
    ("/areas/tiny/coverage?lang=fr", 400, "bad_parameters"),
    ("/areas/tiny?run=r1", 404, "unknown_run"),
    ("/areas/tiny?run=..", 400, "unsafe_name"),
    ("/areas/nowhere", 404, "unknown_area"),
    ("/areas/...", 400, "unsafe_name"),
    ("/areas/tiny/gaps?min_residents=-1", 400, "bad_parameters"),
    ("/areas/tiny/circles?kind=square", 404, "unknown_circle"),
    ("/areas/tiny/point", 400, "bad_parameters"),
    ("/areas/tiny/point?lon=nan&lat=25", 400, "bad_parameters"),
    ("/areas/tiny/point?lon=500&lat=25", 400, "bad_parameters"),
    ("/areas/tiny/isochrone?lon=102&lat=25&minutes=a", 400, "minutes_not_numbers"),
    ("/areas/tiny/isochrone?lon=102&lat=25&minutes=nan", 400, "minutes_too_many"),
    ("/areas/tiny/isochrone?lon=102&lat=25&minutes=1,2,3,4,5,6,7", 400, "too_many_isochrones"),
    ("/areas/tiny/isochrone?lon=102&lat=25&walker=horse", 404, "unknown_walker"),
    ("/maps/tiny/nothing", 404, None),
    ("/nowhere", 404, "http_404"),
]


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize(("path", "status", "key"), REFUSED)
def test_problems(served: TestClient, path: str, status: int, key: str | None, lang: str) -> None:
    answer = served.get(path, headers={"accept-language": lang})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert {"type", "title", "status", "detail", "key"} <= set(problem)
    assert problem["status"] == status
    assert key is None or problem["key"] == key
    has_chinese = any("\u4e00" <= sign <= "\u9fff" for sign in problem["detail"])
    assert has_chinese == (lang == "zh")


def test_all_faults_at_once(served: TestClient) -> None:
    problem = served.get("/areas/tiny/point?lon=x&lat=95&foo=1&lang=en").json()
    assert {fault["parameter"] for fault in problem["faults"]} == {"lon", "lat", "foo"}


def test_other_methods_are_refused(served: TestClient) -> None:
    answer = served.post("/areas/tiny")
    assert answer.status_code == 405
    assert answer.json()["key"] == "http_405"
    assert "GET" in answer.headers["allow"]


def test_browsers_get_a_page_for_a_problem(served: TestClient) -> None:
    answer = served.get("/areas/<b>", headers={"accept": "text/html,*/*;q=0.8"})
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/html")
    assert "<b>" not in answer.text.split("<main>")[1]


def test_a_short_question_gets_no_long_answer(served: TestClient) -> None:
    asked = "&".join(f"a{k}=1" for k in range(3_000))
    answer = served.get(f"/areas/tiny/coverage?{asked}&lang=en")
    assert answer.status_code == 400
    assert len(answer.json()["faults"]) == 100
    assert len(answer.content) < 20_000


def test_a_wrong_word_of_a_list_is_told_with_the_name_of_the_list(served: TestClient) -> None:
    near = TestClient(served.app, base_url="http://127.0.0.1", client=("127.0.0.1", 1))
    fault = near.get("/jobs?status=running&status=zz&lang=zh").json()["faults"][0]
    assert fault["parameter"] == "status"
    assert "status = “zz”" in fault["text"]
    assert "accepted、running、" in fault["text"]
    assert " or " not in fault["text"]
