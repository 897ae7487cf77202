/* lifecircle: the tools and keys of a map page. */
(function () {
  "use strict";

  const SVG = "http://www.w3.org/2000/svg";
  const ICONS = {
    full: "M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4",
    print: "M6 8V3h8v5M5 14H3V8h14v6h-2M6 12h8v5H6z",
    picture: "M10 3v9M6 9l4 4 4-4M3 16h14",
    measure: "M2 13L13 2l5 5L7 18zM5 10l2 2M8 7l3 3M11 4l2 2"
  };

  function icon(name) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", "0 0 20 20");
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", ICONS[name]);
    svg.appendChild(path);
    return svg;
  }

  lifecircle.view = function (map, config, tools) {
    const words = config.tools;
    const bar = L.DomUtil.create("div", "leaflet-bar lc-tools");
    function button(name, act) {
      const made = L.DomUtil.create("a", "", bar);
      made.href = "#";
      made.setAttribute("role", "button");
      made.title = words[name];
      made.setAttribute("aria-label", words[name]);
      made.dataset.tool = name;
      made.appendChild(icon(name));
      L.DomEvent.on(made, "click", function (event) {
        L.DomEvent.stop(event);
        act();
      });
    }
    function full() {
      if (document.fullscreenElement) document.exitFullscreen();
      else if (document.documentElement.requestFullscreen) document.documentElement.requestFullscreen();
    }
    button("full", full);
    button("print", lifecircle.paper(map, config));
    button("picture", function () { lifecircle.picture(map, config); });
    const rule = lifecircle.measure(map, config, tools);
    button("measure", function () { measured(rule.toggle()); });
    function measured(on) {
      bar.querySelector("[data-tool=measure]").setAttribute("aria-pressed", String(on));
    }
    const control = L.control({ position: "topleft" });
    control.onAdd = function () { return bar; };
    control.addTo(map);
    map.getContainer().setAttribute("aria-label", words.map);
    map.getContainer().setAttribute("role", "application");
    const answer = tools.answer;
    const table = lifecircle.unitTable(map, config, tools);
    const input = config.search ? lifecircle.search(map, config, tools, answer) : null;
    lifecircle.keepState(map, config, answer);
    document.addEventListener("keydown", function (event) {
      const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) && !/^(checkbox|radio)$/.test(event.target.type);
      if (event.key === "Escape") {
        map.closePopup();
        rule.clear();
        measured(false);
        if (answer) answer.clear();
      }
      if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "/" && input) {
        event.preventDefault();
        input.focus();
      } else if (event.key === "f") {
        full();
      } else if (event.key === "g") {
        tools.nextGround();
      } else if (event.key === "m") {
        measured(rule.toggle());
      } else if (event.key === "Enter" && answer && event.target === map.getContainer()) {
        tools.ask(map.getCenter());
      }
    });
    return { table: table };
  };
})();
