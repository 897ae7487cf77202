"""The checker of one file: forty planted faults found and none invented, mends, the error sheet."""

from __future__ import annotations

import pytest
from planted_sheet import PLANTED, ROWS, TOLD, planted_rows, sound_row, write_sheet

from analysis.sources.checking import Checked, check_file


def places(checked: Checked) -> set[tuple[int | None, str | None]]:
    return {(fault.row, fault.column) for fault in checked.faults}


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Checked:
    path = tmp_path_factory.mktemp("planted") / "设施.xlsx"
    return check_file(write_sheet(path, planted_rows()), datum="wgs84")


def test_forty_planted_faults_are_found_and_none_invented(planted):
    wanted = {TOLD.get((row, column), (row, column)) for row, column, _ in PLANTED}
    assert len(PLANTED) == len(wanted) == 40
    assert places(planted) == wanted
    assert len(planted.faults) == 40  # each once
    assert planted.kind == "facilities"


def test_every_message_is_whole_in_both_languages(planted):
    for fault in planted.faults:
        for lang in ("zh", "en"):
            text = fault.text(lang)
            assert "{" not in text
            assert str(fault.row) in text
        assert fault.text("zh") != fault.text("en")


def test_a_sound_sheet_has_no_fault(tmp_path):
    rows = [sound_row(row) for row in range(2, ROWS + 2)]
    assert check_file(write_sheet(tmp_path / "ok.xlsx", rows), datum="wgs84").faults == ()
