"""The page that checks a file: this machine only, nothing kept, both languages, limits held."""

from __future__ import annotations

import base64
import io
import tempfile
import zipfile
from pathlib import Path

import openpyxl
import pytest
from starlette.testclient import TestClient

from lifecircle.service.app import create_app
from lifecircle.service.settings import Settings
from tests.files.planted_sheet import planted_rows, write_sheet

HTML = {"accept": "text/html"}
LOOPBACK = ("127.0.0.1", 50_000)


def client(folder: Path, address=LOOPBACK, base="http://127.0.0.1:8000", **settings) -> TestClient:
    app = create_app(Settings(workspace=folder, **settings))
    return TestClient(app, base_url=base, client=address, raise_server_exceptions=False)


@pytest.fixture
def here(tmp_path: Path) -> TestClient:
    return client(tmp_path / "workspace")


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("sheet") / "a.xlsx"
    return write_sheet(path, planted_rows()).read_bytes()


def post(asked: TestClient, content: bytes, name="设施.xlsx", headers=None, **fields):
    return asked.post(
        "/check",
        files={"file": (name, content)},
        data={"datum": "wgs84"} | fields,
        headers=headers or {},
    )


def test_the_form_is_there_in_both_languages(here):
    for lang, word in (("zh", "把文件拖到这里"), ("en", "Drop a file here")):
        page = here.get(f"/check?lang={lang}", headers=HTML)
        assert page.status_code == 200
        assert word in page.text
        assert page.headers["cache-control"] == "no-store"
        assert "nonce-" in page.headers["content-security-policy"]
        assert "http://" not in page.text.replace("http://127.0.0.1:8000", "")


def test_a_file_is_checked_and_handed_back_and_nothing_stays(here, sheet, tmp_path, monkeypatch):
    assert post(here, b"", "a.csv").status_code == 200  # the reading processes' server is there
    aside = tmp_path / "aside"
    aside.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(aside))
    made: list[str] = []
    real = tempfile.TemporaryDirectory

    class Watched(real):  # the folder is there while the file is read
        def __exit__(self, *args):
            made.extend(path.name for path in Path(self.name).iterdir())
            return super().__exit__(*args)

    monkeypatch.setattr(tempfile, "TemporaryDirectory", Watched)
    found = post(here, sheet)
    assert found.status_code == 200
    assert made == ["upload.xlsx"]  # a name of ours
    assert list(aside.iterdir()) == []
    assert not (tmp_path / "workspace").exists()
    document = found.json()
    assert (document["file"], document["kind"], len(document["faults"])) == (
        "设施.xlsx", "facilities", 40,
    )  # fmt: skip
    assert not document["usable"]
    marked = openpyxl.load_workbook(io.BytesIO(base64.b64decode(document["files"]["errors"])))
    assert marked.sheetnames == ["检查结果", "问题清单"]
    clean = openpyxl.load_workbook(io.BytesIO(base64.b64decode(document["files"]["clean"])))
    assert clean.worksheets[1].max_row == len(document["mends"]) + 1


def test_the_page_shows_every_fault_and_escapes_names(here, sheet):
    page = post(here, sheet, name="<img src=x>.xlsx", headers=HTML)
    assert page.status_code == 200
    assert "<img" not in page.text
    assert page.text.count('class="mark') == 39  # two rows with one fault are one line
    assert "download=" in page.text
    english = here.post(
        "/check?lang=en", files={"file": ("a.xlsx", sheet)}, data={"datum": "wgs84"}, headers=HTML
    )
    assert "It cannot be used yet" in english.text


@pytest.mark.parametrize(
    "told",
    [
        {"address": ("192.168.1.7", 5)},
        {"base": "http://evil.example"},  # a name of someone else that points here
        {"headers": {"x-forwarded-for": "10.0.0.1"}},
        {"headers": {"forwarded": "for=10.0.0.1"}},
        {"headers": {"origin": "http://evil.example"}},
        {"headers": {"origin": "null"}},
        {"headers": {"sec-fetch-site": "cross-site"}},
    ],
)
def test_only_this_machine_may_ask(tmp_path, sheet, told):
    headers = told.pop("headers", {})
    asked = client(tmp_path, allowed_hosts=("*",), **told)
    for answer in (asked.get("/check", headers=headers), post(asked, sheet, headers=headers)):
        away = "address" in told or {"x-forwarded-for", "forwarded"} & set(headers)
        wanted = (401, "key_missing") if away else (403, "check_only_here")
        assert (answer.status_code, answer.json()["key"]) == wanted
    other = asked.get("/", headers={**HTML, **headers})
    assert 'href="/check' not in other.text


