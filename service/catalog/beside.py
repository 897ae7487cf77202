"""Runs beside a run, built from the same files with one other answer, and what they are called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from lifecircle.analysis.errors import LifecircleError
from lifecircle.analysis.measures.robustness.beside import Beside
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.results.model import Manifest, Run
from lifecircle.analysis.results.run_files.manifest import read_manifest
from lifecircle.analysis.results.store import Workspace
from lifecircle.analysis.texts import Title, listed
from lifecircle.service.i18n import TEXTS

_RULE: Final = "barrier_rule"
_PEOPLE: Final = "population"  # the role of files of residents
_COUNTED: Final = ("calibrate", "residents_from_buildings")  # options that say who lives where
_DAY: Final = "today"  # of reading dates; what it changes is seen in the facilities


def runs_beside(run: Run) -> tuple[Beside, Mapping[str, Title]]:
    """The latest run of each other answer, and what the sources of residents are called."""
    rule, residents, titles = None, {}, {}
    mine, seen = run.manifest, {_people_of(run.manifest)}
    for theirs in _others(run):
        if _files_of(theirs) != _files_of(mine):
            continue
        people = _people_of(theirs)
        if people == _people_of(mine):
            turned = bool(theirs.parameters.get(_RULE)) != bool(mine.parameters.get(_RULE))
            if rule is None and turned:
                rule = _opened(run, theirs)
        elif people not in seen and theirs.parameters.get(_RULE) == mine.parameters.get(_RULE):
            found = _opened(run, theirs)
            if found is None or not _alike(run.policy, found.policy):
                continue
            seen.add(people)
            residents[theirs.run] = found.study
            titles[theirs.run] = _called(theirs, mine)
    told = Beside(None if rule is None else rule.study, MappingProxyType(residents))
    return told, titles


def _others(run: Run) -> Iterator[Manifest]:
    """The manifests of the runs beside one, the latest first."""
    for folder in sorted(run.path.parent.glob("r*"), reverse=True):
        if folder.name != run.path.name:
            with suppress(LifecircleError):
                yield read_manifest(folder)


def _opened(run: Run, manifest: Manifest) -> Run | None:
    with suppress(LifecircleError):
        return Workspace(run.path.parents[2]).open(manifest.area, manifest.run)
    return None


def _files_of(manifest: Manifest) -> tuple[Any, ...]:
    """Files and options of a build, but for residents and the rule of barriers."""
    files = sorted((one.role, one.sha256) for one in manifest.inputs if one.role != _PEOPLE)
    apart = {_RULE, _DAY, *_COUNTED}
    return files, {k: v for k, v in manifest.parameters.items() if k not in apart}


def _people_of(manifest: Manifest) -> tuple[Any, ...]:
    """What a build was told of residents: files, options, and the policy that spreads totals."""
    files = tuple(sorted(one.sha256 for one in manifest.inputs if one.role == _PEOPLE))
    return files, *(manifest.parameters.get(k) or None for k in _COUNTED), manifest.policy_digest


def _alike(mine: Policy, theirs: Policy) -> bool:
    """Whether two policies judge alike, however they spread totals."""
    same = replace(theirs, id=mine.id, title=mine.title, digest=mine.digest, spread=mine.spread)
    return same == mine


def _called(manifest: Manifest, mine: Manifest) -> Title:
    """A source of residents in words: its files, whether it was scaled, the run."""
    names = [one.name for one in manifest.inputs if one.role == _PEOPLE]
    if names:
        key = "source_scaled" if manifest.parameters.get("calibrate") else "source_files"
    elif manifest.parameters.get("residents_from_buildings"):
        key = "source_floors"
    else:
        otherwise = manifest.policy_digest != mine.policy_digest
        key = "source_spread_otherwise" if otherwise else "source_spread"
    told = TEXTS.both(f"robustness_{key}", files=listed(names))
    return TEXTS.both("robustness_source_of_run", source=told, run=manifest.run)
