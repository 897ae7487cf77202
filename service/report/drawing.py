"""Maps and plots of a report as SVG text: plain shapes, no script, no style attribute.

Every mark that stands for a figure carries it unrounded in ``data-value``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from markupsafe import Markup

from lifecircle.analysis.city.model import GeometryArray
from lifecircle.analysis.quantities import FloatArray
from lifecircle.service.figures import percent, percent_spans, percent_whole
from lifecircle.service.maps import scales
from lifecircle.service.maps.escape import html_text
from lifecircle.service.maps.shapes import thinned

INK: Final = "#1f2a30"
SOFT: Final = "#66727a"
GRID: Final = "#dfe4e6"
LINES: Final = ("#1f5fa6", "#a8480c", "#007a5a", "#7a4fa3")
_PIXEL_SHARE: Final = 1 / 1400  # of the map's width: what a reader cannot see


@dataclass(frozen=True, slots=True)
class Frame:
    """From metres to the pixels of a drawing, north up."""

    west: float
    north: float
    scale: float
    width: int
    height: int

    @classmethod
    def of(cls, shapes: GeometryArray, width: int, most: int) -> Frame:
        """A frame around shapes, `width` pixels wide and at most `most` high."""
        west, south, east, north = shapely.total_bounds(shapes)
        wide, high = max(east - west, 1.0), max(north - south, 1.0)
        scale = min(width / wide, most / high)
        return cls(float(west), float(north), scale, round(wide * scale), round(high * scale))

    def path(self, shape: shapely.Geometry) -> str:
        """The outline of polygons as an SVG path."""
        parts = []
        for ring in shapely.get_rings(shapely.get_parts(shape)):
            xy = self.pixels(shapely.get_coordinates(ring)[:-1])
            parts.append("M" + "L".join(f"{x:g} {y:g}" for x, y in xy.tolist()) + "Z")
        return "".join(parts)

    def pixels(self, xy_m: FloatArray) -> FloatArray:
        """Metres (n, 2) as pixels of the drawing (n, 2)."""
        both = np.column_stack([xy_m[:, 0] - self.west, self.north - xy_m[:, 1]]) * self.scale
        return np.round(both, 1)


@dataclass(frozen=True, slots=True)
class UnitShapes:
    """Units of one level, simplified once for all maps of a report."""

    frame: Frame
    codes: tuple[str, ...]
    names: tuple[str, ...]
    paths: tuple[str, ...]

    @classmethod
    def of(
        cls,
        codes: Sequence[str],
        names: Sequence[str],
        shapes: GeometryArray,
        width: int,
        most: int,
    ) -> UnitShapes | None:
        """Shapes of units that can be drawn, None when there are none."""
        kept = [i for i, s in enumerate(shapes) if s is not None and not s.is_empty]
        if not kept:
            return None
        drawn = np.asarray(shapes[kept], dtype=object)
        frame = Frame.of(drawn, width, most)
        thin = thinned(drawn, _PIXEL_SHARE * frame.width / frame.scale, shared=True)
        return cls(
            frame,
            tuple(str(codes[i]) for i in kept),
            tuple(str(names[i]) for i in kept),
            tuple(frame.path(shape) for shape in thin),
        )


def share_map(
    units: UnitShapes,
    shares: Mapping[str, float | None],
    title: str,
    unknown: str,
    over: Sequence[shapely.Geometry] = (),
) -> Markup:
    """Units coloured by a share 0-1; `over` is drawn on top as dark outlines (gaps)."""
    frame = units.frame
    pieces = [_open(frame.width, frame.height, title)]
    for code, name, path in zip(units.codes, units.names, units.paths, strict=True):
        share = shares.get(code)
        colour = (
            scales.UNKNOWN_COLOUR
            if share is None
            else scales.SHARE_COLOURS[scales.class_of(share, scales.SHARE_EDGES)]
        )
        told = percent(share) or unknown
        value = "" if share is None else f"{share!r}"
        pieces.append(
            f'<path d="{path}" fill="{colour}" fill-opacity="0.82" stroke="#ffffff" '
            f'stroke-width="0.6" data-code="{html_text(code)}" data-value="{value}">'
            f"<title>{html_text(name)} · {html_text(told)}</title></path>"
        )
    for shape in over:
        simple = shapely.simplify(shape, 1 / frame.scale)
        pieces.append(
            f'<path d="{frame.path(simple)}" fill="#5c1700" fill-opacity="0.22" '
            'stroke="#5c1700" stroke-width="0.45"/>'
        )
    return Markup("".join([*pieces, "</svg>"]))  # noqa: S704  names went through html_text


def share_legend(unknown: str) -> Markup:
    """The classes of `share_map`, side by side."""
    labels = [*percent_spans(scales.SHARE_EDGES), unknown]
    colours = (*scales.SHARE_COLOURS, scales.UNKNOWN_COLOUR)
    pieces = [_open(6 * 82, 16, "")]
    for i, (label, colour) in enumerate(zip(labels, colours, strict=True)):
        x = 82 * i
        pieces.append(f'<rect x="{x}" y="2" width="12" height="12" fill="{colour}"/>')
        pieces.append(_text(x + 16, 12, label, 10, SOFT))
    return Markup("".join([*pieces, "</svg>"]))  # noqa: S704


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its label, a share 0-1 (None = not assessed), how it is written, and a target."""

    label: str
    share: float | None
    told: str
    target: float | None = None