def test_the_own_page_may_ask(here, sheet):
    headers = {"origin": "http://127.0.0.1:8000", "sec-fetch-site": "same-origin"}
    assert post(here, sheet, headers=headers).status_code == 200
    assert 'href="/check' in here.get("/", headers=HTML).text


@pytest.mark.parametrize(
    ("name", "content", "key"),
    [
        ("a.exe", b"MZ", "check_bad_suffix"),
        ("noname", b"x", "check_bad_suffix"),
        ("a.csv", b"x", None),  # read, and told what is wrong
    ],
)
def test_what_is_no_table_is_told(here, name, content, key):
    answer = post(here, content, name=name)
    if key is None:
        assert answer.status_code == 200
        assert answer.json()["errors"] >= 1
    else:
        assert (answer.status_code, answer.json()["key"]) == (400, key)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.csv", "C:\\x\\y.csv", "http://x/a.csv", "a\u202e.csv"]
)
def test_names_are_shown_and_never_opened(here, name):
    document = post(here, b"id,lon,lat,population\na,102.7,25.0,5\n", name=name).json()
    assert "/" not in document["file"]
    assert "\\" not in document["file"]
    assert document["file"].isprintable()
    assert document["kind"] == "population"


def test_large_bodies_and_bombs_are_refused(tmp_path, sheet):
    small = client(tmp_path, max_upload_bytes=2_000)
    assert post(small, sheet).status_code == 413
    assert post(client(tmp_path), b"a" * 1_500_000, name="a.csv").status_code == 200
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 5_000_000)
    bomb = client(tmp_path, max_unpacked_bytes=1_000_000)
    assert len(packed.getvalue()) < 100_000
    answer = post(bomb, packed.getvalue(), name="bomb.xlsx")
    assert (answer.status_code, answer.json()["key"]) == (400, "check_too_large")


def test_forms_that_are_none_are_told(here, sheet):
    assert here.post("/check", content=b"x").status_code == 400
    assert here.post("/check", data={"datum": "wgs84"}).json()["key"] == "check_no_file"
    wrong = post(here, sheet, datum="wgs72")
    assert (wrong.status_code, wrong.json()["key"]) == (400, "check_value")
    assert here.post("/check?x=1", files={"file": ("a.csv", b"x")}).status_code == 400
    broken = here.post(
        "/check", content=b"--x\r\n", headers={"content-type": "multipart/form-data; boundary=x"}
    )
    assert broken.status_code == 400


def test_all_rows_one_service_and_other_kinds_left_out(here):
    plain = "名称,经度,纬度\n甲,102.70123,25.01234\n".encode()
    kinds = (
        "类型,名称,经度,纬度\n药店,甲,102.70123,25.01234\n烟酒店,乙,102.71123,25.01234\n".encode()
    )
    assert post(here, plain, "a.csv", kind="facilities").json()["errors"] == 1
    assert post(here, plain, "a.csv", service="药店").json()["usable"]
    refused = post(here, kinds, "a.csv").json()
    assert [fault["row"] for fault in refused["faults"]] == [3]
    assert "勾选" in post(here, kinds, "a.csv", {"accept": "text/html"}).text
    left = post(here, kinds, "a.csv", other_types="skip").json()
    assert (left["usable"], left["warnings"]) == (True, 1)
    assert post(here, kinds, "a.csv", other_types="drop").status_code == 400


def test_all_names_every_row_of_a_fault_and_of_a_remark(here):
    rows = "".join(f"c{i},102.7{i:04d},25.04123,10\n" for i in range(12))
    twice = ("id,lon,lat,population\n" + rows + rows.replace("c", "d")).encode()
    short = post(here, twice, "cells.csv").json()["faults"][0]
    every = post(here, twice, "cells.csv", all="on").json()["faults"][0]
    assert short["key"] == every["key"] == "input_people_twice"
    assert short["rows"] == every["rows"]
    assert len(short["text"]) < len(every["text"])
    page = post(here, twice, "cells.csv", HTML, all="on").text
    assert "、".join(map(str, every["rows"])) in page
    assert 'name="all" type="checkbox" checked' in page
