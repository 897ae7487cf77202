"""The scorecard as one page: no script, nothing from outside, prints as it is.

Reads the document that HTTP and the command give, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from markupsafe import Markup

from lifecircle.analysis.errors import Language
from lifecircle.analysis.policy.scorecard_model import AT_LEAST, AT_MOST, Direction
from lifecircle.analysis.results.model import Run
from lifecircle.analysis.texts import whole
from lifecircle.service.catalog.rests import folded_rests
from lifecircle.service.figures import counted, figure, number, percent, plain, rough, stamp
from lifecircle.service.maps.outside import refuse_outside
from lifecircle.service.report.standalone import own_asset, own_policy, own_template
from lifecircle.service.wording import RULE_STATES, Words

COLOURS: Final = {
    "met": "#1b7f4b",
    "partly": "#b7791f",
    "not_met": "#b3401a",
    "no_target": "#3c6e9f",
    "NOT_ASSESSED": "#c3ccca",
}
_NAMED: Final = 14  # units named before the rest is counted
_WIDE: Final = 1000  # of a drawing, in its own units


@dataclass(frozen=True, slots=True)
class Links:
    """Where the page's own questions lead; without them it is a file."""

    home: str
    here: str
    csv: str
    xlsx: str
    json: str
    turned: str
    run: str | None = None


def scorecard_page(
    run: Run, document: Mapping[str, Any], lang: Language, links: Links | None = None
) -> str:
    """A scorecard document as HTML."""
    told = _Told(lang, "scorecard", document)
    policy = run.policy
    titles = {service.id: service.title.text(lang) for service in policy.services.values()}
    style = own_asset("scorecard.css")
    page = own_template("scorecard.html").render(
        lang=lang,
        t=told,
        created=stamp(document["created"]),
        residents=number(document["residents"]),
        d=document,
        style=Markup(style),  # noqa: S704  our own file
        policy=None if links else page_policy(),
        links=links,
        walker=policy.walkers[document["walker"]].title.text(lang),
        walkers=[(one.id, one.title.text(lang)) for one in policy.walkers.values()],
        levels=[
            (level, policy.unit_levels[level].text(lang) if level in policy.unit_levels else level)
            for level in run.city.units.levels
        ],
        settings=list(_settings(document, lang)),
        bar=_tally(document),
        rests=_rests(document, lang),
        parts=[
            (title, about, [_row(row, told, titles) for row in rows])
            for title, about, rows in _parts_of(document, told)
        ],
    )
    return refuse_outside(page)


def page_policy(form: str = "'none'") -> str:
    """The Content-Security-Policy of the page: its own style by digest, nothing else."""
    return own_policy(own_asset("scorecard.css"), form=form, framed=form != "'none'")


@dataclass(frozen=True, slots=True)
class _Told(Words):
    """The words of the scorecard and the units of its document."""

    document: Mapping[str, Any] = field(default_factory=dict)

    def figure(self, value: float | None, unit: str, direction: Direction = AT_LEAST) -> str:
        """A figure as people read it, a dash where there is none."""
        return figure(value, self.document["units"][unit], direction) or self.none

    def unit_title(self, unit: str) -> str:
        """The unit of a figure in words; percent has none."""
        return self.title(self.document["units"][unit]["title"])


def _parts_of(
    document: Mapping[str, Any], told: _Told
) -> Iterator[tuple[str, str, list[Mapping[str, Any]]]]:
    """The groups of the scorecard with their rows; rows of no group stand last."""
    rows = list(document["rows"])
    for group in document["groups"]:
        about = "" if group["about"] is None else told.title(group["about"])
        own = [row for row in rows if row["group"] == group["id"]]
        if own:
            yield told.title(group["title"]), about, own
    known = {group["id"] for group in document["groups"]}
    others = [row for row in rows if row["group"] not in known]
    if others:
        yield told("part_others" if known else "part_all"), "", others


def _settings(document: Mapping[str, Any], lang: Language) -> Iterator[tuple[str, str]]:
    for one in document["settings"]:
        chosen = [c["title"][lang] for c in one["choices"] if c["id"] == one["value"]]
        yield one["title"][lang], chosen[0] if chosen else plain(one["value"])


def _tally(document: Mapping[str, Any]) -> Markup:
    """How many rows came to what, as one bar."""
    whole, at, parts = max(1, len(document["rows"])), 0.0, []
    for status, count in document["counts"].items():
        wide = _WIDE * count / whole
        parts.append(
            f'<rect x="{at:.2f}" y="0" width="{wide:.2f}" height="16" fill="{COLOURS[status]}"/>'
        )
        at += wide
    return Markup(  # noqa: S704  numbers and our own colours only
        f'<svg viewBox="0 0 {_WIDE} 16" preserveAspectRatio="none" aria-hidden="true">'
        + "".join(parts)
        + "</svg>"
    )


