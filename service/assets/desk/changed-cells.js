/* lifecircle desk: the cells that gain or lose, on one canvas as small as they allow. */
(function () {
  "use strict";

  const RADIUS = 4.5, RIM = 1.2;
  const AROUND = 0.2; // of the view: drawn beyond its border, so that a pan shows no bare edge

  /* Of what is drawn again at every step of a drag only this part of the screen is painted anew. */
  const ChangedCells = L.Layer.extend({
    options: { pane: "changes" },
    initialize: function () {
      this.places = [];
    },
    getEvents: function () {
      const events = { moveend: this.draw, viewreset: this.draw };
      if (this._map._zoomAnimated) events.zoomanim = this.zooming;
      return events;
    },
    onAdd: function () {
      this.canvas = L.DomUtil.create("canvas", this._map._zoomAnimated ? "leaflet-zoom-animated" : "", this.getPane());
      this.draw();
    },
    onRemove: function () {
      this.canvas.remove();
    },
    /* `places`: [latlng, colour] of each cell. */
    show: function (places) {
      this.places = places;
      if (this._map) this.draw();
    },
    zooming: function (event) {
      if (!this.corner) return;
      L.DomUtil.setTransform(this.canvas, this._map._latLngToNewLayerPoint(this.corner, event.zoom, event.center),
        this._map.getZoomScale(event.zoom, this.zoom));
    },
    draw: function () {
      const map = this._map;
      const size = map.getSize();
      const edge = size.multiplyBy(AROUND);
      const view = L.bounds(map.containerPointToLayerPoint(edge.multiplyBy(-1)), map.containerPointToLayerPoint(size.add(edge)));
      const seen = [];
      const box = L.bounds([]);
      this.places.forEach(function (one) {
        const at = map.latLngToLayerPoint(one[0]);
        if (!view.contains(at)) return;
        box.extend(at);
        seen.push([at, one[1]]);
      });
      this.canvas.hidden = !seen.length;
      this.corner = null;
      if (!seen.length) return;
      const rim = RADIUS + RIM + 1;
      const corner = box.min.subtract([rim, rim]).floor();
      const wide = box.max.add([rim, rim]).ceil().subtract(corner);
      const ratio = window.devicePixelRatio || 1;
      this.canvas.width = wide.x * ratio;
      this.canvas.height = wide.y * ratio;
      this.canvas.style.width = wide.x + "px";
      this.canvas.style.height = wide.y + "px";
      L.DomUtil.setPosition(this.canvas, corner);
      this.corner = map.layerPointToLatLng(corner);
      this.zoom = map.getZoom();
      const pen = this.canvas.getContext("2d");
      pen.scale(ratio, ratio);
      pen.globalAlpha = 0.95;
      pen.lineWidth = RIM;
      pen.strokeStyle = "#ffffff";
      seen.forEach(function (one) {
        pen.beginPath();
        pen.arc(one[0].x - corner.x, one[0].y - corner.y, RADIUS, 0, 6.2832);
        pen.fillStyle = one[1];
        pen.fill();
        pen.stroke();
      });
    }
  });

  lifecircle.changedCells = function (map) {
    lifecircle.pane(map);
    return new ChangedCells().addTo(map);
  };
})();
