/* lifecircle: search by name, pinyin or initials. */
(function () {
  "use strict";

  const KEPT = ["lang", "run", "year", "walker", "by"]; // of an address, on the way to another map

  /* Search asks the service; what is found is gone to. */
  function search(map, config, tools, answer) {
    const asked = config.search;
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
    const chooser = document.querySelector(".lc-form select[name=service]");
    const offered = new Set(chooser ? Array.from(chooser.options).map(function (one) { return one.value; }) : []);
    let turn = 0;
    let waiting = 0;

    function go(hit) {
      list.hidden = true;
      if (hit.kind === "service") {
        const address = new URL(location.href);
        if (!offered.has(hit.id)) { // a page of some services alone, or of none
          address.pathname = address.pathname.replace(/[^/]*$/, "coverage");
          Array.from(address.searchParams.keys()).forEach(function (name) {
            if (!KEPT.includes(name)) address.searchParams.delete(name);
          });
        }
        address.searchParams.set("service", hit.id);
        location.assign(address);
        return;
      }
      const b = hit.bbox;
      // across the antimeridian the west is larger than the east
      const east = b && b[2] < b[0] ? b[2] + 360 : b && b[2];
      if (b) map.fitBounds([[b[1], b[0]], [b[3], east]], { maxZoom: 16, padding: [40, 40] });
      else map.setView([hit.lat, hit.lon], Math.max(map.getZoom(), 16));
      if (answer) answer.at(L.latLng(hit.lat, hit.lon), null);
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
        button.appendChild(tools.element("span", "", (config.lang === "en" && hit.name_en) || hit.name));
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

  lifecircle.search = search;
})();
