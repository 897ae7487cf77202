/* lifecircle desk: scenarios kept with title and note, opened again, exported; files of edits. */
(function () {
  "use strict";

  const LARGEST = 16 * 1024 * 1024; // bytes of a file of edits, as the command takes
  const BESIDE = 4;
  const PARAMETER = "scenario"; // of the address: a kept scenario can be mailed

  function saved(name, text, type) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: type }));
    link.download = name;
    link.click();
    setTimeout(function () { URL.revokeObjectURL(link.href); }, 10000);
  }

  /* `desk`: {config, words, lang, tools, steps, send, run(edits)}; returns the block of the panel. */
  function kept(desk) {
    const element = desk.tools.element;
    const words = desk.words;
    const filled = lifecircle.filled;
    const address = desk.config.url + "/scenarios";
    const box = element("section", "lc-block lc-kept");
    box.appendChild(element("h2", "", words.kept));

    function input(name, tag, most) {
      const made = element(tag);
      made.name = name;
      made.maxLength = most;
      const label = element("label", "", words["field_" + name]);
      label.appendChild(made);
      form.appendChild(label);
      return made;
    }
    function button(into, name, act) {
      const made = element("button", "lc-act", words[name]);
      made.type = "button";
      made.dataset.act = name;
      made.addEventListener("click", function () {
        said.textContent = "";
        Promise.resolve(act()).catch(function (error) { say(error.message, true); });
      });
      into.appendChild(made);
      return made;
    }
    function say(text, wrong) {
      said.className = wrong ? "lc-said lc-wrong" : "lc-said";
      said.textContent = text;
    }

    const form = element("form", "lc-keep");
    form.addEventListener("submit", function (event) { event.preventDefault(); });
    const title = input("title", "input", 200);
    const note = input("note", "textarea", 4000);
    const author = input("author", "input", 200);
    const acts = element("div", "lc-acts");
    const keeps = button(acts, "keep", keep);
    const updates = button(acts, "update", update);
    form.appendChild(acts);
    box.appendChild(form);
    const files = element("div", "lc-acts");
    const exports = button(files, "export_geojson", function () {
      saved((title.value.trim() || desk.config.run) + ".geojson", JSON.stringify(lifecircle.editTools.geojson(desk.steps.list())), "application/geo+json");
    });
    const file = element("input");
    file.type = "file";
    file.accept = ".geojson,.json,application/geo+json,application/json";
    file.hidden = true;
    file.addEventListener("change", function () {
      const given = file.files[0];
      file.value = "";
      if (given) read(given).catch(function (error) { say(error.message, true); });
    });
    files.appendChild(file);
    button(files, "import_geojson", function () { file.click(); });
    box.appendChild(files);
    const key = element("label", "lc-key", words.field_key);
    const secret = element("input");
    secret.className = "lc-secret"; // a field of its own kind would have browsers offer to keep it
    secret.autocomplete = "off";
    secret.addEventListener("change", function () { desk.key(secret.value.trim()); });
    key.appendChild(secret);
    key.hidden = true;
    box.appendChild(key);
    const said = element("p", "lc-said");
    said.setAttribute("role", "status");
    box.appendChild(said);
    const shelf = lifecircle.shelf(desk, address, { open: open, say: say, changed: show, rebased: rebased });
    box.appendChild(shelf.list);
    const beside = button(box, "beside", function () {
      return lifecircle.beside(desk, shelf.chosen());
    });

    function body() {
      return {
        title: title.value.trim(), note: note.value, edits: desk.steps.list().map(lifecircle.editTools.plain),
        ...(author.value.trim() ? { author: author.value.trim() } : {}), ...desk.question(), run: desk.config.run
      };
    }
    function belongs(one) { desk.steps.belong({ id: one.id, version: one.version, title: one.title, note: one.note, author: one.author }); }

    async function keep() {
      if (!title.value.trim()) {
        title.focus();
        return say(words.need_title, true);
      }
      const one = await desk.send(address, { method: "POST", body: body() });
      belongs(one);
      say(filled(words.kept_as, { name: one.title }));
      await shelf.refresh();
    }
    async function update() {
      const opened = desk.steps.opened();
      if (!title.value.trim()) return say(words.need_title, true);
      const one = await desk.send(address + "/" + opened.id, { method: "PUT", body: { ...body(), version: opened.version } });
      belongs(one);
      say(filled(words.kept_as, { name: one.title }));
      await shelf.refresh();
    }
    async function open(id) {
      const one = await desk.send(address + "/" + id, {});
      take(one);
      say(one.base.current && one.base.run === desk.config.run ? filled(words.opened, { name: one.title })
        : filled(words.opened_other_run, { name: one.title, run: one.base.run }), one.base.run !== desk.config.run);
    }
    /* What was rebased is what is drawn now, where it was open. */
    function rebased(one) {
      const opened = desk.steps.opened();
      if (opened && opened.id === one.id) take(one);
    }
    function take(one) {
      desk.steps.put(one.edits.map(lifecircle.editTools.understood), { id: one.id, version: one.version, title: one.title, note: one.note, author: one.author });
      show();
    }
    /* The scenario that the address names; what this tab has drawn on it since is not written over. */
    async function fromAddress() {
      const id = new URLSearchParams(location.search).get(PARAMETER);
      const opened = desk.steps.opened();
      if (id && !(opened && opened.id === id)) await open(id);
    }
    function toAddress(opened) {
      const address = new URL(location.href);
      if ((address.searchParams.get(PARAMETER) || null) === (opened ? opened.id : null)) return;
      if (opened) address.searchParams.set(PARAMETER, opened.id);
      else address.searchParams.delete(PARAMETER);
      history.replaceState(null, "", address);
    }
    async function read(given) {
      if (given.size > LARGEST) return say(filled(words.file_large, { most: LARGEST / 1024 / 1024 }), true);
      let told;
      try {
        told = JSON.parse((await given.text()).replace(/^\ufeff/, ""));
      } catch (error) {
        return say(filled(words.no_json, { name: given.name, why: error.message }), true);
      }
      const edits = told && Array.isArray(told.edits) ? told.edits : told;
      const found = await desk.ask(edits, []);
      desk.steps.put(desk.steps.list().concat(distinct(found.edits.map(lifecircle.editTools.understood))));
      say(filled(words.imported, { n: found.edits.length, name: given.name }));
    }
    /* Ids of a file that the edits have already become new ones, also where later edits name them. */
    function distinct(edits) {
      const taken = new Set(desk.steps.list().map(function (edit) { return edit.op.startsWith("add") ? edit.id : null; }));
      const again = new Map();
      let n = 0;
      return edits.map(function (edit) {
        if (edit.op.startsWith("add") && edit.id && taken.has(edit.id)) {
          do n += 1; while (taken.has("file-" + n) || edits.some(function (other) { return other.id === "file-" + n; }));
          again.set(edit.id, "file-" + n);
        }
        return again.has(edit.id) ? Object.assign({}, edit, { id: again.get(edit.id) }) : edit;
      });
    }

    /* What can be done with the edits as they are. */
    let shown = null;
    let settled = false; // whether the address was read
    function show() {
      const any = desk.steps.list().length > 0;
      const opened = desk.steps.opened();
      keeps.disabled = exports.disabled = !any;
      keeps.textContent = opened ? words.keep_new : words.keep;
      updates.hidden = !opened;
      updates.disabled = !any;
      const chosen = shelf.chosen();
      beside.disabled = chosen.length < 2 || chosen.length > BESIDE;
      beside.title = beside.disabled ? words.beside_how : "";
      shelf.mark(opened ? opened.id : null);
      if (settled) toAddress(opened);
      const now = opened ? opened.id + "/" + opened.version : null;
      if (opened && now !== shown) {
        title.value = opened.title;
        note.value = opened.note;
        author.value = opened.author;
      }
      shown = now;
    }

    shelf.refresh().then(fromAddress).catch(function (error) { say(error.message, true); }).then(function () {
      settled = true;
      show();
    });
    show();
    return { box: box, show: show, needKey: function () { key.hidden = false; } };
  }

  lifecircle.kept = kept;
})();
