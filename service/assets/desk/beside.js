/* lifecircle desk: two to four kept scenarios beside each other, one moving view, one table. */
(function () {
  "use strict";

  const GROUND = ["ground", "streets", "cells", "dots"];

  /* The ground of the page once more on another map: drawn from the same arrays. */
  function ground(from, to) {
    const layers = lifecircle.scene(from).layers;
    lifecircle.pane(to);
    lifecircle.wear(to, lifecircle.worn(from), lifecircle.scene(from).offer);
    GROUND.forEach(function (name) {
      if (layers[name] && from.hasLayer(layers[name])) lifecircle[name](to, layers[name].data).addTo(to);
    });
  }

  async function beside(desk, ids) {
    const element = desk.tools.element;
    const words = desk.words;
    const filled = lifecircle.filled;
    const change = lifecircle.change;
    const sheet = element("section", "lc-beside lc-beside-" + ids.length);
    sheet.setAttribute("role", "dialog");
    sheet.setAttribute("aria-modal", "true");
    sheet.setAttribute("aria-label", words.beside_title);
    const head = element("header");
    head.appendChild(element("h2", "", words.beside_title));
    const link = element("a", "", "XLSX");
    link.href = desk.config.url + "/scenarios/compare?f=xlsx&lang=" + desk.lang + "&ids=" + ids.map(encodeURIComponent).join(",");
    link.download = "";
    head.appendChild(link);
    const close = element("button", "lc-close", "×");
    close.type = "button";
    close.setAttribute("aria-label", words.close);
    head.appendChild(close);
    sheet.appendChild(head);
    const grid = element("div", "lc-beside-maps");
    const frames = ids.map(function () {
      const frame = element("figure");
      frame.appendChild(element("figcaption", "", words.working));
      frame.appendChild(element("div", "lc-beside-map"));
      grid.appendChild(frame);
      return frame;
    });
    sheet.appendChild(grid);
    const under = element("div", "lc-beside-table");
    sheet.appendChild(under);
    const before = document.activeElement;
    const behind = Array.from(document.body.children).filter(function (one) { return !one.inert; });
    behind.forEach(function (one) { one.inert = true; }); // keys and readers stay in the sheet
    document.body.appendChild(sheet);
    let gone = false;
    const maps = frames.map(function (frame) {
      const map = L.map(frame.querySelector(".lc-beside-map"), {
        preferCanvas: true, zoomSnap: 0.25, wheelPxPerZoomLevel: 90, maxZoom: 19, attributionControl: false, zoomControl: false
      });
      map.setView(desk.map.getCenter(), desk.map.getZoom() - 0.75);
      ground(desk.map, map);
      return map;
    });
    L.control.zoom({ position: "topright" }).addTo(maps[0]);
    L.control.scale({ imperial: false }).addTo(maps[0]);
    let moving = false;
    maps.forEach(function (map) {
      map.on("move", function () {
        if (moving) return;
        moving = true;
        maps.forEach(function (other) {
          if (other !== map) other.setView(map.getCenter(), map.getZoom(), { animate: false });
        });
        moving = false;
      });
    });
    function leave() {
      gone = true;
      maps.forEach(function (map) { map.remove(); });
      sheet.remove();
      behind.forEach(function (one) { one.inert = false; });
      document.removeEventListener("keydown", keys, true);
      if (before) before.focus();
    }
    function keys(event) {
      if (event.key === "Escape") {
        event.stopPropagation();
        leave();
      }
    }
    document.addEventListener("keydown", keys, true);
    close.addEventListener("click", leave);
    close.focus();

    const sites = L.latLngBounds([]); // the points that the edits of any scenario name
    function share(value) { return value === null ? desk.config.not_assessed : change.percent(value); }
    async function one(id, k) {
      const caption = frames[k].querySelector("figcaption");
      try {
        const told = await desk.send(desk.config.url + "/scenarios/" + id, {});
        const found = await desk.ask(told.edits, ["services"], {
          run: told.base.run, minutes: told.minutes, walker: told.walker, by: told.by
        });
        if (gone) return;
        const edits = L.layerGroup().addTo(maps[k]);
        told.edits.forEach(function (edit) { lifecircle.ink(maps[k], edits, Object.assign({}, edit, { _at: desk.placeOf(edit) })); });
        told.edits.forEach(function (edit) {
          if (Number.isFinite(edit.lon) && Number.isFinite(edit.lat)) sites.extend([edit.lat, edit.lon]);
        });
        change.paint(lifecircle.changedCells(maps[k]), found.changed_cells, null);
        caption.replaceChildren(element("b", "", told.title));
        const mine = found.services.find(function (row) { return row.service === desk.config.service; });
        const said = [filled(words.people_n, { before: change.signed(found.winners.residents, "+"), after: change.signed(found.losers.residents, "−") })];
        if (mine) said.unshift((mine.title[desk.lang] || mine.title.zh) + " " + share(mine.P_before) + " → " + share(mine.P_after));
        if (told.base.run !== desk.config.run) said.push(words.other_run);
        caption.appendChild(element("span", "", said.join(" · ")));
      } catch (error) {
        if (!gone) caption.textContent = error.message;
      }
    }

    function cell(row, value, side) {
      const v = value[side];
      if (v === null || v === undefined) return words.none;
      if (row.unit === "fraction") return change.percent(v);
      const unit = desk.config.units[row.unit];
      if (row.indicator === "scorecard" && unit) return (change.figure(v, unit, "at least") + " " + (unit.title[desk.lang] || unit.title.zh)).trim();
      return Number.isInteger(v) ? change.grouped(v, 0) : String(Math.round(v * 100) / 100);
    }
    function named(row) {
      const title = row.indicator === "rule" ? desk.config.rule[row.of] || row.of : row.title[desk.lang] || row.title.zh;
      const kind = words["row_" + row.indicator];
      return kind ? kind + " · " + title : title;
    }
    async function table() {
      const found = await desk.send(desk.config.url + "/scenarios/compare?ids=" + ids.map(encodeURIComponent).join(","), {});
      if (gone) return;
      if (!found.same_base) under.appendChild(element("p", "lc-unassessed", words.not_same_base));
      const made = element("table");
      const top = made.createTHead().insertRow();
      [words.indicator, words.before].concat(found.scenarios.map(function (s) { return s.title; })).forEach(function (text) {
        const th = element("th", "", text);
        th.scope = "col";
        top.appendChild(th);
      });
      const rows = made.createTBody();
      found.rows.forEach(function (row) {
        const moves = row.values.some(function (v) {
          return v.before === undefined || v.before === null ? Boolean(v.after) : v.after !== null && v.after !== v.before;
        });
        if (!moves) return;
        const line = rows.insertRow();
        line.dataset.row = row.indicator + "/" + (row.of || "");
        line.insertCell().textContent = named(row);
        const known = row.values.map(function (v) { return v.before; }).filter(function (v) { return v !== null && v !== undefined; });
        const same = known.every(function (v) { return v === known[0]; });
        line.insertCell().textContent = known.length && same ? cell(row, { before: known[0] }, "before") : words.none;
        row.values.forEach(function (value) {
          const td = line.insertCell();
          const after = cell(row, value, "after");
          const own = !same && value.before !== null && value.before !== undefined;
          td.textContent = own ? cell(row, value, "before") + " → " + after : after;
          if (value.before !== null && value.before !== undefined && value.after !== value.before) td.className = "lc-moves";
        });
      });
      under.appendChild(made);
    }
    await Promise.all(ids.map(one).concat([table().catch(function (error) {
      if (!gone) under.appendChild(element("p", "lc-unassessed", error.message));
    })]));
    if (gone) return;
    if (sites.isValid() && !maps[0].getBounds().pad(-0.05).contains(sites)) {
      maps[0].fitBounds(sites, { padding: [64, 64], maxZoom: maps[0].getZoom(), animate: false });
    }
    sheet.dataset.box = maps[0].getBounds().toBBoxString();
    sheet.dataset.ready = "1";
  }

  lifecircle.beside = beside;
})();
