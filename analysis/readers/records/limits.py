"""How much of a stranger's file is taken in: beyond these a file is refused, not read.

The limits are far above what a city needs (Kunming: 8.5 million residents, some 10,000
communities) and far below what would fill a machine.
"""

from __future__ import annotations

from typing import Final

FILE_BYTES: Final = 2 * 1024**3  # any file
TEXT_BYTES: Final = 512 * 1024**2  # text, JSON, KML: it is held in memory whole
ROWS: Final = 5_000_000
COLUMNS: Final = 2_000
CELLS: Final = 20_000_000  # rows times columns, as a rectangle
SHEETS: Final = 200
SHEET_CHARACTERS: Final = 1_000_000_000  # of a workbook, repeated words counted each time
CELL_CHARACTERS: Final = 64 * 1024**2  # one cell: a polygon as text may be long
VERTICES: Final = 20_000_000  # of a file
SHAPE_VERTICES: Final = 2_000_000  # of one geometry
BROKEN_VERTICES: Final = 200_000  # of one geometry that has to be mended: mending is slow
XML_DEPTH: Final = 200
JSON_DEPTH: Final = 254  # what the JSON writer bears
ARCHIVE_MEMBERS: Final = 2_000
ARCHIVE_BYTES: Final = 1024**3  # unpacked, by the directory and again while unpacking
ARCHIVE_RATIO: Final = 200  # unpacked to packed, of a member larger than ARCHIVE_RATIO_FROM
ARCHIVE_RATIO_FROM: Final = 16 * 1024**2
