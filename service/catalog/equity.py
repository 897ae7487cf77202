"""Equity as a document: how evenly walks are spread, who is below the floor, the worst tenth."""

from __future__ import annotations

from typing import Any

from lifecircle.analysis.errors import Language
from lifecircle.analysis.measures.equity.equity import Equity, WorstTenth, equity
from lifecircle.analysis.measures.question import Question, settle
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.common import fields_of, remarks, services_asked, title_of
from lifecircle.service.catalog.rests import rests_document

WORST_UNITS = 20


def equity_document(run: Run, question: Question, *, lang: Language = "zh") -> dict[str, Any]:
    """Equity of one service, or of all under ``services``; shares 0-1, persons whole."""
    study = run.study
    question = settle(study, question)
    asked = services_asked(run, study, question.service)
    found = [equity(study, question.about(one)) for one in asked]
    head = {"area": run.manifest.area, "run": run.manifest.run}
    if question.service is not None:
        return {**head, **_block(run, found[0], lang)}
    return {
        **head,
        "minutes": question.minutes,
        "walker": question.walker,
        "group": question.group,
        "by": found[0].by if found else question.by,
        "services": [_block(run, one, lang) for one in found],
        "warnings": remarks(run.city.warnings, lang),
    }


def _block(run: Run, found: Equity, lang: Language) -> dict[str, Any]:
    return {
        "service": found.service,
        "title": title_of(run.policy.services[found.service].title),
        "minutes": found.minutes,
        "walker": found.walker,
        "group": found.group,
        "by": found.by,
        "total": fields_of(found.total),
        "groups": [fields_of(row) for row in found.groups],
        "units": [fields_of(row) for row in found.units],
        "tenths": list(found.tenths),
        "worst_tenth": None if found.worst is None else _worst(found.worst),
        "rests_on": rests_document(run.study, Question(found.service, group=found.group)),
        "warnings": remarks(found.warnings, lang),
    }


def _worst(worst: WorstTenth) -> dict[str, Any]:
    return {
        "persons": worst.persons,
        "without_way": worst.without_way,
        "from_minutes": worst.from_minutes,
        "mean_minutes": worst.mean_minutes,
        "cells": len(worst.cells),
        "groups": [
            {"group": group, "persons": persons, "share": share}
            for group, persons, share in worst.groups
        ],
        "units": [fields_of(unit) for unit in worst.units[:WORST_UNITS]],
        "units_in_all": len(worst.units),
    }
