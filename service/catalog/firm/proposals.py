"""Whether the best proposals of a service stay the best, as a document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lifecircle.analysis.measures.question import Question, settle
from lifecircle.analysis.measures.robustness.beside import Beside
from lifecircle.analysis.measures.robustness.proposals import FirmProposals, firm_proposals
from lifecircle.analysis.measures.robustness.result import Band
from lifecircle.analysis.measures.siting.candidates import Sites
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.siting.sites import site_rows
from lifecircle.service.catalog.siting.task import SitingTask, candidates


def firm_proposals_document(
    run: Run,
    question: Question,
    add: int,
    *,
    beside: Beside,
    draws: int | None,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """The best `add` places among all candidates, and how they stand in the joint draws.

    Raises
    ------
    UnknownNameError : no such service or walker.
    ParameterError : no service, no candidates, draws out of range.
    """
    asked = settle(run.study, question)
    sites = candidates(run.study, asked, SitingTask(add=add))
    found = firm_proposals(
        run.study, asked, sites, add, beside=beside, draws=draws, seed=seed, progress=progress
    )
    return {
        "add": add,
        "candidates": found.candidates,
        "spacing_m": found.spacing_m,
        "stays": found.stays,
        "proven": found.proven,
        "share": {"low": found.share.low, "high": found.share.high},
        "sites": _sites(run, sites, found),
    }


def band_document(band: Band) -> dict[str, float | None]:
    """A figure with its band as plain values."""
    return {"value": band.usual, "low": band.low, "high": band.high}


def _sites(run: Run, sites: Sites, found: FirmProposals) -> list[dict[str, Any]]:
    chosen = [one.site for one in found.sites]
    return [
        {
            "rank": one.rank,
            **named,
            "chosen": one.chosen,
            "chosen_near": one.near,
            "residents_new": None if one.new is None else band_document(one.new),
        }
        for one, named in zip(found.sites, site_rows(run, sites, chosen), strict=True)
    ]