def _row(row: Mapping[str, Any], told: _Told, titles: Mapping[str, str]) -> dict[str, Any]:
    """What the page shows of a row."""
    lang, unit, direction = told.lang, row["unit"], row["direction"]
    left, unknown = row["left_out"], row["unknown"]
    texts = [] if row["note"] is None else [row["note"][lang]]
    texts += [one["text"] for one in row["remarks"]]
    return {
        "id": row["id"],
        "title": row["title"][lang],
        "status": row["status"],
        "tags": _tags(row, told),
        "phrases": row["phrases"],
        "source": "" if _of_plan(row, told) else row["source"],
        "readings": [_reading(name, row, told) for name in row["details"]],
        "told": told.figure(row["value"], unit, direction),
        "band": told.row_band(row, told.document["units"][unit]),
        "unit": told.unit_title(unit),
        "target": told.target(row, told.document["units"][unit]),
        "target_head": _target_head(row, told),
        "target_note": _target_note(row, told),
        "bar": _bar(row, told),
        "lines": list(_lines(row, told)),
        "left_out": _who(left, told),
        "left_out_head": told("beyond" if direction == AT_MOST else "left_out", count=len(left)),
        "unknown": "" if row["value"] is None else _who(unknown, told),
        "unknown_count": len(unknown),
        "missing": [one["text"] for one in row["missing"]],
        "parts": _parts(row, told, titles),
        "remarks": told.sentences(texts),
        "rests": _rests(row, lang, of_service=True),
        "by_unit": [
            (told.named(one), told.figure(one["value"], unit, direction), _course(one, row, told))
            for one in row["by_unit"]
        ],
        "trend": _trend(row, told),
    }


def _trend(row: Mapping[str, Any], told: _Told) -> list[dict[str, Any]]:
    """The headline year by year; none where there is one year."""
    if len(row["trend"]) < 2:
        return []
    target = told.document["target_year"] if _of_plan(row, told) else None
    return [
        {
            "year": one["year"],
            "told": told.figure(one["value"], row["unit"], row["direction"]),
            "status": one["status"],
            "early": target is not None and one["year"] < target,
            "here": one["run"] == told.document["run"],
            "same": one["same_policy"],
        }
        for one in row["trend"]
    ]


def _course(one: Mapping[str, Any], row: Mapping[str, Any], told: _Told) -> str:
    """A unit's figures of the other years, the earliest first."""
    held = [step for step in one["trend"] if step["year"] != told.document["run_year"]]
    return told.listed(
        told(
            "in_year",
            year=step["year"],
            figure=told.figure(step["value"], row["unit"], row["direction"]),
        )
        for step in held
    )


def _rests(
    answer: Mapping[str, Any], lang: Language, *, of_service: bool = False
) -> tuple[list[str], list[str]]:
    """What an answer rests on: the lines shown, and those in the fold."""
    shown, folded = folded_rests(answer["rests_on"], lang, of_service=of_service)
    return [line["text"] for line in shown], [line["text"] for line in folded]


def _tags(row: Mapping[str, Any], told: _Told) -> list[str]:
    labels = told.document["labels"]
    asked = (row["nature"], row["scope"]["stock"])
    return [told.title(labels[one]) if one in labels else one for one in asked if one is not None]


def _of_plan(row: Mapping[str, Any], told: _Told) -> bool:
    """Whether a row stands in the scorecard's own plan, not in a document of its own."""
    return row["source"] in ("", told.document["policy"]["source"])


def _target_head(row: Mapping[str, Any], told: _Told) -> str:
    year = told.document["target_year"] if _of_plan(row, told) else None
    return told("word_target") if year is None else told("target_in", year=year)


def _target_note(row: Mapping[str, Any], told: Words) -> str:
    if row["target_words"] is not None:
        return f"“{row['target_words']}”"
    if row["increase"]:
        return told("target_increase")
    return told("target_none" if row["target"] is None else "target_judged")


def _reading(name: str, row: Mapping[str, Any], told: _Told) -> dict[str, Any]:
    one = row["details"][name]
    tally = ""
    if one["have"] is not None and one["of"] is not None:
        tally = told("figure_have_of", have=counted(one["have"]), of=counted(one["of"]))
    elif one["have"] is not None:
        tally = counted(one["have"]) or ""
    shown = told.figure(one["value"], one["unit"], row["direction"])
    extra = told.unit_title(one["unit"]) if one["unit"] != row["unit"] else ""
    return {
        "title": one["title"][told.lang],
        "told": f"{shown} {extra}".strip() if one["value"] is not None else shown,
        "exact": "" if one["value"] is None else repr(one["value"]),
        "counted": tally,
        "range": _range(one, told, row["direction"]),
        "headline": name == row["headline"],
        "judged": row["target"] is not None and name in row["judged"] and row["judged"] != [
            row["headline"]
        ],
    }  # fmt: skip


