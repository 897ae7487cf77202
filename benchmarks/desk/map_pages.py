"""``python -m benchmarks.desk.map_pages --workspace DIR``: what every map page weighs and takes.

Each kind of page of an area is opened in a fresh Chromium context at 1600 × 900, the network
blocked but for the service, first as it is made and then again (kept by the service), and dragged
and zoomed: bytes before the first picture, seconds to it and to the last piece, processor seconds
of the page, milliseconds between frames. With ``--peer`` the same cells stand beside it as plain
``folium.GeoJson`` (canvas, one style, one tooltip, Leaflet inlined, no tiles). Bars stand behind
the figures; the exit code is 1 when one is missed.

The first picture is two frames after the page says that it is ready: units, cells, facilities,
labels and controls; streets and ground come after it. A page whose answer is solved for may open
before it (`answered` is when it is there, on the clock outside the page). On a shared machine read
the processor seconds, and the best of ``--repeat`` for the rest.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.trials.serving import serve_workspace
from lifecircle.analysis.results.store import Workspace

KINDS = ("coverage", "gaps", "catchments", "circles", "proposals", "units", "facilities",
         "quality", "compare", "desk")  # fmt: skip
MOST_MB, FEWEST_FRAMES_S = 3.0, 50.0
LATEST_S = {20_000: 1.5, 60_000: 3.0}  # seconds to the first picture, by cells at most
LATEST_LARGE_S = 4.0
LONGEST_MS = 120_000
WATCH = """
new MutationObserver(function (_, self) {
  const told = document.documentElement.dataset;
  if (told.lifecircle === "ready" && !window.firstPicture) {
    window.firstPicture = -1;
    requestAnimationFrame(function () { requestAnimationFrame(function () {
      window.firstPicture = performance.now();
      window.heavy = performance.getEntriesByType("resource").concat(
        performance.getEntriesByType("navigation")).filter(function (e) {
          return !e.name.includes("/pieces/"); }).reduce(function (sum, e) {
          return sum + e.decodedBodySize; }, 0);
    }); });
  }
  if (told.lifecircleWhole) { self.disconnect(); requestAnimationFrame(function () {
    requestAnimationFrame(function () { window.whole = performance.now(); }); }); }
}).observe(document, { attributes: true, subtree: true });
"""
PAINTED = """<script>
window.addEventListener("load", function () { requestAnimationFrame(function () {
  requestAnimationFrame(function () { window.firstPicture = performance.now(); }); }); });
</script>"""  # of the peer, which says nothing itself: loaded, and drawn two frames later
PEER_READY = "window.firstPicture > 0"
ANSWERED = "document.documentElement.dataset.lifecircle && !document.querySelector('.lc-working')"
FRAMES = """
(() => { const at = []; let on = true;
  function step(now) { at.push(now); if (on) requestAnimationFrame(step); }
  requestAnimationFrame(step);
  window.stopFrames = () => { on = false;
    const gaps = at.slice(1).map((x, i) => x - at[i]).sort((a, b) => a - b);
    return [gaps[Math.floor(gaps.length / 2)], gaps[Math.floor(gaps.length * 0.95)],
            gaps[gaps.length - 1], 1000 * gaps.length / (at[at.length - 1] - at[0])]; }; })()
