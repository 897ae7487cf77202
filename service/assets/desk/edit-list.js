/* lifecircle desk: the edits as a list; the chosen one has its fields. */
(function () {
  "use strict";

  function whole(text) {
    const value = Number(text);
    return text !== "" && Number.isFinite(value) ? Math.round(value) : null;
  }

  /* `acts`: {choose(k), remove(k), change(k, edit)}; returns {list, show(edits, chosen), wrong(faults)}. */
  lifecircle.editList = function (map, desk, acts) {
    const config = desk.config;
    const words = desk.words;
    const element = desk.tools.element;
    const filled = lifecircle.filled;
    const options = lifecircle.toolbar.options;
    const ofService = Object.fromEntries(config.services);
    const list = element("ol", "lc-edits");

    function metres(coordinates) {
      let sum = 0;
      for (let i = 1; i < coordinates.length; i++) {
        sum += map.distance([coordinates[i - 1][1], coordinates[i - 1][0]], [coordinates[i][1], coordinates[i][0]]);
      }
      return sum;
    }
    function detail(edit) {
      if (edit.op === "add_facility") return ofService[edit.service] || edit.service;
      if (edit.op === "add_way") return config.kinds[edit.kind] + " · " + filled(words.metres, { n: lifecircle.change.grouped(Math.round(metres(edit.coordinates)), 0) });
      if (edit.op === "add_residents") return filled(words.persons, { n: lifecircle.change.grouped(edit.residents, 0) });
      return edit.attributes ? Object.entries(edit.attributes).map(function (pair) {
        return (config.attributes[pair[0]] || pair[0]) + ": " + (pair[1] === null ? words.unknown : config.owners[pair[1]] || pair[1]);
      }).join(", ") : "";
    }
    function show(edits, chosen) {
      list.replaceChildren();
      edits.forEach(function (edit, k) {
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
        head.addEventListener("click", function () { acts.choose(k); });
        const off = element("button", "lc-close", "×");
        off.type = "button";
        off.setAttribute("aria-label", filled(words.remove, { n: k + 1 }));
        off.addEventListener("click", function () { acts.remove(k); });
        item.append(head, off);
        if (k === chosen) item.appendChild(fields(edit, k));
        list.appendChild(item);
      });
      if (!edits.length) list.appendChild(element("li", "lc-note", words.how));
    }
    function fields(edit, k) {
      const form = element("div", "lc-fields");
      function field(title, input, read) {
        const made = element("label", "", title);
        made.appendChild(input);
        form.appendChild(made);
        input.addEventListener("change", function () { acts.change(k, read(input.value)); });
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

    return {
      list: list,
      show: show,
      /* Edits that the service refused are marked, by their numbers from 1. */
      wrong: function (faults) {
        list.querySelectorAll("li").forEach(function (item, k) {
          item.classList.toggle("lc-wrong", faults.some(function (fault) { return fault.row === k + 1; }));
        });
      }
    };
  };
  lifecircle.editList.whole = whole;
})();
