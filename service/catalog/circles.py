"""Circles (便民 and 健身) as a document: residents complete, incomplete, not assessed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lifecircle.analysis.access.walking import WalkCosts
from lifecircle.analysis.errors import Language, Warn
from lifecircle.analysis.measures.circles import CircleRow, Circles, circles
from lifecircle.analysis.measures.night import night_moment, night_states
from lifecircle.analysis.measures.opening import Moment, moment_of
from lifecircle.analysis.measures.question import unknown
from lifecircle.analysis.policy import CircleRule
from lifecircle.analysis.quantities import Int32Array
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.at_time import RunAt, at_document, at_warnings, run_at
from lifecircle.service.catalog.common import remarks, title_of


def circles_document(
    run: Run,
    *,
    kind: str | None = None,
    minutes: float | None = None,
    walker: str = "adult",
    by: str | None = None,
    at: str | None = None,
    lang: Language = "zh",
    costs: WalkCosts | None = None,
) -> dict[str, Any]:
    """The circles of a run by kind, each with its variants.

    Every block holds each service's own minutes; beside it stand ``all_at`` (all at one time),
    ``upgraded`` (品质提升类 apart), ``with_optional`` (opened school grounds counted) and
    ``night`` (what is open and lit in the evening), where the policy has them. With `at` the
    block is what is known to be open at that moment, and ``upper`` what may be.

    Raises
    ------
    UnknownNameError
        The policy has no such kind of circle.
    ParameterError
        `at` cannot be read.
    """
    rules = run.policy.circles
    if kind is not None and kind not in rules:
        raise unknown("unknown_circle", kind, rules)
    asked = _Asked(run, minutes, walker, by, lang, costs)
    moment = None if at is None else moment_of(at)
    kinds = [kind] if kind is not None else list(rules)
    blocks = {
        one: asked.block(one) if moment is None else asked.block_at(one, moment) for one in kinds
    }
    return {
        "area": run.manifest.area,
        "run": run.manifest.run,
        "minutes": minutes,
        "walker": walker,
        "by": next((block["by"] for block in blocks.values()), by),
        "at": None if moment is None else moment.text,
        "circles": blocks,
    }


class _Asked:
    """A question about circles: everything but the kind."""

    def __init__(
        self,
        run: Run,
        minutes: float | None,
        walker: str,
        by: str | None,
        lang: Language,
        costs: WalkCosts | None,
    ) -> None:
        self.run, self.minutes, self.walker, self.by, self.lang = run, minutes, walker, by, lang
        self._costs = costs

    def block(self, kind: str) -> dict[str, Any]:
        """A kind with its variants."""
        rule = self.run.policy.circles[kind]
        found = self.found(kind)
        block = {**self._head(kind), **_figures(found), "warnings": self._told(found.warnings)}
        if self.minutes is None:
            block["all_at"] = _figures(self.found(kind, minutes=rule.minutes_all.value))
        if rule.upgraded:
            block["upgraded"] = _figures(self.found(kind, upgraded=True))
        if any(self.run.policy.services[service].optional for service in rule.services):
            block["with_optional"] = _figures(self.found(kind, optional=True))
        night = night_moment(self.run.policy, kind)
        if night is not None:
            states = night_states(self.run.city, self.run.policy, night)
            block["night"] = self._range(kind, self._at(rule, night, states))
        return block

    def block_at(self, kind: str, moment: Moment) -> dict[str, Any]:
        """A kind with what is known to be open at a moment; ``upper`` with what may be."""
        at = self._at(self.run.policy.circles[kind], moment, None)
        return {**self._head(kind), **self._range(kind, at)}

    def found(
        self,
        kind: str,
        *,
        run: Run | None = None,
        minutes: float | None = None,
        optional: bool = False,
        upgraded: bool = False,
    ) -> Circles:
        """One variant of a kind."""
        asked = run or self.run
        return circles(
            asked.city,
            asked.travel,
            asked.policy,
            kind=kind,
            minutes=self.minutes if minutes is None else minutes,
            walker=self.walker,
            by=self.by,
            optional=optional,
            upgraded=upgraded,
        )

    def _head(self, kind: str) -> dict[str, Any]:
        return {"kind": kind, "title": title_of(self.run.policy.circles[kind].title)}

    def _told(self, warnings: Sequence[Warn]) -> list[dict[str, Any]]:
        return remarks(warnings, self.lang)

    def _range(self, kind: str, at: RunAt) -> dict[str, Any]:
        found = self.found(kind, run=at.lower)
        return {
            **at_document(at),
            **_figures(found),
            "upper": _figures(self.found(kind, run=at.upper)),
            "warnings": self._told([*at_warnings(at), *found.warnings]),
        }

    def _at(self, rule: CircleRule, moment: Moment, states: Int32Array | None) -> RunAt:
        services = tuple(s for s in rule.services if not self.run.policy.services[s].optional)
        return run_at(self.run, self._costs, moment, services, states)


def _figures(found: Circles) -> dict[str, Any]:
    return {
        "minutes": found.minutes,
        "walker": found.walker,
        "by": found.by,
        "required": found.required,
        "assessed": list(found.assessed),
        "not_assessed": list(found.not_assessed),
        "total": _row(found.total),
        "units": [_row(row) for row in found.units],
    }


def _row(row: CircleRow) -> dict[str, Any]:
    return {
        "code": row.code,
        "name": row.name,
        "residents": row.residents,
        "complete": row.complete,
        "incomplete": row.incomplete,
        "not_assessed": row.not_assessed,
        "share": row.share,
        "share_all": row.share_all,
        "score": row.score,
        "missing": [{"service": service, "residents": n} for service, n in row.missing],
    }
