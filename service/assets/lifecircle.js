/* lifecircle: compact arrays of a page, canvas tiles, what belongs to one map.
 * Every text is set with textContent. Needs Leaflet 1.9. */
(function () {
  "use strict";

  const WORLD = 256; // pixels of the whole world at zoom 0
  const PANES = { ground: 300, areas: 350, streets: 360, cells: 380, hatching: 385, reach: 430, walk: 440, dots: 450, labels: 460, marks: 465 };
  const scenes = new Map(); // Leaflet map -> its layers that answer a click

  const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
  const SHORTEST = 64; // shorter lists are as they were
  const VALUE = new Uint8Array(128);
  for (let k = 0; k < DIGITS.length; k++) VALUE[DIGITS.charCodeAt(k)] = k;

  /* Base64 VLQ -> whole numbers and nulls, as the service wrote them. */
  function numbers(text) {
    const out = [];
    let value = 0;
    let shift = 0;
    for (let i = 0; i < text.length; i++) {
      const digit = VALUE[text.charCodeAt(i)];
      if (digit === 64) { out.push(null); continue; }
      value |= (digit & 31) << shift;
      if (digit & 32) { shift += 5; continue; }
      out.push(value & 1 ? -(value >>> 1) : value >>> 1);
      value = shift = 0;
    }
    return out;
  }
  /* The numbers of a list written as they are, or as steps from one to the next. */
  function listed(held) {
    const out = numbers(held.vlq === undefined ? held.sum : held.vlq);
    if (held.sum !== undefined) for (let i = 1; i < out.length; i++) out[i] += out[i - 1];
    if (held.per) for (let i = 0; i < out.length; i++) if (out[i] !== null) out[i] /= held.per;
    return out;
  }
  function isList(one) { return typeof one.vlq === "string" || typeof one.sum === "string"; }
  function isColumn(one) {
    return Array.isArray(one) || one !== null && typeof one === "object" && (isList(one) || one.of || one.ends);
  }
  /* The lists of a block as they were before the service wrote them short (`maps/dense.py`). */
  function plain(held) {
    if (held === null || typeof held !== "object") return held;
    if (Array.isArray(held)) return held.length < SHORTEST && held.every(isColumn) ? held.map(plain) : held;
    if (isList(held)) return listed(held);
    if (Array.isArray(held.of) && held.at && isList(held.at)) return plain(held.at).map(function (k) { return held.of[k]; });
    if (held.heads && held.at && held.ends) {
      const at = plain(held.at), ends = plain(held.ends);
      return plain(held.heads).map(function (head, i) { return head + at[i] + ends[i]; });
    }
    if (Array.isArray(held.columns) && held.columns.every(isColumn) && Object.keys(held).length === 1) {
      const columns = held.columns.map(plain);
      return columns[0].map(function (_, i) { return columns.map(function (column) { return column[i]; }); });
    }
    Object.keys(held).forEach(function (name) { held[name] = plain(held[name]); });
    return held;
  }

  /* A data block of the page. */
  function data(id) {
    return plain(JSON.parse(document.getElementById(id).textContent));
  }

  /* What comes after the first picture, from the service or from behind the script of the page. */
  const late = [];
  const NOTHING = { s: 1, o: [0, 0], d: [], n: [], kind: [], kinds: [], names: [] };

  async function fetched(address) {
    const answer = await fetch(address, { priority: "low" });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.text();
  }
  function parsed() {
    return document.readyState !== "loading" ? Promise.resolve() : new Promise(function (done) {
      document.addEventListener("DOMContentLoaded", done, { once: true });
    });
  }
  function drawn() {
    return new Promise(function (done) {
      requestAnimationFrame(function () { requestAnimationFrame(done); });
      setTimeout(done, 1000); // a page that nobody sees draws no frames
    });
  }
  function Late(source) {
    this.begin = function () {
      if (source.from) return fetched(source.from);
      return parsed().then(function () { return document.getElementById(source.block).textContent; });
    };
    this.text = this.begin();
    this.text.catch(function () {}); // told where it is waited for
  }
  function lately(map, name, make, source) {
    if (!(source instanceof Late)) return named(map, name, make(source));
    const layer = named(map, name, make(NOTHING));
    late.push({ map: map, name: name, layer: layer, source: source });
    return layer;
  }
  /* Fill what is still empty; `failed(name, again)` for what did not come. */
  async function fill(failed) {
    await drawn();
    for (const one of late.splice(0)) {
      try {
        one.layer.take(plain(JSON.parse(await one.source.text)));
        one.map.fire("lifecircle:filled", { name: one.name });
      } catch (error) {
        failed(one.name, function () {
          one.source.text = one.source.begin();
          late.push(one);
          return fill(failed);
        });
      }
    }
    await painted();
    document.documentElement.dataset.lifecircleWhole = "yes";
  }

  function worldX(lon) {
    return ((lon + 180) / 360) * WORLD;
  }

  function worldY(lat) {
    const s = Math.sin((lat * Math.PI) / 180);
    return (0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI)) * WORLD;
  }

  function latOf(y) {
    return (Math.atan(Math.sinh(Math.PI * (1 - (2 * y) / WORLD))) * 180) / Math.PI;
  }

  /* Show the bounds, and again whenever the frame gets another size, until a reader takes over:
   * a notebook shows a page in a frame that has no size yet. */
  function fit(map, view) {
    const box = map.getContainer();
    let held = false; // a reader has moved the map
    let ours = false; // it is moved by this function
    function show() {
      if (held || box.clientWidth === 0 || box.clientHeight === 0) { return; }
      ours = map.lifecircleFits = true;
      map.invalidateSize({ animate: false, pan: false });
      map.fitBounds(view.bounds, {
        padding: [view.padding, view.padding], maxZoom: view.maxZoom, animate: false
      });
      ours = map.lifecircleFits = false;
    }
    map.on("movestart popupopen", function () { held = held || !ours; });
    show();
    new ResizeObserver(show).observe(box);
  }

  /* Running sums of whole steps -> world coordinates [x0, y0, x1, y1, ...]. */
  function unpack(packed) {
    const steps = packed.d;
    const out = new Float64Array(steps.length);
    let a = packed.o[0];
    let b = packed.o[1];
    for (let i = 0; i < steps.length; i += 2) {
      a += steps[i];
      b += steps[i + 1];
      out[i] = worldX(a / packed.s);
      out[i + 1] = worldY(b / packed.s);
    }
    return out;
  }

  /* First vertex of every line or ring, with the boxes around them. */
  function lines(packed) {
    const xy = unpack(packed);
    const start = new Int32Array(packed.n.length + 1);
    const box = new Float64Array(packed.n.length * 4);
    for (let i = 0; i < packed.n.length; i++) {
      start[i + 1] = start[i] + packed.n[i];
      let w = Infinity, n = Infinity, e = -Infinity, s = -Infinity;
      for (let k = start[i]; k < start[i + 1]; k++) {
        w = Math.min(w, xy[2 * k]);
        e = Math.max(e, xy[2 * k]);
        n = Math.min(n, xy[2 * k + 1]);
        s = Math.max(s, xy[2 * k + 1]);
      }
      box.set([w, n, e, s], 4 * i);
    }
    return { xy: xy, start: start, box: box, count: packed.n.length };
  }

  function metresPerWorld(y) {
    return (40075016.686 * Math.cos((latOf(y) * Math.PI) / 180)) / WORLD;
  }

  /* Canvas pixels to a pixel of the page: more on paper. */
  function dotsOf(map) {
    return map.lifecircleDots || window.devicePixelRatio || 1;
  }

  /* One tile a frame, so that no frame waits for all of them: until its tile is painted a place
   * shows what stood there before, scaled. */
  const unpainted = [];
  let painting = false;
  function paintNext() {
    paintOne();
    painting = unpainted.length > 0;
    if (painting) requestAnimationFrame(paintNext);
  }
  function paintOne() {
    const next = unpainted.shift();
    if (next && next.tile.isConnected) next.paint();
  }
  function paintAll() {
    while (unpainted.length) paintOne();
  }
  async function painted() {
    while (unpainted.length) await drawn();
  }

  /* A tiled canvas: `paint(context, scale, x0, y0, size, zoom)` in world pixels. */
  const CanvasTiles = L.GridLayer.extend({
    options: { tileSize: 512, updateWhenZooming: false, keepBuffer: 1, noWrap: true },
    createTile: function (coords, done) {
      const layer = this;
      const size = this.options.tileSize;
      const ratio = dotsOf(this._map);
      const tile = L.DomUtil.create("canvas", "leaflet-tile lc-tile");
      tile.width = tile.height = Math.round(size * ratio);
      function paint() {
        const context = tile.getContext("2d");
        context.scale(ratio, ratio);
        layer.paint(context, Math.pow(2, coords.z), coords.x * size, coords.y * size, size, coords.z);
      }
      if (document.documentElement.dataset.lifecircle !== "ready") { // the first picture is whole
        paint();
        requestAnimationFrame(function () { done(null, tile); });
        return tile;
      }
      unpainted.push({ tile: tile, paint: function () { paint(); done(null, tile); } });
      if (!painting) requestAnimationFrame(paintNext);
      painting = true;
      return tile;
    }
  });

  function trace(context, shape, i, scale, x0, y0) {
    for (let k = shape.start[i]; k < shape.start[i + 1]; k++) {
      const x = shape.xy[2 * k] * scale - x0;
      const y = shape.xy[2 * k + 1] * scale - y0;
      if (k === shape.start[i]) context.moveTo(x, y);
      else context.lineTo(x, y);
    }
  }

  function inside(shape, i, scale, x0, y0, size, pad) {
    return (
      shape.box[4 * i] * scale <= x0 + size + pad &&
      shape.box[4 * i + 2] * scale >= x0 - pad &&
      shape.box[4 * i + 1] * scale <= y0 + size + pad &&
      shape.box[4 * i + 3] * scale >= y0 - pad
    );
  }

  /* What belongs to one map: panes, one canvas per pane, the layers by name. */
  function scene(map) {
    let found = scenes.get(map);
    if (found) return found;
    const renderers = {};
    Object.keys(PANES).forEach(function (name) {
      const pane = map.createPane(name);
      pane.style.zIndex = PANES[name];
      pane.style.pointerEvents = "none";
    });
    found = {
      layers: {},
      renderer: function (pane) {
        renderers[pane] = renderers[pane] || L.canvas({ pane: pane, padding: 0.4 });
        return renderers[pane];
      }
    };
    scenes.set(map, found);
    return found;
  }

  function named(map, name, layer) {
    scene(map).layers[name] = layer;
    return layer;
  }

  /* The header that a write of a logged-in browser carries; nothing without a login. */
  function written() {
    const found = /(?:^|; )lifecircle-csrf=([0-9a-f]+)/.exec(document.cookie);
    return found ? { "x-csrf-token": found[1] } : {};
  }

  window.lifecircle = {
    written: written,
    data: data,
    late: function (source) { return new Late(source); },
    lately: lately,
    fill: fill,
    fit: fit,
    scene: scene,
    named: named,
    canvas: {
      Tiles: CanvasTiles, paintAll: paintAll, dotsOf: dotsOf, unpack: unpack, lines: lines, inside: inside, trace: trace,
      worldX: worldX, worldY: worldY, latOf: latOf, metresPerWorld: metresPerWorld, WORLD: WORLD
    }
  };
})();
