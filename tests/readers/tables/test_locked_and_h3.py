"""Files whose true cause has to be named: locked old workbooks and sheets, cells of the H3 grid."""

from __future__ import annotations

import zipfile
from pathlib import Path

from lifecircle.analysis.readers.checker.check import check_file

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_BOF = bytes.fromhex("0908100000060500bb0dcc07c100000006060000")


def keys(path: Path) -> list[str]:
    return [fault.key for fault in check_file(path, "population").faults]


def test_an_old_workbook_with_a_password_is_named_as_locked(tmp_path: Path):
    path = tmp_path / "locked.xls"
    for flag in (b"", bytes.fromhex("86000000")):
        path.write_bytes(_OLE.ljust(512, b"\0") + _BOF + flag + b"\x2f\x00\x36\x00" + bytes(4096))
        assert keys(path) == ["input_password"]
    path.write_bytes(_OLE.ljust(512, b"\0") + _BOF + b"\x42\x00\x02\x00" + bytes(4096))
    assert keys(path) != ["input_password"]


def test_a_sheet_of_opendocument_with_a_password_is_named_as_locked(tmp_path: Path):
    path = tmp_path / "locked.ods"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        package.writestr("content.xml", b"\x8f\x02" * 900)
        package.writestr("META-INF/manifest.xml", "<m><manifest:encryption-data/></m>")
    assert keys(path) == ["input_password"]


def test_cells_of_the_h3_grid_are_named(tmp_path: Path):
    path = tmp_path / "hex.csv"
    path.write_text("h3_10,population\n8a40710d8407fff,40\n8a40710d8517fff,40\n")
    assert "input_h3_cells" in keys(path)
    path.write_text("h3_10,population\n8a40710d8407fff,40\nelsewhere,40\n")
    assert "input_h3_cells" not in keys(path)
