"""An OpenDocument sheet (.ods) of rows written as XML."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Final

_NAMES: Final = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "table", "text", "style")
)


def write_ods(path: Path, rows: str, style: str = "") -> None:
    """One sheet; `rows`: its ``table:table-row`` elements, `style`: automatic styles."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", (
            f'<?xml version="1.0"?><office:document-content {_NAMES}>{style}<office:body>'
            f'<office:spreadsheet><table:table table:name="S">{rows}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>"
        ))  # fmt: skip
