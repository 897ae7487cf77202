"""Which element of data quality a finding is about, in the words of ISO 19157.

One table of message keys. What is not in it says nothing of the data: how a file was opened, a
limit of size, a word of the declaration that is not known.

Source: ISO 19157-1:2023, Geographic information, Data quality, clause 7 (elements). Where two fit,
what concerns where things lie is positional; what repeats is completeness (commission).
"""

from __future__ import annotations

from functools import cache
from typing import Final, Literal

Element = Literal["completeness", "logical_consistency", "positional", "thematic", "temporal"]

_KEYS: Final[dict[Element, str]] = {
    "completeness": """
        check_near_twice cut_nearest_beyond cut_no_way cut_service_beyond
        facilities_heaped facilities_merged
        facilities_suspected facility_without_place_blank
        facility_without_units graph_no_streets group_partly_unknown input_class_missing
        input_parts_added input_parts_joined input_parts_same_figure
        input_class_unknown input_code_blank input_code_from_id input_code_from_row
        input_coordinate_blank input_count_blank input_facility_name_blank
        input_facility_names_missing input_facility_twice input_geometry_missing input_id_blank
        input_level_blank input_level_missing input_name_blank input_name_missing
        input_h3_cells input_no_coordinates input_no_rows input_people_crowded input_people_dense
        input_people_twice input_cells_heaped
        input_population_missing input_raster_nobody
        input_kinds_left_out input_osm_export_rest input_osm_export_shut
        input_service_blank input_service_missing input_units_unknown no_unit_totals
        osm_areas_cut osm_dropped osm_land_incomplete osm_no_nodes osm_no_streets osm_placeless
        osm_too_much_missing raster_cut slope_unknown statistics_attribute_blank
        statistics_column_missing statistics_unit_blank statistics_value_blank
        unit_without_place units_without_residents
    """,
    "logical_consistency": """
        cells_disagree check_code_damaged check_code_length check_groups_more check_hidden_signs
        check_measure_not_whole check_ownership_word check_part_larger
        group_above_residents input_broken input_cell_date input_cell_error input_cell_formula
        input_decimal_commas input_encoded_twice input_header_missing input_letters_lost
        input_cell_percent input_cells_dated input_rows_hidden input_rows_struck
        input_code_twice input_code_two_names input_column_chosen
        input_column_twice input_count_negative input_cpg_wrong
        input_encoding input_flag_unknown input_fractions input_geometry_broken
        input_geometry_not_finite input_geometry_repaired input_rings_closed input_geometry_tangled
        input_geometry_unread input_group_more input_group_not_numbers input_households_more
        input_id_twice input_status_gone input_status_ended input_status_ahead input_status_planned
        input_status_unknown
        input_level_unknown input_measure_unknown input_not_geojson input_not_geopackage
        input_collections input_esri_json input_overpass_json input_topojson input_unit_is_sum
        input_not_kml input_persons_impossible input_number_text input_population_line
        input_raster_bands input_raster_dense input_raster_filler input_raster_infinite
        input_raster_negative input_raster_type raster_density_named
        input_really input_row_long input_service_unknown input_services_unknown
        input_service_listed input_services_more input_kinds_none input_shape_parts input_title_cut
        input_unit_not_polygon input_units_heaped
        input_units_inside input_units_overlap input_place_text
        osm_areas_broken osm_aside residents_on_islands
        statistics_attribute_unknown statistics_twice statistics_value units_disagree
    """,
    "positional": """
        check_coordinate_rough check_far_away check_spot_shared closures_loose
        elevation_elsewhere facilities_outside facilities_placed_by_unit facilities_unsnapped
        check_datum_few check_datum_few_row graph_crs_unknown graph_node_place
        input_bd09_residual input_cgcs2000
        input_crs_misfit input_crs_not_applied input_crs_overridden input_crs_unknown
        input_crs_unsure input_datum_abroad input_datum_missing input_datum_not_applied
        input_degrees input_east_first input_lat_range input_layer_crs_missing input_lon_range
        input_metres input_metres_mercator input_metres_plain input_metres_zone
        input_lat_first input_north_first input_outside_crs input_raster_crs input_raster_elsewhere
        input_rows_datum input_swapped_columns input_swapped_row input_title_datum
        input_pair_mixed input_pairs_datum input_place_turned input_place_order input_decimal_comma
        input_decimal_lost input_decimal_lost_row input_ewkt_crs input_zero_zero
        input_zone_extra input_zone_missing input_zone_other pipeline_nobody_near_streets
        placed_datum placed_datum_layer placed_mercator placed_order placed_outside
        placed_shifted placed_swapped placed_zone placed_zone_order
    """,
    "thematic": """
        check_measure_large declared_unit_disagrees declared_unit_unknown elevation_impossible
        facility_without_place_ambiguous facility_without_place_unmatched
        input_kind_ignored input_kinds_taken
        input_osm_export input_raster_scaled input_scaled input_title_unit_cut
        residents_calibrated residents_modelled slope_implausible spread_uncertain
        statistics_units_unknown units_ambiguous units_code_name_apart units_matched_loosely
        units_unmatched
    """,
    "temporal": """
        check_hours_impossible check_hours_unread input_year_absent input_year_later
        input_year_moving input_year_taken input_year_which statistics_year
    """,
}
_ROW: Final = "_row"  # a remark about several rows, told of one


@cache
def element_by_key() -> dict[str, Element]:
    """Message key → element, for every finding about data."""
    return {key: element for element, keys in _KEYS.items() for key in keys.split()}


def find_element(key: str) -> Element | None:
    """The element of data quality that a finding is about; None where it is not about the data."""
    known = element_by_key()
    return known.get(key) or known.get(key.removesuffix(_ROW))
