/* lifecircle: the signs of review marks, drawn on the map and beside words. */
(function () {
  "use strict";

  // told apart by shape and by lightness, so by protan eyes and in black and white too
  const LOOKS = {
    confirmed: "#0072b2", not_a_gap: "#1b1f23", planned: "#f0e442", built: "#56b4e9", wrong_data: "#ffffff"
  };
  const CORNERS = {
    not_a_gap: [[-1, -0.5], [-0.5, -1], [0, -0.5], [0.5, -1], [1, -0.5], [0.5, 0], [1, 0.5], [0.5, 1], [0, 0.5], [-0.5, 1], [-1, 0.5], [-0.5, 0]],
    planned: [[0, -1.1], [1.05, 0.8], [-1.05, 0.8]],
    built: [[-0.85, -0.85], [0.85, -0.85], [0.85, 0.85], [-0.85, 0.85]],
    wrong_data: [[0, -1.15], [1.15, 0], [0, 1.15], [-1.15, 0]]
  };
  const RADIUS = 7;

  function paint(context, verdict, x, y, r) {
    context.beginPath();
    if (CORNERS[verdict]) {
      CORNERS[verdict].forEach(function (corner, k) {
        context[k ? "lineTo" : "moveTo"](x + corner[0] * r, y + corner[1] * r);
      });
    } else {
      context.arc(x, y, r, 0, 6.2832);
    }
    context.closePath();
    context.lineJoin = "round";
    [["#ffffff", 4.5], ["#1b1f23", 1.8]].forEach(function (line) {
      context.strokeStyle = line[0];
      context.lineWidth = line[1];
      context.stroke();
    });
    context.fillStyle = LOOKS[verdict] || "#ffffff";
    context.fill();
  }

  function sign(verdict) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 44;
    canvas.className = "lc-sign";
    paint(canvas.getContext("2d"), verdict, 22, 22, 15);
    return canvas;
  }

  const Sign = L.CircleMarker.extend({
    _updatePath: function () {
      const renderer = this._renderer;
      if (!renderer._drawing || this._empty()) return;
      paint(renderer._ctx, this.options.verdict, this._point.x + this.options.shift, this._point.y - this.options.rise, RADIUS);
    }
  });

  const Marks = L.LayerGroup.extend({
    show: function (marks, map) {
      this.clearLayers();
      this.drawn = [];
      const renderer = lifecircle.scene(map).renderer("marks");
      const taken = {};
      marks.forEach(function (one) {
        if (!one.now) return;
        const key = one.now.lat + "," + one.now.lon;
        // several on one thing stand side by side, beside the number of a gap or site
        const shift = 17 * (taken[key] || 0) + (one.target.kind === "gap" || one.target.kind === "proposal" ? 20 : 0);
        taken[key] = (taken[key] || 0) + 1;
        const rise = one.target.kind === "unit" ? 26 : 0; // above its name
        if (one.matched === "moved") {
          this.addLayer(L.polyline([[one.target.lat, one.target.lon], [one.now.lat, one.now.lon]], {
            pane: "marks", renderer: renderer, interactive: false, color: "#1b1f23", weight: 1.6, dashArray: "2 5"
          }));
        }
        this.addLayer(new Sign([one.now.lat, one.now.lon], {
          pane: "marks", renderer: renderer, interactive: false, verdict: one.verdict, shift: shift, rise: rise, radius: RADIUS + 6 + shift + rise
        }));
        this.drawn.push({ mark: one, shift: shift, rise: rise });
      }, this);
    },
    pick: function (latlng) {
      const map = this._map;
      if (!map) return null;
      const p = map.latLngToContainerPoint(latlng);
      let best = null;
      let least = 11 * 11;
      (this.drawn || []).forEach(function (one) {
        const q = map.latLngToContainerPoint([one.mark.now.lat, one.mark.now.lon]);
        const d = (p.x - q.x - one.shift) ** 2 + (p.y - q.y + one.rise) ** 2;
        if (d < least) {
          least = d;
          best = one.mark;
        }
      });
      return best;
    }
  });

  lifecircle.signs = { verdicts: Object.keys(LOOKS), sign: sign, Marks: Marks };
})();
