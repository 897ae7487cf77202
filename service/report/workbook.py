"""The workbook: 达标表, 覆盖率, 缺口清单, 生活圈, 公平性, 逐级转诊, 数据质量, 参数与来源.

Numbers are written unrounded. The file's own dates are the run's, so that the same run gives
the same bytes.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final

from lifecircle.analysis.errors import Language
from lifecircle.analysis.results.model import Run
from lifecircle.analysis.results.scorecard_table import SCORECARD_COLUMNS, scorecard_frame
from lifecircle.analysis.results.workbooks import add_sheet, new_workbook
from lifecircle.service.catalog import report_document
from lifecircle.service.catalog.firm.robustness import FirmWords
from lifecircle.service.catalog.rests import missed_of
from lifecircle.service.report import referral, sources, tables
from lifecircle.service.report.cells import Cell
from lifecircle.service.report.firm import FIRM, firm_rows
from lifecircle.service.report.marks import MARKS, mark_rows
from lifecircle.service.wording import Words

_ZIP_DATE: Final = (1980, 1, 1, 0, 0, 0)  # the earliest a zip file knows
_DATES: Final = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(</dcterms:)")

UNIT_COVERAGE: Final = (
    "service", "service_id", "minutes", "unit_code", "unit", "residents", "covered",
    "not_covered", "circle_open", "edge_of_list", "unsnapped",
    "unsnapped_no_street", "unsnapped_short_piece", "cut_off",
    "P", "P_low", "P_high", "P_core", "L", "U", "C", "missed", "missed_low", "missed_high",
)  # fmt: skip
TREND: Final = ("id", "indicator", "target", "data_year", "value", "status", "run")
ALL_GAPS: Final = (
    "rank", "gap", "service", "service_id", "unit_code", "unit", "region", "street", "near",
    "residents",
    "group_65", "group_0_3", "reason", "walk", "walk_m", "nearest", "nearest_id",
)  # fmt: skip
ALL_CIRCLES: Final = (
    "circle", "variant", "unit_code", "unit", "residents", "complete", "incomplete", "circle_open",
    "share", "share_low", "share_high", "share_all", "score", "unsnapped", "unsnapped_no_street",
    "unsnapped_short_piece",
)  # fmt: skip
ALL_EQUITY: Final = (
    "service", "service_id", "minutes", "group", "unit_code", "unit", "residents", "not_assessed",
    "without_way",
    "gini", "palma", "mean", "median", "below", "below_share",
)  # fmt: skip

_PERSONS_APART: Final = (
    "not_covered", "not_assessed", "edge_of_list", "unsnapped", "unsnapped_no_street",
    "unsnapped_short_piece", "cut_off",
)  # fmt: skip

_PERSONS_IN_CIRCLE: Final = ("residents", "complete", "incomplete", "not_assessed")
_OFF_STREETS: Final = ("unsnapped", "unsnapped_no_street", "unsnapped_short_piece")

_ENDS: Final = ("P_low", "P_high")
_MISSED: Final = ("missed", "missed_low", "missed_high")

Sheet = tuple[str, Sequence[str], Iterable[Sequence[Any]]]


def report_workbook(
    run: Run,
    lang: Language = "zh",
    *,
    by: str | None = None,
    settings: Mapping[str, str | float] | None = None,
    marks: Sequence[Mapping[str, Any]] = (),
    others: Sequence[Run] = (),
) -> bytes:
    """The workbook of a run as bytes; titles in one language, numbers unrounded.

    Raises
    ------
    UnknownNameError, ParameterError : as `report_document`.
    """
    words = Words(lang, "report")
    document = report_document(run, by=by, settings=settings, marks=marks, others=others, lang=lang)
    held = io.BytesIO()
    with new_workbook(held) as book:
        for name, heads, rows in _sheets(document, words):
            add_sheet(book, words(name), heads, rows, width=18)
    return dated(held.getvalue(), run.manifest.created)


def _sheets(document: Mapping[str, Any], words: Words) -> Iterator[Sheet]:
    def heads(names: Sequence[str]) -> list[str]:
        return [words(name) for name in names]

    yield ("scorecard", *_scorecard(document, words))
    if document["robustness"] is not None:
        firm = FirmWords.of(document["robustness"], words.lang)
        yield "firm", [firm(name) for name in FIRM], firm_rows(document["robustness"], firm)
    yield "trend", heads(TREND), _trend(document, words)
    yield "coverage", heads((*tables.COVERAGE, *_ENDS)), _totals(document, words)
    yield "coverage_units", heads(UNIT_COVERAGE), _coverage(document, words)
    yield "rests_on", heads(("service", "severity", "rest")), tables.rest_rows(document, words)
    yield "gaps", heads(ALL_GAPS), _gaps(document, words)
    yield "circles", heads(ALL_CIRCLES), _circles(document, words)
    yield "equity", heads(ALL_EQUITY), _equity(document, words)
    if (found := document["referral"]) is not None:
        rows = map(_values, referral.unit_rows(found, words))
        yield "referral", heads(referral.UNITS), rows
        rows = map(_values, referral.load_rows(found, words))
        yield "referral_loads", heads(referral.LOADS), rows
    rows = map(_values, mark_rows(document, words))
    yield "reviews", heads(MARKS), rows
    rows = map(_values, sources.quality_rows(document, words))
    yield "quality", heads(("item", "number")), rows
    yield "sources", heads(sources.RULES), _sources(document, words)


def _scorecard(
    document: Mapping[str, Any], words: Words
) -> tuple[list[str], Iterable[Sequence[Any]]]:
    """The scorecard as its own export has it."""
    if document["scorecard"] is None:
        return [words("item")], [[words("no_scorecard")]]
    table = scorecard_frame(document["scorecard"], words.lang).astype(object)
    titles = [column.title.text(words.lang) for column in SCORECARD_COLUMNS]
    return titles, table.where(table.notna(), None).itertuples(index=False)


def _trend(document: Mapping[str, Any], words: Words) -> Iterator[list[Any]]:
    """Every promise in the latest run of each year."""
    card = document["scorecard"]
    for row in () if card is None else card["rows"]:
        base = row["baseline"]
        held = [] if base is None else [(base["year"], base["value"], words("baseline"), "")]
        held += [
            (one["year"], one["value"], words.verdict(one["status"]), one["run"])
            for one in row["trend"]
        ]
        for year, value, told, run in held:
            yield [row["id"], row["title"][words.lang], row["target"], year, value, told, run]


def _values(row: Sequence[Cell]) -> list[Any]:
    """What a row of the page holds, unrounded."""
    return [cell.value if cell.right else cell.told for cell in row]


def _totals(document: Mapping[str, Any], words: Words) -> Iterator[list[Any]]:
    """Every service as the page has it, and the ends of the band of P."""
    blocks = document["coverage"]["services"]
    for block, row in zip(blocks, tables.coverage_rows(document, words), strict=True):
        yield [*_values(row), *(block["total"][end] for end in _ENDS)]


def _coverage(document: Mapping[str, Any], words: Words) -> Iterator[list[Any]]:
    for block in document["coverage"]["services"]:
        for row in (block["total"], *block["units"]):
            yield [
                words.title(block["title"]),
                block["service"],
                block["minutes"],
                *_unit(row, words),
                row["residents"],
                row["covered"],
                *(row[key] for key in _PERSONS_APART),
                *(row[key] for key in ("P", *_ENDS, "P_core", "L", "U", "C")),
                *_missed(block, row),
            ]


def _missed(block: Mapping[str, Any], row: Mapping[str, Any]) -> list[Any]:
    """How many places both lists of a service miss there, with the interval."""
    told = missed_of(block["completeness"], None if row["code"] == "total" else row["code"])
    return [None if told is None else told[key] for key in _MISSED]


def _unit(row: Mapping[str, Any], words: Words) -> tuple[str, str]:
    if row["code"] == "total":
        return "", words("total")
    return row["code"], words.named(row)


def _gaps(document: Mapping[str, Any], words: Words) -> Iterator[list[Any]]:
    titles = tables.titles_by_service(document, words)
    listed = [enumerate(tables.gaps_listed(document, full=full), 1) for full in (False, True)]
    for rank, gap in chain(*listed):
        yield [
            rank,
            gap["gap"],
            titles[gap["service"]],
            gap["service"],
            gap["unit_code"],
            words.named(gap, "unit_name"),
            gap["region"],
            words.named(gap, "street"),
            words.named(gap, "near"),
            gap["residents"],
            gap.get("residents_65"),
            gap.get("residents_0_3"),
            words.reason_of(gap),
            gap["minutes_to_nearest"],
            gap["metres_to_nearest"],
            words.named(gap, "nearest_facility_name"),
            gap["nearest_facility"],
        ]


def _circles(document: Mapping[str, Any], words: Words) -> Iterator[list[Any]]:
    for block in document["circles"]["circles"].values():
        for name, part in tables.circle_variants(block, words):
            for row in (part["total"], *part["units"]):
                band = part.get("band") if row["code"] == "total" else None
                yield [
                    words.title(block["title"]),
                    name,
                    *_unit(row, words),
                    *(row[key] for key in _PERSONS_IN_CIRCLE),
                    row["share"],
                    *((None, None) if band is None else (band["low"], band["high"])),
                    *(row[key] for key in ("share_all", "score", *_OFF_STREETS)),
                ]


def _equity(document: Mapping[str, Any], words: Words) -> Iterator[list[Any]]:
    for block in document["equity"]["services"]:
        rows = [(row["code"], "", words("total"), row) for row in block["groups"]]
        rows += [(block["group"], row["code"], words.named(row), row) for row in block["units"]]
        for group, code, name, row in rows:
            yield [
                words.title(block["title"]),
                block["service"],
                block["minutes"],
                words.group(group),
                code,
                name,
                *(
                    row[key]
                    for key in (
                        "residents", "not_assessed", "without_way", "gini", "palma", "mean_minutes",
                        "median_minutes", "below", "below_share",
                    )
                ),
            ]  # fmt: skip


def _sources(document: Mapping[str, Any], words: Words) -> Iterator[list[Any]]:
    used = document["sources"]
    yield [words("area"), None, document["area"], words.title(document["title"])]
    yield [words("run"), None, document["run"], document["created"]]
    yield [words("policy"), None, document["policy"]["id"], document["policy"]["digest"]]
    yield [words("code"), None, used["code_version"]]
    for name, told in sources.parameter_rows(document, words):
        yield [words("parameters"), None, name, told]
    for file in used["inputs"]:
        yield [
            words("file"),
            file["size_bytes"],
            f"{words.role(file['role'])}: {file['name']}",
            file["sha256"],
        ]
    yield from map(_values, sources.rule_rows(document, words))


def dated(book: bytes, created: str) -> bytes:
    """The same workbook with the run's date inside and none of the clock's."""
    stamp = datetime.fromisoformat(created).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(out, "w") as new:
        for entry in sorted(old.namelist()):
            content = old.read(entry)
            if entry == "docProps/core.xml":
                content = _DATES.sub(rb"\g<1>" + stamp.encode() + rb"\g<2>", content)
            info = zipfile.ZipInfo(entry, _ZIP_DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(info, content)
    return out.getvalue()
