"""How names and sentences are written for people: the one place for maps, report, terminal, pages.

`Words` knows the reader's language; figures by themselves are written by `figures`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lifecircle.analysis import texts
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.texts import Language, Title
from lifecircle.service import i18n
from lifecircle.service.figures import (
    AT_MOST,
    decimal,
    figure,
    number,
    percent_span,
    percent_whole,
    plain,
    walked,
)

LOCAL: Final = "local"  # who gave no name and needs no key
ENDS: Final = ("。", ".", "！", "？", "!", "?")


@dataclass(frozen=True, slots=True)
class Words:
    """The texts and names of one reader; of a `room` (``map``, ``report`` ...) its own come first.

    ``words("service")`` of the room ``map`` is the text ``map_service`` where there is one, else
    ``word_service``, which all rooms share, else the text of just this key.
    """

    lang: Language
    room: str = ""

    def __call__(self, key: str, /, **params: Any) -> str:
        """A text with its parameters filled in."""
        return i18n.text(self._key(key), self.lang, **params)

    def __getitem__(self, key: str) -> str:
        return self(key)

    def _key(self, key: str) -> str:
        own, shared = f"{self.room}_{key}", f"word_{key}"
        if self.room and i18n.TEXTS.has_own(own):
            return own
        # what the analysis says under such a name comes last: it may be an error
        return next((one for one in (shared, own) if i18n.TEXTS.has(one)), key)

    def first(self, *keys: str) -> str | None:
        """The first of some texts that there is."""
        found = next((key for key in keys if i18n.TEXTS.has(key)), None)
        return None if found is None else i18n.text(found, self.lang)

    # ---- absence ------------------------------------------------------------------------------

    @property
    def none(self) -> str:
        """The dash for what there is none of."""
        return texts.NOTHING

    @property
    def unknown(self) -> str:
        """The word for what nobody knows."""
        return i18n.text("word_unknown", self.lang)

    @property
    def not_assessed(self) -> str:
        """The word for what could not be assessed."""
        return i18n.text("word_not_assessed", self.lang)

    # ---- figures with their unit --------------------------------------------------------------

    def minutes(self, value: float | None) -> str | None:
        """A walk in minutes, up to the next tenth."""
        told = walked(value)
        return None if told is None else i18n.text("figure_minutes", self.lang, n=told)

    def limit(self, minutes: float | None) -> str:
        """The longest walk asked for; without one when None."""
        if minutes is None:
            return i18n.text("figure_no_limit", self.lang)
        return i18n.text("figure_minutes", self.lang, n=plain(minutes))

    def metres(self, value: float | None, digits: int = 0) -> str | None:
        """A distance in metres."""
        told = decimal(value, digits)
        return None if told is None else i18n.text("figure_metres", self.lang, n=told)

    def persons(self, value: int) -> str:
        """Residents under a heading that says so; Chinese keeps the measure word."""
        return i18n.text("figure_persons", self.lang, n=number(value))

    def ranged(self, told: str, upper: str | None) -> str:
        """A figure with the most it may be."""
        if upper is None:
            return i18n.text("figure_at_least", self.lang, n=told)
        return i18n.text("figure_at_most", self.lang, n=told, upper=upper)

    def bridge(self, sums: Mapping[str, Any]) -> str:
        """How the headlines of one service hang together (`sums` of the gaps document)."""
        if sums["covered"] is None:
            return self.not_assessed
        key = "figure_bridge" if sums["served"] is None else "figure_bridge_full"
        aside = sums.get("not_assessed", 0)
        told = {**sums, "known": sums["known"] - aside}
        names = ("known", "covered", "not_covered", "reachable_full", "served")
        said = i18n.text(key, self.lang, **{name: number(told[name]) for name in names})
        if not aside:
            return said
        return i18n.text("figure_bridge_listed", self.lang, sum=said, not_assessed=number(aside))

    def candidates(self, told: Mapping[str, Any]) -> str:
        """Among how many sites of which kinds a choice was made; kinds are unknown in old ones."""
        kinds = dict(told.get("kinds", {}))
        counts = {kind: kinds.pop(kind, 0) for kind in ("generated", "given", "planned")}
        counts["places"] = sum(kinds.values())
        named = self.listed(
            i18n.text(f"figure_sites_{kind}", self.lang, n=number(count))
            for kind, count in counts.items()
            if count
        )
        key = "figure_candidates_kinds" if named else "figure_candidates"
        return i18n.text(key, self.lang, count=told["count"], kinds=named)

    def near(self, row: Mapping[str, Any]) -> str | None:
        """Where a site without a name lies: how far from the nearest place with one."""
        metres = row.get("near_m")
        if row.get("near") is None or metres is None:
            return None
        place = self.named(row, "near")
        return i18n.text("figure_site_near", self.lang, place=place, metres=number(round(metres)))

    def moment(self, at: str) -> str:
        """A moment of the week such as ``Sa 19:00``."""
        day, clock = at.split(" ")
        return f"{i18n.text(f'day_{day}', self.lang)} {clock}"

    def target(self, row: Mapping[str, Any], unit: Mapping[str, Any]) -> str:
        """The target of a row of the scorecard; what is not to be exceeded says so."""
        told = figure(row["target"], unit)
        if told is None:
            return self.none
        return f"≤ {told}" if row["direction"] == AT_MOST else told

    def with_unit(
        self, value: float | None, unit: Mapping[str, Any], direction: str = "at least"
    ) -> str:
        """A figure of the scorecard with its unit where that has words."""
        told = figure(value, unit, direction)
        return self.none if told is None else f"{told} {self.title(unit['title'])}".strip()

    # ---- names --------------------------------------------------------------------------------

    def title(self, title: Title | Mapping[str, str]) -> str:
        """The name of a thing that has one in both languages."""
        return title.text(self.lang) if isinstance(title, Title) else title[self.lang]

    def inline(self, title: Title | Mapping[str, str]) -> str:
        """The name of a thing within a sentence."""
        told = self.title(title)
        return told[:1].lower() + told[1:] if self.lang == "en" else told

    def level(self, policy: Policy, level: str) -> str:
        """The name of a unit level, within a sentence."""
        title = policy.unit_levels.get(level)
        return level if title is None else self.inline(title)

    def named(self, row: Mapping[str, Any], column: str = "name") -> str:
        """A name in the English of the row where the reader reads English and there is one."""
        english = row.get(f"{column}_en")
        return str((english if self.lang == "en" and english else row[column]) or "")

    def group(self, name: str) -> str:
        """A group of residents; one of the area's own by its name."""
        return self._known(f"group_{name}", name)

    def reason(self, reason: str, residents: int = 0, short_piece: int = 0) -> str:
        """Why a gap is one.

        `short_piece`: those of its residents who are near a piece of streets too short to join.
        """
        if not short_piece:
            return i18n.text(f"reason_{reason}", self.lang)
        if short_piece == residents:
            return i18n.text("reason_short_piece", self.lang)
        return i18n.text("reason_some_short_piece", self.lang, count=number(short_piece))

    def beside(self, gap: Mapping[str, Any]) -> str:
        """Where in its unit a gap lies: its street and the nearest place with a name."""
        named = (self.named(gap, column) for column in ("street", "near"))
        return " · ".join(dict.fromkeys(name for name in named if name))

    def missed(self, estimate: Mapping[str, Any] | None) -> str | None:
        """How many places two lists both miss, with the interval."""
        if estimate is None:
            return None
        names = ("missed", "missed_low", "missed_high")
        told = {name: number(round(estimate[name])) for name in names}
        return i18n.text("figure_missed", self.lang, **told)

    def reason_of(self, gap: Mapping[str, Any]) -> str:
        """Why a gap is one, from its row of the gaps document."""
        return self.reason(gap["reason"], gap["residents"], gap["unsnapped_short_piece"])

    def reasons(self, sums: Mapping[str, Any]) -> list[tuple[str, int]]:
        """Residents of a service by why they are without, most first (`sums` of the document)."""
        counts = dict(sums["reasons"])
        apart = sums["unsnapped"]["short_piece"]
        if apart:
            counts |= {"unsnapped": counts["unsnapped"] - apart, "short_piece": apart}
        found = sorted(counts.items(), key=lambda pair: -pair[1])
        return [(self.reason(name), count) for name, count in found if count]

    def verdict(self, status: str) -> str:
        """How a promise of the plan stands."""
        return i18n.text(f"verdict_{status}", self.lang)

    def rule(self, state: str) -> str:
        """How a subdistrict stands to the rule of capacity, by the word of the documents."""
        return i18n.text(f"rule_{RULE_STATES[state]}", self.lang)

    def load(self, state: str) -> str:
        """How a load stands to minimum and maximum."""
        return i18n.text(f"load_{state}", self.lang)

    def objective(self, name: str) -> str:
        """What a siting sought."""
        return i18n.text(f"objective_{name}", self.lang)

    def in_brackets(self, title: str, unit: str) -> str:
        """A heading with the unit of its figures."""
        named = i18n.text(f"unit_{unit}", self.lang)
        return i18n.text("word_with_unit", self.lang, title=title, unit=named)

    def method(self, name: str) -> str:
        """How an answer of siting was found."""
        return self._known(f"method_{name}", name)

    def role(self, name: str) -> str:
        """What an input file was for."""
        return self._known(f"role_{name}", name)

    def modelled(self, names: Iterable[str]) -> str:
        """What of an area is modelled."""
        return self.listed(self._known(f"modelled_{name}", name) for name in names)

    def attribute(self, name: str) -> str:
        """An attribute of facilities."""
        return self._known(f"attribute_{name}", name)

    def parameter(self, name: str) -> str:
        """An option of the build."""
        return self._known(f"parameter_{name}", name)

    def _known(self, key: str, name: str) -> str:
        return i18n.text(key, self.lang) if i18n.TEXTS.has(key) else name

    # ---- sentences ----------------------------------------------------------------------------

    def banded(self, told: str, low: float | None, high: float | None) -> str:
        """A share with its band beside it, where one is kept."""
        if low is None or high is None:
            return told
        return i18n.text("figure_banded", self.lang, told=told, band=percent_span(low, high))

    def row_band(self, row: Mapping[str, Any], unit: Mapping[str, Any]) -> str:
        """Between what a row of the scorecard lies, as its figure is written; empty for unknown."""
        band = row["band"]
        if band is None or band["low"] is None:
            return ""
        if unit["show"] == "percent":
            return percent_span(band["low"], band["high"])
        ends = (figure(band[end], unit, row["direction"]) or "" for end in ("low", "high"))
        return "–".join(dict.fromkeys(ends))

    def bands_about(self, head: Mapping[str, Any]) -> str:
        """What the bands beside figures are (`bands` of the document of coverage)."""
        share = percent_whole(round(head["high"] - head["low"], 9))
        return i18n.text("figure_bands_about", self.lang, draws=head["draws"], share=share)

    def listed(self, items: Iterable[str]) -> str:
        """Items one after the other; nothing for none."""
        shown = list(items)
        return texts.listed(shown).text(self.lang) if shown else ""

    def closed(self, sentence: str) -> str:
        """A sentence with its full stop."""
        return sentence if sentence.endswith(ENDS) else sentence + i18n.text("full_stop", self.lang)

    def sentences(self, several: Iterable[str]) -> str:
        """Sentences one after the other."""
        return i18n.text("between_sentences", self.lang).join(map(self.closed, several))

    def value(self, value: Any) -> str:
        """A parameter of any kind: several in a row, nothing as a dash."""
        if isinstance(value, bool):
            return i18n.text("word_yes" if value else "word_no", self.lang)
        if value is None or value in ([], (), ""):
            return self.none
        if isinstance(value, list | tuple):
            return self.listed(map(str, value))
        return plain(value) if isinstance(value, int | float) else str(value)


RULE_STATES: Final = {
    "达标": "met",
    "达标但超载": "overloaded",
    "缺口": "gap",
    "富余": "surplus",
    "NOT_ASSESSED": "unknown",
}
