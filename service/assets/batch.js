"use strict";
(() => {
  const held = JSON.parse(document.getElementById("figures").textContent);
  const at = (id) => document.getElementById(id);
  const chosen = at("indicator"), sought = at("search");
  const SVG = "http://www.w3.org/2000/svg";

  const groups = new Map();
  held.indicators.forEach((one, i) => {
    const label = one.kind === "P" ? one.group : chosen.dataset.rows;
    if (!groups.has(label)) {
      groups.set(label, document.createElement("optgroup"));
      groups.get(label).label = label;
    }
    const known = one.cities.some((c) => c.value !== null);
    groups.get(label).append(new Option(known ? one.title : `${one.title} · ${chosen.dataset.unknown}`, i));
  });
  chosen.append(...groups.values());

  const cell = (row, text, name) => {
    const td = row.insertCell();
    td.textContent = text;
    if (name) td.className = name;
    return td;
  };

  // A name; where something is to be told of its figure, it opens.
  const named = (row, name, why) => {
    const td = row.insertCell();
    if (why.length === 0) { td.textContent = name; return; }
    const details = document.createElement("details"), summary = document.createElement("summary");
    summary.textContent = name;
    details.append(summary);
    for (const i of why) {
      const p = document.createElement("p");
      p.textContent = held.told[i];
      details.append(p);
    }
    td.append(details);
  };

  const colour = (share) => held.colours[held.edges.filter((edge) => share >= edge).length];

  const bar = (row, share, fill) => {
    const td = row.insertCell();
    td.className = "wide";
    if (share === null) return;
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", "0 0 1000 14");
    svg.setAttribute("preserveAspectRatio", "none");
    for (const [width, name] of [[1000, "track"], [1000 * share, "fill"]]) {
      const rect = document.createElementNS(SVG, "rect");
      rect.setAttribute("width", width);
      rect.setAttribute("height", 14);
      rect.setAttribute("class", name);
      if (name === "fill" && fill) rect.setAttribute("fill", fill);
      svg.append(rect);
    }
    td.append(svg);
  };

  const matches = (name) => name.toLocaleLowerCase().includes(sought.value.trim().toLocaleLowerCase());

  const draw = () => {
    const one = held.indicators[Number(chosen.value)];
    if (!one) return;
    const share = one.kind === "P";
    at("heading").textContent = one.title;
    at("value").textContent = share ? at("value").dataset.share : at("value").dataset.value;
    at("beside").textContent = share ? at("beside").dataset.lost : at("beside").dataset.verdict;
    const turn = one.least ? -1 : 1;
    const known = one.cities.filter((c) => c.value !== null).sort((a, b) => turn * (a.value - b.value));
    const unknown = one.cities.filter((c) => c.value === null);
    const most = Math.max(...known.map((c) => c.value), 0);
    const body = at("ranking").tBodies[0];
    body.replaceChildren();
    [...known, ...unknown].forEach((c, i) => {
      const city = held.cities[c.city];
      if (!matches(city.name)) return;
      const row = body.insertRow();
      row.id = `city-${c.city}`;
      cell(row, c.value === null ? "" : i + 1, "n soft");
      named(row, city.name, c.why);
      cell(row, city.residents ?? "", "n soft");
      const told = cell(row, c.told, c.value === null ? "n soft" : "n");
      if (c.span) {
        const span = document.createElement("small");
        span.textContent = c.span;
        told.append(span);
      }
      if (c.value === null || most <= 0) bar(row, null);
      else if (c.share) bar(row, Math.min(c.value, 1), colour(c.value));
      else bar(row, c.value / most);
      cell(row, c.beside, share ? "n" : `n ${c.status}`);
    });
    const shares = known.some((c) => c.share) || known.length === 0;
    at("key").hidden = !shares;
    drawBatchMap(at("map"), held.cities, one.cities.map((c) => ({
      city: c.city,
      fill: c.value === null || !c.share ? held.unknown : colour(c.value),
      told: [held.cities[c.city].name, c.told, c.beside].filter(Boolean).join(" · "),
    })), shares);
    at("worst").hidden = one.units.length === 0;
    const units = at("units").tBodies[0];
    units.replaceChildren();
    one.units.filter((u) => matches(held.cities[u[0]].name)).slice(0, 20).forEach((u, i) => {
      const row = units.insertRow();
      cell(row, i + 1, "n soft");
      cell(row, held.cities[u[0]].name);
      cell(row, u[1]);
      cell(row, u[3], "n");
      bar(row, u[2], u[2] === null ? null : colour(u[2]));
      cell(row, u[4], "n");
    });
  };

  const wanted = decodeURIComponent(location.hash.slice(1));
  const first = held.indicators.findIndex((one) => `${one.kind}:${one.id}` === wanted);
  const known = held.indicators.findIndex((one) => one.cities.some((c) => c.value !== null));
  chosen.value = Math.max(first >= 0 ? first : known, 0);
  chosen.addEventListener("change", () => {
    const one = held.indicators[Number(chosen.value)];
    history.replaceState(null, "", `#${encodeURIComponent(`${one.kind}:${one.id}`)}`);
    draw();
  });
  sought.addEventListener("input", draw);
  draw();
})();
