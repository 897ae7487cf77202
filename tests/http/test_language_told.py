"""Every answer with words says in which language it is, and that it varies with the reader's."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

KNOWN = {
    "{area}": "tiny", "{collection}": "tiny.facilities", "{featureId}": "f1", "{process}": "siting",
    "{grid}": "WebMercatorQuad",
}  # fmt: skip
WORDS = ("json", "text/html", "text/csv", "openxmlformats", "vnd.oai")
WORDLESS = {"/healthz", "/tileMatrixSets", "/tileMatrixSets/{grid}"}


def _said(served: TestClient, path: str, lang: str, accept: str) -> tuple[str | None, str] | None:
    """Language and ``Vary`` of an answer; None where it has no words."""
    address = path
    for name, value in KNOWN.items():
        address = address.replace(name, value)
    headers = {"accept-language": lang, "accept": accept}
    told = served.get(address.replace("{", "").replace("}", ""), headers=headers).headers
    if not any(word in told.get("content-type", "") for word in WORDS):
        return None
    return told.get("content-language"), told.get("vary", "").lower()


@pytest.mark.parametrize(("lang", "accept"), [("en", "application/json"), ("zh", "text/html")])
def test_every_answer_says_its_language(served: TestClient, lang: str, accept: str) -> None:
    paths = served.get("/api").json()["paths"]
    asked = [path for path in paths if "get" in paths[path] and path not in WORDLESS]
    assert len(asked) > 40
    wrong = {}
    for path in asked:
        said = _said(served, path, lang, accept)
        if said is not None and (said[0] != lang or "accept-language" not in said[1]):
            wrong[path] = said
    assert wrong == {}


def test_what_is_written_and_refused_says_it_too(served: TestClient) -> None:
    for path in ("/areas/tiny/scenario", "/areas/tiny/scenarios", "/processes/siting/execution"):
        for body in ({"edits": [], "title": "a"}, {}, {"nobody": 1}):
            told = served.post(f"{path}?lang=en", json=body).headers
            assert told["content-language"] == "en", (path, body)
            assert "accept-language" in told["vary"].lower()


def test_places_say_it_on_the_long_way_and_on_the_short_one(served: TestClient) -> None:
    for lang in ("en", "zh", "en"):
        address = f"/areas/tiny/point?lon=0&lat=0&lang={lang}"
        assert served.get(address).headers["content-language"] == lang


def test_what_has_no_words_says_none(served: TestClient) -> None:
    for path in ("/healthz", "/static/leaflet/leaflet.js", "/tileMatrixSets/WebMercatorQuad"):
        assert "content-language" not in served.get(path).headers
