"""How firm answers stand, as a document: bands, swings, verdicts that hold or flip."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from lifecircle.analysis.errors import Language, ParameterError
from lifecircle.analysis.measures.question import Question, default_level
from lifecircle.analysis.measures.robustness.lists import ListDoubt
from lifecircle.analysis.measures.robustness.parameters import (
    MISSED,
    SOURCE,
    SPEED,
    Parameter,
)
from lifecircle.analysis.measures.robustness.result import (
    CircleBand,
    Robustness,
    RowBand,
    ServiceBand,
    Swing,
)
from lifecircle.analysis.measures.robustness.robustness import robustness
from lifecircle.analysis.policy.sections.robustness import ranges
from lifecircle.analysis.quantities import IntArray
from lifecircle.analysis.results.bands import NOT_JUDGED, keep_bands
from lifecircle.analysis.results.model import Run
from lifecircle.analysis.texts import Title
from lifecircle.service.catalog.beside import runs_beside
from lifecircle.service.catalog.common import fields_of, head_of, remarks, title_of
from lifecircle.service.catalog.firm.proposals import band_document, firm_proposals_document
from lifecircle.service.catalog.scorecard import units_document
from lifecircle.service.figures import figure, percent, percent_whole
from lifecircle.service.wording import Words

_INNER: Final = str.maketrans("“”", "‘’")  # quotes within quotes
WALKER: Final = "adult"  # whose figures pages and files tell where nobody asks for another
BUDGET: Final = 100_000_000  # cells × services × draws that one request may cost


@dataclass(frozen=True, slots=True)
class RobustnessTask:
    """How much is tried.

    `propose`: of the one service that is asked, as many best places to add, and whether they stay
    the best; None: not asked.
    `draws`: joint draws, None = the packaged number. `lists`: each list alone as well. `budget`:
    cells × services × draws that it may cost, None = any. `keep`: beside the run, from where
    pages and files tell the bands; only what is asked of everything in enough draws (`is_whole`).
    """

    draws: int | None = None
    seed: int = 0
    lists: bool = True
    budget: int | None = None
    keep: bool = False
    propose: int | None = None


def robustness_document(
    run: Run,
    question: Question,
    task: RobustnessTask,
    *,
    progress: Callable[[int, int], None] | None = None,
    lang: Language = "zh",
) -> dict[str, Any]:
    """How firm a run's answers stand; fractions 0-1, unrounded.

    Raises
    ------
    UnknownNameError : no such service, walker or level.
    ParameterError : draws out of range or beyond the budget; residents nobody has counted.
    WorkspaceError : it is to be kept and cannot be written.
    """
    count = int(ranges().draws.value) if task.draws is None else task.draws
    if task.budget is not None:
        each = max(1, len(run.city.cells) * len(run.policy.services))
        if each * count > task.budget:
            raise ParameterError("robustness_budget", draws=count, most=task.budget // each)
    if task.propose is not None and question.service is None:
        raise ParameterError("robustness_propose_what")
    beside, sources = runs_beside(run)
    found = robustness(
        run.study,
        question,
        beside=beside,
        draws=count,
        seed=task.seed,
        lists=task.lists,
        progress=progress,
    )
    single = question.service is not None
    proposals = None
    if task.propose is not None:
        proposals = firm_proposals_document(
            run, question, task.propose, beside=beside, draws=count, seed=task.seed
        )
    document = document_of(run, found, single=single, sources=sources, lang=lang)
    document["proposals"] = proposals
    if task.keep and question.service is None and is_whole(run, found):
        keep_bands(run, document, _draws_covered(found))
    return document


def is_whole(run: Run, found: Robustness) -> bool:
    """Whether bands are those of the run's own figures, and in as many draws as are kept."""
    own = found.walker == WALKER and found.by == default_level(run.city)
    return own and found.draws >= ranges().kept_least.value


def _draws_covered(found: Robustness) -> IntArray:
    """In how many draws each cell is covered, int (s, c); `NOT_JUDGED` where not assessed."""
    share = np.stack([one.share for one in found.services])
    covered: IntArray = np.where(np.isnan(share), NOT_JUDGED, np.rint(share * found.draws))
    return covered.astype(np.int64)


