"""Bar desk: map pages in a browser beside plain folium, and a place dragged over the desk.

The generated city at `LIFECIRCLE_DESK_SCALES` (1 and 5 when absent; 10: 100,000 cells), each page
opened in a fresh Chromium as it is first made, then again. The peer is the same cells as
`folium.GeoJson` in a file that was made before: canvas, one style, one tooltip, no tiles, and
nothing but the cells. The drag is of the first size.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks.bar_f import AREA, built
from benchmarks.bars import Row, Skip, skipped
from benchmarks.desk.drag import BAR_MOST_MS, BAR_P95_MS, dragged, percentile
from benchmarks.desk.map_pages import (
    FEWEST_FRAMES_S,
    MOST_MB,
    PEER_READY,
    chromium,
    latest_of,
    opened,
    peer_page,
)
from benchmarks.trials.serving import serve_workspace

KINDS: Final = ("coverage", "gaps", "desk")
STEPS: Final = 60
READY, WHOLE = "window.firstPicture > 0", "window.whole > 0"


def measure() -> list[Row]:
    """The rows of every size, then those of the drag."""
    try:
        import playwright  # noqa: F401 - told apart from what fails later
    except ImportError as gone:
        raise Skip("no playwright (pip install playwright)") from gone
    scales = [float(one) for one in os.environ.get("LIFECIRCLE_DESK_SCALES", "1,5").split(",")]
    return [row for scale in scales for row in _of_size(scale, drag=scale == scales[0])]


def _of_size(scale: float, *, drag: bool) -> list[Row]:
    with built(scale) as (root, manifest), chromium() as browser:
        cells = manifest.counts["cells"]
        with tempfile.TemporaryDirectory() as folder:
            peer = _peer(browser, root, Path(folder))
        rows = []
        with serve_workspace(root, 1) as served:
            for kind in KINDS:
                address = f"{served.base}/maps/{AREA}/{kind}?lang=zh"
                first = opened(browser, address, READY, WHOLE)
                again = opened(browser, address, READY, WHOLE)
                rows += _page(f"{kind}, {cells:,} cells", latest_of(cells), first, again, peer)
            if drag:
                rows.append(_drag(browser, served.base))
        return rows


def _peer(browser: Any, root: Path, folder: Path) -> dict[str, Any] | str:
    """The cells as plain folium, or why there is no figure of it."""
    try:
        return opened(browser, peer_page(root, AREA, folder), PEER_READY, PEER_READY, PEER_READY)
    except TimeoutError:
        return "folium.GeoJson did not open in two minutes"


def _page(
    what: str,
    latest_s: float,
    first: Mapping[str, Any],
    again: Mapping[str, Any],
    peer: Mapping[str, Any] | str,
) -> list[Row]:
    """First picture, weight before it and frames a second, each beside the peer's."""
    name, frames = "folium.GeoJson, a file made before", first["pan"][3]
    if isinstance(peer, str):
        theirs, ratio, name = ["-", "-", "-"], None, f"{name} (did not open)"
    else:
        theirs = [f"{peer['first_s']:.2f} s", "-", f"{peer['pan'][3]:.0f}/s"]
        ratio = peer["first_s"] / first["first_s"]
    told = "; ".join(first["errors"] + again["errors"])
    return [
        Row("desk", f"first picture of {what}", f"{first['first_s']:.2f} s", name, theirs[0], ratio,
            f"< {latest_s:g} s", first["first_s"] < latest_s and not told,
            told or f"again {again['first_s']:.2f} s; of the service {first['server_s']:.2f} s; "
            f"whole {first['whole_s']:.2f} s; page {first['page_cpu_s']:.2f} s of processors"),
        Row("desk", f"before it, {what}", f"{first['mb']:.2f} MB", "-", theirs[1], None,
            f"<= {MOST_MB:g} MB", first["mb"] <= MOST_MB),
        Row("desk", f"dragged, {what}", f"{frames:.0f}/s", name, theirs[2], None,
            f">= {FEWEST_FRAMES_S:.0f}/s", frames >= FEWEST_FRAMES_S,
            f"between frames median {first['pan'][0]}, 95 % {first['pan'][1]}, "
            f"longest {first['pan'][2]} ms"),
    ]  # fmt: skip


def _drag(browser: Any, base: str) -> Row:
    """A step of a dragged place until its figures are painted."""
    what = "a place dragged: a step until painted, p95"
    try:
        steps, _ = dragged(browser, base, STEPS)
    except Skip as reason:
        return skipped("desk", what, str(reason))
    whole = [one["painted"] - one["moved"] for one in steps]
    late, most = percentile(whole, 0.95), max(whole)
    served = percentile([one["head"] - one["sent"] for one in steps], 0.95)
    return Row("desk", what, f"{late:.0f} ms", "-", "-", None, f"<= {BAR_P95_MS:.0f} ms",
               late <= BAR_P95_MS and most <= BAR_MOST_MS,
               f"median {percentile(whole, 0.5):.0f}, most {most:.0f} (<= {BAR_MOST_MS:.0f}); "
               f"the service p95 {served:.0f} ms")  # fmt: skip