"""


def latest_of(cells: int) -> float:
    """Seconds in which the first picture of so many cells has to be there."""
    return next((bar for most, bar in LATEST_S.items() if cells <= most), LATEST_LARGE_S)


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser, headless."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def opened(
    browser: Any, address: str, ready: str, whole: str, there: str = ANSWERED
) -> dict[str, Any]:
    """One opening: what it weighed and took, and how it moves."""
    context = browser.new_context(viewport={"width": 1600, "height": 900})
    context.add_init_script(WATCH)
    page = context.new_page()
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.set_default_timeout(LONGEST_MS)
    session = context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    begun = time.perf_counter()
    page.goto(address, wait_until="commit", timeout=LONGEST_MS)
    navigation = "performance.getEntriesByType('navigation')[0]"
    until(page, ready)
    first, heavy, server = page.evaluate(
        f"[window.firstPicture || performance.now(), window.heavy || 0, {navigation}.responseStart]"
    )
    until(page, there)
    answered = time.perf_counter() - begun  # a page that waits opens again with its answer
    until(page, whole)
    metrics = {
        one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]
    }
    found = {
        "mb": heavy / 1e6,
        "first_s": first / 1000,
        "whole_s": page.evaluate("(window.whole || performance.now())") / 1000,
        "page_cpu_s": metrics["TaskDuration"],
        "answered_s": max(answered, first / 1000),
        "server_s": server / 1000,
        "heap_mb": metrics["JSHeapUsedSize"] / 1e6,
        "pan": moved(page),
        "zoom": zoomed(page),
        "errors": told,
    }
    context.close()
    return found


def until(page: Any, so: str) -> None:
    """Wait in the page, whose policy lets no other text become a script.

    Raises
    ------
    TimeoutError : it does not come.
    """
    from playwright.sync_api import Error

    came, ends = None, time.monotonic() + LONGEST_MS / 1000
    while came is None and time.monotonic() < ends:
        try:
            came = page.evaluate(
                f"new Promise((done) => {{ (function look() {{ if ({so}) done(true);"
                f" else if (performance.now() > {LONGEST_MS}) done(false);"
                " else setTimeout(look, 40); })(); })"
            )
        except Error as gone:
            if "context was destroyed" not in gone.message:
                raise
    if not came:
        raise TimeoutError(f"{page.url}: {so}")


def moved(page: Any) -> list[float]:
    """Median, 95 %, longest milliseconds between frames, and frames a second, while dragging."""
    page.evaluate(FRAMES)
    page.mouse.move(700, 450)
    page.mouse.down()
    for k in range(60):
        page.mouse.move(700 - 6 * min(k, 60 - k), 450 + 2 * k)
    page.mouse.up()
    return [round(one, 1) for one in page.evaluate("stopFrames()")]


def zoomed(page: Any) -> list[float]:
    """The same while zooming in by the wheel and out again."""
    page.mouse.move(700, 450)
    page.evaluate(FRAMES)
    for way in (-120, -120, -120, 120, 120, 120):
        page.mouse.wheel(0, way)
        page.wait_for_timeout(350)
    return [round(one, 1) for one in page.evaluate("stopFrames()")]


def peer_page(workspace: Path, area: str, folder: Path) -> str:
    """The cells of a run as plain folium."""
    import folium
    import geopandas as gpd

    from lifecircle.service.maps.offline import inline_script, inline_style

    city = Workspace(workspace).open(area).city
    table = gpd.GeoDataFrame(
        {"residents": city.cells.residents}, geometry=list(city.cells.polygon), crs=city.crs
    ).to_crs(4326)
    drawn = folium.Map(tiles=None, prefer_canvas=True)
    west, south, east, north = table.total_bounds
    drawn.fit_bounds([[south, west], [north, east]])
    layer = folium.GeoJson(
        table.to_json(),
        style_function=lambda _: {"color": "#3f8ac4", "weight": 1, "fillOpacity": 0.8},
        tooltip=folium.GeoJsonTooltip(["residents"]),
    )
    layer.add_to(drawn)
    figure = drawn.get_root()
    drawn.default_js, drawn.default_css = [], []
    html = figure.render()
    head = (
        f"<style>{inline_style('leaflet/leaflet.css')}</style>"
        f"<script>{inline_script('leaflet/leaflet.js')}</script>"
    )
    path = folder / "peer.html"
    path.write_text(html.replace("<head>", f"<head>{PAINTED}{head}", 1), encoding="utf-8")
    return path.as_uri()


def main() -> int:
    """Open every kind of page, print a table; 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--area", default="springcity")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--peer", action="store_true")
    asked = parser.parse_args()
    missed, rows = [], []
    cells = Workspace(asked.workspace).open(asked.area).manifest.counts["cells"]
    latest_s = latest_of(cells)
    print(f"load {os.getloadavg()[0]:.1f}; {cells:,} cells; bars: {MOST_MB} MB, {latest_s} s, "
          f"{FEWEST_FRAMES_S} frames a second while dragging")  # fmt: skip
    ready, whole = "window.firstPicture > 0", "window.whole > 0"
    with chromium() as browser:
        with serve_workspace(asked.workspace, 1) as served:
            for kind in asked.kinds.split(","):
                address = f"{served.base}/maps/{asked.area}/{kind}?lang=zh"
                for turn in ("first", *["again"] * asked.repeat):
                    rows.append({"kind": kind, "turn": turn,
                                 **opened(browser, address, ready, whole)})  # fmt: skip
                    missed += told(rows[-1], latest_s)
        if asked.peer:
            with tempfile.TemporaryDirectory() as folder:
                page = peer_page(asked.workspace, asked.area, Path(folder))
                found = opened(browser, page, PEER_READY, PEER_READY, PEER_READY)
                rows.append({"kind": "folium.GeoJson", "turn": "first", **found})
                told(rows[-1], latest_s)
    print(f"load {os.getloadavg()[0]:.1f} at the end, {time.strftime('%Y-%m-%d %H:%M')}")
    print("missed: " + (", ".join(missed) or "none"))
    print(json.dumps(rows))
    return 1 if missed else 0


def told(row: dict[str, Any], latest_s: float) -> list[str]:
    """Print a row; the bars it misses."""
    median, late, worst, frames = row["pan"]
    print(
        f"{row['kind']:<15} {row['turn']:<6} {row['mb']:6.2f} MB  first {row['first_s']:6.2f} s "
        f"(server {row['server_s']:5.2f})  answered {row['answered_s']:6.2f} s  "
        f"whole {row['whole_s']:6.2f} s  "
        f"page cpu {row['page_cpu_s']:6.2f} s  heap {row['heap_mb']:5.0f} MB  "
        f"pan {median}/{late}/{worst} ms {frames:.0f}/s  zoom {row['zoom']}  "
        f"{row['errors'] or ''}",
        flush=True,
    )
    found = {"MB": row["mb"] > MOST_MB, "s": row["first_s"] > latest_s}
    found |= {"frames": frames < FEWEST_FRAMES_S, "errors": bool(row["errors"])}
    return [f"{row['kind']} {row['turn']} {name}" for name, is_so in found.items() if is_so]


if __name__ == "__main__":
    raise SystemExit(main())
