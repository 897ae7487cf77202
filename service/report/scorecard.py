"""The scorecard as one page: no script, nothing from outside, prints as it is.

Reads the document that HTTP and the command give, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from lifecircle.analysis.errors import Language
from lifecircle.analysis.policy.scorecard_model import AT_LEAST, AT_MOST, Direction
from lifecircle.analysis.results.model import Run
from lifecircle.service import i18n
from lifecircle.service.maps.offline import refuse_outside
from lifecircle.service.maps.wording import cut

COLOURS: Final = {
    "met": "#1b7f4b",
    "partly": "#b7791f",
    "not_met": "#b3401a",
    "no_target": "#3c6e9f",
    "NOT_ASSESSED": "#c3ccca",
}
_LABELS: Final = {
    "达标": "met",
    "达标但超载": "overloaded",
    "缺口": "short",
    "富余": "surplus",
}
_NAMED: Final = 14  # units named before the rest is counted
_MANY: Final = 1000  # from here on decimals of a count say nothing
_WIDE: Final = 1000  # of a drawing, in its own units
PERCENT: Final = {"show": "percent", "decimals": 1}


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
    told = _Told(lang, document)
    policy = run.policy
    titles = {service.id: service.title.text(lang) for service in policy.services.values()}
    style = _asset("scorecard.css")
    page = _template().render(
        lang=lang,
        t=told,
        modelled=i18n.modelled(document["modelled"], lang),
        role_of=lambda name: i18n.role(name, lang),
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
        parts=[
            (title, about, [_row(row, told, titles) for row in rows])
            for title, about, rows in _parts_of(document, told)
        ],
    )
    return refuse_outside(page)


@cache
def page_policy(form: str = "'none'") -> str:
    """The Content-Security-Policy of the page: its own style by digest, nothing else."""
    digest = hashlib.sha256(f"\n{_asset('scorecard.css')}\n".encode()).digest()
    return (
        f"default-src 'none'; style-src 'sha256-{base64.b64encode(digest).decode('ascii')}'; "
        f"img-src data:; base-uri 'none'; form-action {form}"
        + ("" if form == "'none'" else "; frame-ancestors 'self'")
    )


def _asset(name: str) -> str:
    return files("lifecircle.service").joinpath("assets", name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("lifecircle.service", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("scorecard.html")


def _parts_of(
    document: Mapping[str, Any], told: _Told
) -> Iterator[tuple[str, str, list[Mapping[str, Any]]]]:
    """The groups of the scorecard with their rows; rows of no group stand last."""
    rows = list(document["rows"])
    for group in document["groups"]:
        about = "" if group["about"] is None else group["about"][told.lang]
        own = [row for row in rows if row["group"] == group["id"]]
        if own:
            yield group["title"][told.lang], about, own
    known = {group["id"] for group in document["groups"]}
    others = [row for row in rows if row["group"] not in known]
    if others:
        yield told("part_others" if known else "part_all"), "", others


@dataclass(frozen=True, slots=True)
class _Told:
    """Texts and figures in one language; nothing is told better than it is."""

    lang: Language
    document: Mapping[str, Any]

    def __call__(self, key: str, **params: Any) -> str:
        return i18n.text(f"scorecard_{key}", self.lang, **params)

    def figure(self, value: float | None, unit: str, direction: Direction = AT_LEAST) -> str:
        """A figure as people read it."""
        return figure(value, self.document["units"][unit], self.lang, direction)

    def share(self, value: float | None) -> str:
        """A share as percent."""
        return figure(value, PERCENT, self.lang)

    def unit(self, unit: str) -> str:
        """The unit of a figure in words; percent has none."""
        return str(self.document["units"][unit]["title"][self.lang])

    def count(self, value: float | None) -> str:
        """A whole number, or one with decimals where it is none."""
        if value is None:
            return ""
        whole = float(value).is_integer() or value >= _MANY
        return f"{cut(value, 0):,}" if whole else f"{cut(value, 1):,}"

    @property
    def comma(self) -> str:
        """What stands between items."""
        return i18n.text("comma", self.lang)


def figure(
    value: float | None, unit: Mapping[str, Any], lang: Language, direction: Direction = AT_LEAST
) -> str:
    """A figure as people read it, shown as its unit says; a dash where there is none.

    What is to be reached is cut, what is not to be exceeded is raised: neither looks better than
    it is.
    """
    if value is None:
        return i18n.text("scorecard_dash", lang)
    percent, decimals = unit["show"] == "percent", unit["decimals"]
    digits = decimals + 2 if percent else decimals
    shown = -cut(-value, digits) if direction == AT_MOST else cut(value, digits)
    if percent:
        return f"{shown * 100:.{decimals}f}%"
    told = f"{shown:,.{decimals}f}"
    return told.rstrip("0").rstrip(".") if decimals else told


def target_of(row: Mapping[str, Any], unit: Mapping[str, Any], lang: Language) -> str:
    """A row's target; what is not to be exceeded says so."""
    told = figure(row["target"], unit, lang)
    return f"≤ {told}" if row["target"] is not None and row["direction"] == AT_MOST else told


