"use strict";
// The cities of a batch as one small map: outlines (WGS84 degrees), drawn north up.
const drawBatchMap = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const WIDE = 1000, HIGH = 480, EDGE = 32; // units of the drawing
  const SMALL = 14; // a city smaller than this is drawn as a dot
  const NAMED = 40; // with more cities than this, names are told by pointing only

  const element = (name, attributes) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };

  const frame = (cities) => {
    const points = cities.flatMap((city) => city.outline.flat());
    const box = (i) => points.reduce((b, p) => [Math.min(b[0], p[i]), Math.max(b[1], p[i])], [Infinity, -Infinity]);
    const [west, east] = box(0), [south, north] = box(1);
    const narrow = Math.cos((south + north) * Math.PI / 360);
    const wide = Math.max((east - west) * narrow, 1e-6), high = Math.max(north - south, 1e-6);
    const scale = Math.min((WIDE - 2 * EDGE) / wide, (HIGH - 2 * EDGE) / high);
    const left = (WIDE - wide * scale) / 2, tall = high * scale + 2 * EDGE;
    return {
      tall,
      xy: ([lon, lat]) => [left + (lon - west) * narrow * scale, EDGE + (north - lat) * scale],
    };
  };

  const shapeOf = (rings) => {
    const points = rings.flat();
    const xs = points.map((p) => p[0]), ys = points.map((p) => p[1]);
    const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    const middle = [(x0 + x1) / 2, (y0 + y1) / 2];
    if (Math.max(x1 - x0, y1 - y0) < SMALL) {
      return { middle, drawn: element("circle", { cx: middle[0], cy: middle[1], r: SMALL / 2 }) };
    }
    const d = rings.map((ring) => `M${ring.map((p) => p.map((v) => v.toFixed(1)).join(" ")).join("L")}Z`).join("");
    return { middle, drawn: element("path", { d, "fill-rule": "evenodd" }) };
  };

  const go = (city) => {
    const row = document.getElementById(`city-${city}`);
    document.querySelectorAll("tr.shown").forEach((one) => one.classList.remove("shown"));
    if (!row) return;
    row.classList.add("shown");
    row.scrollIntoView({ block: "center" });
  };

  // `shown`: city, fill and what is told of it; `shares`: whether the figure has colours at all.
  return (figure, cities, shown, shares) => {
    const placed = shown.filter((one) => cities[one.city].outline.flat().length);
    figure.hidden = placed.length < 2 || !shares;
    if (figure.hidden) return;
    const svg = figure.querySelector("svg");
    const { xy, tall } = frame(placed.map((one) => cities[one.city]));
    svg.setAttribute("viewBox", `0 0 ${WIDE} ${tall.toFixed(0)}`);
    svg.replaceChildren();
    const names = [];
    for (const one of placed) {
      const { middle, drawn } = shapeOf(cities[one.city].outline.map((ring) => ring.map(xy)));
      drawn.setAttribute("fill", one.fill);
      drawn.setAttribute("tabindex", "0");
      drawn.addEventListener("keydown", (event) => { if (event.key === "Enter") go(one.city); });
      drawn.append(element("title", {}));
      drawn.firstChild.textContent = one.told;
      drawn.addEventListener("click", () => go(one.city));
      svg.append(drawn);
      if (placed.length > NAMED) continue;
      const dot = drawn.nodeName === "circle";
      const anchor = middle[0] < 2 * EDGE ? "start" : middle[0] > WIDE - 2 * EDGE ? "end" : "middle";
      const x = anchor === "middle" ? middle[0] : anchor === "start" ? 4 : WIDE - 4;
      const text = element("text", { x: x.toFixed(1), y: (middle[1] + (dot ? SMALL + 8 : 4)).toFixed(1), "text-anchor": anchor });
      text.textContent = cities[one.city].name;
      names.push(text);
    }
    svg.append(...names);
  };
})();
