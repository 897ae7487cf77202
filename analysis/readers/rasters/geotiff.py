"""A GeoTIFF opened, and what can go wrong with it said.

`rasterio` is an extra (``lifecircle[raster]``) and is imported only when a raster is read.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyproj

from lifecircle.analysis.readers.records.files import (
    RASTER_SUFFIXES,
    check_path,
    refuse,
    watch_file,
)


@contextmanager
def open_geotiff(path: Path, missing: str) -> Iterator[Any]:
    """A GeoTIFF as rasterio opens it. `missing`: the message where rasterio is not installed.

    Raises
    ------
    InputError : no GeoTIFF, a damaged file, rasterio missing.
    """
    whole = check_path(Path(path), RASTER_SUFFIXES)
    if find_spec("rasterio") is None:
        raise refuse(whole, missing)
    import rasterio

    with watch_file(whole):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
                source = rasterio.open(whole, driver="GTiff")
            with source:
                yield source
        except (rasterio.errors.RasterioError, pyproj.exceptions.CRSError) as error:
            raise refuse(whole, "input_broken", detail=str(error)) from error
