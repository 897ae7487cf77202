/* lifecircle desk: before and after as the service tells them: people, services, loads, rule, plan. */
(function () {
  "use strict";

  const GAINED = "#00a676", LOST = "#d81b60", MOVED_IN = "#5e35b1";

  /* A number cut, never rounded up, as whole steps of the last digit: exactly as the service cuts. */
  function steps(value, digits) {
    const unit = Math.pow(10, digits);
    let k = Math.floor(value * unit);
    if ((k + 1) / unit <= value) k += 1;
    if (k / unit > value) k -= 1;
    return k;
  }

  function percent(share) {
    const k = steps(share, 3);
    return share > 0 && k === 0 ? "<0.1%" : (k / 10).toFixed(1) + "%";
  }

  function grouped(number, digits) {
    return number.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  }

  /* People gained (+) or lost (−); nobody is neither. */
  function signed(count, sign) {
    return count ? sign + grouped(count, 0) : "0";
  }

  /* A figure of the scorecard as its unit says: neither looks better than it is. */
  function figure(value, unit, direction) {
    const digits = unit.show === "percent" ? unit.decimals + 2 : unit.decimals;
    const k = direction === "at most" ? -steps(-value, digits) : steps(value, digits);
    const scale = Math.pow(10, unit.decimals);
    if (unit.show === "percent") {
      if (value > 0 && k === 0) return "<" + (1 / scale).toFixed(unit.decimals) + "%";
      return (k / scale).toFixed(unit.decimals) + "%";
    }
    const told = grouped(k / scale, unit.decimals);
    return unit.decimals ? told.replace(/0+$/, "").replace(/\.$/, "") : told;
  }

  /* `desk`: {config, words, lang, tools, focus(service)}; returns the blocks of one answer. */
  function tell(found, desk) {
    const element = desk.tools.element;
    const words = desk.words;
    const filled = lifecircle.filled;
    const blocks = [];

    function number(value) { return value === null ? desk.config.not_assessed : grouped(value, 0); }
    function share(value) { return value === null ? desk.config.not_assessed : percent(value); }
    function titled(title) { return title[desk.lang] || title.zh; }
    function named(row) { return (desk.lang === "en" && row.name_en) || row.name || row.code || words.unnamed; }
    function block(key, title) {
      const made = element("section", "lc-change lc-change-" + key);
      made.appendChild(element("h3", "", title));
      blocks.push(made);
      return made;
    }
    function fold(into, title, open) {
      const made = element("details");
      made.open = Boolean(open);
      made.appendChild(element("summary", "", title));
      into.appendChild(made);
      return made;
    }
    function pair(before, after, tone) {
      const made = element("span", "lc-pair" + (tone ? " lc-" + tone : ""));
      made.appendChild(element("i", "", before));
      made.appendChild(element("span", "lc-arrow", "→"));
      made.appendChild(element("b", "", after));
      return made;
    }
    function toneOf(before, after) {
      return before === null || after === null || before === after ? "" : after > before ? "up" : "down";
    }
    function table(heads) {
      const made = element("table");
      const row = made.createTHead().insertRow();
      heads.forEach(function (head) {
        const cell = element("th", "", head);
        cell.scope = "col";
        row.appendChild(cell);
      });
      made.createTBody();
      return made;
    }
    function cells(row, parts) {
      parts.forEach(function (part) {
        const cell = row.insertCell();
        if (part instanceof Node) cell.appendChild(part);
        else cell.textContent = part;
      });
      return row;
    }

    function people() {
      const made = element("section", "lc-change lc-change-people");
      ["winners", "losers"].forEach(function (side) {
        const box = element("div", "lc-moved lc-" + side);
        box.appendChild(element("span", "", words[side]));
        box.appendChild(element("strong", "", signed(found[side].residents, side === "winners" ? "+" : "−")));
        const groups = Object.keys(found[side].groups).filter(function (name) { return name !== "households"; });
        groups.forEach(function (name) {
          const line = element("em", "", (desk.config.groups[name] || name) + " ");
          const count = element("b", "", number(found[side].groups[name]));
          count.dataset.group = name;
          line.appendChild(count);
          box.appendChild(line);
        });
        made.appendChild(box);
      });
      const r = found.residents;
      if (r.before !== r.after) {
        const line = element("p", "lc-note", words.residents + " ");
        line.appendChild(pair(number(r.before), number(r.after)));
        made.appendChild(line);
      }
      blocks.push(made);
    }

    function services() {
      const made = block("services", words.services);
      const moved = found.services.filter(function (one) {
        return one.gained || one.lost || one.P_before !== one.P_after || one.C_before !== one.C_after;
      }).sort(function (a, b) { return b.gained + b.lost - a.gained - a.lost; });
      const same = found.services.length - moved.length;
      if (!moved.length) made.appendChild(element("p", "lc-note", words.services_same));
      else {
        const list = table([words.service, words.P, words.gained, words.lost]);
        moved.forEach(function (one) {
          const row = list.tBodies[0].insertRow();
          row.dataset.service = one.service;
          const button = element("button", "", titled(one.title));
          button.type = "button";
          button.title = words.show_on_map;
          button.setAttribute("aria-pressed", String(desk.focused() === one.service));
          button.addEventListener("click", function () { desk.focus(desk.focused() === one.service ? null : one.service); });
          const shares = element("span");
          shares.appendChild(pair(share(one.P_before), share(one.P_after), toneOf(one.P_before, one.P_after)));
          if (one.C_before !== null || one.C_after !== null) {
            const c = element("span", "lc-second", words.C + " ");
            c.appendChild(pair(share(one.C_before), share(one.C_after), toneOf(one.C_before, one.C_after)));
            shares.appendChild(c);
          }
          cells(row, [button, shares, signed(one.gained, "+"), signed(one.lost, "−")]);
        });
        made.appendChild(list);
      }
      if (same && moved.length) made.appendChild(element("p", "lc-note", filled(words.others_same, { n: same })));
    }

    function load(centre, most) {
      const made = element("li", "lc-centre");
      const changed = centre.load_before !== centre.load_after || centre.state_before !== centre.state_after;
      const state = centre.state_after || centre.state_before;
      made.appendChild(element("span", "lc-name", centre.name || desk.drawn(centre.facility) || words.unnamed));
      const sides = ["before", "after"].map(function (side) {
        return centre["load_" + side] === null ? words.none : grouped(centre["load_" + side], 0);
      });
      made.appendChild(changed ? pair(sides[0], sides[1]) : element("b", "", sides[1]));
      const bar = element("div", "lc-loadbar lc-state-" + (state || "unknown"));
      const fill = element("i");
      fill.style.width = (100 * (centre.load_after || 0)) / most + "%";
      bar.appendChild(fill);
      if (changed && centre.load_before !== null) {
        const was = element("u");
        was.style.left = (100 * centre.load_before) / most + "%";
        bar.appendChild(was);
      }
      [centre.min_after, centre.max_after].forEach(function (bound) {
        if (bound === null) return;
        const tick = element("s");
        tick.style.left = (100 * bound) / most + "%";
        tick.title = grouped(bound, 0);
        bar.appendChild(tick);
      });
      made.appendChild(bar);
      const states = [centre.state_before, centre.state_after].map(function (one) { return one ? desk.config.loads[one] || one : words.none; });
      made.appendChild(element("em", "", states[0] === states[1] ? states[1] : states[0] + " → " + states[1]));
      return made;
    }

    function loads() {
      found.catchments.forEach(function (one) {
        const made = block("loads", filled(words.loads, { service: titled(one.title) }));
        const sums = element("dl", "lc-sums");
        ["served", "reachable_full", "unreachable"].forEach(function (name) {
          sums.appendChild(element("dt", "", words["sum_" + name]));
          const value = element("dd");
          value.dataset.sum = name;
          const before = one.balanced[name + "_before"], after = one.balanced[name + "_after"];
          value.appendChild(before === after ? element("b", "", number(after)) : pair(number(before), number(after)));
          sums.appendChild(value);
        });
        made.appendChild(sums);
        const centres = one.balanced.centres.slice().sort(function (a, b) {
          return Math.abs(b.load_after - b.load_before) - Math.abs(a.load_after - a.load_before) || b.load_after - a.load_after;
        });
        const changed = centres.filter(function (c) { return c.load_before !== c.load_after || c.state_before !== c.state_after; });
        const same = centres.filter(function (c) { return !changed.includes(c); });
        const bounds = centres.map(function (c) { return c.max_after || c.max_before || 0; });
        const most = 1.04 * Math.max(1, ...bounds, ...centres.flatMap(function (c) { return [c.load_before || 0, c.load_after || 0]; }));
        made.appendChild(element("p", "lc-note", words.load_note));
        const list = element("ul", "lc-loads");
        changed.forEach(function (c) { list.appendChild(load(c, most)); });
        made.appendChild(list);
        if (!same.length) return;
        const rest = fold(made, filled(words.others_same, { n: same.length }), false);
        const quiet = element("ul", "lc-loads");
        rest.addEventListener("toggle", function () {
          if (!quiet.firstChild) same.forEach(function (c) { quiet.appendChild(load(c, most)); });
        });
        rest.appendChild(quiet);
      });
    }

    function rule() {
      if (!found.rule) return;
      const states = desk.config.rule;
      const made = block("rule", words.rule);
      const counts = element("p", "lc-note");
      Object.keys(states).forEach(function (state) {
        const before = found.rule.states_before[state] || 0, after = found.rule.states_after[state] || 0;
        if (!before && !after) return;
        const one = element("span", "lc-count lc-rule-" + (state === "NOT_ASSESSED" ? "unknown" : "known"), states[state] + " ");
        one.appendChild(before === after ? element("b", "", String(after)) : pair(String(before), String(after)));
        counts.appendChild(one);
      });
      made.appendChild(counts);
      const list = table([words.unit, words.centres, words.per_centre, words.state]);
      const same = list.cloneNode(true);
      let kept = 0;
      found.rule.units.forEach(function (unit) {
        const moves = ["state", "government", "per_centre", "residents"].some(function (name) { return unit[name + "_before"] !== unit[name + "_after"]; });
        if (!moves) kept += 1;
        function side(name, told) {
          const before = unit[name + "_before"], after = unit[name + "_after"];
          return before === after ? told(after) : pair(told(before), told(after));
        }
        function plain(value) { return value === null || value === undefined ? words.none : grouped(Math.round(value), 0); }
        cells((moves ? list : same).tBodies[0].insertRow(), [named(unit), side("government", plain), side("per_centre", plain),
          side("state", function (state) { return states[state] || state || words.none; })]);
      });
      if (list.tBodies[0].rows.length) made.appendChild(list);
      if (kept) fold(made, filled(words.others_same, { n: kept }), false).appendChild(same);
    }

    function circles() {
      const kinds = Object.keys(found.circles);
      if (!kinds.length) return;
      const made = block("circles", words.circles);
      const list = table([words.circle, words.complete]);
      kinds.forEach(function (kind) {
        const total = found.circles[kind].total;
        const row = cells(list.tBodies[0].insertRow(), [titled(found.circles[kind].title),
          total.share_before === total.share_after ? share(total.share_after)
            : pair(share(total.share_before), share(total.share_after), toneOf(total.share_before, total.share_after))]);
        row.dataset.circle = kind;
      });
      made.appendChild(list);
    }

    function promises(parts) {
      if (!parts.includes("scorecard")) return;
      const made = block("scorecard", words.scorecard);
      if (!found.scorecard.length) {
        made.appendChild(element("p", "lc-note", words.scorecard_same));
        return;
      }
      const list = table([words.promise, words.value, words.state]);
      found.scorecard.forEach(function (row) {
        const unit = desk.config.units[row.unit];
        function told(value) {
          if (value === null) return desk.config.not_assessed;
          return unit ? (figure(value, unit, row.direction) + " " + titled(unit.title)).trim() : String(value);
        }
        const verdicts = [row.status_before, row.status_after].map(function (one) { return desk.config.verdicts[one] || one; });
        cells(list.tBodies[0].insertRow(), [titled(row.title), pair(told(row.value_before), told(row.value_after)),
          verdicts[0] === verdicts[1] ? verdicts[1] : pair(verdicts[0], verdicts[1])]).dataset.row = row.id;
      });
      made.appendChild(list);
    }

    people();
    services();
    loads();
    rule();
    circles();
    promises(desk.parts);
    if (found.warnings.length) {
      const list = element("ul");
      found.warnings.forEach(function (one) { list.appendChild(element("li", "", one.text)); });
      const rest = element("section", "lc-change lc-warnings");
      fold(rest, words.warnings + " (" + found.warnings.length + ")", false).appendChild(list);
      blocks.push(rest);
    }
    return blocks;
  }

  /* Cells that gain or lose a service (any, or the one looked at), with their colours. */
  function paint(layer, changed, service) {
    const places = [];
    function holds(list) { return service ? list.includes(service) : list.length > 0; }
    (changed ? changed.features : []).forEach(function (one) {
      const p = one.properties;
      const fill = holds(p.lost) ? LOST : holds(p.gained) ? GAINED : p.new ? MOVED_IN : null;
      const at = one.geometry.coordinates;
      if (fill) places.push([L.latLng(at[1], at[0]), fill]);
    });
    layer.show(places);
  }

  lifecircle.change = { tell: tell, paint: paint, percent: percent, figure: figure, grouped: grouped, signed: signed, colours: { gained: GAINED, lost: LOST, new: MOVED_IN } };
})();
