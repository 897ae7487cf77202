"""Every finding about the data says which element of ISO 19157 it is about."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import get_args

import pytest

from lifecircle.analysis import quality_elements
from lifecircle.analysis.errors import Fault, Warn
from lifecircle.analysis.quality_elements import Element, element_by_key, find_element
from lifecircle.analysis.readers.checker.check import ROW_BY_ROW, check_file
from lifecircle.service.catalog.checks import check_document
from tests.files.tables import said

ROOM = files("lifecircle.analysis").joinpath("messages")
# What readers say of opening a file, of its size, of what the user said: nothing about the data.
_OPENING = """
    input_service_said input_other_types
    input_address input_changed input_columns_left input_columns_many input_columns_taken
    input_column_near input_crs_said input_datum_unknown input_dbf_encoding input_directory
    input_encoding_told input_file_large input_forbidden input_header_row input_header_two
    input_kind_unknown input_layer_unknown input_layer_view input_layers_many input_layers_none
    input_mapping_broken input_mapping_column input_mapping_files input_mapping_key
    input_mapping_service input_mapping_type input_merged_filled input_more input_nested
    input_not_regular input_os_error input_password input_raster_extra input_raster_large
    input_rows_left input_sheet_unknown input_sheets input_sheets_many input_sheets_too_many
    input_raster_kind input_sheets_hidden input_suffix input_table_large input_unpacks_large
    input_vanished input_vertices
    input_vertices_one input_xml_doctype input_zip_link input_zip_members input_zip_name
    input_zip_nothing input_zip_password input_zip_ratio
    check_not_table check_copy_suffix
"""
_OF_KINDS = "facilities population units statistics guessed"  # what a file holds, and its names
NOT_OF_THE_DATA = {*_OPENING.split(), *(f"check_kind_{one}" for one in _OF_KINDS.split())}


def keys_of(room: str) -> set[str]:
    return set(tomllib.loads(ROOM.joinpath(room).read_text(encoding="utf-8")))


def test_each_key_stands_once_and_has_a_message():
    listed = [key for keys in quality_elements._KEYS.values() for key in keys.split()]
    assert len(listed) == len(set(listed))
    every = set().union(*(keys_of(room.name) for room in ROOM.iterdir()))
    assert set(listed) <= every
    assert set(element_by_key().values()) == set(get_args(Element))


def test_every_finding_of_readers_and_of_the_checker_has_an_element():
    said = {
        key for room in ("readers.toml", "check.toml", "statistics.toml") for key in keys_of(room)
    }
    findings = {key for key in said if key.startswith(("input_", "check_", "statistics_"))}
    without = {key for key in findings if find_element(key) is None}
    assert without == NOT_OF_THE_DATA
    assert all(find_element(key) == find_element(f"{key}_row") for key in ROW_BY_ROW)


@pytest.mark.parametrize(
    ("key", "element"),
    [
        ("input_count_blank", "completeness"),
        ("input_facility_twice_row", "completeness"),
        ("input_units_overlap", "logical_consistency"),
        ("placed_shifted", "positional"),
        ("units_unmatched", "thematic"),
        ("statistics_year", "temporal"),
        ("input_zip_ratio", None),
    ],
)
def test_elements(key: str, element: str | None):
    assert Fault(key, "f.csv").element == element
    assert Warn(key).element == element
    assert Warn("file_remark", {"fault": key}).element == element


def test_a_check_tells_the_element_of_each_fault(tmp_path):
    path = tmp_path / "f.csv"
    path.write_text("name,type,lon,lat,beds\n甲,药店,102.7,25.0,x\n,药店,0,0,1\n", encoding="utf-8")
    document = check_document(check_file(path, "facilities", declared=said("wgs84")))
    told = {fault["key"]: fault["element"] for fault in document["faults"]}
    assert told["input_measure_unknown_row"] == "logical_consistency"
    assert told["input_facility_name_blank_row"] == "completeness"
    assert told["input_zero_zero"] == "positional"
