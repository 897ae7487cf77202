"""What tests of hostile files share: the errors of a file, which have to be found soon."""

from __future__ import annotations

import time
from pathlib import Path

from lifecircle.analysis.errors import Fault
from lifecircle.analysis.readers.tables.population_and_facilities import check_table
from tests.files.tables import said

SOON_S = 5.0


def errors(path: Path, **asked: object) -> list[str]:
    """Keys of the errors the checker finds, which it has to find soon."""
    start = time.perf_counter()
    found: tuple[Fault, ...] = check_table(path, declared=said("wgs84"), **asked)  # type: ignore[arg-type]
    assert time.perf_counter() - start < SOON_S
    for fault in found:
        assert fault.text("zh")
        assert fault.text("en")
    return [fault.key for fault in found if fault.severity == "error"]
