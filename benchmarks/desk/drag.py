"""``python -m benchmarks.desk.drag [--steps N]``: a centre dragged over the desk, step by step.

A real browser on `lifecircle serve` of the generated city (`LIFECIRCLE_LOAD_1`, else it is built).
A step is one move of the mouse; it ends when the figures of that place are painted. Each step waits
for the one before, then the same way is gone once more at 60 moves a second, as a hand does, and
told is how old the figures are that are painted. Beside the steps stand their parts: the service
(until the first byte), the way of the answer, reading it, and drawing until the picture is there.
"""

from __future__ import annotations

import argparse
import math
import shutil
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.bar_f import AREA, built
from benchmarks.bars import Skip
from benchmarks.trials.serving import serve_workspace
from benchmarks.where import load

BAR_P95_MS, BAR_MOST_MS = 200.0, 300.0
SERVICE = "health_centre"
LONGEST_MS = 120_000
EVERY_MS = 16
RADIUS_PX = 150
WATCH = """
window.told = { asked: [], painted: [] };
const plain = window.fetch;
window.fetch = async function (address, options) {
  const scenario = options && options.method === "POST" && String(address).includes("/scenario?");
  const one = { sent: performance.now() };
  one.moving = scenario && options.body.includes('"parts":["services"]');
  const answer = await plain.call(window, address, options);
  if (!scenario) return answer;
  one.head = performance.now();
  const json = answer.json.bind(answer);
  answer.json = async function () {
    const text = await answer.text();
    one.text = performance.now();
    one.bytes = text.length;
    const found = JSON.parse(text);
    one.read = performance.now();
    window.told.asked.push(one);
    requestAnimationFrame(function () {
      setTimeout(function () { one.painted = performance.now(); }, 0);
    });
    return found;
  };
  return answer;
};
"""
LAST = "window.told.asked.length && window.told.asked[window.told.asked.length - 1]"


def percentile(values: Sequence[float], share: float) -> float:
    """The value that a share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def spread(values: Sequence[float]) -> str:
    """Median, p95 and most of some milliseconds."""
    return (
        f"median {statistics.median(values):6.1f}  p95 {percentile(values, 0.95):6.1f}  "
        f"most {max(values):6.1f} ms"
    )


def way(steps: int, at: Mapping[str, float]) -> list[tuple[float, float]]:
    """Places on a loop, in pixels, as a hand goes that tries a neighbourhood."""
    turns = [2 * math.pi * k / 23 for k in range(1, steps + 1)]
    grown = [RADIUS_PX * min(1.0, 0.1 + k / 40) for k in range(steps)]
    return [
        (at["x"] + 12 + r * math.sin(t), at["y"] + r * 0.7 * (1 - math.cos(t)))
        for t, r in zip(turns, grown, strict=True)
    ]


def until(page: Any, script: str) -> None:
    """Wait until a script says so; the page's policy bars playwright's own way."""
    for _ in range(LONGEST_MS // 20):
        if page.evaluate(script):
            return
        page.wait_for_timeout(2)
    raise Skip(f"the page did not come to {script}")


def opened(page: Any, base: str) -> dict[str, float]:
    """The desk with one centre in the middle of the map, chosen; where its pin is."""
    page.goto(f"{base}/maps/{AREA}/desk?lang=zh&service={SERVICE}")
    page.wait_for_selector(".lc-result[data-warm]", timeout=LONGEST_MS)
    page.evaluate("void map_main.setZoom(14, { animate: false })")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    until(page, "document.querySelector('.lc-result').dataset.answer === 'whole'")
    box = page.locator(".leaflet-marker-icon .lc-pin-add_facility").first.bounding_box()
    return {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}


def step_by_step(page: Any, places: Sequence[tuple[float, float]]) -> list[dict[str, float]]:
    """Each move once the one before is told; when the mouse moved, and the parts until painted."""
    found = []
    for x, y in places:
        before = page.evaluate("window.told.asked.length")
        moved = page.evaluate("performance.now()")
        page.mouse.move(x, y)
        until(page, f"window.told.asked.length > {before} && ({LAST}).painted > 0")
        found.append({"moved": moved, **page.evaluate(LAST)})
    return found


def as_a_hand(page: Any, places: Sequence[tuple[float, float]]) -> list[float]:
    """Moves at a steady pace; from one picture of the figures to the next, in milliseconds."""
    before = page.evaluate("window.told.asked.length")
    for x, y in places:
        for k in range(1, 6):
            page.mouse.move(x + k, y)
            page.wait_for_timeout(EVERY_MS)
    page.wait_for_timeout(400)
    asked = page.evaluate(f"window.told.asked.slice({before}).filter((one) => one.moving)")
    return [one["painted"] - one["sent"] for one in asked]


def report(steps: Sequence[Mapping[str, float]], ages: Sequence[float]) -> bool:
    """Print the figures beside their bars; whether they are met."""
    whole = [one["painted"] - one["moved"] for one in steps]
    parts = {
        "until it was asked": [one["sent"] - one["moved"] for one in steps],
        "service, first byte": [one["head"] - one["sent"] for one in steps],
        "way of the answer": [one["text"] - one["head"] for one in steps],
        "read as JSON": [one["read"] - one["text"] for one in steps],
        "drawn and painted": [one["painted"] - one["read"] for one in steps],
    }
    print(f"{len(steps)} steps, load {load()}")
    bar = f"bar p95 <= {BAR_P95_MS:.0f}, none over {BAR_MOST_MS:.0f}"
    print(f"  a step                {spread(whole)}   {bar}")
    for name, values in parts.items():
        print(f"    {name:<20}{spread(values)}")
    print(f"  bytes of an answer    median {statistics.median(o['bytes'] for o in steps):,.0f}")
    if ages:
        print(f"  as a hand drags       {spread(ages)}   {len(ages)} pictures of figures")
    return percentile(whole, 0.95) <= BAR_P95_MS and max(whole) <= BAR_MOST_MS


def dragged(browser: Any, base: str, count: int) -> tuple[list[dict[str, float]], list[float]]:
    """A placed centre dragged over the desk of a service: its steps, then as a hand drags."""
    page = browser.new_page(viewport={"width": 1600, "height": 900})
    page.add_init_script(WATCH)
    at = opened(page, base)
    page.mouse.move(at["x"], at["y"])
    page.mouse.down()
    page.mouse.move(at["x"] + 6, at["y"] + 6)
    page.wait_for_timeout(600)
    places = way(count, at)
    steps = step_by_step(page, places)
    ages = as_a_hand(page, places[: count // 2])
    page.mouse.up()
    page.close()
    return steps, ages


def main() -> int:
    """Play the drag; 1 where a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.desk.drag", description=__doc__)
    parser.add_argument("--steps", type=int, default=80)
    parser.add_argument("--scale", type=float, default=1.0, help="of the generated city")
    given = parser.parse_args()
    from playwright.sync_api import sync_playwright

    chromium = next(
        (found for name in ("chromium", "google-chrome") if (found := shutil.which(name))), None
    )
    with (
        built(given.scale) as (root, _),
        serve_workspace(root, 1) as served,
        sync_playwright() as play,
    ):
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        steps, ages = dragged(browser, served.base, given.steps)
        browser.close()
    return 0 if report(steps, ages) else 1


if __name__ == "__main__":
    raise SystemExit(main())
