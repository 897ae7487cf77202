/* lifecircle: water, green, buildings, railways, main roads and names under the data, by zoom. */
(function () {
  "use strict";

  const canvas = lifecircle.canvas;
  const FROM = { water: 9, green: 10, building: 14, stream: 11, rail: 11, road: 9 };
  const FILLED = ["water", "green", "building"];
  const NAME_FROM = { town: 9, suburb: 12, village: 12.5, water: 13, park: 15, station: 13.5, street: 15.5 };
  const MOST_NAMES = 45; // on one screen

  const Ground = canvas.Tiles.extend({
    initialize: function (packed) {
      L.setOptions(this, { pane: "ground" });
      this.take(packed);
    },
    take: function (packed) {
      this.data = packed;
      this.shape = canvas.lines(packed);
      this.byKind = packed.kinds.map(function () { return []; });
      packed.kind.forEach(function (kind, i) { this.byKind[kind].push(i); }, this);
      if (!this._map) return;
      this.redraw();
      this.label();
    },
    paint: function (context, scale, x0, y0, size, zoom) {
      const view = [scale, x0, y0];
      const look = lifecircle.groundOf(this._map);
      if (look.empty) return;
      this.data.kinds.forEach(function (kind, k) {
        if (zoom < FROM[kind]) return;
        const seen = this.byKind[k].filter(function (i) {
          return canvas.inside(this.shape, i, scale, x0, y0, size, 4);
        }, this);
        if (FILLED.indexOf(kind) >= 0) this.fill(context, view, seen, look[kind]);
        else if (kind === "stream") this.line(context, view, seen, look.water, zoom < 14 ? 1 : 2.2, []);
        else if (kind === "rail") this.rail(context, view, seen, zoom, look);
        else this.roads(context, view, seen, zoom, look.road);
      }, this);
    },
    fill: function (context, view, seen, colour) {
      const feature = this.data.feature;
      context.fillStyle = colour;
      for (let n = 0; n < seen.length; n++) {
        context.beginPath();
        canvas.trace(context, this.shape, seen[n], view[0], view[1], view[2]);
        while (n + 1 < seen.length && feature[seen[n + 1]] === feature[seen[n]]) {
          context.closePath();
          canvas.trace(context, this.shape, seen[++n], view[0], view[1], view[2]);
        }
        context.fill("evenodd");
      }
    },
    line: function (context, view, seen, colour, width, dash) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.lineJoin = "round";
      context.setLineDash(dash);
      context.beginPath();
      seen.forEach(function (i) { canvas.trace(context, this.shape, i, view[0], view[1], view[2]); }, this);
      context.stroke();
      context.setLineDash([]);
    },
    rail: function (context, view, seen, zoom, look) {
      const width = zoom < 13 ? 1.2 : 2.4;
      this.line(context, view, seen, look.rail, width, []);
      if (zoom >= 13) this.line(context, view, seen, look.paper, width - 1.2, [7, 7]);
    },
    roads: function (context, view, seen, zoom, colours) {
      const rank = this.data.rank;
      for (let k = colours.length - 1; k >= 0; k--) {
        if (k > 2 && zoom < 12) continue;
        const of = seen.filter(function (i) { return rank[i] === k; });
        this.line(context, view, of, colours[k], (zoom < 12 ? 0.9 : zoom < 14 ? 1.5 : zoom < 16 ? 2.6 : 4.5) * (1.25 - 0.15 * k), []);
      }
    },
    onAdd: function (map) {
      canvas.Tiles.prototype.onAdd.call(this, map);
      map.on("moveend", this.label, this);
      setTimeout(this.label.bind(this), 0); // after the labels of the data, which go before
    },
    onRemove: function (map) {
      map.off("moveend", this.label, this);
      if (this.names) this.names.remove();
      canvas.Tiles.prototype.onRemove.call(this, map);
    },
    /* Names that fit beside those of the data and beside each other, the more important first. */
    label: function () {
      const map = this._map;
      if (this.names) this.names.remove();
      if (!map || lifecircle.groundOf(map).empty) return;
      const d = this.data;
      const zoom = map.getZoom();
      const bounds = map.getBounds();
      const frame = map.getContainer().getBoundingClientRect();
      const taken = Array.from(map.getContainer().querySelectorAll(".lc-label, .lc-rank")).map(function (label) {
        const r = label.getBoundingClientRect();
        return [r.left - frame.left, r.top - frame.top, r.right - frame.left, r.bottom - frame.top];
      });
      const dots = lifecircle.scene(map).layers.dots;
      (dots ? dots.data.xy : []).forEach(function (xy) {
        if (taken.length > 3000 || !bounds.contains([xy[1], xy[0]])) return;
        const q = map.latLngToContainerPoint([xy[1], xy[0]]);
        taken.push([q.x - 5, q.y - 5, q.x + 5, q.y + 5]);
      });
      this.names = L.layerGroup();
      let shown = 0;
      for (let i = 0; i < d.names.length && shown < MOST_NAMES; i++) {
        const kind = d.nameKinds[d.nameKind[i]];
        const at = L.latLng(d.nameAt[i][1], d.nameAt[i][0]);
        const late = d.names[i].length > 16 ? 1.5 : 0; // long names wait for room
        if (zoom < NAME_FROM[kind] + late || !bounds.contains(at)) continue;
        const p = map.latLngToContainerPoint(at);
        const wide = 3.4 + 6.2 * Array.from(d.names[i]).reduce(function (sum, c) { return sum + (c > "\u2e80" ? 2 : 1); }, 0) / 2;
        const box = [p.x - wide, p.y - 9, p.x + wide, p.y + 9];
        if (taken.some(function (o) { return o[0] < box[2] && box[0] < o[2] && o[1] < box[3] && box[1] < o[3]; })) continue;
        taken.push(box);
        shown += 1;
        const label = L.DomUtil.create("span", "lc-ground-name lc-name-" + kind);
        label.textContent = d.names[i];
        this.names.addLayer(L.marker(at, {
          pane: "labels", interactive: false, keyboard: false,
          icon: L.divIcon({ html: label, className: "lc-anchor", iconSize: [0, 0] })
        }));
      }
      this.names.addTo(map);
    }
  });

  lifecircle.ground = function (map, source) {
    lifecircle.scene(map);
    return lifecircle.lately(map, "ground", function (packed) { return new Ground(packed); }, source);
  };
})();

