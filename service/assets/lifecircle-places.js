/* lifecircle: polygons (units, gaps) and facilities, with what a click finds in them. */
(function () {
  "use strict";

  const scene = lifecircle.scene;
  const named = lifecircle.named;

  function inRing(ring, lon, lat) {
    let odd = false;
    for (let i = 0, k = ring.length - 1; i < ring.length; k = i++) {
      const a = ring[i];
      const b = ring[k];
      if (a[1] > lat !== b[1] > lat && lon < ((b[0] - a[0]) * (lat - a[1])) / (b[1] - a[1]) + a[0]) odd = !odd;
    }
    return odd;
  }

  function holds(geometry, lon, lat) {
    return geometry.coordinates.some(function (rings) {
      return rings.reduce(function (odd, ring) { return odd !== inRing(ring, lon, lat); }, false);
    });
  }

  /* Packed rings -> the geometry of each feature; the box around each. */
  function unfold(collection) {
    const packed = collection.shapes;
    const s = packed.s;
    let a = packed.o[0], b = packed.o[1], v = 0, ring = 0, part = 0;
    return collection.features.map(function (feature, i) {
      let w = Infinity, south = Infinity, e = -Infinity, n = -Infinity;
      const parts = [];
      for (let p = 0; p < packed.parts[i]; p++, part++) {
        const rings = [];
        for (let r = 0; r < packed.rings[part]; r++, ring++) {
          const line = [];
          for (let k = 0; k < packed.n[ring]; k++, v += 2) {
            a += packed.d[v];
            b += packed.d[v + 1];
            const x = a / s, y = b / s;
            if (x < w) w = x;
            if (x > e) e = x;
            if (y < south) south = y;
            if (y > n) n = y;
            line.push([x, y]);
          }
          rings.push(line);
        }
        parts.push(rings);
      }
      feature.geometry = { type: "MultiPolygon", coordinates: parts };
      return L.latLngBounds([south, w], [n, e]);
    });
  }

  /* Polygons (units, gaps): one GeoJSON, one style function. */
  const Areas = L.GeoJSON.extend({
    initialize: function (packed, map) {
      this.data = packed;
      this.boxes = unfold(packed.features);
      const look = packed.style;
      L.GeoJSON.prototype.initialize.call(this, packed.features, {
        pane: "areas",
        renderer: scene(map).renderer("areas"),
        interactive: false,
        style: function (feature) {
          const k = feature.properties.c;
          return {
            color: look.line || packed.colours[k],
            weight: look.weight,
            opacity: look.opacity,
            fillColor: packed.colours[k],
            fillOpacity: k < 0 ? 0 : look.fill
          };
        }
      });
    },
    pick: function (latlng) {
      const features = this.data.features.features;
      for (let i = 0; i < features.length; i++) {
        if (this.boxes[i].contains(latlng) && holds(features[i].geometry, latlng.lng, latlng.lat)) return i;
      }
      return -1;
    },
    onAdd: function (map) {
      L.GeoJSON.prototype.onAdd.call(this, map);
      if (this.data.style.labels) {
        map.on("moveend", this.label, this);
        Promise.resolve().then(this.label.bind(this)); // when the dots are there, before other names
      }
    },
    onRemove: function (map) {
      L.GeoJSON.prototype.onRemove.call(this, map);
      map.off("moveend", this.label, this);
      if (this.names) this.names.remove();
    },
    label: function () {
      if (this.names) this.names.remove();
      const map = this._map;
      if (!map) return;
      const size = map.getZoom();
      this.names = L.layerGroup();
      const ranks = this.data.style.labels === "ranks";
      const taken = [];
      const dots = ranks ? [] : dotBoxes(map, size);
      function free(box, others) { return !others.some(function (o) { return o[0] < box[2] && box[0] < o[2] && o[1] < box[3] && box[1] < o[3]; }); }
      const seen = map.getBounds().pad(0.2); // all take their room, those in sight are written
      this.data.features.features.forEach(function (feature, i) {
        const p = feature.properties;
        if (!p.at || (ranks && !p.always)) return;
        const width = Math.max(measure(p.name), measure(p.short || "")) + 10;
        const west = map.project(this.boxes[i].getSouthWest(), size);
        const east = map.project(this.boxes[i].getNorthEast(), size);
        if (!p.always && (east.x - west.x < width * 0.8 || west.y - east.y < 26)) return;
        const middle = map.project([p.at[1], p.at[0]], size);
        const half = p.always ? 11 : width / 2;
        const here = (p.always ? [[0, 0]] : STEPS).find(function (step) { // beside the dots, within the polygon
          const x = middle.x + step[0] * half;
          const y = middle.y + step[1] * 16;
          const box = [x - half, y - 15, x + half, y + 15];
          if (!free(box, taken) || !free(box, dots)) return false;
          const place = map.unproject([x, y], size);
          return step === STEPS[0] || p.always || holds(feature.geometry, place.lng, place.lat);
        });
        if (!here) return;
        const x = middle.x + here[0] * half;
        const y = middle.y + here[1] * 16;
        taken.push([x - half, y - 15, x + half, y + 15]);
        if (!seen.contains([p.at[1], p.at[0]])) return;
        const label = L.DomUtil.create("div", p.always ? "lc-rank" : "lc-label");
        L.DomUtil.create("b", "", label).textContent = p.always || p.name;
        if (!p.always && p.short) L.DomUtil.create("span", "", label).textContent = p.short;
        this.names.addLayer(
          L.marker(map.unproject([x, y], size), {
            pane: "labels",
            interactive: false,
            keyboard: false,
            icon: L.divIcon({ html: label, className: "lc-anchor", iconSize: [0, 0] })
          })
        );
      }, this);
      this.names.addTo(map);
    }
  });

  // where a label may stand: half widths and rows from the middle of its polygon, the nearest first
  const STEPS = [[0, 0], [0, 1], [0, -1], [0.5, 0], [-0.5, 0], [0, 2], [0, -2], [0.5, 1], [-0.5, 1], [0.5, -1], [-0.5, -1], [1, 0], [-1, 0], [0, 3], [0, -3]];

  /* Boxes around the dots in sight, pixels of the whole world at a zoom. */
  function dotBoxes(map, zoom) {
    const layer = scene(map).layers.dots;
    if (!layer || !map.hasLayer(layer)) return [];
    const near = map.getBounds().pad(0.2);
    const r = layer.data.radius + 1;
    return layer.data.xy.filter(function (at, i) {
      return !layer.hidden.has(layer.data.c[i]) && near.contains([at[1], at[0]]);
    }).map(function (at) {
      const q = map.project([at[1], at[0]], zoom);
      return [q.x - r, q.y - r, q.x + r, q.y + r];
    });
  }

  const ruler = document.createElement("canvas").getContext("2d");
  function measure(text) {
    ruler.font = "12px sans-serif";
    return ruler.measureText(text).width;
  }

  const FEW = 2000; // dots in sight that are drawn one by one

  /* All dots as one path. Many in sight are laid into one picture pixel by pixel: a dot of each
   * colour is drawn once, and tens of thousands take a frame or two. */
  const Spots = L.Path.extend({
    initialize: function (dots, options) {
      L.setOptions(this, options);
      this.dots = dots;
      const packed = dots.data;
      const xy = packed.xy.map(function (at) { return [lifecircle.canvas.worldX(at[0]), lifecircle.canvas.worldY(at[1])]; });
      this.order = Array.from(packed.c.keys()).sort(function (a, b) { return packed.c[a] - packed.c[b] || a - b; });
      this.world = Float64Array.from(xy.flat());
      this.spread = L.bounds(xy.map(function (one) { return L.point(one); }));
    },
    _project: function () {
      if (!this.world.length) return;
      const scale = Math.pow(2, this._map.getZoom());
      const origin = this._map.getPixelOrigin();
      const pad = L.point(this.dots.data.radius + 2, this.dots.data.radius + 2);
      this._pxBounds = L.bounds(
        this.spread.min.multiplyBy(scale).subtract(origin).subtract(pad),
        this.spread.max.multiplyBy(scale).subtract(origin).add(pad)
      );
    },
    _update: function () {
      if (this._map) this._updatePath();
    },
    _updatePath: function () {
      const canvas = this._renderer;
      if (!canvas._drawing || !this.world.length) return;
      const packed = this.dots.data;
      const hidden = this.dots.hidden;
      const scale = Math.pow(2, this._map.getZoom());
      const origin = this._map.getPixelOrigin();
      const r = this.radius + this.edge();
      const box = canvas._bounds;
      const seen = []; // x, y, colour
      this.order.forEach(function (i) {
        const x = this.world[2 * i] * scale - origin.x;
        const y = this.world[2 * i + 1] * scale - origin.y;
        if (x < box.min.x - r || x > box.max.x + r || y < box.min.y - r || y > box.max.y + r || hidden.has(packed.c[i])) return;
        seen.push(x, y, packed.c[i]);
      }, this);
      if (seen.length > 3 * FEW) {
        this.lay(canvas._ctx, seen, box);
        return;
      }
      for (let k = 0; k < seen.length; k += 3) this.dot(canvas._ctx, seen[k], seen[k + 1], packed.colours[seen[k + 2]]);
    },
    edge: function () { return this.dots.data.radius > 3.5 ? 1.4 : 0.8; },
    dot: function (context, x, y, colour) {
      context.beginPath();
      context.arc(x, y, this.radius, 0, 6.2832);
      context.fillStyle = colour;
      context.fill();
      context.strokeStyle = "#ffffff";
      context.lineWidth = this.edge();
      context.stroke();
    },
    /* The pixels of one dot: [red, green, blue, alpha, ...], and how many lie side by side. */
    stamp: function (colour, ratio) {
      const made = document.createElement("canvas");
      const side = 2 * Math.ceil((this.radius + this.edge()) * ratio) + 1;
      made.width = made.height = side;
      const context = made.getContext("2d", { willReadFrequently: true });
      context.scale(ratio, ratio);
      this.dot(context, side / 2 / ratio, side / 2 / ratio, colour);
      const found = context.getImageData(0, 0, side, side).data;
      found.pixels = new Uint32Array(found.buffer);
      return found;
    },
    lay: function (context, seen, box) {
      const ratio = L.Browser.retina ? 2 : 1;
      const stamps = this.dots.data.colours.map(function (colour) { return this.stamp(colour, ratio); }, this);
      const side = Math.sqrt(stamps[0].length / 4);
      const wide = Math.ceil((box.max.x - box.min.x) * ratio) + 2 * side;
      const high = Math.ceil((box.max.y - box.min.y) * ratio) + 2 * side;
      const picture = new ImageData(wide, high);
      const out = picture.data;
      const pixels = new Uint32Array(out.buffer);
      for (let k = 0; k < seen.length; k += 3) {
        const stamp = stamps[seen[k + 2]];
        const west = Math.round((seen[k] - box.min.x) * ratio + side / 2);
        const north = Math.round((seen[k + 1] - box.min.y) * ratio + side / 2);
        for (let row = 0, s = 0; row < side; row++) {
          let at = (north + row) * wide + west;
          for (let column = 0; column < side; column++, s += 4, at++) {
            const over = stamp[s + 3];
            if (over === 0) continue;
            if (over === 255) {
              pixels[at] = stamp.pixels[s >> 2];
              continue;
            }
            const o = 4 * at;
            const under = out[o + 3] * (255 - over) / 255;
            const whole = over + under;
            out[o] = (stamp[s] * over + out[o] * under) / whole;
            out[o + 1] = (stamp[s + 1] * over + out[o + 1] * under) / whole;
            out[o + 2] = (stamp[s + 2] * over + out[o + 2] * under) / whole;
            out[o + 3] = whole;
          }
        }
      }
      const sheet = document.createElement("canvas");
      sheet.width = wide;
      sheet.height = high;
      sheet.getContext("2d").putImageData(picture, 0, 0);
      context.drawImage(sheet, box.min.x - side / ratio, box.min.y - side / ratio, wide / ratio, high / ratio);
    }
  });

  /* Facilities as dots, grouped by class so that groups can be hidden. */
  const Dots = L.LayerGroup.extend({
    initialize: function (packed, map) {
      L.LayerGroup.prototype.initialize.call(this);
      this.data = packed;
      this.hidden = new Set();
      this.spots = new Spots(this, { pane: "dots", renderer: scene(map).renderer("dots"), interactive: false });
      this.addLayer(this.spots);
    },
    onAdd: function (map) {
      map.on("zoomend", this.resize, this);
      this.resize();
      L.LayerGroup.prototype.onAdd.call(this, map);
    },
    onRemove: function (map) {
      map.off("zoomend", this.resize, this);
      L.LayerGroup.prototype.onRemove.call(this, map);
    },
    resize: function () {
      const zoom = this._map.getZoom();
      this.spots.radius = this.data.radius * (zoom < 11.5 ? 0.7 : zoom < 13.5 ? 0.85 : 1);
    },
    toggle: function (k, on) {
      if (on) this.hidden.delete(k);
      else this.hidden.add(k);
      this.spots.redraw();
    },
    pick: function (latlng) {
      const map = this._map;
      const p = map.latLngToContainerPoint(latlng);
      const near = Math.abs(map.containerPointToLatLng([p.x + 14, p.y]).lng - latlng.lng);
      let best = -1;
      let least = Math.max(8, this.data.radius + 3) ** 2;
      this.data.xy.forEach(function (at, i) {
        if (this.hidden.has(this.data.c[i])) return;
        if (Math.abs(at[0] - latlng.lng) > near) return;
        const q = map.latLngToContainerPoint([at[1], at[0]]);
        const d = (p.x - q.x) ** 2 + (p.y - q.y) ** 2;
        if (d < least) {
          least = d;
          best = i;
        }
      }, this);
      return best;
    },
    at: function (i) {
      return L.latLng(this.data.xy[i][1], this.data.xy[i][0]);
    }
  });

  lifecircle.areas = function (map, packed) {
    return named(map, packed.name, new Areas(packed, map));
  };
  lifecircle.dots = function (map, packed) {
    return named(map, "dots", new Dots(packed, map));
  };
})();
