"""A run on the roads of a profile of travelling, for whoever asks about a car or a bicycle."""

from __future__ import annotations

from lifecircle.analysis.measures.travelling import profile_of, study_by
from lifecircle.analysis.results.model import Run


def run_by(run: Run, profile: str) -> Run:
    """The run with the roads of a profile; the run itself for ``walk``.

    Its policy has one walker, the profile. Catchments are those of walks and are left out.

    Raises
    ------
    UnknownNameError : the policy has no such profile.
    ParameterError : the run has no roads of it.
    """
    found = profile_of(run.policy, profile)
    if found is None:
        return run
    study = study_by(run.study, found)
    return Run(
        run.path, run.manifest, study.policy, study.city, study.travel, {}, study.known_costs
    )  # fmt: skip
