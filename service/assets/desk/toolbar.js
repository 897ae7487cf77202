/* lifecircle desk: the bar of tools over the map, and what the chosen one asks for. */
(function () {
  "use strict";

  const TOOLS = ["add_facility", "add_way", "close_way", "add_residents", "remove_facility", "change_facility", "remove_residents"];
  const OF = { add_facility: "service", add_way: "kind", add_residents: "residents" }; // what a tool asks for
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

  /* `desk`: {config, words, tools, steps}; `drawn(op, found, settings)`. Returns {take, pen, tools, history}. */
  lifecircle.toolbar = function (map, desk, drawn) {
    const config = desk.config;
    const words = desk.words;
    const element = desk.tools.element;
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
    tool("undo", words.undo, function () { desk.steps.move(-1); }, "Ctrl+Z");
    tool("redo", words.redo, function () { desk.steps.move(1); }, "Ctrl+Y");
    const hint = element("div", "lc-desk-hint");
    hint.hidden = true;
    const settings = {
      service: options(element("select"), config.services, config.service),
      kind: options(element("select"), Object.entries(config.kinds), "footbridge"),
      residents: Object.assign(element("input"), { type: "number", min: 0, step: 1, value: "1000" })
    };
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
        drawn(op, found, settings);
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
    const over = element("div", "lc-desk-tools");
    over.append(bar, hint);
    L.DomEvent.disableClickPropagation(over);
    L.DomEvent.disableScrollPropagation(over);
    map.getContainer().appendChild(over);
    return {
      take: take,
      pen: pen,
      tools: TOOLS,
      history: function () {
        buttons.undo.disabled = !desk.steps.can(-1);
        buttons.redo.disabled = !desk.steps.can(1);
      }
    };
  };
  lifecircle.toolbar.options = options;
})();
