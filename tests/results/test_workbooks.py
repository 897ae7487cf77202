"""Workbooks on a disk without room: an error of the system, and nothing that Python ends later."""

from __future__ import annotations

import errno
import gc
import io
import sys
from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet import _writer

from lifecircle.analysis.results.workbooks import new_workbook

ROWS = 3_000  # more than any buffer on the way holds
FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


def test_sheets_come_back_as_they_were_written() -> None:
    held = io.BytesIO()
    with new_workbook(held) as book:
        for name in ("a", "b"):
            sheet = book.create_sheet(name)
            sheet.append([name, 1])
    back = openpyxl.load_workbook(held)
    assert {sheet.title: list(sheet.values) for sheet in back} == {"a": [("a", 1)], "b": [("b", 1)]}


@needs_full
@pytest.mark.parametrize("where", ["target", "sheet"])
def test_a_full_disk_is_one_error_and_nothing_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    late: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", late.append)
    target = FULL if where == "target" else tmp_path / "out.xlsx"
    if where == "sheet":
        full = tmp_path / "sheet"
        full.symlink_to(FULL)
        monkeypatch.setattr(_writer, "ALL_TEMP_FILES", [str(full)])
        monkeypatch.setattr(_writer, "create_temporary_file", lambda *_: str(full))
    assert _fails_at(target) == errno.ENOSPC
    gc.collect()
    assert late == []
    assert not (tmp_path / "sheet").is_symlink()


def _fails_at(target: Path) -> int | None:
    try:
        with target.open("wb") as handle, new_workbook(handle) as book:
            sheet = book.create_sheet("sheet")
            for i in range(ROWS):
                sheet.append([f"{i * 7919}", i])
    except OSError as fault:
        return fault.errno
    return None
