/* lifecircle: metres along a line that a reader draws, as the crow flies between its corners. */
(function () {
  "use strict";

  const A = 6378137; // WGS 84
  const E2 = 0.00669437999014;

  /* Metres between two places on the ellipsoid, by its radii half way between them. */
  function metres(p, q) {
    const rad = Math.PI / 180;
    const s = Math.sin(((p.lat + q.lat) / 2) * rad);
    const w = Math.sqrt(1 - E2 * s * s);
    const north = ((q.lat - p.lat) * rad * A * (1 - E2)) / (w * w * w);
    const east = ((q.lng - p.lng) * rad * A * Math.sqrt(1 - s * s)) / w;
    return Math.hypot(north, east);
  }

  lifecircle.measure = function (map, config, tools) {
    const words = config.measure;
    let corners = [];
    let drawn = null;
    let on = false;

    function length() {
      return corners.slice(1).reduce(function (sum, q, k) { return sum + metres(corners[k], q); }, 0);
    }

    function draw() {
      if (drawn) drawn.remove();
      drawn = null;
      if (!corners.length) return;
      drawn = L.layerGroup().addTo(map);
      [["#ffffff", 6], ["#1b1f23", 2.5]].forEach(function (look) {
        L.polyline(corners, { pane: "walk", interactive: false, color: look[0], weight: look[1], opacity: 1 }).addTo(drawn);
      });
      corners.forEach(function (corner) {
        L.circleMarker(corner, { pane: "walk", interactive: false, radius: 4, weight: 2, color: "#1b1f23", fillColor: "#ffffff", fillOpacity: 1 }).addTo(drawn);
      });
      const said = corners.length < 2 ? words.hint : lifecircle.filled(words.told, { metres: tools.number.format(Math.round(length())) });
      const label = tools.element("span", "lc-measured", said);
      L.tooltip({ permanent: true, direction: "right", offset: [10, 0], className: "lc-hint", interactive: false })
        .setLatLng(corners[corners.length - 1]).setContent(label).addTo(drawn);
    }

    function stop() {
      on = map.lifecircleMeasures = false;
      map.doubleClickZoom.enable();
      map.getContainer().classList.remove("lc-measuring");
    }

    function clear() {
      stop();
      corners = [];
      draw();
    }

    map.on("click", function (event) {
      if (!on) return;
      corners.push(event.latlng.wrap());
      draw();
    });
    map.on("dblclick", function () {
      if (on) stop();
    });
    return {
      toggle: function () {
        if (on) {
          clear();
          return false;
        }
        clear();
        on = map.lifecircleMeasures = true;
        map.closePopup();
        map.doubleClickZoom.disable();
        map.getContainer().classList.add("lc-measuring");
        return true;
      },
      clear: clear
    };
  };
  lifecircle.metres = metres;
})();
