/* lifecircle: the panel beside the map, what a click answers, what hovering names. */
(function () {
  "use strict";

  function element(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined && text !== null) made.textContent = text;
    return made;
  }

  /* A title and label-value pairs as elements; values that are null are left out. */
  function card(title, kind, labels, values) {
    const made = element("section", "lc-card");
    if (kind) made.appendChild(element("div", "lc-kind", kind));
    if (title) made.appendChild(element("h3", "", title));
    const list = element("dl");
    labels.forEach(function (label, i) {
      if (values[i] === null || values[i] === undefined) return;
      list.appendChild(element("dt", "", label));
      list.appendChild(element("dd", "", values[i]));
    });
    made.appendChild(list);
    return made;
  }

  function setUp(map, config) {
    const layers = lifecircle.scene(map).layers;
    const words = config.words;
    const number = new Intl.NumberFormat(config.lang === "zh" ? "zh-CN" : "en");
    const shownAreas = ["proposals", "gaps", "units"].filter(function (name) { return layers[name]; });
    let walk = null;
    let chosen = null;
    let answer = null; // of the service, where the page is served
    let marks = null; // of reviews, on pages that show any
    let desk = {};

    function visible(name) {
      return layers[name] && map.hasLayer(layers[name]);
    }

    function areaCard(name, i) {
      const p = layers[name].data.features.features[i].properties;
      return marked(card(p.name, p.kind, layers[name].data.labels, p.values), name, i);
    }

    function dotCard(i) {
      const d = layers.dots.data;
      return marked(card(d.names[i] || words.unnamed, d.kinds[d.c[i]], d.labels, d.values[i]), "dots", i);
    }

    function marked(made, name, i) {
      return marks ? marks.under(made, name, i) : made;
    }

    function cellCard(i) {
      const d = layers.cells.data;
      if (d.columns) return card(words.cell, null, d.labels, d.columns.map(function (column) { return column[i]; }));
      const people = d.r[i] === null ? null : number.format(d.r[i]);
      const residents = people && d.e[i] ? people + " " + words.modelled : people;
      if (d.labels) {
        return card(words.cell, null, [words.residents].concat(d.labels), [residents].concat(d.texts[d.t[i]]));
      }
      const tenths = d.m[i];
      const f = d.f ? d.f[i] : null;
      const nearest = f === null || !layers.dots ? null : layers.dots.data.names[f] || words.unnamed;
      return card(words.cell, null,
        [words.residents, words.minutes, words.nearest, words.state, layers.firm ? layers.firm.data.label : ""],
        [
          residents,
          tenths === null ? words.no_way : words.minutes_value.replace("{n}", (tenths / 10).toFixed(1)),
          nearest,
          d.k[i] === null ? null : d.k[i] ? words.covered : words.not_covered,
          layers.firm ? layers.firm.told(i) : null
        ]);
    }

    function forget() {
      if (walk) walk.remove();
      if (chosen) chosen.remove();
      walk = chosen = null;
    }

    function outline(name, i) {
      chosen = L.geoJSON(layers[name].data.features.features[i], {
        pane: "walk",
        interactive: false,
        style: { color: "#1b1f23", weight: 2.5, fill: false }
      }).addTo(map);
    }

    /* What the page itself knows of a place, and where it lies (a facility has its own place). */
    function found(latlng, straight) {
      const box = element("div", "lc-popup");
      const mark = marks && visible("marks") ? marks.at(latlng) : null;
      if (mark) box.appendChild(mark);
      const dot = visible("dots") ? layers.dots.pick(latlng) : -1;
      if (dot >= 0) {
        box.appendChild(dotCard(dot));
        latlng = layers.dots.at(dot);
      } else {
        const cell = visible("cells") ? layers.cells.pick(latlng) : -1;
        if (cell >= 0) {
          box.appendChild(cellCard(cell));
          const f = layers.cells.data.f ? layers.cells.data.f[cell] : null;
          if (straight && f !== null && layers.dots && layers.cells.data.m[cell] !== null) {
            walk = L.polyline([layers.cells.at(cell), layers.dots.at(f)], {
              pane: "walk", interactive: false, color: "#1b1f23", weight: 1.6, dashArray: "4 4"
            }).addTo(map);
          }
        }
        shownAreas.forEach(function (name) {
          const i = visible(name) ? layers[name].pick(latlng) : -1;
          if (i < 0) return;
          box.appendChild(areaCard(name, i));
          if (!chosen) outline(name, i);
          if (name === "units" && desk.table) desk.table.mark(i);
        });
      }
      return { box: box, latlng: latlng };
    }

    function show(latlng) {
      map.closePopup();
      if (answer) forget();
      const here = found(latlng, !answer);
      if (answer) answer.at(here.latlng, here.box.firstChild ? here.box : null);
      else if (here.box.firstChild) bubble(here.latlng, here.box);
    }

    function bubble(latlng, box) {
      L.popup({ maxWidth: 300, maxHeight: Math.max(160, map.getSize().y - 60), className: "lc-bubble" }).setLatLng(latlng).setContent(box).openOn(map);
    }

    function goTo(name, i) {
      const layer = layers[name];
      const p = layer.data.features.features[i].properties;
      map.closePopup();
      forget();
      map.fitBounds(layer.boxes[i], { maxZoom: 16, padding: [50, 50] });
      const box = element("div", "lc-popup");
      box.appendChild(areaCard(name, i));
      bubble(L.latLng(p.at[1], p.at[0]), box);
      outline(name, i);
    }

    map.on("click", function (event) { if (!map.lifecircleMeasures && !map.lifecircleDraws) show(event.latlng); });
    map.on("popupclose", forget);

    const hint = L.tooltip({ direction: "top", offset: [0, -6], className: "lc-hint" });
    let waiting = false;
    map.on("mousemove", function (event) {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(function () {
        waiting = false;
        let title = null;
        let at = event.latlng;
        const dot = visible("dots") ? layers.dots.pick(at) : -1;
        if (dot >= 0) {
          title = layers.dots.data.names[dot] || words.unnamed;
          at = layers.dots.at(dot);
        } else {
          const name = shownAreas.find(visible);
          const i = name ? layers[name].pick(at) : -1;
          if (i >= 0) {
            const p = layers[name].data.features.features[i].properties;
            title = p.short ? p.name + " · " + p.short : p.name;
          }
        }
        map.getContainer().style.cursor = title === null ? "" : "pointer";
        if (title === null) hint.remove();
        else hint.setLatLng(at).setContent(element("span", "", title)).addTo(map);
      });
    });
    map.on("mouseout", function () { hint.remove(); });

    const panel = document.querySelector(".lc-panel");
    if (!panel) return;
    panel.querySelectorAll("input[data-layer]").forEach(function (box) {
      const layer = layers[box.dataset.layer];
      if (!layer) return;
      box.checked = map.hasLayer(layer);
      box.addEventListener("change", function () {
        if (box.checked) map.addLayer(layer);
        else map.removeLayer(layer);
      });
    });
    panel.querySelectorAll("input[data-group]").forEach(function (box) {
      box.addEventListener("change", function () {
        layers.dots.toggle(Number(box.dataset.group), box.checked);
      });
    });
    panel.querySelectorAll("button[data-area]").forEach(function (button) {
      button.addEventListener("click", function () {
        goTo(button.dataset.area, Number(button.dataset.index));
      });
    });
    panel.querySelectorAll("form select, form input").forEach(function (field) {
      field.addEventListener("change", function () {
        const empty = Array.from(field.form.elements).filter(function (f) { return f.value === ""; });
        empty.forEach(function (f) { f.disabled = true; });
        field.form.submit();
        setTimeout(function () { empty.forEach(function (f) { f.disabled = false; }); }, 0);
      });
    });
    panel.querySelectorAll("[data-width]").forEach(function (bar) {
      bar.style.width = bar.dataset.width + "%";
    });
    panel.querySelectorAll("[data-left]").forEach(function (mark) {
      mark.style.left = mark.dataset.left + "%";
    });
    const tools = {
      element: element, number: number, goTo: goTo, ask: show, bubble: bubble, nextGround: lifecircle.grounds(map, panel, config.tianditu)
    };
    if (config.marks) marks = lifecircle.marks(map, config, tools);
    if (config.ask) tools.answer = answer = lifecircle.answer(map, config, tools);
    desk = lifecircle.view(map, config, tools);
    if (config.working) lifecircle.working(config.working);
    if (config.desk) lifecircle.desk(map, config, tools);
    map.on("lifecircle:filled", function (event) {
      const data = layers[event.name].data;
      const label = panel.querySelector("input[data-layer=" + event.name + "] + span");
      if (label && data.partial) label.textContent = words.streets_partial;
    });
    lifecircle.fill(function (name, again) {
      const box = panel.querySelector("input[data-layer=" + name + "]");
      const retry = element("button", "lc-plain", words.late_failed);
      retry.type = "button";
      retry.addEventListener("click", function () { retry.remove(); again(); });
      box.closest(".lc-layer").appendChild(retry);
    });
    const fold = panel.querySelector(".lc-fold");
    fold.addEventListener("click", function () {
      const folded = document.body.classList.toggle("lc-folded");
      fold.setAttribute("aria-expanded", String(!folded));
      panel.scrollTop = 0;
      map.invalidateSize();
    });
  }

  lifecircle.panel = function (map, config) {
    setUp(map, config);
    document.documentElement.dataset.lifecircle = "ready";
  };
})();