def document_of(
    run: Run,
    found: Robustness,
    *,
    single: bool,
    sources: Mapping[str, Title] = MappingProxyType({}),
    lang: Language,
) -> dict[str, Any]:
    """A computed answer as a document; of a `single` service with every cell's share of draws.

    `sources`: what runs beside this one say of residents, by their names.
    """
    manifest, policy, card = run.manifest, run.policy, run.policy.scorecard
    rows = () if card is None else found.rows
    return {
        **head_of(manifest),
        "policy": {"id": manifest.policy_id, "digest": manifest.policy_digest},
        "draws": found.draws,
        "seed": found.seed,
        "walker": found.walker,
        "walker_title": title_of(policy.walkers[found.walker].title),
        "by": found.by,
        "band": {"low": found.band[0], "high": found.band[1]},
        "lists_tried": found.lists_tried,
        "parameters": [_parameter(run, one, sources) for one in found.parameters],
        "not_moved": [fields_of(one) for one in found.unmoved],
        "ranges": {name: fields_of(getattr(ranges(), name)) for name in type(ranges()).__slots__},
        "lists": [_list(run, one) for one in found.lists],
        "services": [_service(run, one, single=single) for one in found.services],
        "circles": [_circle(run, one) for one in found.circles],
        "rows": [_row(run, one) for one in rows],
        "units": {} if card is None else units_document(card),
        "warnings": remarks(run.city.warnings, lang),
    }


def _parameter(run: Run, one: Parameter, sources: Mapping[str, Title]) -> dict[str, Any]:
    card = run.policy.scorecard
    setting = None if one.setting is None or card is None else card.settings[one.setting]
    choices = {} if setting is None else {k: title_of(v.title) for k, v in setting.choices.items()}
    if one.id == SOURCE:
        told = (name for name in map(str, one.values) if name in sources)
        choices = {name: title_of(sources[name]) for name in told}
    return {
        "parameter": one.id,
        "kind": one.kind,
        "values": list(one.values),
        "title": None if setting is None else title_of(setting.title),
        "choices": choices,
    }


def _list(run: Run, one: ListDoubt) -> dict[str, Any]:
    low, high = (ranges().band_low.value, ranges().band_high.value)
    return {
        "service": one.service,
        "title": title_of(run.policy.services[one.service].title),
        "places": len(one.rows),
        "estimated": one.estimated,
        "missed_low": one.missed_share(low),
        "missed_high": one.missed_share(high),
        "wrong_low": one.wrong_share(low),
        "wrong_high": one.wrong_share(high),
    }


def _swings(swings: tuple[Swing, ...]) -> list[dict[str, Any]]:
    return [fields_of(one) for one in swings]


def _service(run: Run, one: ServiceBand, *, single: bool) -> dict[str, Any]:
    service = run.policy.services[one.service]
    made: dict[str, Any] = {
        "service": one.service,
        "title": title_of(service.title),
        "minutes": service.minutes.value,
        "P": band_document(one.P),
        "C": band_document(one.C),
        "residents": {
            "always": one.always,
            "sometimes": one.sometimes,
            "never": one.never,
            "not_assessed": one.not_assessed,
        },
        "swings": _swings(one.swings),
        "driver": one.swings[0].parameter if one.swings else None,
        "units": [
            {
                "code": unit.code,
                "name": unit.name,
                "name_en": unit.name_en,
                "P": band_document(unit.P),
            }
            for unit in one.units
        ],
    }
    if single:
        pairs = zip(run.city.cells.id.tolist(), one.share.tolist(), strict=True)
        made["cells"] = [{"cell": name, "share": share} for name, share in pairs]
    return made


def _circle(run: Run, one: CircleBand) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "title": title_of(run.policy.circles[one.kind].title),
        "complete": band_document(one.complete),
        "swings": _swings(one.swings),
    }


def _row(run: Run, one: RowBand) -> dict[str, Any]:
    card = run.policy.scorecard
    assert card is not None
    row = card.rows[one.row]
    return {
        "id": one.row,
        "title": title_of(row.title),
        "unit": row.unit,
        "direction": row.direction,
        "status": one.status,
        "value": band_document(one.value),
        "holds": one.holds,
        "others": dict(one.others),
        "driver": one.driver,
        "flips": [fields_of(flip) for flip in one.flips],
        "list_flips": [
            {**fields_of(flip), "title": title_of(run.policy.services[flip.service].title)}
            for flip in one.list_flips
        ],
    }


