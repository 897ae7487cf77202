// The page on which an area is built: sends files, shows what the check says, watches the job.
// All that comes from files or people is put in as text, never as markup.
(function () {
  "use strict";
  const words = JSON.parse(document.getElementById("words").textContent);
  const by = (id) => document.getElementById(id);
  const files = []; // {role, id, name, state, node}
  let watched = null;

  function headers(more) {
    const token = document.cookie.match(/(?:^|;\s*)lifecircle-csrf=([^;]+)/);
    const told = Object.assign({ Accept: "application/json" }, more || {});
    if (token) told["X-CSRF-Token"] = decodeURIComponent(token[1]);
    return told;
  }

  async function ask(method, path, body) {
    const told = body === undefined ? {} : { "Content-Type": "application/json" };
    let answer;
    try {
      answer = await fetch(words.root + path, {
        method, headers: headers(told), body: body === undefined ? undefined : JSON.stringify(body),
      });
    } catch (fault) {
      throw new Error(words.unreached);
    }
    const document_ = answer.status === 204 ? null : await answer.json();
    if (!answer.ok) {
      const error = new Error(document_.detail || words.unreached);
      error.faults = document_.faults || [];
      error.status = answer.status;
      throw error;
    }
    return document_;
  }

  function lang(path) {
    return path + (path.includes("?") ? "&" : "?") + "lang=" + words.lang;
  }

  function make(tag, text, kind) {
    const node = document.createElement(tag);
    if (text !== undefined) node.textContent = text;
    if (kind) node.className = kind;
    return node;
  }

  // ---- files ----------------------------------------------------------------------------------

  function send(file, report) {
    return new Promise(function (resolve, reject) {
      const asked = new XMLHttpRequest();
      asked.open("POST", words.root + lang("/uploads?name=" + encodeURIComponent(file.name)));
      for (const [name, value] of Object.entries(headers({ "Content-Type": "application/octet-stream" }))) {
        asked.setRequestHeader(name, value);
      }
      asked.upload.addEventListener("progress", function (event) {
        if (event.lengthComputable) report(Math.floor((100 * event.loaded) / event.total));
      });
      asked.addEventListener("load", function () {
        let told = {};
        try { told = JSON.parse(asked.responseText); } catch (fault) { /* told below */ }
        if (asked.status === 201) resolve(told);
        else reject(new Error(told.detail || words.unreached));
      });
      asked.addEventListener("error", () => reject(new Error(words.unreached)));
      asked.send(file);
    });
  }

  function kindOf(role) {
    return ["population", "units", "facilities", "statistics"].includes(role) ? role : null;
  }

  // A build uses up what was sent for it: whoever builds once more has it sent once more.
  async function renew(one) {
    one.said.textContent = words.sending;
    one.id = (await send(one.file, () => {})).id;
    one.used = false;
  }

  async function withFiles(some, work) {
    const again = (of) => Promise.all(of.map(renew));
    await again(some.filter((one) => one.used));
    return work().catch(async function (fault) {
      if (fault.status !== 404) throw fault; // thrown away meanwhile
      await again(some);
      return work();
    });
  }

  // Which sheet or layer of a file is meant, and the order of its coordinates: its own, else what
  // is said for all.
  const WORKBOOK = /\.(xlsx|xlsm|xls|xlsb|ods)$/i;
  const LAYERED = /\.(gpkg|kml|kmz|gdb|zip|sqlite)$/i;

  function partOf(one) {
    const own = one.own || {};
    const of = (name) => (own[name] && own[name].value.trim()) || by(name).value.trim() || null;
    const order = own.x_north ? own.x_north.value : "";
    return { sheet: of("sheet"), layer: of("layer"), x_north: order ? order === "north" : by("x_north").checked };
  }

  function ownPart(one) {
    const told = { file: one.id };
    for (const name of ["sheet", "layer"]) {
      if (one.own && one.own[name] && one.own[name].value.trim()) told[name] = one.own[name].value.trim();
    }
    if (one.own && one.own.x_north.value) told.x_north = one.own.x_north.value === "north";
    return Object.keys(told).length > 1 ? told : null;
  }

  function askPart(one) {
    const room = make("details", undefined, "own");
    room.append(make("summary", words.ownPart, "soft"));
    const fields = make("div", undefined, "fields");
    one.own = {};
    const add = (name, title, node) => {
      const label = make("label", title);
      label.append(node);
      fields.append(label);
      one.own[name] = node;
      node.addEventListener("change", () => one.id && check(one));
    };
    for (const [name, title, fit] of [["sheet", words.sheet, WORKBOOK], ["layer", words.layer, LAYERED]]) {
      if (!fit.test(one.name)) continue;
      const node = make("input");
      node.maxLength = 200;
      add(name, title, node);
    }
    const order = make("select");
    for (const [value, text] of [["", words.orderAll], ["east", words.orderEast], ["north", words.orderNorth]]) {
      const option = make("option", text);
      option.value = value;
      order.append(option);
    }
    add("x_north", words.order, order);
    room.append(fields);
    return room;
  }

  async function check(one) {
    const kind = kindOf(one.role);
    one.node.className = "file";
    one.faults.replaceChildren();
    if (!kind || /\.tiff?$/i.test(one.name)) {
      one.state = "ready";
      one.said.textContent = words.unchecked;
      settled();
      return;
    }
    one.state = "checking";
    one.said.textContent = words.checking;
    const turn = (one.turn = (one.turn || 0) + 1);
    try {
      const found = await withFiles([one], () => ask("POST", lang("/uploads/" + one.id + "/check"), {
        kind, datum: by("datum").value || null, crs: by("crs").value.trim() || null,
        ...partOf(one), policy: by("policy").value, service: one.service ? one.service.value || null : null,
        other_types: by("other_types").checked ? "skip" : "refuse",
      }));
      if (turn !== one.turn) return;
      one.state = found.errors ? "bad" : "ready";
      one.node.className = "file " + (found.errors ? "bad" : found.warnings ? "so" : "good");
      one.said.textContent = found.errors ? words.errors.replace("{n}", found.errors)
        : found.warnings ? words.remarks.replace("{n}", found.warnings) : words.fine;
      if (found.datum_unsure) one.faults.append(make("li", found.datum_unsure));
      for (const fault of found.faults) {
        const alone = /^\d+$/.test(fault.rows || ""); // several say themselves that they are rows
        const where = [alone ? words.row.replace("{n}", fault.rows) : fault.rows, fault.column];
        const told = where.filter(Boolean).join(" · ");
        one.faults.append(make("li", (told ? told + words.colon : "") + fault.problem));
      }
    } catch (fault) {
      if (turn !== one.turn) return;
      one.state = "bad";
      one.node.className = "file bad";
      one.said.textContent = fault.message;
    }
    settled();
  }

  function fits(room, name) {
    const suffixes = room.querySelector("input").accept.split(",").map((one) => one.trim());
    return suffixes.some((one) => name.toLowerCase().endsWith(one));
  }

  // Said of a file that a box does not take; empty where it does.
  function misplaced(role, name) {
    const rooms = [...document.querySelectorAll("[data-role]")];
    const own = rooms.find((room) => room.dataset.role === role);
    if (fits(own, name)) return "";
    const title = (room) => room.querySelector("b").textContent;
    const others = rooms.filter((room) => fits(room, name)).map(title);
    const taken = words.takes.replace("{suffixes}", own.querySelector("input").accept.split(",").join(" "));
    return taken + (others.length ? words.belongs.replace("{boxes}", others.join(words.or)) : "");
  }

  async function take(role, file, several) {
    if (!several) for (const old of files.filter((one) => one.role === role)) drop(old);
    const one = { role, file, name: file.name, state: "sending", node: make("div", undefined, "file") };
    const top = make("div", undefined, "top");
    one.said = make("span", words.sending, "soft said");
    one.faults = make("ul");
    top.append(make("b", file.name), one.said);
    if (role === "facilities") {
      one.service = make("select");
      one.service.append(by("services").content.cloneNode(true));
      one.service.addEventListener("change", () => one.id && check(one));
      top.append(one.service);
    }
    const gone = make("button", words.remove, "link");
    gone.type = "button";
    gone.addEventListener("click", () => drop(one));
    top.append(gone);
    one.node.append(top);
    if (kindOf(role) && !/\.tiff?$/i.test(file.name)) one.node.append(askPart(one));
    one.node.append(one.faults);
    document.querySelector('[data-role="' + role + '"] .files').append(one.node);
    files.push(one);
    const wrong = misplaced(role, file.name);
    try {
      if (wrong) throw new Error(wrong);
      const kept = await send(file, (share) => { one.said.textContent = words.sending + " " + share + "%"; });
      one.id = kept.id;
      one.suffix = kept.suffix;
      if (!files.includes(one)) return void ask("DELETE", "/uploads/" + kept.id).catch(() => {});
      await check(one);
    } catch (fault) {
      one.state = "bad";
      one.node.className = "file bad";
      one.said.textContent = fault.message;
      settled();
    }
  }

  function drop(one) {
    const at = files.indexOf(one);
    if (at >= 0) files.splice(at, 1);
    one.node.remove();
    settled();
    if (one.id) ask("DELETE", "/uploads/" + one.id).catch(() => {});
  }

  for (const room of document.querySelectorAll("[data-role]")) {
    const chooser = room.querySelector("input");
    chooser.addEventListener("change", function () {
      for (const file of chooser.files) take(room.dataset.role, file, chooser.multiple);
      chooser.value = "";
    });
  }
  for (const id of ["datum", "crs", "sheet", "layer", "x_north", "policy", "other_types"]) {
    by(id).addEventListener("change", () => files.forEach((one) => one.id && check(one)));
  }

  let wantsBuild = false; // pressed, while files were still being sent or checked

  function busy() {
    return files.some((one) => one.state === "sending" || one.state === "checking");
  }

  function settled() {
    if (!wantsBuild || busy()) return;
    wantsBuild = false;
    by("wrong").textContent = "";
    if (!files.some((one) => one.state === "bad")) by("form").requestSubmit();
  }

  // ---- the build ------------------------------------------------------------------------------

  function inputs() {
    const of = (role) => files.filter((one) => one.role === role && one.id);
    const told = { area: by("area").value.trim() };
    for (const one of of("streets")) told[one.suffix === ".graphml" ? "graph" : "osm"] = one.id;
    for (const role of ["population", "units", "statistics", "closures"]) {
      if (of(role).length) told[role] = of(role).map((one) => one.id);
    }
    if (of("facilities").length) {
      told.facilities = of("facilities").map((one) => one.id + (one.service.value ? "=" + one.service.value : ""));
    }
    for (const one of of("elevation")) told.elevation = one.id;
    const parts = files.filter((one) => one.id).map(ownPart).filter(Boolean);
    if (parts.length) told.of_files = parts;
    for (const id of ["title_zh", "title_en", "datum", "crs", "sheet", "layer", "policy"]) {
      if (by(id).value.trim()) told[id] = by(id).value.trim();
    }
    for (const id of ["accept_datum", "calibrate", "x_north"]) if (by(id).checked) told[id] = true;
    if (by("other_types").checked) told.other_types = "skip";
    const units = by("surveyed_in").value.trim();
    const surveyed = [...document.querySelectorAll('[name="surveyed"]:checked')]
      .map((one) => one.value + (units ? ":" + units : ""));
    if (surveyed.length) told.surveyed = surveyed;
    return told;
  }

  by("form").addEventListener("submit", async function (event) {
    event.preventDefault();
    const say = (text) => { by("wrong").textContent = text; };
    say("");
    if (!by("area").value.trim()) return say(words.noArea);
    if (!files.some((one) => one.role === "streets" && one.id)) return say(words.noStreets);
    const unsent = files.filter((one) => one.state === "bad" && !one.id).map((one) => one.name);
    if (unsent.length) return say(words.unsent.replace("{names}", unsent.join(words.and)));
    wantsBuild = busy();
    if (wantsBuild) return say(words.wait);
    by("start").disabled = true;
    try {
      const job = await withFiles(
        files, () => ask("POST", lang("/processes/build/execution"), { inputs: inputs() }));
      watch(job.jobID);
    } catch (fault) {
      say(fault.message);
      by("start").disabled = false;
    }
  });

  function show(job) {
    by("watch").hidden = false;
    by("watched").textContent = job.area + " · " + (words[job.status] || job.status);
    by("bar").value = job.progress || 0;
    by("step").textContent = job.message || "";
    by("log").textContent = job.status === "successful" ? "" : (job.log || []).join("\n");
    const live = job.status === "accepted" || job.status === "running";
    by("cancel").hidden = !live;
    by("faults").replaceChildren();
    const faults = job.problem && job.problem.faults ? job.problem.faults.slice(0, 200) : [];
    if (faults.length) by("step").textContent = job.problem.title;
    for (const fault of faults) by("faults").append(make("li", fault.text));
    const done = job.status === "successful";
    if (done) for (const one of files) one.used = true;
    by("map").hidden = by("open").hidden = !done;
    by("map").href = words.root + lang("/maps/" + encodeURIComponent(job.area) + "/coverage");
    by("open").href = words.root + lang("/areas/" + encodeURIComponent(job.area));
    if (!live) by("start").disabled = false;
    return live;
  }

  async function watch(id) {
    watched = id;
    location.hash = "job=" + id;
    window.scrollTo({ top: 0 });
    for (;;) {
      try {
        if (watched !== id || !show(await ask("GET", lang("/jobs/" + id)))) break;
      } catch (fault) {
        by("watch").hidden = false;
        by("step").textContent = fault.message;
        by("start").disabled = false;
        if (fault.message !== words.unreached) break;
      }
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    list();
  }

  by("cancel").addEventListener("click", function () {
    ask("DELETE", lang("/jobs/" + watched)).then(show).catch((fault) => { by("step").textContent = fault.message; });
  });

  async function list() {
    try {
      const told = await ask("GET", lang("/jobs?processID=build&limit=8"));
      if (!told.jobs.length) return;
      by("jobs").replaceChildren(...told.jobs.map(function (job) {
        const row = make("li");
        const look = make("button", job.area + " · " + (words[job.status] || job.status) + " · " + job.created.slice(0, 16).replace("T", " ") + " UTC", "link");
        look.type = "button";
        look.addEventListener("click", () => watch(job.jobID));
        row.append(look);
        return row;
      }));
    } catch (fault) { /* the list is a convenience */ }
  }

  const earlier = location.hash.match(/^#job=([0-9a-f]+)$/);
  if (earlier) watch(earlier[1]);
  else list();
})();
