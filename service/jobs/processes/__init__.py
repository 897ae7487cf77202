"""What can be asked for: a process is a model, its fields are the inputs, one method does it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from lifecircle.service.errors import MissingError
from lifecircle.service.jobs.processes.building import Build
from lifecircle.service.jobs.processes.common import Bench, OfRun, Process
from lifecircle.service.jobs.processes.of_runs import (
    Catchments,
    Referral,
    Robustness,
    Scenario,
    Siting,
)

__all__ = ["PROCESSES", "Bench", "OfRun", "Process", "process_of"]

PROCESSES: Final[Mapping[str, type[Process]]] = MappingProxyType(
    {kind.ID: kind for kind in (Build, Siting, Catchments, Referral, Scenario, Robustness)}
)


def process_of(identity: str) -> type[Process]:
    """A process by its id.

    Raises
    ------
    MissingError : there is none.
    """
    found = PROCESSES.get(identity)
    if found is None:
        raise MissingError("no_process", id=identity, known=", ".join(PROCESSES))
    return found
