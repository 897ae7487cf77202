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

  /* A table whose header cells sort it; `rows`: each with `keys`, one for every button, and `fill`. */
  const sorted = (table) => {
    const heads = [...table.tHead.querySelectorAll("th")];
    let by = 0, down = false, rows = [];
    const less = (a, b) => {
      const x = a.keys[by], y = b.keys[by], sign = down ? -1 : 1;
      if (x === null || y === null) return (x === null) - (y === null); // unknown stays last
      return sign * (typeof x === "string" ? x.localeCompare(y, document.documentElement.lang) : x - y);
    };
    const show = () => {
      heads.forEach((head, k) => {
        if (k === by) head.setAttribute("aria-sort", down ? "descending" : "ascending");
        else head.removeAttribute("aria-sort");
      });
      const body = table.tBodies[0];
      body.replaceChildren();
      rows.slice().sort(less).forEach((one) => one.fill(body.insertRow()));
    };
    heads.forEach((head, k) => head.firstElementChild.addEventListener("click", () => {
      down = k === by ? !down : head.dataset.kind === "number"; // of figures the highest first
      by = k;
      show();
    }));
    return {
      take: (given) => { rows = given; show(); },
      afresh: () => { by = 0; down = false; },
    };
  };
  const ranking = sorted(at("ranking")), worst = sorted(at("units"));

  const draw = () => {
    const one = held.indicators[Number(chosen.value)];
    if (!one) return;
    const share = one.kind === "P";
    at("heading").textContent = one.title;
    at("value").textContent = share ? at("value").dataset.share : at("value").dataset.value;
    at("beside").textContent = share ? at("beside").dataset.lost : at("beside").dataset.verdict;
    at("beside").parentElement.dataset.kind = share ? "number" : "name";
    const turn = one.least ? -1 : 1;
    const known = one.cities.filter((c) => c.value !== null).sort((a, b) => turn * (a.value - b.value));
    const unknown = one.cities.filter((c) => c.value === null);
    const most = Math.max(...known.map((c) => c.value), 0);
    const ranked = [...known, ...unknown].map((c, i) => {
      const city = held.cities[c.city], rank = c.value === null ? null : i + 1;
      return {
        city: city.name,
        keys: [rank, city.name, city.count, c.value, share ? c.lost : c.beside],
        fill: (row) => {
          row.id = `city-${c.city}`;
          cell(row, rank ?? "", "n soft");
          named(row, city.name, c.why);
          cell(row, city.residents ?? "", "n soft");
          const told = cell(row, c.told, c.value === null ? "n soft" : "n");
          if (c.span) {
            const span = document.createElement("small");
            span.textContent = c.span;
            span.title = at("value").dataset.band;
            told.append(span);
          }
          if (c.value === null || most <= 0) bar(row, null);
          else if (c.share) bar(row, Math.min(c.value, 1), one.least ? null : colour(c.value));
          else bar(row, c.value / most);
          cell(row, c.beside, share ? "n" : `n ${c.status}`);
        },
      };
    });
    ranking.take(ranked.filter((row) => matches(row.city)));
    const shares = !one.least && (known.some((c) => c.share) || known.length === 0);
    at("key").hidden = !shares;
    at("key").firstElementChild.textContent = at("value").dataset[share ? "share" : "value"];
    drawBatchMap(at("map"), held.cities, one.cities.map((c) => ({
      city: c.city,
      fill: c.value === null || !c.share ? held.unknown : colour(c.value),
      told: [held.cities[c.city].name, c.told, c.beside].filter(Boolean).join(" · "),
    })), shares);
    at("worst").hidden = one.units.length === 0;
    worst.take(one.units.filter((u) => matches(held.cities[u[0]].name)).slice(0, 20).map((u, i) => ({
      keys: [i + 1, held.cities[u[0]].name, u[1], u[2], u[5]],
      fill: (row) => {
        cell(row, i + 1, "n soft");
        cell(row, held.cities[u[0]].name);
        cell(row, u[1]);
        cell(row, u[3], "n");
        bar(row, u[2], u[2] === null ? null : colour(u[2]));
        cell(row, u[4], "n");
      },
    })));
  };

  let wanted = "";
  try { wanted = decodeURIComponent(location.hash.slice(1)); } catch { /* no name of an indicator */ }
  const first = held.indicators.findIndex((one) => `${one.kind}:${one.id}` === wanted);
  const known = held.indicators.findIndex((one) => one.cities.some((c) => c.value !== null));
  chosen.value = Math.max(first >= 0 ? first : known, 0);
  chosen.addEventListener("change", () => {
    const one = held.indicators[Number(chosen.value)];
    ranking.afresh();
    worst.afresh();
    history.replaceState(null, "", `#${encodeURIComponent(`${one.kind}:${one.id}`)}`);
    draw();
  });
  sought.addEventListener("input", draw);
  draw();
})();