def _range(one: Mapping[str, Any], told: _Told, direction: Direction) -> str:
    """What a reading may be and how much of it is assessed, where not all is."""
    unit = told.document["units"][one["unit"]]
    lower, upper = (figure(one[name], unit, direction) for name in ("lower", "upper"))
    parts = []
    if lower is not None and one["lower"] != one["upper"]:
        parts.append(told.ranged(lower, None) if upper is None else f"{lower} – {upper}")
    share = one["assessed_share"]
    if share is not None and share < 1:
        parts.append(told("share", share=percent(share)))
    return " · ".join(parts)


def _lines(row: Mapping[str, Any], told: _Told) -> Iterator[str]:
    """Range, share assessed, baseline."""
    unit, direction = row["unit"], row["direction"]
    if row["lower"] is not None and row["lower"] != row["upper"]:
        lower = told.figure(row["lower"], unit, direction)
        if row["upper"] is None:
            yield told("range_open", lower=lower)
        else:
            yield told("range", lower=lower, upper=told.figure(row["upper"], unit, direction))
    share = row["assessed_share"]
    if share is not None and share < 1:
        yield told("share", share=percent(share))
    before = row["before"]
    if before is not None:
        was = [
            f"{row['details'][name]['title'][told.lang]} "
            f"{told.figure(value, row['details'][name]['unit'], direction)}"
            for name, value in before["readings"].items()
        ]
        yield told("increase_from", year=before["year"], figure=whole(told.listed(was)))
    if row["band"] is not None:
        yield told("firm", holds=row["band"]["holds"], draws=row["band"]["draws"])
    base = row["baseline"]
    if base is not None:
        shown = told.figure(base["value"], base["unit"])
        words = f"{shown} {told.unit_title(base['unit'])}".strip()
        params = {"year": base["year"], "figure": words, "sentence": whole(base["sentence"])}
        yield told("baseline_told", **params)
        if not base["comparable"]:
            yield told("baseline_other")


def _bar(row: Mapping[str, Any], told: _Told) -> Markup:
    """Value, possible range and target on one scale; empty where there is nothing to draw."""
    value, target = row["value"], row["target"]
    if value is None and row["lower"] is None:
        return Markup()
    share = told.document["units"][row["unit"]]["show"] == "percent"
    marks = [one for one in (value, target, row["lower"], row["upper"]) if one is not None]
    most = 1.0 if share else max(1e-9, *(1.15 * one for one in marks))

    def at(figure: float) -> float:
        return _WIDE * min(1.0, max(0.0, figure / most))

    colour = COLOURS[row["status"]]
    parts = [f'<rect x="0" y="5" width="{_WIDE}" height="8" rx="4" fill="#dfe8e5"/>']
    if row["lower"] is not None and row["lower"] != row["upper"]:
        low, high = at(row["lower"]), at(most if row["upper"] is None else row["upper"])
        parts.append(
            f'<rect x="{low:.1f}" y="5" width="{max(0.0, high - low):.1f}" height="8" '
            f'fill="{colour}" opacity=".28"/>'
        )
    if value is not None:
        parts.append(
            f'<rect x="0" y="5" width="{at(value):.1f}" height="8" fill="{colour}" opacity=".9"/>'
        )
    if target is not None:
        x = min(at(target), _WIDE - 5.0)
        parts.append(f'<rect x="{x:.1f}" y="0" width="5" height="18" fill="#1c2b2a"/>')
    return Markup(  # noqa: S704  numbers and our own colours only
        f'<svg viewBox="0 0 {_WIDE} 18" preserveAspectRatio="none" aria-hidden="true">'
        + "".join(parts)
        + "</svg>"
    )


def _who(listed: Sequence[Mapping[str, Any]], told: Words) -> str:
    """Names of units left out, the first of them, each once."""
    names = list(dict.fromkeys(left_out(one, told) for one in listed))
    shown = told.listed(names[:_NAMED])
    if len(names) > _NAMED:
        shown += " " + told("left_out_more", count=len(names) - _NAMED)
    return shown


def left_out(one: Mapping[str, Any], told: Words) -> str:
    """One that a row leaves out: facility, unit, and how many persons or what value."""
    named = told("no_unit") if one["name"] is None else told.named(one)
    if one["facility"] is not None:
        named = one["facility"] if one["name"] is None else f"{one['facility']} ({named})"
    if one["persons"] is not None:
        return f"{named} {number(one['persons'])}"
    if one["label"] in RULE_STATES:
        return f"{named} ({told.rule(one['label'])})"
    if one["value"] is not None:
        return f"{named} {rough(one['value'])}"
    return str(named)


def _parts(row: Mapping[str, Any], told: Words, titles: Mapping[str, str]) -> str:
    """The services a circle or checklist is made of, each with its own figure."""
    parts = row["details"][row["headline"]]["parts"]
    return told.listed(
        f"{titles.get(one['service'], one['service'])} {percent(one['value']) or told.none}"
        for one in parts
    )
