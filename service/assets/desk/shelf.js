/* lifecircle desk: the list of kept scenarios; each can be opened, chosen, mailed, drawn on the run
 * shown, followed through its versions, and put away. */
(function () {
  "use strict";

  /* `acts`: {open(id), say(text, wrong), changed(), rebased(one)}; returns {list, refresh, chosen, mark}. */
  lifecircle.shelf = function (desk, address, acts) {
    const config = desk.config;
    const words = desk.words;
    const element = desk.tools.element;
    const filled = lifecircle.filled;
    const signed = lifecircle.change.signed;
    const chosen = new Set();
    const list = element("ul", "lc-scenarios");

    function failed(error) { acts.say(error.message, true); }
    function moved(one) {
      return filled(words.people_n, { before: signed(one.winners, "+"), after: signed(one.losers, "−") });
    }
    function plain(into, name, act) {
      const made = element("button", "lc-plain", words[name]);
      made.type = "button";
      made.dataset.act = name;
      made.addEventListener("click", function () { Promise.resolve(act(made)).catch(failed); });
      into.appendChild(made);
      return made;
    }

    /* A page that opens this scenario, under the question it was drawn with. */
    function linkTo(one) {
      const query = new URLSearchParams({ lang: desk.lang, service: config.service });
      ["minutes", "walker", "by"].forEach(function (name) {
        if (one[name] !== null && one[name] !== undefined) query.set(name, one[name]);
      });
      query.set("scenario", one.id);
      return location.origin + location.pathname + "?" + query;
    }
    async function copy(one, item) {
      const link = linkTo(one);
      try {
        await navigator.clipboard.writeText(link);
        acts.say(words.link_copied);
      } catch (error) { // no clipboard on plain http: to be copied by hand
        const field = item.querySelector(".lc-link-text") || item.appendChild(element("input", "lc-link-text"));
        field.readOnly = true;
        field.value = link;
        field.setAttribute("aria-label", words.link_by_hand);
        field.focus();
        field.select();
        acts.say(words.link_by_hand);
      }
    }

    /* Drawn on the run shown; what no longer fits is named before anything is left out. */
    async function rebase(one, item, leaveOut) {
      const old = item.querySelector(".lc-misfits");
      if (old) old.remove();
      const found = await desk.send(address + "/" + one.id + "/rebase", {
        method: "POST", body: { version: one.version, run: config.run, leave_out: leaveOut }
      });
      if (found.rebased) {
        acts.rebased(found.scenario);
        await refresh();
        return acts.say(filled(words.rebased, { name: one.title, before: moved(one), after: moved(found.scenario) }));
      }
      acts.say(filled(leaveOut ? words.rebase_nothing : words.rebase_misfits, { name: one.title, n: found.misfits.length }), true);
      const box = element("div", "lc-misfits");
      const faults = element("ul");
      found.misfits.forEach(function (fault) {
        const line = element("li");
        const told = element("div");
        told.append(element("b", "", config.ops[fault.op] || fault.op), element("span", "", fault.text));
        line.append(element("i", "lc-pin lc-pin-" + fault.op, String(fault.edit)), told);
        faults.appendChild(line);
      });
      box.appendChild(faults);
      if (!leaveOut && found.misfits.length < one.edits_in_all) plain(box, "rebase_without", function () { return rebase(one, item, true); });
      item.appendChild(box);
    }

    function writer(name) { return name === "local" ? words.local : name; }

    /* Every step with who and when, and what it changed. */
    async function tellHistory(one, into) {
      const found = await desk.send(address + "/" + one.id, {});
      into.replaceChildren();
      found.history.slice().reverse().forEach(function (step) {
        const line = element("li");
        const when = new Date(step.at);
        const at = Number.isNaN(when.getTime()) ? step.at : when.toLocaleString(desk.lang === "zh" ? "zh-CN" : "en-GB", { dateStyle: "short", timeStyle: "short" });
        const action = step.action.slice(step.action.lastIndexOf(".") + 1);
        line.append(element("b", "", words["did_" + action] || step.action), element("span", "", " " + at + " · " + writer(step.actor)));
        const said = differs(step.before || {}, step.after || {});
        if (said) line.appendChild(element("span", "lc-said-note", said));
        into.appendChild(line);
      });
    }
    function differs(before, after) {
      const said = [];
      if (before.title && after.title && before.title !== after.title) said.push(before.title + " → " + after.title);
      if (before.run && after.run && before.run !== after.run) said.push(words.history_run + " " + before.run + " → " + after.run);
      if (before.edits && after.edits && JSON.stringify(before.edits) !== JSON.stringify(after.edits)) {
        said.push(words.edits + " " + before.edits.length + " → " + after.edits.length);
      }
      return said.join(" · ");
    }

    async function drop(one) {
      await desk.send(address + "/" + one.id + "?version=" + one.version, { method: "DELETE" });
      chosen.delete(one.id);
      if (desk.steps.opened() && desk.steps.opened().id === one.id) desk.steps.belong(null);
      await refresh();
    }

    function row(one) {
      const item = element("li");
      item.dataset.scenario = one.id;
      const tick = element("input");
      tick.type = "checkbox";
      tick.checked = chosen.has(one.id);
      tick.setAttribute("aria-label", filled(words.choose, { name: one.title }));
      tick.addEventListener("change", function () {
        if (tick.checked) chosen.add(one.id);
        else chosen.delete(one.id);
        acts.changed();
      });
      item.appendChild(tick);
      const told = element("button", "lc-open");
      told.type = "button";
      told.appendChild(element("b", "", one.title));
      told.appendChild(element("span", "", [writer(one.author), one.changed.slice(0, 10), filled(words.edits_n, { n: one.edits_in_all }), moved(one)].join(" · ")));
      const other = one.base.run !== config.run;
      if (other) told.appendChild(element("em", "", words.other_run));
      if (one.note) told.appendChild(element("span", "lc-said-note", one.note));
      told.addEventListener("click", function () { acts.open(one.id).catch(failed); });
      item.appendChild(told);
      const links = element("span", "lc-links");
      if (other) plain(links, "rebase", function () { return rebase(one, item, false); });
      plain(links, "link", function () { return copy(one, item); });
      ["geojson", "xlsx"].forEach(function (form) {
        const link = element("a", "", form === "xlsx" ? "XLSX" : "GeoJSON");
        link.href = address + "/" + one.id + "?f=" + form + (form === "xlsx" ? "&lang=" + desk.lang : "");
        link.download = "";
        links.appendChild(link);
      });
      const past = element("details", "lc-history");
      past.appendChild(element("summary", "", filled(words.history, { n: one.version })));
      const steps = element("ol");
      past.appendChild(steps);
      past.addEventListener("toggle", function () { if (past.open) tellHistory(one, steps).catch(failed); });
      const close = element("button", "lc-close", "×");
      close.type = "button";
      close.setAttribute("aria-label", filled(words.drop, { name: one.title }));
      close.addEventListener("click", function () {
        if (close.dataset.sure) return drop(one).catch(failed);
        close.dataset.sure = "1";
        close.textContent = words.drop_sure;
        setTimeout(function () { delete close.dataset.sure; close.textContent = "×"; }, 4000);
      });
      item.append(close, links, past);
      return item;
    }

    async function refresh() {
      const found = await desk.send(address, {});
      list.replaceChildren();
      found.scenarios.slice().reverse().forEach(function (one) { list.appendChild(row(one)); });
      if (!found.scenarios.length) list.appendChild(element("li", "lc-note", words.none_kept));
      acts.changed();
    }

    return {
      list: list,
      refresh: refresh,
      chosen: function () { return Array.from(chosen); },
      mark: function (id) {
        list.querySelectorAll("li[data-scenario]").forEach(function (item) {
          item.classList.toggle("lc-chosen", item.dataset.scenario === id);
        });
      }
    };
  };
})();