@dataclass(frozen=True, slots=True)
class FirmWords(Words):
    """The sentences of a document about firmness, in the reader's language."""

    document: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, document: Mapping[str, Any], lang: Language) -> FirmWords:
        """The words for one document."""
        return cls(lang, "robustness", document)

    def assumption(self, name: str | None) -> str:
        """An assumption by its name; a setting of the scorecard by its title."""
        if name is None:
            return self.none
        told = next(one for one in self.document["parameters"] if one["parameter"] == name)
        if told["title"] is not None:
            return self.title(told["title"])
        return self(f"parameter_{name}")

    def tried(self, name: str, value: float | str) -> str:
        """A value of an assumption."""
        told = next(one for one in self.document["parameters"] if one["parameter"] == name)
        if value in told["choices"]:
            return self.title(told["choices"][value])
        if isinstance(value, str):
            return self(f"choice_{value}")
        return f"× {value:g}" if name == SPEED else f"{value:g}"

    def values(self, told: Mapping[str, Any]) -> str:
        """All that was tried of an assumption."""
        name, values = told["parameter"], told["values"]
        if told["kind"] == "drawn":
            return self("draws_of")
        if told["kind"] == "range":
            low, high = (self.tried(name, one) for one in values)
            return self("through", low=low, high=high)
        return self.listed(self.tried(name, one) for one in values)

    def stays(self, told: Mapping[str, Any]) -> tuple[str, str]:
        """An assumption that this run does not let one move, and why."""
        return self(f"parameter_{told['parameter']}"), self(f"stays_{told['reason']}")

    def holds(self, row: Mapping[str, Any]) -> str:
        """In how many draws a verdict holds."""
        if row["holds"] is None:
            return self.none
        return self("holds_told", holds=row["holds"], draws=self.document["draws"])

    def flips(self, row: Mapping[str, Any]) -> list[str]:
        """What changes a verdict alone, lists first."""
        if row["holds"] is None:
            return []
        said = [
            self(
                "if_missed" if one["kind"] == MISSED else "if_wrong",
                status=self.verdict(one["status"]),
                share=percent_whole(one["share"]),
                title=self.title(one["title"]),
            )
            for one in row["list_flips"]
        ]
        for one in row["flips"]:
            told = {
                "status": self.verdict(one["status"]),
                "parameter": self.assumption(one["parameter"]).translate(_INNER),
            }
            if one["value"] is None:
                said.append(self("if_drawn", **told))
            else:
                value = self.tried(one["parameter"], one["value"]).translate(_INNER)
                said.append(self("if_value", value=value, **told))
        return said or [self("no_flip")]

    def in_draws(self, times: int) -> str:
        """A number of draws out of all."""
        return self("holds_told", holds=times, draws=self.document["draws"])

    def where(self, site: Mapping[str, Any]) -> str:
        """A candidate by its name, else by what it lies near, else by its unit."""
        return self.named(site) or self.near(site) or self.named(site, "unit_name") or site["site"]

    def proposals(self, told: Mapping[str, Any]) -> str:
        """What is said of the proposals together."""
        low, high = (percent(told["share"][end]) or self.none for end in ("low", "high"))
        return self(
            "proposals_about", add=told["add"], candidates=told["candidates"],
            stays=told["stays"], draws=self.document["draws"], low=low, high=high,
            metres=f"{told['spacing_m']:g}",
        )  # fmt: skip

    def figure(self, row: Mapping[str, Any], end: str) -> str:
        """A row's figure today or at an end of its band, a dash where there is none."""
        unit = self.document["units"][row["unit"]]
        return figure(row["value"][end], unit, row["direction"]) or self.none

    def share(self, band: Mapping[str, float | None], end: str) -> str:
        """A share today or at an end of its band."""
        return percent(band[end]) or self.not_assessed

    def ranged_band(self, low: str, high: str) -> str:
        """Both ends of a band."""
        return low if low == high else f"{low} – {high}"

    def ends(self) -> dict[str, str]:
        """The ends of the band in whole percent."""
        return {end: f"{100 * self.document['band'][end]:g}" for end in ("low", "high")}
