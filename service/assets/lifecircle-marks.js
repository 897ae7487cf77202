/* lifecircle: marks of reviews drawn, listed and filtered; made and changed where the service lets
 * this reader. Every text is set with textContent; a file asks nothing. */
(function () {
  "use strict";

  const sign = lifecircle.signs.sign;
  const VERDICTS = lifecircle.signs.verdicts;
  const NAME = "lifecircle.name"; // in the browser's own store

  /* `tools`: {element, bubble}; returns {at(latlng) a card or null, under(card, layer, i)}. */
  lifecircle.marks = function (map, config, tools) {
    const told = config.marks;
    const words = told.words;
    const element = tools.element;
    const layers = lifecircle.scene(map).layers;
    const asks = told.url && location.protocol !== "file:";
    const layer = lifecircle.named(map, "marks", new lifecircle.signs.Marks()).addTo(map);
    const off = new Set();
    let marks = told.list || [];
    let may = false;

    const block = element("section", "lc-block lc-marks");
    const heading = element("h2");
    const filters = element("ul", "lc-legend lc-verdicts");
    const list = element("ol", "lc-ranking lc-scroll");
    const note = element("p", "lc-note");
    block.append(heading, filters, list, note);
    if (asks) {
      const sheet = element("a", "", words.excel);
      sheet.href = told.url + "?" + new URLSearchParams({ f: "xlsx", run: told.run, lang: config.lang });
      const line = element("p", "lc-note");
      line.appendChild(sheet);
      block.appendChild(line);
    }
    const filterOf = {};
    VERDICTS.forEach(function (verdict) {
      const item = element("li");
      const label = element("label");
      const box = element("input");
      box.type = "checkbox";
      box.checked = true;
      box.dataset.verdict = verdict;
      box.addEventListener("change", function () {
        if (box.checked) off.delete(verdict);
        else off.add(verdict);
        tell();
      });
      filterOf[verdict] = element("span");
      label.append(box, sign(verdict), filterOf[verdict]);
      item.appendChild(label);
      filters.appendChild(item);
    });
    document.querySelector(".lc-panel .lc-layers").after(block);

    function here(one) {
      return told.kinds.includes(one.target.kind) && (!told.service || one.target.service === told.service || one.target.kind === "unit");
    }

    function name(one) {
      const id = one.now ? one.now.id : one.target.id;
      const area = Object.keys(told.layers).find(function (key) { return told.layers[key] === one.target.kind && key !== "dots"; });
      const found = area && layers[area] && layers[area].data.features.features.find(function (f) { return f.properties.id === id; });
      return found ? found.properties.name : one.target.name || words["kind_" + one.target.kind] + " " + one.target.id;
    }

    function writer(one) { return one.author === "local" ? words.local : one.author || "–"; }
    function said(one) {
      return lifecircle.filled(words.said, { author: writer(one), at: one.at.slice(0, 10) });
    }

    function row(one) {
      const item = element("li");
      const button = element("button", "lc-row");
      button.type = "button";
      button.dataset.mark = one.id;
      const place = element("span", "lc-place");
      place.appendChild(sign(one.verdict));
      button.append(
        place, element("span", "lc-name", name(one)), element("span", "lc-value", words[one.verdict]),
        element("span", "lc-detail", [one.note, said(one), one.matched === "same" ? "" : words[one.matched]].filter(Boolean).join(" · "))
      );
      button.addEventListener("click", function () {
        const at = one.now || one.target;
        const box = element("div", "lc-popup");
        box.appendChild(card(one));
        map.setView([at.lat, at.lon], Math.max(map.getZoom(), 15), { animate: false });
        tools.bubble(L.latLng(at.lat, at.lon), box);
      });
      item.appendChild(button);
      return item;
    }

    function tell() {
      const mine = marks.filter(here);
      const shown = mine.filter(function (one) { return !off.has(one.verdict); });
      layer.show(shown, map);
      heading.textContent = lifecircle.filled(words.title, { n: mine.length });
      VERDICTS.forEach(function (verdict) {
        const count = mine.filter(function (one) { return one.verdict === verdict; }).length;
        filterOf[verdict].textContent = words[verdict] + " " + count;
        filterOf[verdict].closest("li").dataset.drawn = String(off.has(verdict) ? 0 : count);
      });
      list.replaceChildren.apply(list, shown.slice().reverse().map(row));
      note.textContent = mine.length ? "" : may ? words.none_yet : words.none;
      note.hidden = mine.length > 0;
      block.hidden = !asks && !mine.length;
      block.dataset.told = String(mine.length);
    }

    async function sent(path, how) {
      const address = told.url + path + "?" + new URLSearchParams(Object.assign({ lang: config.lang }, path || how ? {} : { run: told.run }));
      const asked = Object.assign({ headers: Object.assign({ accept: "application/json", "content-type": "application/json" }, lifecircle.written()) }, how);
      const answer = await fetch(address, asked);
      const body = answer.status === 204 ? {} : await answer.json();
      return { status: answer.status, ok: answer.ok, body: body };
    }

    async function load() {
      try {
        const found = await sent("", null);
        if (!found.ok) throw new Error(found.body.detail);
        marks = found.body.reviews;
        may = found.body.may_mark === true;
        if (may) {
          document.querySelectorAll(".lc-mark-it").forEach(function (opener) {
            opener.hidden = opener.parentNode.querySelector(".lc-mark-form") !== null;
          });
        }
        tell();
      } catch (error) {
        tell();
        note.hidden = false;
        note.textContent = lifecircle.filled(words.failed, { why: error.message });
      }
      block.dataset.loaded = "yes";
    }

    function card(one) {
      const made = element("section", "lc-card lc-mark");
      const head = element("h3");
      head.append(sign(one.verdict), element("span", "", words[one.verdict]));
      made.append(head, element("div", "lc-kind", name(one) + " · " + said(one)));
      if (one.note) made.appendChild(element("p", "lc-said", one.note));
      if (one.matched !== "same") made.appendChild(element("p", "lc-note", words[one.matched + "_about"]));
      if (may) {
        const change = element("button", "lc-plain", words.change);
        change.type = "button";
        change.addEventListener("click", function () { form(made, change, null, one); });
        made.appendChild(change);
      }
      return made;
    }

    function form(host, opener, target, old, chosenAs) {
      const made = element("form", "lc-mark-form");
      const say = element("p", "lc-problem");
      say.setAttribute("role", "alert");
      const choice = element("fieldset");
      choice.appendChild(element("legend", "", words.verdict));
      let verdict = old ? old.verdict : chosenAs || "";
      const noteLabel = element("label");
      const noteName = element("span");
      const text = element("textarea");
      text.maxLength = 4000;
      text.rows = 3;
      text.value = old ? old.note : "";
      function chosen(value) {
        verdict = value;
        noteName.textContent = value === "not_a_gap" ? words.because : words.note;
      }
      VERDICTS.forEach(function (value) {
        const label = element("label");
        const radio = element("input");
        radio.type = "radio";
        radio.name = "verdict";
        radio.value = value;
        radio.required = true;
        radio.checked = value === verdict;
        radio.addEventListener("change", function () { chosen(value); });
        label.append(radio, sign(value), element("span", "", words[value]));
        choice.appendChild(label);
      });
      chosen(verdict);
      noteLabel.append(noteName, text);
      const whoLabel = element("label");
      const who = element("input");
      who.maxLength = 200;
      who.autocomplete = "name";
      try {
        who.value = localStorage.getItem(NAME) || "";
      } catch (error) { /* a browser that keeps nothing */ }
      whoLabel.append(element("span", "", words.who), who);
      const line = element("div", "lc-buttons");
      const save = element("button", "", words.save);
      save.type = "submit";
      const leave = element("button", "lc-plain", words.cancel);
      leave.type = "button";
      line.append(save, leave);
      if (old) {
        const drop = element("button", "lc-plain", words.remove);
        drop.type = "button";
        drop.addEventListener("click", function () { act("DELETE"); });
        line.appendChild(drop);
      }
      made.append(choice, noteLabel, whoLabel, line, say);

      function fit() {
        if (map._popup && map._popup.isOpen()) map._popup.update();
      }
      function close() {
        made.remove();
        opener.hidden = false;
        fit();
      }
      async function clash() {
        const found = await sent("/" + old.id, null);
        say.replaceChildren();
        if (!found.ok) {
          say.textContent = found.body.detail;
          return;
        }
        const theirs = found.body;
        say.append(
          element("b", "", lifecircle.filled(words.clash, { author: writer(theirs) })),
          element("span", "", " " + words[theirs.verdict] + (theirs.note ? words.colon + theirs.note : ""))
        );
        const over = element("button", "lc-plain lc-over", words.over);
        over.type = "button";
        over.addEventListener("click", function () {
          old = theirs;
          act("PUT");
        });
        const take = element("button", "lc-plain lc-take", words.take);
        take.type = "button";
        take.addEventListener("click", done);
        say.append(element("br"), over, take);
        fit();
      }
      function done() {
        close();
        const after = host.querySelector(".lc-saved") || element("p", "lc-note lc-saved");
        after.textContent = words.saved;
        after.setAttribute("role", "status");
        host.appendChild(after);
        return load();
      }
      async function act(method) {
        const told_ = { verdict: verdict, note: text.value };
        if (who.value.trim()) told_.author = who.value.trim();
        try {
          localStorage.setItem(NAME, who.value.trim());
        } catch (error) { /* as above */ }
        say.textContent = words.wait;
        save.disabled = true;
        try {
          let found;
          if (method === "DELETE") {
            found = await fetch(told.url + "/" + old.id + "?" + new URLSearchParams({ version: old.version, lang: config.lang }), { method: "DELETE", headers: lifecircle.written() });
            found = { status: found.status, ok: found.ok, body: found.ok ? {} : await found.json() };
          } else {
            const body = old ? Object.assign({ version: old.version }, told_) : Object.assign({ target: target, run: told.run }, told_);
            found = await sent(old ? "/" + old.id : "", { method: method, body: JSON.stringify(body) });
          }
          if (found.ok) await done();
          else if (found.status === 409 && old) await clash();
          else say.textContent = found.body.detail;
        } catch (error) {
          say.textContent = lifecircle.filled(words.failed, { why: error.message });
        }
        save.disabled = false;
        fit();
      }
      made.addEventListener("submit", function (event) {
        event.preventDefault();
        act(old ? "PUT" : "POST");
      });
      made.addEventListener("keydown", function (event) {
        event.stopPropagation(); // Escape would close the page's answer with what was typed
        if (event.key === "Escape") close();
      });
      made.addEventListener("click", function (event) { event.stopPropagation(); }); // a button that is gone by then stands in no popup
      leave.addEventListener("click", close);
      opener.hidden = true;
      host.querySelectorAll(".lc-mark-form, .lc-saved").forEach(function (other) { other.remove(); });
      host.appendChild(made);
      fit();
      if (chosenAs) text.focus();
      else choice.querySelector("input").focus();
    }

    function target(name, i) {
      const kind = told.layers[name];
      if (!kind) return null;
      if (name === "dots") {
        const ids = layers.dots.data.ids;
        return ids ? { kind: kind, id: ids[i] } : null;
      }
      const p = layers[name].data.features.features[i].properties;
      if (p.id === undefined || p.id === null) return null;
      const found = { kind: kind, id: p.id };
      if (told.service && kind !== "unit") Object.assign(found, { service: told.service, lon: p.at[0], lat: p.at[1] });
      return found;
    }

    /* What was said of a thing, and the way to say more, at the end of its card. */
    function under(made, name, i) {
      const about = target(name, i);
      if (!about) return made;
      marks.forEach(function (one) {
        if (one.target.kind !== about.kind || !one.now || one.now.id !== about.id) return;
        const line = element("p", "lc-said");
        line.append(sign(one.verdict), element("b", "", words[one.verdict]), element("span", "", (one.note ? words.colon + one.note : "") + " · " + said(one)));
        made.appendChild(line);
      });
      if (asks) { // shown as soon as the service has said that this reader may
        const opener = element("div", "lc-mark-it");
        opener.setAttribute("role", "group");
        opener.setAttribute("aria-label", words["mark_" + about.kind]);
        opener.appendChild(element("span", "", words["mark_" + about.kind]));
        VERDICTS.forEach(function (verdict) {
          const button = element("button", "lc-plain");
          button.type = "button";
          button.dataset.markAs = verdict;
          button.append(sign(verdict), element("span", "", words[verdict]));
          button.addEventListener("click", function () { form(made, opener, about, null, verdict); });
          opener.appendChild(button);
        });
        opener.hidden = !may;
        made.appendChild(opener);
      }
      return made;
    }

    tell();
    if (asks) load();
    return {
      at: function (latlng) {
        const one = layer.pick(latlng);
        return one ? card(one) : null;
      },
      under: under
    };
  };
})();
