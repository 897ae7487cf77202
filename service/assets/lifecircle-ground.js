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
