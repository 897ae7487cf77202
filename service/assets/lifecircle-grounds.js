/* lifecircle: what the ground looks like: coloured, plain, dark or none, and tiles where the service has them. */
(function () {
  "use strict";

  const INK = { street: "rgba(90, 100, 110, .34)", ink: "#23282c", halo: "rgba(255, 255, 255, .9)", dark: false };
  const NIGHT = { street: "rgba(190, 200, 210, .26)", ink: "#f2f4f5", halo: "rgba(16, 21, 25, .9)", dark: true };
  const GROUNDS = {
    colour: Object.assign({}, INK, {
      paper: "#f7f7f4", water: "#b5d3e6", green: "#d3e6c8", building: "#dcd9d4", rail: "#8d8d96",
      road: ["#dc9a4e", "#dc9a4e", "#e2b56b", "#e6c88f", "#e2d3b3"]
    }),
    plain: Object.assign({}, INK, {
      paper: "#fafafa", water: "#dce3e8", green: "#edf0ec", building: "#e4e4e4", rail: "#aeb3b7",
      road: ["#b4b9bd", "#b4b9bd", "#c1c5c9", "#ced2d5", "#dbdddf"]
    }),
    dark: Object.assign({}, NIGHT, {
      paper: "#1b2024", water: "#223c50", green: "#24341f", building: "#30363c", rail: "#757b82",
      road: ["#8a7450", "#8a7450", "#75664b", "#5f5643", "#4b453a"]
    }),
    none: Object.assign({}, INK, { paper: "#f7f7f4", empty: true }),
    tianditu_vec: Object.assign({}, INK, { paper: "#f7f7f4", empty: true, tiles: ["vec", "cva"] }),
    tianditu_img: Object.assign({}, NIGHT, { paper: "#1b2024", empty: true, tiles: ["img", "cia"] })
  };
  const FIRST = "colour";
  const DEEPEST = 18; // of the tiles; closer, they are drawn larger

  function worn(map) { return lifecircle.scene(map).ground || FIRST; }
  function groundOf(map) { return GROUNDS[worn(map)]; }

  /* Put one of the grounds under a map; `offer` says where tiles are, where there are any. */
  function wear(map, name, offer) {
    const scene = lifecircle.scene(map);
    scene.offer = offer || scene.offer;
    const ground = Object.hasOwn(GROUNDS, name) ? GROUNDS[name] : null;
    if (!ground || (ground.tiles && !scene.offer)) return;
    scene.ground = name;
    const frame = map.getContainer();
    frame.style.background = ground.paper;
    frame.classList.toggle("lc-ground-dark", ground.dark);
    if (scene.tiles) scene.tiles.remove();
    scene.tiles = null;
    if (ground.tiles) {
      scene.tiles = L.layerGroup(ground.tiles.map(function (layer, k) {
        return L.tileLayer(scene.offer.at + "/" + layer + "/{z}/{y}/{x}", {
          pane: "ground", zIndex: k, minZoom: 1, maxNativeZoom: DEEPEST, maxZoom: 22, noWrap: true, keepBuffer: 1
        });
      })).addTo(map);
    }
    credit(frame, ground.tiles ? scene.offer.credit : "");
    ["ground", "streets"].forEach(function (one) {
      const layer = scene.layers[one];
      if (!layer || !map.hasLayer(layer)) return;
      layer.redraw();
      if (layer.label) layer.label();
    });
    map.fire("lifecircle:ground");
  }

  function credit(frame, told) {
    const held = frame.querySelector(".lc-credit") || L.DomUtil.create("div", "lc-credit", frame);
    held.textContent = told;
    held.hidden = !told;
  }

  /* A colour of the legend that was laid over the light paper, laid over another one. */
  function over(colour, opacity, paper) {
    return "#" + [1, 3, 5].map(function (at) {
      const moved = parseInt(paper.substr(at, 2), 16) - parseInt(GROUNDS[FIRST].paper.substr(at, 2), 16);
      const channel = Math.round(parseInt(colour.substr(at, 2), 16) + (1 - opacity) * moved);
      return Math.min(255, Math.max(0, channel)).toString(16).padStart(2, "0");
    }).join("");
  }

  function legend(panel, ground) {
    panel.querySelectorAll("[data-swatch]").forEach(function (mark) {
      const held = mark.dataset;
      let colour = held.swatch;
      if (held.opacity) colour = over(held.swatch, Number(held.opacity), ground.paper);
      if (held.ground && !ground.empty) colour = held.ground === "road" ? ground.road[2] : ground[held.ground];
      mark.style.background = colour;
    });
    panel.querySelectorAll(".lc-legend").forEach(function (list) {
      if (list.querySelector("[data-ground]")) list.hidden = ground.empty === true;
    });
  }

  /* The choice in the panel, the legend that follows it; `next` for a key. */
  function choice(map, panel, offer) {
    lifecircle.scene(map).offer = offer;
    const boxes = Array.from(panel.querySelectorAll("input[name=ground]"));
    boxes.forEach(function (box) {
      box.addEventListener("change", function () { wear(map, box.value); });
    });
    function shown() {
      boxes.forEach(function (box) { box.checked = box.value === worn(map); });
      legend(panel, groundOf(map));
    }
    map.on("lifecircle:ground", shown);
    shown();
    return function () {
      const at = boxes.findIndex(function (box) { return box.checked; });
      if (boxes.length) wear(map, boxes[(at + 1) % boxes.length].value);
    };
  }

  Object.assign(window.lifecircle, { wear: wear, worn: worn, groundOf: groundOf, grounds: choice, groundFirst: FIRST });
})();