/* lifecircle: streets and cells drawn on canvas tiles from compact arrays, and what a click finds. */
(function () {
  "use strict";

  const canvas = lifecircle.canvas;
  const CanvasTiles = canvas.Tiles;
  const { dotsOf, unpack, lines, inside, trace, worldX, worldY, latOf, metresPerWorld, WORLD } = canvas;
  const { scene, named, lately } = lifecircle;

  /* The street network as quiet grey lines. */
  const Streets = CanvasTiles.extend({
    initialize: function (packed) {
      L.setOptions(this, { pane: "streets" });
      this.take(packed);
    },
    take: function (packed) {
      this.data = packed;
      this.shape = lines(packed);
      if (this._map) this.redraw();
    },
    paint: function (context, scale, x0, y0, size, zoom) {
      context.lineWidth = zoom < 11 ? 0.35 : zoom < 13 ? 0.6 : zoom < 15 ? 0.9 : zoom < 17 ? 1.6 : 2.6;
      context.strokeStyle = lifecircle.groundOf(this._map).street;
      context.lineJoin = "round";
      context.beginPath();
      for (let i = 0; i < this.shape.count; i++) {
        if (inside(this.shape, i, scale, x0, y0, size, 3)) trace(context, this.shape, i, scale, x0, y0);
      }
      context.stroke();
    }
  });

  /* Cells coloured by class: points of a given radius, or the cells' own polygons. */
  const Cells = CanvasTiles.extend({
    initialize: function (packed) {
      L.setOptions(this, { pane: "cells" });
      this.data = packed;
      this.xy = unpack(packed.points);
      this.shape = packed.polygons ? lines(packed.polygons) : null;
      this.metres = this.xy.length ? metresPerWorld(this.xy[1]) : 1;
    },
    radius: function (scale) {
      return Math.min(40, Math.max(1.3, (this.data.radius_m / this.metres) * scale));
    },
    paint: function (context, scale, x0, y0, size) {
      const groups = this.data.colours.map(function () { return []; });
      const owner = this.shape ? this.data.polygons.cell : [];
      for (let i = 0; i < owner.length; i++) {
        if (inside(this.shape, i, scale, x0, y0, size, 1)) groups[this.data.c[owner[i]]].push(i);
      }
      context.globalAlpha = 0.86;
      groups.forEach(function (rings, k) {
        context.fillStyle = this.data.colours[k];
        this.paintRings(context, scale, x0, y0, rings);
        this.paintPoints(context, scale, x0, y0, size, k);
      }, this);
    },
    /* Rings of one cell come one after another and are filled together, so that holes stay open. */
    paintRings: function (context, scale, x0, y0, rings) {
      const box = this.shape ? this.shape.box : null;
      const owner = this.shape ? this.data.polygons.cell : null;
      for (let n = 0; n < rings.length; n++) {
        const i = rings[n];
        const wide = (box[4 * i + 2] - box[4 * i]) * scale;
        const high = (box[4 * i + 3] - box[4 * i + 1]) * scale;
        if (wide < 5 && high < 5) {
          const w = Math.max(wide, 1.4);
          const h = Math.max(high, 1.4);
          context.fillRect(box[4 * i] * scale - x0, box[4 * i + 1] * scale - y0, w, h);
          continue;
        }
        context.beginPath();
        trace(context, this.shape, i, scale, x0, y0);
        while (n + 1 < rings.length && owner[rings[n + 1]] === owner[i]) {
          context.closePath();
          trace(context, this.shape, rings[++n], scale, x0, y0);
        }
        context.fill("evenodd");
      }
    },
    paintPoints: function (context, scale, x0, y0, size, k) {
      const r = this.radius(scale);
      const classes = this.data.c;
      for (let i = 0; i < classes.length; i++) {
        if (classes[i] !== k || (this.shape && this.data.polygons.own[i])) continue;
        const x = this.xy[2 * i] * scale - x0;
        const y = this.xy[2 * i + 1] * scale - y0;
        if (x < -r || y < -r || x > size + r || y > size + r) continue;
        if (r < 2.2) {
          context.fillRect(x - r, y - r, 2 * r, 2 * r);
        } else {
          context.beginPath();
          context.arc(x, y, r, 0, 6.2832);
          context.fill();
        }
      }
    },
    pick: function (latlng) {
      const scale = Math.pow(2, this._map.getZoom());
      const reach = Math.max(this.radius(scale), 6) / scale;
      const far = this.shape ? Math.max(reach, this.data.radius_m / this.metres) : reach;
      const x = worldX(latlng.lng);
      const y = worldY(latlng.lat);
      let best = -1;
      let least = far * far;
      for (let i = 0; i < this.data.c.length; i++) {
        const d = (this.xy[2 * i] - x) ** 2 + (this.xy[2 * i + 1] - y) ** 2;
        if (d <= least) {
          least = d;
          best = i;
        }
      }
      return best;
    },
    at: function (i) {
      const x = this.xy[2 * i];
      return L.latLng(latOf(this.xy[2 * i + 1]), (x / WORLD) * 360 - 180);
    }
  });

  /* Some of the cells hatched in black on white, which stands out on every colour and to every eye. */
  const Hatching = CanvasTiles.extend({
    initialize: function (packed, cells) {
      L.setOptions(this, { pane: "hatching", usuallyOff: true });
      this.data = packed;
      this.cells = cells;
      this.draws = {};
      packed.cells.forEach(function (i, k) { this.draws[i] = packed.covered[k]; }, this);
    },
    told: function (i) {
      return i in this.draws ? this.data.told.replace("{n}", this.draws[i]) : null;
    },
    pattern: function (context) {
      const ratio = dotsOf(this._map);
      const side = 8;
      const mark = document.createElement("canvas");
      mark.width = mark.height = side * ratio;
      const pen = mark.getContext("2d");
      pen.scale(ratio, ratio);
      [["#ffffff", 3.4], ["#111111", 1.5]].forEach(function (line) {
        pen.strokeStyle = line[0];
        pen.lineWidth = line[1];
        pen.beginPath();
        for (let at = -side; at <= side; at += side) {
          pen.moveTo(at - 2, side + 2);
          pen.lineTo(at + side + 2, -2);
        }
        pen.stroke();
      });
      const made = context.createPattern(mark, "repeat");
      made.setTransform(new DOMMatrix().scale(1 / ratio));
      return made;
    },
    paint: function (context, scale, x0, y0, size) {
      const shape = this.cells.shape;
      const radius = Math.max(4, this.cells.radius(scale));
      context.fillStyle = this.pattern(context);
      context.beginPath();
      if (shape) {
        this.cells.data.polygons.cell.forEach(function (cell, i) {
          if (cell in this.draws && inside(shape, i, scale, x0, y0, size, 1)) {
            trace(context, shape, i, scale, x0, y0);
            context.closePath();
          }
        }, this);
      }
      this.data.cells.forEach(function (i) {
        if (shape && this.cells.data.polygons.own[i]) return;
        const x = this.cells.xy[2 * i] * scale - x0;
        const y = this.cells.xy[2 * i + 1] * scale - y0;
        if (x < -radius || y < -radius || x > size + radius || y > size + radius) return;
        context.moveTo(x + radius, y);
        context.arc(x, y, radius, 0, 6.2832);
      }, this);
      context.fill(shape ? "evenodd" : "nonzero");
    }
  });

  lifecircle.streets = function (map, source) {
    scene(map);
    return lately(map, "streets", function (packed) { return new Streets(packed); }, source);
  };
  lifecircle.cells = function (map, packed) {
    scene(map);
    return named(map, "cells", new Cells(packed));
  };
  lifecircle.hatching = function (map, packed) {
    return named(map, "firm", new Hatching(packed, scene(map).layers.cells));
  };
})();
