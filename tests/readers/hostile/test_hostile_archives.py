"""Archives and workbooks that were made to hurt: each is refused soon, or read and nothing more."""

from __future__ import annotations

import os
import stat
import struct
import zipfile
from pathlib import Path

import openpyxl
import pytest

from lifecircle.analysis.readers.records import limits
from tests.files.hostile import errors
from tests.files.office import layer_frame, places, write_shapefile
from tests.files.tables import writer


def zipped(path: Path, members: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", how) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def shape_members(folder: Path) -> dict[str, bytes]:
    write_shapefile(folder / "点.shp", layer_frame(places(), "wgs84"), "GB18030", False)
    return {f"图层/{path.name}": path.read_bytes() for path in folder.glob("点.*")}


def test_an_honest_zip_and_kmz_are_read(tmp_path):
    members = shape_members(tmp_path)
    assert errors(zipped(tmp_path / "a.zip", members)) == []
    two = {**members, **{name.replace("点", "另"): c for name, c in members.items()}}
    assert errors(zipped(tmp_path / "b.zip", two)) == ["input_layers_many"]
    gone = {name: c for name, c in members.items() if not name.endswith(".dbf")}
    assert errors(zipped(tmp_path / "c.zip", gone)) == ["input_shape_parts"]
    assert errors(zipped(tmp_path / "d.zip", {"a.txt": b"x"})) == ["input_zip_nothing"]


@pytest.mark.parametrize(
    "name", ["../a.shp", "/etc/a.shp", "..\\a.shp", "C:\\a.shp", "a/../../b.shp"]
)
def test_names_that_lead_out_of_an_archive(tmp_path, name):
    info = zipfile.ZipInfo("x")
    info.filename = name
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, b"x")
    assert errors(path) == ["input_zip_name"]
    assert not (tmp_path.parent / "a.shp").exists()


def test_links_passwords_and_crowds_in_an_archive(tmp_path):
    link = zipfile.ZipInfo("a.shp")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert errors(tmp_path / "link.zip") == ["input_zip_link"]
    crowd = {f"{n}.txt": b"" for n in range(limits.ARCHIVE_MEMBERS + 1)}
    assert errors(zipped(tmp_path / "crowd.zip", crowd)) == ["input_zip_members"]
    raw = bytearray(zipped(tmp_path / "p.zip", {"a.shp": b"x"}).read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    assert errors(writer(tmp_path)(bytes(raw), "p.zip")) == ["input_zip_password"]


def test_bombs_in_archives(tmp_path):
    bomb = zipped(tmp_path / "a.zip", {"a.shp": bytes(64 * 1024**2)})
    assert bomb.stat().st_size < 100_000
    assert errors(bomb) == ["input_zip_ratio"]
    kmz = zipped(tmp_path / "a.kmz", {"doc.kml": b" " * (64 * 1024**2)})
    assert errors(kmz) == ["input_zip_ratio"]
    raw = bytearray(zipped(tmp_path / "b.zip", {"a.kml": b" " * (8 * 1024**2)}).read_bytes())
    at = raw.index(b"PK\x01\x02") + 24
    raw[at : at + 4] = struct.pack("<I", 100)  # the directory lies about the size
    assert errors(writer(tmp_path)(bytes(raw), "b.zip"))[0] in ("input_broken", "input_zip_ratio")


def workbook(path: Path, cells: dict[str, object]) -> Path:
    book = openpyxl.Workbook()
    for place, value in cells.items():
        book.active[place] = value
    book.save(path)
    return path


def with_member(path: Path, name: str, change: object) -> Path:
    """A workbook with one of its members changed."""
    with zipfile.ZipFile(path) as archive:
        members = {member: archive.read(member) for member in archive.namelist()}
    members[name] = change(members[name])  # type: ignore[operator]
    return zipped(path, members)


def test_two_cells_at_the_corners_of_a_sheet(tmp_path):
    """A few hundred bytes; read as a rectangle they are 17 thousand million cells."""
    path = workbook(tmp_path / "a.xlsx", {"A1": "lon", "XFD1048576": 1})
    assert path.stat().st_size < 10_000
    assert errors(path) == ["input_columns_many"]
    tall = workbook(tmp_path / "b.xlsx", {"A1": "lon", "AA1048576": 1})
    assert errors(tall) == ["input_table_large"]


def test_one_long_word_in_many_cells(tmp_path):
    path = workbook(tmp_path / "a.xlsx", {"A1": "lon"})
    rows = '<row><c t="s"><v>0</v></c></row>' * 40_000
    sheet = f"<worksheet><sheetData>{rows}</sheetData></worksheet>"
    with_member(path, "xl/worksheets/sheet1.xml", lambda _: sheet.encode())
    with zipfile.ZipFile(path, "a") as archive:
        words = f"<sst><si><t>{os.urandom(20_000).hex()}</t></si></sst>"
        archive.writestr("xl/sharedStrings.xml", words)
    assert errors(path) == ["input_table_large"]


@pytest.mark.parametrize("member", ["xl/styles.xml", "xl/worksheets/sheet1.xml"])
def test_entities_in_a_workbook(tmp_path, member):
    def laughing(xml: bytes) -> bytes:
        head = b'<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
        at = xml.index(b"?>") + 2 if xml.startswith(b"<?xml") else 0
        return xml[:at] + head + xml[at:]

    path = workbook(tmp_path / "a.xlsx", {"A1": "lon", "B1": "lat"})
    assert errors(with_member(path, member, laughing)) == ["input_xml_doctype"]


def test_a_sheet_repeated_to_the_end_of_the_world(tmp_path):
    spaces = " ".join(
        f'xmlns:{s}="urn:oasis:names:tc:opendocument:xmlns:{s}:1.0"'
        for s in ("office", "table", "text")
    )
    cell = (
        '<table:table-row table:number-rows-repeated="1000000"><table:table-cell '
        'office:value-type="float" office:value="1" table:number-columns-repeated="16000"/>'
        "</table:table-row>"
    )
    content = (
        f"<office:document-content {spaces}><office:body><office:spreadsheet><table:table "
        f'table:name="S">{cell}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    members = {"mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
               "content.xml": content.encode()}  # fmt: skip
    assert errors(zipped(tmp_path / "a.ods", members)) == ["input_columns_many"]


def test_every_xml_part_of_a_workbook_is_looked_at(tmp_path):
    path = workbook(tmp_path / "a.xlsx", {"A1": "lon"})
    raw = {
        "xl/worksheets/hidden.bin": b"<worksheet><row><c r='ZZZ1'><v>1</v></c></row></worksheet>"
    }
    with zipfile.ZipFile(path, "a") as archive:
        for name, content in raw.items():
            archive.writestr(name, content)
    assert errors(path) == ["input_columns_many"]