def bar_chart(
    bars: Sequence[Bar], title: str, *, colour: str | None = None, most: float = 1.0
) -> Markup:
    """Shares as horizontal bars from 0 to `most`, a tick where the target stands.

    `colour`: of all bars; None = the class of each share.
    """
    left, wide, step = 196, 370, 17
    height = step * len(bars) + 22
    pieces = [_open(left + wide + 70, height, title)]
    for fifth in range(6):
        x = left + wide * fifth / 5
        pieces.append(f'<line x1="{x:g}" y1="0" x2="{x:g}" y2="{height - 18}" stroke="{GRID}"/>')
        pieces.append(_text(x, height - 6, percent_whole(most * fifth / 5), 9, SOFT, "middle"))
    for i, bar in enumerate(bars):
        y = step * i + 3
        pieces.append(_text(left - 8, y + 9, bar.label, 10, INK, "end"))
        if bar.share is not None:
            shade = scales.SHARE_COLOURS[scales.class_of(bar.share, scales.SHARE_EDGES)]
            pieces.append(
                f'<rect x="{left}" y="{y}" width="{wide * bar.share / most:.2f}" height="11" '
                f'fill="{colour or shade}" data-value="{bar.share!r}"/>'
            )
        end = left + wide * (bar.share or 0) / most
        if bar.target is not None and 0 <= left + wide * bar.target / most - end < 42:
            end = left + wide * bar.target / most
        pieces.append(_text(end + 5, y + 9, bar.told, 10, INK if bar.share is not None else SOFT))
        if bar.target is not None:
            x = left + wide * bar.target / most
            pieces.append(
                f'<line x1="{x:g}" y1="{y - 2}" x2="{x:g}" y2="{y + 13}" stroke="{INK}" '
                'stroke-width="2"/>'
            )
    return Markup("".join([*pieces, "</svg>"]))  # noqa: S704


def tenth_chart(
    series: Sequence[tuple[str, Sequence[float]]], title: str, across: str, minutes: str
) -> Markup:
    """Mean minutes of each tenth of the residents as lines, the shortest walks on the left."""
    left, top, wide, high = 46, 24, 470, 180
    top_minutes = round_up(max((max(line) for _, line in series if line), default=1.0))
    pieces = [_open(left + wide + 150, top + high + 34, title)]
    for k in range(5):
        y = top + high - high * k / 4
        pieces.append(
            f'<line x1="{left}" y1="{y:g}" x2="{left + wide}" y2="{y:g}" stroke="{GRID}"/>'
        )
        pieces.append(_text(left - 6, y + 3, f"{top_minutes * k / 4:g}", 9, SOFT, "end"))
    xs = [left + wide * (k + 0.5) / 10 for k in range(10)]
    for k, x in enumerate(xs):
        pieces.append(_text(x, top + high + 13, str(k + 1), 9, SOFT, "middle"))
    pieces.append(_text(left + wide / 2, top + high + 28, across, 9.5, SOFT, "middle"))
    pieces.append(_text(0, 9, minutes, 9, SOFT))
    for i, (label, line) in enumerate(series):
        colour = LINES[i % len(LINES)]
        ys = [top + high - high * value / top_minutes for value in line]
        points = " ".join(f"{x:g},{y:.1f}" for x, y in zip(xs, ys, strict=False))
        pieces.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
        )
        pieces.extend(
            f'<circle cx="{x:g}" cy="{y:.1f}" r="2.4" fill="{colour}" data-value="{value!r}"/>'
            for x, y, value in zip(xs, ys, line, strict=False)
        )
        at = top + 8 + 16 * i
        pieces.append(
            f'<line x1="{left + wide + 12}" y1="{at - 3}" x2="{left + wide + 28}" y2="{at - 3}" '
            f'stroke="{colour}" stroke-width="2"/>'
        )
        pieces.append(_text(left + wide + 33, at, label, 10, INK))
    return Markup("".join([*pieces, "</svg>"]))  # noqa: S704


def round_up(value: float) -> float:
    """The next number above that an axis may end at."""
    power = 10.0 ** np.floor(np.log10(max(value, 1e-9)))
    return float(next(step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= value))


def _open(width: float, height: float, title: str) -> str:
    label = f' role="img" aria-label="{html_text(title)}"' if title else ""
    return f'<svg viewBox="0 0 {width:g} {height:g}"{label}>'


def _text(x: float, y: float, text: str, size: float, colour: str, anchor: str = "start") -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" fill="{colour}" '
        f'text-anchor="{anchor}">{html_text(text)}</text>'
    )
