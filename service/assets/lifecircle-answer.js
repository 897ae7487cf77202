/* lifecircle: what the service answers about any place: minutes, what is missing, reach, the way.
 * Only where a page is served; every address is on the same server. Texts by textContent. */
(function () {
  "use strict";

  const RINGS = [15, 10, 5]; // minutes, the widest first
  const RING_COLOURS = { 5: "#3f007d", 10: "#6a51a3", 15: "#9e9ac8" };

  function tenths(minutes) {
    return (Math.ceil(minutes * 10 - 1e-6) / 10).toFixed(1);
  }

  function filled(text, values) {
    return text.replace(/\{(\w+)\}/g, function (whole, name) {
      return name in values ? values[name] : whole;
    });
  }

  lifecircle.filled = filled;

  /* `tools`: {element, number}; returns {at(latlng, cards), clear(), place()}. */
  lifecircle.answer = function (map, config, tools) {
    const asked = config.ask;
    const words = asked.words;
    const element = tools.element;
    const box = element("section", "lc-block lc-answer");
    box.setAttribute("aria-live", "polite");
    box.hidden = true;
    const panel = document.querySelector(".lc-panel");
    panel.querySelector(".lc-head").after(box);
    let drawn = null; // what is on the map for the place
    let way = null;
    let place = null;
    let turn = 0; // answers to an earlier click are dropped

    function address(what, latlng, more) {
      const query = new URLSearchParams({
        lon: latlng.lng.toFixed(7), lat: latlng.lat.toFixed(7),
        run: asked.run, lang: config.lang
      });
      query.set(asked.profile ? "profile" : "walker", asked.profile || asked.walker);
      Object.keys(more || {}).forEach(function (name) { query.set(name, more[name]); });
      return asked.url + "/" + what + "?" + query;
    }

    async function fetched(what, latlng, more) {
      const answer = await fetch(address(what, latlng, more), { headers: { accept: "application/json" } });
      const body = await answer.json();
      if (!answer.ok) throw new Error(body.detail || body.title || String(answer.status));
      return body;
    }

    function clear() {
      turn += 1;
      if (drawn) drawn.remove();
      drawn = way = place = null;
      box.hidden = true;
      box.replaceChildren();
      map.fire("lifecircle:place");
    }

    function pin(latlng) {
      drawn = L.layerGroup().addTo(map);
      L.circleMarker(latlng, {
        pane: "walk", interactive: false, radius: 6, weight: 2.5, color: "#fff",
        fillColor: "#c2185b", fillOpacity: 1
      }).addTo(drawn);
    }

    function showRings(found) {
      found.features.forEach(function (feature) {
        const colour = RING_COLOURS[feature.properties.minutes];
        L.geoJSON(feature, {
          pane: "reach", interactive: false, renderer: lifecircle.scene(map).renderer("reach"),
          style: { color: colour, weight: 1.8, fillColor: colour, fillOpacity: 0.08 }
        }).addTo(drawn);
      });
    }

    function showWay(found) {
      if (way) way.remove();
      way = null;
      if (!found.geometry) return;
      way = L.layerGroup().addTo(drawn);
      [["#ffffff", 7], ["#c2185b", 4]].forEach(function (look) {
        L.geoJSON(found.geometry, {
          pane: "walk", interactive: false, style: { color: look[0], weight: look[1], opacity: 1 }
        }).addTo(way);
      });
    }

    function wayLine(found) {
      const p = found.properties;
      const title = asked.titles[p.service] || p.service;
      if (!found.geometry) return element("p", "lc-way", filled(words.no_way, { service: title }));
      const line = element("p", "lc-way");
      line.appendChild(element("b", "", filled(words.way, {
        name: p.name || title, minutes: tenths(p.minutes), metres: tools.number.format(Math.round(p.length_m))
      })));
      if (p.ascent_m !== null) {
        line.appendChild(element("span", "", " " + filled(words.climb, { metres: Math.round(p.ascent_m) })));
      }
      return line;
    }

    async function follow(service, mine) {
      const found = await fetched("route", place, { service: service });
      if (mine !== turn) return;
      showWay(found);
      const before = box.querySelector(".lc-way");
      const line = wayLine(found);
      if (before) before.replaceWith(line);
      else box.querySelector(".lc-services").before(line);
      box.querySelectorAll("[data-service]").forEach(function (row) {
        row.setAttribute("aria-pressed", String(row.dataset.service === service));
      });
    }

    function row(one, mine) {
      const made = element("button", one.within === null ? "lc-unknown" : one.within ? "lc-near" : "lc-far");
      made.type = "button";
      made.dataset.service = one.service;
      made.title = one.name || "";
      const state = one.within === null ? words.unknown : one.within ? words.within : words.beyond;
      made.appendChild(element("span", "", asked.titles[one.service] || one.service));
      made.appendChild(element("b", "", one.minutes === null ? "–" : filled(words.minutes, { n: tenths(one.minutes) })));
      made.appendChild(element("i", "", state));
      made.disabled = one.minutes === null;
      made.addEventListener("click", function () {
        follow(one.service, mine).catch(function (error) { failed(error, mine); });
      });
      return made;
    }

    function failed(error, mine) {
      if (mine !== turn) return;
      box.appendChild(element("p", "lc-unassessed", filled(words.failed, { why: error.message })));
    }

    function tell(found, cards, mine) {
      box.replaceChildren();
      const head = element("div", "lc-answer-head");
      const units = found.units.map(function (unit) { return config.lang === "en" && unit.name_en ? unit.name_en : unit.name; });
      head.appendChild(element("h2", "", units.length ? units.join(" · ") : words.here));
      const close = element("button", "lc-close", "×");
      close.type = "button";
      close.setAttribute("aria-label", words.close);
      close.addEventListener("click", clear);
      head.appendChild(close);
      box.appendChild(head);
      box.appendChild(element("p", "lc-note", found.lon.toFixed(5) + ", " + found.lat.toFixed(5)));
      found.warnings.filter(function (w) { return w.key === "point_unsnapped" || w.key === "point_short_piece"; }).forEach(function (w) {
        box.appendChild(element("p", "lc-unassessed", w.text));
      });
      const missing = found.missing.map(function (service) { return asked.titles[service] || service; });
      const said = missing.length ? filled(words.missing, { n: missing.length, names: missing.join(words.comma) }) : words.nothing_missing;
      box.appendChild(element("p", "lc-missing", said));
      const rings = element("ul", "lc-legend lc-rings");
      RINGS.slice().reverse().forEach(function (n) {
        const item = element("li");
        const mark = element("i", "lc-swatch lc-line");
        mark.style.background = RING_COLOURS[n];
        item.appendChild(mark);
        item.appendChild(element("span", "", filled(words.ring, { n: n })));
        rings.appendChild(item);
      });
      if (found.snapped) box.appendChild(rings);
      const list = element("details", "lc-services");
      list.open = true;
      list.appendChild(element("summary", "", words.services));
      if (cards && cards.querySelector(".lc-mark-it, .lc-said, .lc-mark")) box.appendChild(cards); // what can be marked stands first
      const order = { false: 0, true: 1, null: 2 };
      found.services.slice().sort(function (a, b) {
        return order[a.within] - order[b.within] || (b.minutes === null ? 1e9 : b.minutes) - (a.minutes === null ? 1e9 : a.minutes);
      }).forEach(function (one) { list.appendChild(row(one, mine)); });
      box.appendChild(list);
      if (cards && !cards.isConnected) box.appendChild(cards);
    }

    async function at(latlng, cards) {
      clear();
      const mine = turn;
      place = latlng.wrap();
      pin(latlng);
      box.hidden = false;
      box.replaceChildren(element("p", "lc-note", words.wait));
      map.fire("lifecircle:place");
      try {
        const found = await fetched("point", place, asked.minutes ? { minutes: asked.minutes } : {});
        if (mine !== turn) return;
        tell(found, cards, mine);
        panel.scrollTop = 0;
        if (!found.snapped) return;
        const ring = fetched("isochrone", place, { minutes: RINGS.join(",") });
        const walk = asked.service ? follow(asked.service, mine) : Promise.resolve();
        const reach = await ring;
        if (mine !== turn) return;
        showRings(reach);
        await walk;
        box.dataset.answered = String(mine);
      } catch (error) {
        failed(error, mine);
      }
    }

    return { at: at, clear: clear, place: function () { return place; } };
  };
})();
