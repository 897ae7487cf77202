/* lifecircle: the state in the address, the table of units, search, keys, full screen, print, picture. */
(function () {
  "use strict";

  const SVG = "http://www.w3.org/2000/svg";
  const ICONS = {
    full: "M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4",
    print: "M6 8V3h8v5M5 14H3V8h14v6h-2M6 12h8v5H6z",
    picture: "M10 3v9M6 9l4 4 4-4M3 16h14",
    measure: "M2 13L13 2l5 5L7 18zM5 10l2 2M8 7l3 3M11 4l2 2"
  };

  function icon(name) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", "0 0 20 20");
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", ICONS[name]);
    svg.appendChild(path);
    return svg;
  }

  /* Zoom, middle, layers that are off and the place asked about stand after the # of the address. */
  function keepState(map, config, answer) {
    const layers = lifecircle.scene(map).layers;
    let ready = false;

    function usuallyOff(name) { return layers[name].options.usuallyOff === true; }

    function written() {
      const middle = map.getCenter();
      const parts = [[map.getZoom(), middle.lat.toFixed(5), middle.lng.toFixed(5)].join("/")];
      const names = Object.keys(layers);
      const off = names.filter(function (name) { return !map.hasLayer(layers[name]) && !usuallyOff(name); });
      const on = names.filter(function (name) { return map.hasLayer(layers[name]) && usuallyOff(name); });
      if (off.length) parts.push("off=" + off.join(","));
      if (on.length) parts.push("on=" + on.join(","));
      const place = answer ? answer.place() : null;
      if (place) parts.push("at=" + place.lat.toFixed(6) + "," + place.lng.toFixed(6));
      return "#" + parts.join("&");
    }

    function save() {
      if (!ready || map.lifecircleFits) return; // only what a reader did is kept
      try {
        history.replaceState(null, "", written());
      } catch (error) {
        ready = false; // a page without an address of its own, such as a notebook's
      }
    }

    function restore() {
      const parts = decodeURIComponent(location.hash.slice(1)).split("&");
      const where = parts[0].split("/").map(Number);
      if (where.length === 3 && where.every(Number.isFinite)) {
        map.setView([where[1], where[2]], where[0], { animate: false });
      }
      parts.slice(1).forEach(function (part) {
        const value = part.slice(part.indexOf("=") + 1);
        if (part.startsWith("off=")) {
          value.split(",").forEach(function (name) {
            if (layers[name]) map.removeLayer(layers[name]);
          });
        }
        if (part.startsWith("on=")) {
          value.split(",").forEach(function (name) {
            if (layers[name]) map.addLayer(layers[name]);
          });
        }
        if (part.startsWith("at=") && answer) {
          const at = value.split(",").map(Number);
          if (at.length === 2 && at.every(Number.isFinite)) answer.at(L.latLng(at[0], at[1]), null);
        }
      });
      document.querySelectorAll("input[data-layer]").forEach(function (box) {
        if (layers[box.dataset.layer]) box.checked = map.hasLayer(layers[box.dataset.layer]);
      });
    }

    if (location.hash.length > 1) restore();
    ready = location.protocol !== "about:";
    map.on("moveend layeradd layerremove lifecircle:place", save);
    document.querySelectorAll(".lc-tabs a, .lc-lang").forEach(function (link) {
      link.addEventListener("click", function () { link.hash = location.hash; });
    });
    document.querySelectorAll(".lc-form").forEach(function (form) {
      form.addEventListener("change", function () { form.action = location.pathname + location.hash; }, true);
    });
  }

  /* The units as a table that can be sorted; a row leads to its polygon and a click on the map to its row. */
  function unitTable(map, config, tools) {
    const layer = lifecircle.scene(map).layers.units;
    const told = config.table;
    if (!layer || !told) return null;
    const features = layer.data.features.features;
    const block = tools.element("details", "lc-block lc-table");
    block.appendChild(tools.element("summary", "", lifecircle.filled(told.title, { n: features.length })));
    const table = tools.element("table");
    const head = table.createTHead().insertRow();
    const body = table.createTBody();
    const columns = [told.name].concat(told.columns.map(function (k) { return layer.data.labels[k]; }));
    const rows = features.map(function (feature, i) {
      const p = feature.properties;
      const values = [p.name].concat(told.columns.map(function (k) { return p.values[k]; }));
      const row = body.insertRow();
      row.tabIndex = 0;
      row.dataset.unit = i;
      values.forEach(function (value) { row.insertCell().textContent = value === null ? "–" : value; });
      function go() { tools.goTo("units", i); }
      row.addEventListener("click", go);
      row.addEventListener("keydown", function (event) { if (event.key === "Enter") go(); });
      return { row: row, values: values };
    });
    function figure(text) {
      const plain = parseFloat(String(text).replace(/[,%<\s]/g, ""));
      return Number.isNaN(plain) ? null : plain;
    }
    columns.forEach(function (label, k) {
      const cell = tools.element("th");
      cell.scope = "col";
      const button = tools.element("button", "", label);
      button.type = "button";
      button.addEventListener("click", function () {
        const down = cell.getAttribute("aria-sort") !== "descending";
        head.querySelectorAll("th").forEach(function (other) { other.removeAttribute("aria-sort"); });
        cell.setAttribute("aria-sort", down ? "descending" : "ascending");
        const sign = down ? -1 : 1;
        rows.slice().sort(function (a, b) {
          if (k === 0) return sign * String(a.values[0]).localeCompare(String(b.values[0]), config.lang === "zh" ? "zh" : "en");
          const x = figure(a.values[k]), y = figure(b.values[k]);
          if (x === null || y === null) return (x === null) - (y === null); // unknown stays last
          return sign * (x - y);
        }).forEach(function (one) { body.appendChild(one.row); });
      });
      cell.appendChild(button);
      head.appendChild(cell);
    });
    const scroll = tools.element("div", "lc-scroll");
    scroll.appendChild(table);
    block.appendChild(scroll);
    const before = document.querySelector(".lc-panel .lc-layers");
    if (before) before.before(block);
    return {
      mark: function (i) {
        rows.forEach(function (one, k) { one.row.classList.toggle("lc-chosen", k === i); });
        if (i >= 0 && block.open) rows[i].row.scrollIntoView({ block: "nearest" });
      }
    };
  }

  /* Search asks the service; what is found is gone to. */
  function search(map, config, tools, answer) {
    const asked = config.ask;
    const form = tools.element("div", "lc-search");
    const input = tools.element("input");
    input.type = "search";
    input.placeholder = asked.words.search;
    input.setAttribute("aria-label", asked.words.search);
    input.maxLength = 64;
    const list = tools.element("ul");
    list.hidden = true;
    form.appendChild(input);
    form.appendChild(list);
    document.querySelector(".lc-panel .lc-head").appendChild(form);
    let turn = 0;
    let waiting = 0;

    function go(hit) {
      list.hidden = true;
      if (hit.kind === "service") {
        const address = new URL(location.href);
        address.searchParams.set("service", hit.id);
        location.assign(address);
        return;
      }
      const b = hit.bbox;
      // across the antimeridian the west is larger than the east
      const east = b && b[2] < b[0] ? b[2] + 360 : b && b[2];
      if (b) map.fitBounds([[b[1], b[0]], [b[3], east]], { maxZoom: 16, padding: [40, 40] });
      else map.setView([hit.lat, hit.lon], Math.max(map.getZoom(), 16));
      answer.at(L.latLng(hit.lat, hit.lon), null);
    }

    async function ask() {
      const mine = ++turn;
      const text = input.value.trim();
      if (!text) {
        list.hidden = true;
        return;
      }
      const query = new URLSearchParams({ q: text, run: asked.run, lang: config.lang });
      const found = await fetch(asked.url + "/search?" + query);
      if (mine !== turn || !found.ok) return;
      const hits = (await found.json()).hits;
      list.replaceChildren();
      hits.forEach(function (hit) {
        const item = tools.element("li");
        const button = tools.element("button");
        button.type = "button";
        button.appendChild(tools.element("span", "", hit.name));
        button.appendChild(tools.element("i", "", hit.kind_title));
        button.addEventListener("click", function () { go(hit); });
        item.appendChild(button);
        list.appendChild(item);
      });
      if (!hits.length) list.appendChild(tools.element("li", "lc-note", asked.words.nothing_found));
      list.hidden = false;
    }

    input.addEventListener("focus", function () { // the first search spells all names: begin early
      fetch(asked.url + "/search?" + new URLSearchParams({ q: ".", run: asked.run })).catch(function () {});
    }, { once: true });
    input.addEventListener("input", function () {
      clearTimeout(waiting);
      waiting = setTimeout(ask, 120);
    });
    form.addEventListener("keydown", function (event) {
      const buttons = Array.from(list.querySelectorAll("button"));
      const k = buttons.indexOf(document.activeElement);
      if (event.key === "ArrowDown" && buttons.length) {
        buttons[Math.min(k + 1, buttons.length - 1)].focus();
        event.preventDefault();
      } else if (event.key === "ArrowUp" && buttons.length) {
        (k > 0 ? buttons[k - 1] : input).focus();
        event.preventDefault();
      } else if (event.key === "Enter" && document.activeElement === input && buttons.length) {
        buttons[0].click();
      } else if (event.key === "Escape") {
        list.hidden = true;
        event.stopPropagation();
      }
    });
    return input;
  }

  /* Room for one sheet of paper, the same part of the land on it. */
  function paper(map) {
    let view = null;
    function begin() {
      if (view) return;
      view = map.getBounds().pad(-0.01);
      document.body.classList.add("lc-paper");
      show();
    }
    function show() {
      map.lifecircleFits = true;
      map.invalidateSize({ animate: false, pan: false });
      map.fitBounds(view, { animate: false });
      map.lifecircleFits = false;
    }
    function end() {
      if (!view) return;
      document.body.classList.remove("lc-paper");
      show();
      view = null;
    }
    window.addEventListener("beforeprint", begin);
    window.addEventListener("afterprint", end);
  }

  function text(context, said, x, y, font, colour) {
    context.font = font + " \"Noto Sans CJK SC\", \"WenQuanYi Zen Hei\", sans-serif";
    context.fillStyle = colour;
    context.fillText(said, x, y);
  }

  /* The map as a picture with title, legend, scale, north, sources: from its own canvases and words. */
  function picture(map, config) {
    const frame = map.getContainer();
    const outer = frame.getBoundingClientRect();
    const ratio = Math.max(2, window.devicePixelRatio || 1);
    const top = 56;
    const marks = Array.from(document.querySelectorAll(".lc-legend li")).filter(function (mark) {
      const layer = mark.closest(".lc-layer");
      return !mark.closest("[hidden]") && (!layer || layer.querySelector("input").checked);
    });
    const perRow = Math.max(1, Math.floor((outer.width - 32) / 170));
    const foot = 44 + 20 * Math.ceil(marks.length / perRow) + 22;
    const sheet = document.createElement("canvas");
    sheet.width = outer.width * ratio;
    sheet.height = (outer.height + top + foot) * ratio;
    const context = sheet.getContext("2d");
    context.scale(ratio, ratio);
    context.fillStyle = "#ffffff";
    context.fillRect(0, 0, outer.width, outer.height + top + foot);
    context.save();
    context.beginPath();
    context.rect(0, top, outer.width, outer.height);
    context.clip();
    context.fillStyle = "#f7f7f4";
    context.fillRect(0, top, outer.width, outer.height);
    const panes = Array.from(frame.querySelectorAll(".leaflet-pane")).sort(function (a, b) {
      return (parseInt(getComputedStyle(a).zIndex, 10) || 0) - (parseInt(getComputedStyle(b).zIndex, 10) || 0);
    });
    panes.forEach(function (pane) {
      pane.querySelectorAll("canvas").forEach(function (canvas) {
        if (canvas.closest(".leaflet-pane") !== pane) return;
        const at = canvas.getBoundingClientRect();
        if (at.width) context.drawImage(canvas, at.left - outer.left, at.top - outer.top + top, at.width, at.height);
      });
    });
    context.textAlign = "center";
    frame.querySelectorAll(".lc-label > *, .lc-ground-name").forEach(function (label) {
      const at = label.getBoundingClientRect();
      const x = at.left + at.width / 2 - outer.left;
      const y = at.bottom - outer.top + top - 4;
      context.lineWidth = 3;
      context.strokeStyle = "rgba(255,255,255,.9)";
      context.font = "12px \"Noto Sans CJK SC\", \"WenQuanYi Zen Hei\", sans-serif";
      context.strokeText(label.textContent, x, y);
      text(context, label.textContent, x, y, "12px", "#23282c");
    });
    context.restore();
    context.textAlign = "left";
    const words = config.picture;
    text(context, words.title, 16, 30, "600 20px", "#1f2428");
    text(context, words.subtitle, 16, 48, "12px", "#5d666d");
    context.textAlign = "center";
    text(context, "N", outer.width - 26, top + 24, "600 14px", "#23282c");
    context.beginPath();
    context.moveTo(outer.width - 26, top + 30);
    context.lineTo(outer.width - 20, top + 50);
    context.lineTo(outer.width - 32, top + 50);
    context.fill();
    context.textAlign = "left";
    const ruler = frame.querySelector(".leaflet-control-scale-line");
    let y = top + outer.height + 26;
    if (ruler) {
      const wide = ruler.getBoundingClientRect().width;
      context.fillRect(16, y, wide, 2);
      context.fillRect(16, y - 5, 1.5, 7);
      context.fillRect(16 + wide - 1.5, y - 5, 1.5, 7);
      text(context, ruler.textContent, 22, y - 4, "11px", "#23282c");
    }
    y += 20;
    marks.forEach(function (mark, k) {
      const x = 16 + (k % perRow) * 170;
      const line = y + 20 * Math.floor(k / perRow);
      const drawn = mark.querySelector("canvas");
      if (drawn) {
        context.drawImage(drawn, x - 1, line - 12, 16, 16);
      } else {
        context.fillStyle = mark.querySelector(".lc-swatch").style.background;
        context.fillRect(x, line - 10, 14, mark.querySelector(".lc-line") ? 3 : 11);
        if (mark.querySelector(".lc-hatch")) {
          context.fillStyle = "#ffffff";
          for (let k = 2; k < 14; k += 4) context.fillRect(x + k, line - 10, 2, 11);
        }
      }
      text(context, mark.textContent.trim(), x + 20, line, "12px", "#3b4248");
    });
    text(context, words.sources, 16, top + outer.height + foot - 8, "11px", "#5d666d");
    sheet.toBlob(function (blob) {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = words.file + ".png";
      link.click();
      setTimeout(function () { URL.revokeObjectURL(link.href); }, 10000);
    }, "image/png");
  }

  lifecircle.view = function (map, config, tools) {
    const words = config.tools;
    const bar = L.DomUtil.create("div", "leaflet-bar lc-tools");
    function button(name, act) {
      const made = L.DomUtil.create("a", "", bar);
      made.href = "#";
      made.setAttribute("role", "button");
      made.title = words[name];
      made.setAttribute("aria-label", words[name]);
      made.dataset.tool = name;
      made.appendChild(icon(name));
      L.DomEvent.on(made, "click", function (event) {
        L.DomEvent.stop(event);
        act();
      });
    }
    function full() {
      if (document.fullscreenElement) document.exitFullscreen();
      else if (document.documentElement.requestFullscreen) document.documentElement.requestFullscreen();
    }
    button("full", full);
    button("print", function () { window.print(); });
    button("picture", function () { picture(map, config); });
    const rule = lifecircle.measure(map, config, tools);
    button("measure", function () { measured(rule.toggle()); });
    function measured(on) {
      bar.querySelector("[data-tool=measure]").setAttribute("aria-pressed", String(on));
    }
    const control = L.control({ position: "topleft" });
    control.onAdd = function () { return bar; };
    control.addTo(map);
    map.getContainer().setAttribute("aria-label", words.map);
    map.getContainer().setAttribute("role", "application");
    paper(map);
    const answer = tools.answer;
    const table = unitTable(map, config, tools);
    const input = answer ? search(map, config, tools, answer) : null;
    keepState(map, config, answer);
    document.addEventListener("keydown", function (event) {
      const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
      if (event.key === "Escape") {
        map.closePopup();
        rule.clear();
        measured(false);
        if (answer) answer.clear();
      }
      if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "/" && input) {
        event.preventDefault();
        input.focus();
      } else if (event.key === "f") {
        full();
      } else if (event.key === "m") {
        measured(rule.toggle());
      } else if (event.key === "Enter" && answer && event.target === map.getContainer()) {
        tools.ask(map.getCenter());
      }
    });
    return { table: table };
  };
})();
