/* lifecircle desk: the tools over the map, the list of edits, the question to the service, the keys.
 * One request at a time; while a pin is dragged only services are asked, everything once it is dropped. */
(function () {
  "use strict";

  const TOOLS = ["add_facility", "add_way", "close_way", "add_residents", "remove_facility", "change_facility", "remove_residents"];
  const PARTS = ["services", "catchments", "circles", "scorecard"];
  const ICONS = {
    add_facility: "M10 3a5 5 0 0 1 5 5c0 4-5 9-5 9S5 12 5 8a5 5 0 0 1 5-5zM10 6v4M8 8h4",
    add_way: "M2 14c4-8 12-8 16 0M2 14v3M18 14v3M10 8v6M6 9.5V14M14 9.5V14M2 14h16",
    close_way: "M3 10a7 7 0 1 0 14 0 7 7 0 1 0-14 0M6 10h8",
    add_residents: "M3 17V8l4-3 4 3v9M11 17v-6h6v6M2 17h16M6 10h2M6 13h2",
    remove_facility: "M10 3a5 5 0 0 1 5 5c0 4-5 9-5 9S5 12 5 8a5 5 0 0 1 5-5zM8 6l4 4M12 6l-4 4",
    change_facility: "M4 16l1-4 8-8 3 3-8 8zM11 6l3 3",
    remove_residents: "M3 17V8l4-3 4 3v9M2 17h11M14 8h5M6 10h2M6 13h2",
    undo: "M7 5L3 9l4 4M3 9h8a5 5 0 0 1 0 9H8",
    redo: "M13 5l4 4-4 4M17 9H9a5 5 0 0 0 0 9h3"
  };

  function icon(name) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 20 20");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", ICONS[name]);
    svg.appendChild(path);
    return svg;
  }

  function options(select, pairs, chosen) {
    pairs.forEach(function (pair) { select.appendChild(new Option(pair[1], pair[0], false, pair[0] === chosen)); });
    return select;
  }

  lifecircle.desk = function (map, page, tools) {
    const config = page.desk;
    const words = config.words;
    const element = tools.element;
    const filled = lifecircle.filled;
    const ofService = Object.fromEntries(config.services);
    const layers = lifecircle.pane(map).layers;
    const changes = L.layerGroup().addTo(map);
    const desk = { config: config, words: words, lang: page.lang, tools: tools, map: map, parts: [] };
    let chosen = -1;
    let focused = null;
    let last = null; // the answer shown
    let secret = "";
    try { secret = sessionStorage.getItem("lifecircle-key") || ""; } catch (error) { /* none kept */ }

    // ---- asking ----------------------------------------------------------------------------

    desk.key = function (text) {
      secret = text;
      try { sessionStorage.setItem("lifecircle-key", text); } catch (error) { /* none kept */ }
      follow();
    };
    desk.send = async function (address, asked) {
      const headers = { accept: "application/json", "accept-language": page.lang === "zh" ? "zh" : "en" };
      if (asked.body) headers["content-type"] = "application/json";
      if (secret) headers["x-api-key"] = secret;
      Object.assign(headers, lifecircle.written());
      const answer = await fetch(address, { method: asked.method || "GET", headers: headers, body: asked.body && JSON.stringify(asked.body) });
      if (answer.status === 204) return null;
      const told = await answer.json();
      if (answer.ok) return told;
      if (answer.status === 401 || answer.status === 403) kept.needKey();
      const error = new Error(told.detail || told.title || String(answer.status));
      error.faults = told.faults || [];
      throw error;
    };
    desk.question = function () {
      const asked = { walker: config.walker };
      if (config.minutes !== null) asked.minutes = config.minutes;
      if (config.by !== null) asked.by = config.by;
      return asked;
    };
    desk.ask = function (edits, parts, base) {
      const asked = base ? { walker: base.walker } : desk.question();
      ["minutes", "by"].forEach(function (name) { if (base && base[name] !== null && base[name] !== undefined) asked[name] = base[name]; });
      const run = base ? base.run : config.run;
      const sent = Array.isArray(edits) ? edits.map(lifecircle.editTools.plain) : edits;
      return desk.send(config.url + "/scenario?" + new URLSearchParams({ run: run, lang: page.lang }), {
        method: "POST", body: { edits: sent, parts: parts, changed_cells: true, ...asked }
      });
    };
    let busy = false;
    let wanted = null;
    function want(edits, parts) {
      wanted = { edits: edits, parts: parts };
      if (!busy) work();
    }
    async function work() {
      busy = true;
      result.setAttribute("aria-busy", "true");
      while (wanted) {
        const mine = wanted;
        wanted = null;
        if (!mine.edits.length) {
          answered(null, mine.parts, 0);
          continue;
        }
        const began = performance.now();
        try {
          answered(await desk.ask(mine.edits, mine.parts), mine.parts, performance.now() - began);
        } catch (error) {
          if (!wanted) refused(error);
        }
      }
      busy = false;
      result.setAttribute("aria-busy", "false");
    }
    function refused(error) {
      last = null;
      lifecircle.change.paint(map, changes, null, null);
      result.replaceChildren(element("p", "lc-unassessed lc-refused", error.message));
      list.querySelectorAll("li").forEach(function (item, k) {
        item.classList.toggle("lc-wrong", (error.faults || []).some(function (fault) { return fault.row === k + 1; }));
      });
      result.dataset.answer = "refused";
    }
    function answered(found, parts, took_ms) {
      last = found;
      desk.parts = parts;
      list.querySelectorAll(".lc-wrong").forEach(function (item) { item.classList.remove("lc-wrong"); });
      draw();
      result.dataset.answer = found ? (parts === PARTS ? "whole" : "moving") : "none";
      result.dataset.ms = took_ms.toFixed(0);
    }
    function draw() {
      lifecircle.change.paint(map, changes, last && last.changed_cells, focused);
      legend.hidden = !last;
      if (!last) {
        result.replaceChildren(element("p", "lc-note", words.nothing_yet));
        return;
      }
      const fresh = lifecircle.change.tell(last, desk);
      const scroll = panel.scrollTop;
      if (desk.parts === PARTS) result.replaceChildren(...fresh);
      else { // what is dear to work out stays as it was, greyed, until the pin is dropped
        const stale = Array.from(result.querySelectorAll(".lc-change")).filter(function (block) {
          return /lc-change-(loads|rule|circles|scorecard)/.test(block.className);
        });
        stale.forEach(function (block) { block.classList.add("lc-stale"); });
        result.replaceChildren(...fresh, ...stale);
      }
      panel.scrollTop = scroll;
    }
    desk.focused = function () { return focused; };
    desk.focus = function (service) {
      focused = service;
      draw();
    };

    // ---- the edits -------------------------------------------------------------------------

    const steps = desk.steps = lifecircle.edits("lifecircle-desk " + config.url, follow);
    function placeOf(edit) {
      if (edit._at) return edit._at;
      const k = edit.id ? config.ids.indexOf(edit.id) : -1;
      return k >= 0 && layers.dots ? layers.dots.data.xy[k] : null;
    }
    desk.placeOf = placeOf;
    function shownAs(edits) {
      return edits.map(function (edit) { return /^(remove|change)_facility$/.test(edit.op) ? Object.assign({}, edit, { _at: placeOf(edit) }) : edit; });
    }
    function follow() {
      if (chosen >= steps.list().length) chosen = -1;
      board.show(shownAs(steps.list()), chosen);
      listEdits();
      history();
      kept.show();
      want(steps.list(), PARTS);
    }
    function put(edits, at) {
      chosen = at;
      steps.put(edits);
    }
    function change(k, edit) {
      put(steps.list().map(function (old, i) { return i === k ? edit : old; }), k);
    }
    function label(edit, k) {
      return k + 1 + " " + config.ops[edit.op] + " " + (edit.name || edit._name || ofService[edit.service] || config.kinds[edit.kind] || edit.id || "");
    }
    const board = lifecircle.board(map, {
      label: label,
      chose: choose,
      moved: function (k, edit, dropped) {
        if (dropped) return change(k, edit);
        const moving = steps.list().map(function (old, i) { return i === k ? edit : old; });
        board.ink(shownAs(moving));
        want(moving, ["services"]);
      }
    });
    function choose(k) {
      chosen = k === chosen ? -1 : k;
      board.show(shownAs(steps.list()), chosen);
      listEdits();
    }

    function add(op, found) {
      const edit = { op: op };
      const id = steps.fresh();
      if (op === "add_facility") Object.assign(edit, { service: settings.service.value, lon: found[0], lat: found[1], id: id });
      else if (op === "add_way") Object.assign(edit, { kind: settings.kind.value, coordinates: found });
      else if (op === "close_way") edit.geometry = { type: "Point", coordinates: found };
      else if (op === "add_residents") {
        Object.assign(edit, { geometry: { type: "Polygon", coordinates: [found] }, residents: whole(settings.residents.value) || 0, id: id });
      } else if (op === "remove_residents") edit.geometry = { type: "Polygon", coordinates: [found] };
      else {
        const name = layers.dots.data.names[found];
        Object.assign(edit, { id: config.ids[found], _name: name || words.unnamed, _at: layers.dots.data.xy[found] });
        if (op === "change_facility") edit.attributes = { ownership: "government" };
      }
      put(steps.list().concat([edit]), steps.list().length);
    }
    function whole(text) {
      const value = Number(text);
      return text !== "" && Number.isFinite(value) ? Math.round(value) : null;
    }

    // ---- the bar of tools ------------------------------------------------------------------

    const bar = element("div", "lc-desk-bar");
    bar.setAttribute("role", "toolbar");
    bar.setAttribute("aria-label", words.tools);
    const buttons = {};
    function tool(name, title, act, number) {
      const made = element("button");
      made.type = "button";
      made.dataset.tool = name;
      made.title = number ? title + " (" + number + ")" : title;
      made.setAttribute("aria-label", title);
      made.appendChild(icon(name));
      made.appendChild(element("span", "", title));
      made.addEventListener("click", act);
      bar.appendChild(made);
      buttons[name] = made;
    }
    TOOLS.forEach(function (op, k) { tool(op, config.ops[op], function () { take(pen.op() === op ? null : op); }, k + 1); });
    tool("undo", words.undo, function () { steps.move(-1); }, "Ctrl+Z");
    tool("redo", words.redo, function () { steps.move(1); }, "Ctrl+Y");
    const hint = element("div", "lc-desk-hint");
    hint.hidden = true;
    const settings = {
      service: options(element("select"), config.services, config.service),
      kind: options(element("select"), Object.entries(config.kinds), "footbridge"),
      residents: Object.assign(element("input"), { type: "number", min: 0, step: 1, value: "1000" })
    };
    const OF = { add_facility: "service", add_way: "kind", add_residents: "residents" };
    Object.keys(settings).forEach(function (name) { settings[name].setAttribute("aria-label", words["ask_" + name]); });
    const said = element("span", "lc-desk-said");
    said.setAttribute("role", "status");
    const finish = element("button", "lc-act", words.finish);
    finish.type = "button";
    const cancel = element("button", "lc-act", words.cancel);
    cancel.type = "button";
    cancel.addEventListener("click", function () { take(null); });
    const pen = lifecircle.pen(map, {
      done: function (op, found) {
        add(op, found);
        if (op !== "close_way" && op !== "remove_facility") take(null);
      },
      drawn: function (corners) { finish.hidden = !pen.drawsShape() || corners < 2; },
      say: function (key) { said.textContent = words[key]; }
    });
    finish.addEventListener("click", pen.finish);
    function take(op) {
      pen.use(op);
      TOOLS.forEach(function (name) { buttons[name].setAttribute("aria-pressed", String(name === op)); });
      hint.hidden = !op;
      hint.replaceChildren();
      if (!op) return;
      said.textContent = config.hints[op];
      if (OF[op]) {
        const field = element("label", "", words["ask_" + OF[op]]);
        field.appendChild(settings[OF[op]]);
        hint.appendChild(field);
      }
      hint.append(said, finish, cancel);
    }
    function history() {
      buttons.undo.disabled = !steps.can(-1);
      buttons.redo.disabled = !steps.can(1);
    }
    const over = element("div", "lc-desk-tools");
    over.append(bar, hint);
    L.DomEvent.disableClickPropagation(over);
    L.DomEvent.disableScrollPropagation(over);
    map.getContainer().appendChild(over);

    // ---- the list --------------------------------------------------------------------------

    const panel = document.querySelector(".lc-panel");
    const box = element("section", "lc-block lc-desk");
    box.appendChild(element("h2", "", words.edits));
    const list = element("ol", "lc-edits");
    box.appendChild(list);
    const result = element("div", "lc-result");
    result.setAttribute("aria-live", "polite");
    const legend = element("ul", "lc-legend lc-change-legend");
    ["gained", "lost", "new"].forEach(function (name) {
      const item = element("li");
      const mark = element("i", "lc-swatch lc-dot");
      mark.style.background = lifecircle.change.colours[name];
      item.append(mark, element("span", "", words["map_" + name]));
      legend.appendChild(item);
    });
    box.append(element("h2", "", words.change), legend, result);

    function detail(edit) {
      if (edit.op === "add_facility") return ofService[edit.service] || edit.service;
      if (edit.op === "add_way") return config.kinds[edit.kind] + " · " + filled(words.metres, { n: lifecircle.change.grouped(Math.round(metres(edit.coordinates)), 0) });
      if (edit.op === "add_residents") return filled(words.persons, { n: lifecircle.change.grouped(edit.residents, 0) });
      return edit.attributes ? Object.entries(edit.attributes).map(function (pair) {
        return (config.attributes[pair[0]] || pair[0]) + ": " + (pair[1] === null ? words.unknown : config.owners[pair[1]] || pair[1]);
      }).join(", ") : "";
    }
    function metres(coordinates) {
      let sum = 0;
      for (let i = 1; i < coordinates.length; i++) {
        sum += map.distance([coordinates[i - 1][1], coordinates[i - 1][0]], [coordinates[i][1], coordinates[i][0]]);
      }
      return sum;
    }
    function listEdits() {
      list.replaceChildren();
      steps.list().forEach(function (edit, k) {
        const item = element("li", k === chosen ? "lc-chosen" : "");
        const head = element("button", "lc-edit");
        head.type = "button";
        head.setAttribute("aria-expanded", String(k === chosen));
        head.appendChild(element("i", "lc-pin lc-pin-" + edit.op, String(k + 1)));
        const told = element("span");
        told.appendChild(element("b", "", config.ops[edit.op]));
        const named = edit.name || edit._name || (/^(remove|change)_facility$/.test(edit.op) ? edit.id : null);
        told.appendChild(element("span", "lc-edit-name", [named, detail(edit)].filter(Boolean).join(" · ")));
        head.appendChild(told);
        head.addEventListener("click", function () { choose(k); });
        const off = element("button", "lc-close", "×");
        off.type = "button";
        off.setAttribute("aria-label", filled(words.remove, { n: k + 1 }));
        off.addEventListener("click", function () { remove(k); });
        item.append(head, off);
        if (k === chosen) item.appendChild(fields(edit, k));
        list.appendChild(item);
      });
      if (!steps.list().length) list.appendChild(element("li", "lc-note", words.how));
    }
    function remove(k) {
      put(steps.list().filter(function (edit, i) { return i !== k; }), -1);
    }
    function fields(edit, k) {
      const form = element("div", "lc-fields");
      function field(title, input, read) {
        const made = element("label", "", title);
        made.appendChild(input);
        form.appendChild(made);
        input.addEventListener("change", function () { change(k, read(input.value)); });
        return input;
      }
      function typed(type, value, most) {
        const made = element("input");
        made.type = type;
        made.value = value === undefined || value === null ? "" : value;
        if (type === "text") made.maxLength = most;
        else made.min = 0;
        return made;
      }
      function having(more) { return Object.assign({}, edit, more); }
      function attribute(name, value) {
        const attributes = Object.assign({}, edit.attributes);
        if (value === null) delete attributes[name];
        else attributes[name] = value;
        return having({ attributes: attributes });
      }
      if (edit.op === "add_facility") {
        field(words.ask_service, options(element("select"), config.services, edit.service), function (value) { return having({ service: value }); });
        field(words.field_name, typed("text", edit.name, 200), function (value) {
          const next = having({ name: value });
          if (!value.trim()) delete next.name;
          return next;
        });
      }
      if (edit.op === "add_facility" || edit.op === "change_facility") {
        const held = edit.attributes || {};
        field(config.attributes.ownership, options(element("select"), [["", words.not_given]].concat(Object.entries(config.owners)), held.ownership || ""),
          function (value) { return attribute("ownership", value || null); });
        field(config.attributes.capacity, typed("number", held.capacity), function (value) { return attribute("capacity", whole(value)); });
      }
      if (edit.op === "add_way") {
        field(words.ask_kind, options(element("select"), Object.entries(config.kinds), edit.kind), function (value) { return having({ kind: value }); });
      }
      if (edit.op === "add_residents") {
        field(words.ask_residents, typed("number", edit.residents), function (value) { return having({ residents: whole(value) || 0 }); });
        Object.keys(config.groups).forEach(function (group) {
          field(config.groups[group], typed("number", (edit.groups || {})[group]), function (value) {
            const groups = Object.assign({}, edit.groups);
            if (whole(value) === null) delete groups[group];
            else groups[group] = whole(value);
            return having({ groups: groups });
          });
        });
      }
      return form;
    }

    // ---- keys ------------------------------------------------------------------------------

    document.addEventListener("keydown", function (event) {
      const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
      const control = event.ctrlKey || event.metaKey;
      const key = event.key.toLowerCase();
      if (control && !typing && (key === "z" || key === "y")) {
        steps.move(key === "y" || event.shiftKey ? 1 : -1);
        return stop(event);
      }
      if (pen.op() && event.key === "Escape") {
        take(null);
        return stop(event);
      }
      if (typing || control || event.altKey || document.querySelector(".lc-beside")) return;
      if (/^[1-7]$/.test(key)) {
        take(TOOLS[key - 1]);
        pen.aim();
        map.getContainer().focus({ preventScroll: true });
        return stop(event);
      }
      const onMap = event.target === map.getContainer() || event.target === document.body;
      if (pen.op() && onMap && event.key === "Enter") {
        if (event.shiftKey) pen.finish();
        else pen.centre();
        return stop(event);
      }
      if (pen.op() && pen.begun() && event.key === "Backspace") {
        pen.back();
        return stop(event);
      }
      if (!pen.op() && chosen >= 0 && event.key === "Delete") {
        remove(chosen);
        return stop(event);
      }
    }, true);
    function stop(event) {
      event.preventDefault();
      event.stopPropagation();
    }

    const kept = lifecircle.kept(desk);
    (panel.querySelector(".lc-form") || panel.querySelector(".lc-layers")).before(box, kept.box);
    take(null);
    follow();
  };
})();
