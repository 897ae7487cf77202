/* lifecircle desk: the edits, what they change, and who asks the service about them.
 * While a pin is dragged only services are asked, everything once it is dropped. */
(function () {
  "use strict";

  const PARTS = ["services", "catchments", "circles", "scorecard"];

  lifecircle.desk = function (map, page, tools) {
    const config = page.desk;
    const words = config.words;
    const element = tools.element;
    const ofService = Object.fromEntries(config.services);
    const layers = lifecircle.pane(map).layers;
    const changes = lifecircle.changedCells(map);
    const asking = lifecircle.asking(config, page.lang, {
      needKey: function () { kept.needKey(); },
      busy: function (on) { result.setAttribute("aria-busy", String(on || (warming && !last))); },
      answered: answered,
      refused: refused
    });
    const desk = {
      config: config, words: words, lang: page.lang, tools: tools, map: map, parts: [],
      send: asking.send, ask: asking.ask, question: asking.question, placeOf: placeOf,
      key: function (text) {
        asking.key(text);
        follow();
      },
      /* What a place without a name is called that was drawn here: its number and its kind of edit. */
      drawn: function (id) {
        const k = steps.list().findIndex(function (edit) { return edit.op === "add_facility" && edit.id === id; });
        return k < 0 ? null : k + 1 + " " + config.ops.add_facility;
      },
      focused: function () { return focused; },
      focus: function (service) {
        focused = service;
        draw();
      }
    };
    let chosen = -1;
    let focused = null;
    let last = null; // the answer shown
    let warming = true;

    // ---- what is told ----------------------------------------------------------------------

    const panel = document.querySelector(".lc-panel");
    const box = element("section", "lc-block lc-desk");
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

    function refused(error) {
      last = null;
      lifecircle.change.paint(changes, null, null);
      result.replaceChildren(element("p", "lc-unassessed lc-refused", error.message));
      list.wrong(error.faults || []);
      result.dataset.answer = "refused";
    }
    function answered(found, parts, took_ms) {
      last = found;
      desk.parts = parts;
      list.wrong([]);
      draw();
      result.dataset.answer = found ? (parts === PARTS ? "whole" : "moving") : "none";
      result.dataset.ms = took_ms.toFixed(0);
    }
    function draw() {
      lifecircle.change.paint(changes, last && last.changed_cells, focused);
      legend.hidden = !last;
      if (!last) {
        result.replaceChildren(element("p", "lc-note", warming ? words.warming : words.nothing_yet));
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
    /* The first answer would wait for everything before the edits: it is asked for when the page opens. */
    function warm() {
      result.setAttribute("aria-busy", "true");
      asking.warm().catch(function () { /* the first edit says what is wrong */ }).then(function () {
        warming = false;
        result.dataset.warm = "1";
        result.setAttribute("aria-busy", String(asking.busy()));
        if (!steps.list().length) draw();
      });
    }

    // ---- the edits -------------------------------------------------------------------------

    const steps = desk.steps = lifecircle.edits("lifecircle-desk " + config.url, follow);
    function placeOf(edit) {
      if (edit._at) return edit._at;
      const k = edit.id ? config.ids.indexOf(edit.id) : -1;
      return k >= 0 && layers.dots ? layers.dots.data.xy[k] : null;
    }
    function shownAs(edits) {
      return edits.map(function (edit) { return /^(remove|change)_facility$/.test(edit.op) ? Object.assign({}, edit, { _at: placeOf(edit) }) : edit; });
    }
    function follow() {
      if (chosen >= steps.list().length) chosen = -1;
      board.show(shownAs(steps.list()), chosen);
      list.show(steps.list(), chosen);
      bar.history();
      kept.show();
      asking.want(steps.list(), PARTS);
    }
    function put(edits, at) {
      chosen = at;
      steps.put(edits);
    }
    function change(k, edit) {
      put(steps.list().map(function (old, i) { return i === k ? edit : old; }), k);
    }
    function remove(k) {
      put(steps.list().filter(function (edit, i) { return i !== k; }), -1);
    }
    function choose(k) {
      chosen = k === chosen ? -1 : k;
      board.show(shownAs(steps.list()), chosen);
      list.show(steps.list(), chosen);
    }
    const board = lifecircle.board(map, {
      label: function (edit, k) {
        return k + 1 + " " + config.ops[edit.op] + " " + (edit.name || edit._name || ofService[edit.service] || config.kinds[edit.kind] || edit.id || "");
      },
      chose: choose,
      moved: function (k, edit, dropped) {
        if (dropped) return change(k, edit);
        const moving = steps.list().map(function (old, i) { return i === k ? edit : old; });
        board.ink(shownAs(moving), k);
        asking.want(moving, ["services"]);
      }
    });
    function add(op, found, settings) {
      const edit = { op: op };
      const id = steps.fresh();
      if (op === "add_facility") Object.assign(edit, { service: settings.service.value, lon: found[0], lat: found[1], id: id });
      else if (op === "add_way") Object.assign(edit, { kind: settings.kind.value, coordinates: found });
      else if (op === "close_way") edit.geometry = { type: "Point", coordinates: found };
      else if (op === "add_residents") {
        Object.assign(edit, { geometry: { type: "Polygon", coordinates: [found] }, residents: lifecircle.editList.whole(settings.residents.value) || 0, id: id });
      } else if (op === "remove_residents") edit.geometry = { type: "Polygon", coordinates: [found] };
      else {
        const name = layers.dots.data.names[found];
        Object.assign(edit, { id: config.ids[found], _name: name || words.unnamed, _at: layers.dots.data.xy[found] });
        if (op === "change_facility") edit.attributes = { ownership: "government" };
      }
      put(steps.list().concat([edit]), steps.list().length);
    }

    const bar = lifecircle.toolbar(map, desk, add);
    const list = lifecircle.editList(map, desk, { choose: choose, remove: remove, change: change });
    lifecircle.deskKeys(map, bar, {
      undo: function (by) { steps.move(by); },
      chosen: function () { return chosen; },
      remove: function () { remove(chosen); }
    });
    box.append(element("h2", "", words.edits), list.list, element("h2", "", words.change), legend, result);
    const kept = lifecircle.kept(desk);
    (panel.querySelector(".lc-form") || panel.querySelector(".lc-layers")).before(box, kept.box);
    bar.take(null);
    follow();
    warm();
  };
})();
