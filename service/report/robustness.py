"""How firm answers stand: a page that prints as it is, and a workbook.

Both read the document that HTTP and the command give, and nothing else.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final

from markupsafe import Markup

from lifecircle.analysis.errors import Language
from lifecircle.analysis.results.workbooks import add_sheet, new_workbook
from lifecircle.analysis.texts import whole
from lifecircle.service.catalog.firm.robustness import FirmWords
from lifecircle.service.figures import number, percent, stamp
from lifecircle.service.maps.outside import refuse_outside
from lifecircle.service.report.standalone import own_asset, own_policy, own_template
from lifecircle.service.report.workbook import dated

_WIDE: Final = 1000  # of a drawing, in its own units
_BARS: Final = 6  # of a tornado, the widest
_SERVICES: Final = ("service", "value", "low", "high", "always", "sometimes", "never", "driver")
_ROWS: Final = (
    "id", "indicator", "status", "holds", "value", "low", "high", "driver", "flips",
)  # fmt: skip
_UNITS: Final = ("service", "unit_code", "unit", "value", "low", "high")
_SWINGS: Final = ("service", "parameter", "low", "high")
_LISTS: Final = ("service", "places", "missed_range", "wrong_range", "from")
_PROPOSALS: Final = ("rank", "place", "unit", "new", "band", "chosen", "chosen_near")
_RANGES: Final = ("parameter", "tried")

Sheet = tuple[str, Sequence[str], Iterable[Sequence[Any]]]


def robustness_page(document: Mapping[str, Any], lang: Language) -> str:
    """The document as HTML: no script, nothing from outside."""
    words = FirmWords.of(document, lang)
    assessed = [one for one in document["services"] if one["P"]["value"] is not None]
    page = own_template("robustness.html").render(
        lang=lang,
        t=words,
        d=document,
        style=Markup(_style()),  # noqa: S704  our own file
        policy=page_policy(),
        created=stamp(document["created"]),
        residents=number(document["residents"]),
        honest=words("honest", draws=document["draws"], seed=document["seed"], **words.ends()),
        rows=[_row(one, words) for one in document["rows"] if one["holds"] is not None],
        rows_open=_open((one for one in document["rows"] if one["holds"] is None), words),
        services=[_service(one, words) for one in assessed],
        unassessed=_open((one for one in document["services"] if one["P"]["value"] is None), words),
        circles=[
            (words.title(one["title"]), *_banded(one["complete"], words))
            for one in document["circles"]
        ],
        units=_units(assessed, words),
        proposals=list(_proposals(document, words)),
        lists=list(_lists(document, words)),
        ranges=[_range(one, words) for one in document["parameters"]],
        stays=[words.stays(one) for one in document["not_moved"]],
    )
    return refuse_outside(page)


def page_policy() -> str:
    """The Content-Security-Policy of the page: its own style by digest, nothing else."""
    return own_policy(_style())


def _style() -> str:
    return own_asset("scorecard.css") + own_asset("robustness.css")


def _open(listed: Iterable[Mapping[str, Any]], words: FirmWords) -> str:
    """What is not assessed, in a sentence; empty where nothing is."""
    names = [words.title(one["title"]) for one in listed]
    return words("open", names=whole(words.listed(names))) if names else ""


def _row(row: Mapping[str, Any], words: FirmWords) -> dict[str, Any]:
    return {
        "id": row["id"],
        "title": words.title(row["title"]),
        "status": row["status"],
        "holds": words.holds(row),
        "share": None if row["holds"] is None else row["holds"] / words.document["draws"],
        "meter": _meter(row, words),
        "value": words.figure(row, "value"),
        "band": words.ranged_band(words.figure(row, "low"), words.figure(row, "high")),
        "driver": ""
        if row["driver"] is None
        else words("driver_told", name=words.assumption(row["driver"])),
        "flips": words.flips(row),
    }


def _meter(row: Mapping[str, Any], words: FirmWords) -> Markup:
    """In how many draws a verdict holds, as a bar."""
    if row["holds"] is None:
        return Markup()
    wide = _WIDE * row["holds"] / words.document["draws"]
    return _svg([f'<rect x="0" y="4" width="{_WIDE}" height="8" fill="#f0d9cf"/>',
                 f'<rect x="0" y="4" width="{wide:.1f}" height="8" fill="#0f766e"/>'])  # fmt: skip


def _service(one: Mapping[str, Any], words: FirmWords) -> dict[str, Any]:
    told, band, bar = _banded(one["P"], words)
    apart = one["residents"]
    return {
        "title": words.title(one["title"]),
        "told": told,
        "band": band,
        "bar": bar,
        "residents": [number(apart[name]) for name in ("always", "sometimes", "never")],
        "swings": [
            (
                words.assumption(swing["parameter"]),
                words.ranged_band(percent(swing["low"]) or "", percent(swing["high"]) or ""),
                _bar(swing["low"], swing["high"], one["P"]["value"]),
            )
            for swing in one["swings"][:_BARS]
        ],
    }


def _banded(band: Mapping[str, float | None], words: FirmWords) -> tuple[str, str, Markup]:
    """A share today, its band, and both drawn."""
    low, high = (words.share(band, end) for end in ("low", "high"))
    if band["value"] is None or band["low"] is None or band["high"] is None:
        return words.not_assessed, words.none, Markup()
    drawn = _bar(band["low"], band["high"], band["value"])
    return words.share(band, "value"), words.ranged_band(low, high), drawn


def _bar(low: float, high: float, value: float) -> Markup:
    """A range of shares and a mark for today's, on one scale from 0 to 1."""
    start, wide = _WIDE * low, max(2.0, _WIDE * (high - low))
    mark = min(_WIDE * value, _WIDE - 4.0)
    return _svg([f'<rect x="0" y="4" width="{_WIDE}" height="8" fill="#e6eeeb"/>',
                 f'<rect x="{start:.1f}" y="4" width="{wide:.1f}" height="8" fill="#5fa79e"/>',
                 f'<rect x="{mark:.1f}" y="0" width="4" height="16" fill="#1c2b2a"/>'])  # fmt: skip


