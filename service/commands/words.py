"""What every command shares: its options, the reader's language, how a run is opened."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from lifecircle.analysis.results.model import Run

Area = Annotated[str, typer.Argument(help="name of the area 区域名")]
WorkspaceDir = Annotated[
    Path,
    typer.Option("--workspace", envvar="LIFECIRCLE_WORKSPACE", help="results 工作区"),
]
Service = Annotated[str | None, typer.Option(help="service id, e.g. health_centre 服务")]
Minutes = Annotated[float | None, typer.Option(help="minutes (default: the service's own) 分钟")]
Walker = Annotated[str, typer.Option(help="adult | older | with_child 步行者")]
PolicyFile = Annotated[
    str | None,
    typer.Option("--policy", help="policy id or TOML file; left out: the packaged one 政策"),
]
Lang = Annotated[Literal["zh", "en"] | None, typer.Option(help="zh | en")]
Datum = Annotated[
    str | None,
    typer.Option(help="of bare lon/lat: wgs84 | gcj02 火星/高德 | bd09 百度 | cgcs2000 坐标基准"),
]
Crs = Annotated[
    str | None,
    typer.Option(help="of files without one, e.g. EPSG:4543 (metres) 平面坐标系"),
]
NorthFirst = Annotated[
    bool, typer.Option("--x-north", help="x holds the northing 测绘习惯：x 为北坐标")
]
Sheet = Annotated[str | None, typer.Option(help="sheet of a workbook 工作表")]
LayerName = Annotated[str | None, typer.Option("--layer", help="layer of a file 图层")]
Mapping = Annotated[
    Path | None,
    typer.Option(help="TOML: datum, crs, sheet, columns, words per file 映射文件"),
]
HERE = Path("workspace")
Group = Annotated[str, typer.Option(help="total | 65 | 0_3 | ... 人群")]
By = Annotated[str | None, typer.Option(help="unit level 单元层级")]
At = Annotated[
    str | None, typer.Option(help="only what is open then, e.g. 'Sa 19:00', 周六19:00 开放时刻")
]
RunName = Annotated[str | None, typer.Option("--run", help="run (default: the latest)")]
AsJson = Annotated[bool, typer.Option("--json", help="the HTTP answer")]


def language_of(asked: str | None = None) -> Literal["zh", "en"]:
    """The language asked for, else that of the environment."""
    told = asked or os.environ.get("LIFECIRCLE_LANGUAGE") or os.environ.get("LANG", "")
    return "zh" if told.lower().startswith("zh") else "en"


def prepare(workspace: Path) -> None:
    """Compiled kernels are cached in the workspace, wherever the package is installed."""
    folder = (workspace / ".cache" / "numba").absolute()
    os.environ.setdefault("NUMBA_CACHE_DIR", str(folder))


def opened(
    area: str,
    workspace: Path,
    run: str | None = None,
    *,
    service: str | None = None,
    walker: str | None = None,
) -> Run:
    """A run of a workspace (the latest); names are checked before anything heavy is imported."""
    from lifecircle.analysis.results.folders import AreaFolders

    AreaFolders(workspace).check(area, run, service, walker)
    prepare(workspace)
    from lifecircle.analysis.results.store import Workspace

    return Workspace(workspace).open(area, run)
