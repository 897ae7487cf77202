"""An area with a Chinese name: what is made there is told where it lies, and every link leads."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from tests.pages.served import ask, client
from tests.worlds.tiny import tiny_run

AREA = "澳門.半島"
HOME = f"/areas/{AREA}"
MARK = {"verdict": "wrong_data", "note": "位置不对"}


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    folder = tmp_path_factory.mktemp("workspace")
    tiny_run(folder, area=AREA)
    made = client(folder)
    made.base_url = made.base_url.copy_with(host="localhost")  # it may write
    return made


def followed(named: TestClient, address: str) -> int:
    """What an address that was told gives, asked as it was written."""
    assert address.isascii(), address
    parts = urlsplit(address)
    return named.get(parts.path + (f"?{parts.query}" if parts.query else "")).status_code


def test_what_is_made_is_told_where_it_lies(named: TestClient) -> None:
    place = ask(named, f"/collections/{AREA}.facilities/items", limit=1)["features"][0]
    mark = MARK | {"target": {"kind": "facility", "id": place["id"]}}
    kept = {"title": "新站", "edits": [{"op": "remove_facility", "id": place["id"]}]}
    for name, body in (("reviews", mark), ("scenarios", kept)):
        made = named.post(f"{HOME}/{name}", json=body)
        assert made.status_code == 201, made.text
        assert made.headers["location"].endswith(made.json()["id"])
        assert followed(named, made.headers["location"]) == 200


def test_links_lead_where_they_say(named: TestClient) -> None:
    told = ask(named, "/areas")["areas"][0]["links"] + ask(named, HOME)["links"]
    for layer in ask(named, "/collections")["collections"]:
        told += layer["links"]
    for link in ask(named, f"/collections/{AREA}.units/items", limit=1)["links"]:
        told.append(link)
    dear = ("/report", "/scorecard", "/equity", "/maps/", "f=", "{")
    cheap = sorted({one["href"] for one in told if not any(part in one["href"] for part in dear)})
    assert len(cheap) > 10
    for href in cheap:
        assert followed(named, href) == 200, href


def test_all_links_are_written_in_ascii(named: TestClient) -> None:
    for path in ("/", "/areas", HOME, "/collections", f"/collections/{AREA}.cells", "/processes"):
        for link in ask(named, path).get("links", []):
            assert link["href"].isascii(), link