def _svg(parts: Sequence[str]) -> Markup:
    return Markup(  # noqa: S704  numbers and our own colours only
        f'<svg viewBox="0 0 {_WIDE} 16" preserveAspectRatio="none" aria-hidden="true">'
        + "".join(parts)
        + "</svg>"
    )


def _units(services: Sequence[Mapping[str, Any]], words: FirmWords) -> list[dict[str, Any]]:
    """Bands by unit of each service, where a unit has one."""
    return [
        {
            "title": words.title(one["title"]),
            "rows": [
                (words.named(unit), *_banded(unit["P"], words))
                for unit in one["units"]
                if unit["P"]["value"] is not None
            ],
        }
        for one in (services if len(services) == 1 else ())
    ]


def _proposals(document: Mapping[str, Any], words: FirmWords) -> Iterator[tuple[str, ...]]:
    """The best places today, then those chosen in their stead, with their draws."""
    told = document["proposals"]
    for one in () if told is None else told["sites"]:
        new = one["residents_new"]
        ends = ("", "") if new is None else (number(new["low"]) or "", number(new["high"]) or "")
        yield (
            words("instead") if one["rank"] is None else str(one["rank"]),
            words.where(one),
            words.named(one, "unit_name"),
            words.none if new is None else number(new["value"]) or words.none,
            words.none if new is None else words.ranged_band(*ends),
            words.in_draws(one["chosen"]),
            words.in_draws(one["chosen_near"]),
        )


def _lists(document: Mapping[str, Any], words: FirmWords) -> Iterator[tuple[str, ...]]:
    for one in document["lists"]:
        yield (
            words.title(one["title"]),
            number(one["places"]) or words.none,
            *(
                words.ranged_band(
                    percent(one[f"{kind}_low"]) or "", percent(one[f"{kind}_high"]) or ""
                )
                for kind in ("missed", "wrong")
            ),
            words("from_lists" if one["estimated"] else "from_policy"),
        )


def _range(one: Mapping[str, Any], words: FirmWords) -> tuple[str, str]:
    return words.assumption(one["parameter"]), words.values(one)


# ---- the workbook ----------------------------------------------------------------------------


def robustness_workbook(document: Mapping[str, Any], lang: Language) -> bytes:
    """The document as a workbook: numbers unrounded, the same bytes for the same document."""
    words = FirmWords.of(document, lang)
    held = io.BytesIO()
    with new_workbook(held) as book:
        for name, heads, rows in _sheets(document, words):
            add_sheet(book, words(name), [words(head) for head in heads], rows, width=20)
    return dated(held.getvalue(), document["created"])


def _sheets(document: Mapping[str, Any], words: FirmWords) -> Iterator[Sheet]:
    if document["rows"]:
        yield "rows", _ROWS, (_row_cells(one, words) for one in document["rows"])
    services = document["services"]
    yield "services", _SERVICES, (_service_cells(one, words) for one in services)
    yield (
        "units",
        _UNITS,
        (
            [words.title(one["title"]), unit["code"], words.named(unit), *_ends(unit["P"])]
            for one in services
            for unit in one["units"]
        ),
    )
    yield (
        "circles",
        ("circle", "value", "low", "high"),
        ([words.title(one["title"]), *_ends(one["complete"])] for one in document["circles"]),
    )
    yield (
        "swings",
        _SWINGS,
        (
            [words.title(one["title"]), words.assumption(it["parameter"]), it["low"], it["high"]]
            for one in services
            for it in one["swings"]
        ),
    )
    if document["proposals"] is not None:
        yield "proposals", _PROPOSALS, _proposals(document, words)
    yield "lists", _LISTS, _lists(document, words)
    moved = (_range(one, words) for one in document["parameters"])
    stays = map(words.stays, document["not_moved"])
    yield "ranges", _RANGES, chain(moved, stays)


def _ends(band: Mapping[str, float | None]) -> list[float | None]:
    return [band[end] for end in ("value", "low", "high")]


def _row_cells(row: Mapping[str, Any], words: FirmWords) -> list[Any]:
    return [
        row["id"],
        words.title(row["title"]),
        words.verdict(row["status"]),
        row["holds"],
        *_ends(row["value"]),
        words.assumption(row["driver"]),
        "\n".join(words.flips(row)),
    ]


def _service_cells(one: Mapping[str, Any], words: FirmWords) -> list[Any]:
    apart = one["residents"]
    return [
        words.title(one["title"]),
        *_ends(one["P"]),
        *(apart[name] for name in ("always", "sometimes", "never")),
        words.assumption(one["driver"]),
    ]