def _settings(document: Mapping[str, Any], lang: Language) -> Iterator[tuple[str, str]]:
    for one in document["settings"]:
        chosen = [c["title"][lang] for c in one["choices"] if c["id"] == one["value"]]
        yield one["title"][lang], chosen[0] if chosen else f"{one['value']:g}"


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
    texts += [_sentence(one["text"], lang) for one in row["remarks"]]
    return {
        "id": row["id"],
        "title": row["title"][lang],
        "status": row["status"],
        "tags": _tags(row, told),
        "phrases": row["phrases"],
        "source": "" if _of_plan(row, told) else row["source"],
        "readings": [_reading(name, row, told) for name in row["details"]],
        "told": told.figure(row["value"], unit, direction),
        "unit": told.unit(unit),
        "target": target_of(row, told.document["units"][unit], lang),
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
        "remarks": texts,
        "by_unit": [
            (_name(one, lang), told.figure(one["value"], unit, direction)) for one in row["by_unit"]
        ],
    }


def _sentence(text: str, lang: Language) -> str:
    stop = "。" if lang == "zh" else "."
    return text if text.endswith(("。", ".")) else text + stop


def _tags(row: Mapping[str, Any], told: _Told) -> list[str]:
    labels = told.document["labels"]
    asked = (row["nature"], row["scope"]["stock"])
    return [labels[one][told.lang] if one in labels else one for one in asked if one is not None]


def _of_plan(row: Mapping[str, Any], told: _Told) -> bool:
    """Whether a row stands in the scorecard's own plan, not in a document of its own."""
    return row["source"] in ("", told.document["policy"]["source"])


def _target_head(row: Mapping[str, Any], told: _Told) -> str:
    year = told.document["target_year"] if _of_plan(row, told) else None
    return told("target") if year is None else told("target_in", year=year)


def _target_note(row: Mapping[str, Any], told: _Told) -> str:
    if row["target_words"] is not None:
        return f"“{row['target_words']}”"
    return told("target_none" if row["target"] is None else "target_judged")


def _reading(name: str, row: Mapping[str, Any], told: _Told) -> dict[str, Any]:
    one = row["details"][name]
    counted = ""
    if one["have"] is not None and one["of"] is not None:
        counted = told("have_of", have=told.count(one["have"]), of=told.count(one["of"]))
    elif one["have"] is not None:
        counted = told.count(one["have"])
    shown = told.figure(one["value"], one["unit"], row["direction"])
    extra = told.unit(one["unit"]) if one["unit"] != row["unit"] else ""
    return {
        "title": one["title"][told.lang],
        "told": f"{shown} {extra}".strip() if one["value"] is not None else shown,
        "exact": "" if one["value"] is None else repr(one["value"]),
        "counted": counted,
        "range": _range(one, told, row["direction"]),
        "headline": name == row["headline"],
        "judged": row["target"] is not None and name in row["judged"] and row["judged"] != [
            row["headline"]
        ],
    }  # fmt: skip


def _range(one: Mapping[str, Any], told: _Told, direction: Direction) -> str:
    """What a reading may be and how much of it is assessed, where not all is."""
    lower, upper = (told.figure(one[name], one["unit"], direction) for name in ("lower", "upper"))
    parts = []
    if one["lower"] is not None and one["lower"] != one["upper"]:
        parts.append(f"{lower} – {upper}" if one["upper"] is not None else f"≥ {lower}")
    share = one["assessed_share"]
    if share is not None and share < 1:
        parts.append(told("share", share=told.share(share)))
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
        yield told("share", share=told.share(share))
    base = row["baseline"]
    if base is not None:
        shown = told.figure(base["value"], base["unit"])
        words = f"{shown} {told.unit(base['unit'])}".strip()
        params = {"year": base["year"], "figure": words, "sentence": base["sentence"]}
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


def _who(listed: Sequence[Mapping[str, Any]], told: _Told) -> str:
    """Names of units left out, the first of them, each once."""
    names = list(dict.fromkeys(_left(one, told) for one in listed))
    shown = told.comma.join(names[:_NAMED])
    if len(names) > _NAMED:
        shown += " " + told("left_out_more", count=len(names) - _NAMED)
    return shown


def _left(one: Mapping[str, Any], told: _Told) -> str:
    named = told("no_unit") if one["name"] is None else _name(one, told.lang)
    if one["facility"] is not None:
        named = one["facility"] if one["name"] is None else f"{one['facility']} ({named})"
    if one["persons"] is not None:
        return f"{named} {one['persons']:,}"
    if one["label"] in _LABELS:
        return f"{named} ({told('label_' + _LABELS[one['label']])})"
    if one["value"] is not None:
        return f"{named} {one['value']:.3g}"
    return str(named)


def _name(one: Mapping[str, Any], lang: Language) -> str:
    return str(one["name_en"] if lang == "en" and one["name_en"] else one["name"])


def _parts(row: Mapping[str, Any], told: _Told, titles: Mapping[str, str]) -> str:
    """The services a circle or checklist is made of, each with its own figure."""
    parts = row["details"][row["headline"]]["parts"]
    return told.comma.join(
        f"{titles.get(one['service'], one['service'])} {told.share(one['value'])}" for one in parts
    )
