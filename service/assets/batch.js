"use strict";
(() => {
  const held = JSON.parse(document.getElementById("figures").textContent);
  const at = (id) => document.getElementById(id);
  const chosen = at("indicator"), sought = at("search");
  const SVG = "http://www.w3.org/2000/svg";
  const LOW = 0.6; // below it a bar is drawn in the colour of lack

  for (const [kind, label] of [["P", chosen.dataset.services], ["row", chosen.dataset.rows]]) {
    const group = document.createElement("optgroup");
    group.label = label;
    held.indicators.forEach((one, i) => {
      if (one.kind !== kind) return;
      const known = one.cities.some((c) => c[1] !== null);
      group.append(new Option(known ? one.title : `${one.title} · ${chosen.dataset.unknown}`, i));
    });
    if (group.children.length) chosen.append(group);
  }

  const cell = (row, text, name) => {
    const td = row.insertCell();
    td.textContent = text;
    if (name) td.className = name;
    return td;
  };

  const bar = (row, share) => {
    const td = row.insertCell();
    td.className = "wide";
    if (share === null) return;
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", "0 0 1000 14");
    svg.setAttribute("preserveAspectRatio", "none");
    for (const [width, name] of [[1000, "track"], [1000 * share, share < LOW ? "fill low" : "fill"]]) {
      const rect = document.createElementNS(SVG, "rect");
      rect.setAttribute("width", width);
      rect.setAttribute("height", 14);
      rect.setAttribute("class", name);
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
    const known = one.cities.filter((c) => c[1] !== null).sort((a, b) => turn * (a[1] - b[1]));
    const unknown = one.cities.filter((c) => c[1] === null);
    const most = Math.max(...known.map((c) => c[1]), 0);
    const ranked = [...known, ...unknown].map((c, i) => {
      const city = held.cities[c[0]], rank = c[1] === null ? null : i + 1;
      return {
        city: city.name,
        keys: [rank, city.name, city.count, c[1], share ? c[4] : c[3]],
        fill: (row) => {
          cell(row, rank ?? "", "n soft");
          cell(row, city.name);
          cell(row, city.residents ?? "", "n soft");
          cell(row, c[2], c[1] === null ? "n soft" : "n");
          bar(row, c[1] === null || most <= 0 ? null : share || c[5] ? Math.min(c[1], 1) : c[1] / most);
          cell(row, c[3], share ? "n" : `n ${c[4]}`);
        },
      };
    });
    ranking.take(ranked.filter((row) => matches(row.city)));
    at("worst").hidden = one.units.length === 0;
    worst.take(one.units.filter((u) => matches(held.cities[u[0]].name)).slice(0, 20).map((u, i) => ({
      keys: [i + 1, held.cities[u[0]].name, u[1], u[2], u[5]],
      fill: (row) => {
        cell(row, i + 1, "n soft");
        cell(row, held.cities[u[0]].name);
        cell(row, u[1]);
        cell(row, u[3], "n");
        bar(row, u[2]);
        cell(row, u[4], "n");
      },
    })));
  };

  const wanted = decodeURIComponent(location.hash.slice(1));
  const first = held.indicators.findIndex((one) => `${one.kind}:${one.id}` === wanted);
  const known = held.indicators.findIndex((one) => one.cities.some((c) => c[1] !== null));
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
