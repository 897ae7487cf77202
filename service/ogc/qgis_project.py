"""A QGIS project of an area: its layers as OGC API Features and vector tiles, drawn and named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Literal
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement, tostring

from fastapi import APIRouter, Query, Response
from pyproj import Transformer
from starlette.concurrency import run_in_threadpool

from lifecircle.analysis.results.columns import Column
from lifecircle.analysis.results.model import Manifest
from lifecircle.service import i18n
from lifecircle.service.encoding import disposition
from lifecircle.service.ogc import crs
from lifecircle.service.ogc.collections import listed_layers
from lifecircle.service.ogc.links import collection_url
from lifecircle.service.ogc.qgis_styles import renderer_of, tile_styles
from lifecircle.service.ogc.tile_grid import DEEPEST, QUAD
from lifecircle.service.queries.questions import AreaName, Asked
from lifecircle.service.queries.reader import Reader, ReaderNow
from lifecircle.service.responses import ASKED_AGAIN
from lifecircle.service.wording import Words

router = APIRouter(tags=["ogc"])
QGIS: Final = "application/x-qgis-project"
OLDEST: Final = "3.22.0"  # of QGIS that it was tried with
TILED: Final = ("cells", "network")  # too many features to fetch whole: drawn from tiles
SHOWN: Final = ("units", "gaps")  # on from the start; the others by a click
ORDER: Final = (
    "proposals", "facilities", "gaps", "units", "catchments", "circles", "network", "cells",
)  # fmt: skip


class ProjectQuery(Asked):
    """What the project takes."""

    f: Literal["qgs"] | None = None


@router.get("/areas/{area}/qgis")
async def show_qgis_project(
    reader: ReaderNow,
    area: AreaName,
    _query: Annotated[ProjectQuery, Query()],
) -> Response:
    """A project file that opens every layer of the area in QGIS."""
    manifest = await run_in_threadpool(reader.areas.manifest, area)
    columns = await run_in_threadpool(reader.areas.columns, area)
    told = {**ASKED_AGAIN, "content-disposition": disposition(f"{area}.qgs")}
    body = project(reader, manifest, dict(columns))
    return Response(body, media_type=QGIS, headers=told)


def project(reader: Reader, manifest: Manifest, columns: dict[str, tuple[Column, ...]]) -> bytes:
    """The project as XML; `columns`: of every layer, whose titles name the fields."""
    title = manifest.title.text(reader.lang)
    root = Element("qgis", version=OLDEST, projectname=title)
    SubElement(root, "title").text = title
    _system(SubElement(root, "projectCrs"), manifest.crs)
    tree = SubElement(root, "layer-tree-group")
    held = set(listed_layers(reader, manifest))
    layers = [layer for layer in ORDER if layer in held]
    canvas = SubElement(root, "mapcanvas", name="theMapCanvas")
    SubElement(canvas, "units").text = "meters"
    _extent(canvas, _metric_box(manifest))
    _system(SubElement(canvas, "destinationsrs"), manifest.crs)
    known = SubElement(SubElement(root, "properties"), "SpatialRefSys")
    SubElement(known, "ProjectionsEnabled", type="int").text = "1"
    drawn = SubElement(root, "projectlayers")
    for layer in layers:
        tiled = layer in TILED
        source = _tiles(reader, manifest, layer) if tiled else _features(reader, manifest, layer)
        name = i18n.text(f"layer_{layer}", reader.lang)
        SubElement(
            tree, "layer-tree-layer", id=_identity(layer), name=name, source=source, expanded="0",
            providerKey="" if tiled else "OAPIF",
            checked="Qt::Checked" if layer in SHOWN else "Qt::Unchecked",
        )  # fmt: skip
        drawn.append(_layer(reader, manifest, layer, name, source, columns[layer]))
    document = b"<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
    written: bytes = tostring(root, encoding="utf-8")
    return document + written


def _layer(
    reader: Reader, manifest: Manifest, layer: str, name: str, source: str,
    columns: Sequence[Column],
) -> Element:  # fmt: skip
    tiled = layer in TILED
    made = Element("maplayer", type="vector-tile" if tiled else "vector")
    SubElement(made, "id").text = _identity(layer)
    SubElement(made, "datasource").text = source
    SubElement(made, "layername").text = name
    SubElement(made, "shortname").text = layer
    about = i18n.text(f"layer_{layer}_about", reader.lang)
    SubElement(made, "abstract").text = about
    _system(SubElement(made, "srs"), "EPSG:3857" if tiled else crs.WGS84)
    if tiled:
        made.append(tile_styles(layer))
        return made
    _extent(made, manifest.bbox)
    SubElement(made, "provider", encoding="UTF-8").text = "OAPIF"
    made.append(renderer_of(layer, Words(reader.lang)))
    aliases = SubElement(made, "aliases")
    for index, column in enumerate(columns):
        SubElement(
            aliases, "alias", field=column.name, name=column.title.text(reader.lang),
            index=str(index),
        )  # fmt: skip
    if layer == "units":
        made.set("labelsEnabled", "1")
        made.append(_labels())
    return made


def _features(reader: Reader, manifest: Manifest, layer: str) -> str:
    """The source of a layer of Features: fetched by what is in view, in large pages."""
    told = {
        "pagingEnabled": "true",
        "pageSize": str(reader.settings.page_size),
        "restrictToRequestBBOX": "1",
        "srsname": "OGC:CRS84",
        "typename": f"{manifest.area}.{layer}",
        "url": f"{reader.base}/?lang={reader.lang}",
        "version": "auto",
    }
    return " ".join(f"{key}='{value}'" for key, value in told.items())


def _tiles(reader: Reader, manifest: Manifest, layer: str) -> str:
    home = collection_url(reader.base, f"{manifest.area}.{layer}")
    address = quote(f"{home}/tiles/{QUAD}/", safe="") + "{z}/{y}/{x}"
    return f"type=xyz&url={address}&zmax={DEEPEST}&zmin=0"


def _identity(layer: str) -> str:
    """QGIS gives layers whose id is short another one."""
    return f"lifecircle_layer_{layer}"


def _system(held: Element, code: str) -> None:
    """A coordinate system; QGIS looks at `authid` only where some `srsid` stands beside it."""
    told = SubElement(held, "spatialrefsys")
    SubElement(told, "srsid").text = "1"
    SubElement(told, "authid").text = code


def _extent(held: Element, box: Sequence[float]) -> None:
    extent = SubElement(held, "extent")
    for name, value in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True):
        SubElement(extent, name).text = repr(float(value))


def _metric_box(manifest: Manifest) -> Sequence[float]:
    turn = Transformer.from_crs(crs.WGS84, manifest.crs, always_xy=True)
    found: Sequence[float] = turn.transform_bounds(*manifest.bbox)
    return found


def _labels() -> Element:
    """Units by their names."""
    labeling = Element("labeling", type="simple")
    settings = SubElement(labeling, "settings", calloutType="simple")
    style = SubElement(
        settings,
        "text-style",
        fieldName="name",
        isExpression="0",
        fontSize="9",
        fontSizeUnit="Point",
        textColor="20,50,47,255",
        textOpacity="1",
        fontFamily="Sans Serif",
    )
    SubElement(
        style,
        "text-buffer",
        bufferDraw="1",
        bufferSize="0.8",
        bufferSizeUnits="MM",
        bufferColor="255,255,255,255",
        bufferOpacity="1",
    )
    SubElement(settings, "placement", placement="0")
    SubElement(settings, "rendering", drawLabels="1", scaleVisibility="0")
    return labeling
