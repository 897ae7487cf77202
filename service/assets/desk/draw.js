/* lifecircle desk: drawing on the map with mouse, finger or keys, and the edits as they lie there. */
(function () {
  "use strict";

  const POINT = "point", LINE = "line", AREA = "area", PLACE = "place", STREET = "street";
  const DRAWS = {
    add_facility: POINT, add_way: LINE, close_way: STREET, add_residents: AREA,
    remove_facility: PLACE, change_facility: PLACE, remove_residents: AREA
  };
  const NEAR_PX = 14;
  const NEW = "#00695c", GONE = "#b3123f", WAY = "#6a1b9a";
  const STEP_PX = 8; // a key moves a pin so far

  /* The place on a drawn street nearest to a place, within some pixels; null without one. */
  function onStreet(map, latlng, pixels) {
    const streets = lifecircle.scene(map).layers.streets;
    if (!streets) return null;
    const shape = streets.shape;
    const p = map.project(latlng, 0);
    let far = pixels / Math.pow(2, map.getZoom());
    let best = null;
    for (let i = 0; i < shape.count; i++) {
      const b = 4 * i;
      if (shape.box[b] - far > p.x || shape.box[b + 2] + far < p.x) continue;
      if (shape.box[b + 1] - far > p.y || shape.box[b + 3] + far < p.y) continue;
      for (let k = shape.start[i]; k + 1 < shape.start[i + 1]; k++) {
        const ax = shape.xy[2 * k], ay = shape.xy[2 * k + 1];
        const dx = shape.xy[2 * k + 2] - ax, dy = shape.xy[2 * k + 3] - ay;
        const length = dx * dx + dy * dy;
        const t = length ? Math.max(0, Math.min(1, ((p.x - ax) * dx + (p.y - ay) * dy) / length)) : 0;
        const d = Math.hypot(p.x - ax - t * dx, p.y - ay - t * dy);
        if (d <= far) {
          far = d;
          best = L.point(ax + t * dx, ay + t * dy);
        }
      }
    }
    return best && map.unproject(best, 0);
  }

  function pair(latlng) {
    const at = latlng.wrap();
    return [Number(at.lng.toFixed(7)), Number(at.lat.toFixed(7))];
  }

  function latlngs(coordinates) {
    return coordinates.map(function (at) { return L.latLng(at[1], at[0]); });
  }

  /* `done(op, found)`: a place, a line, a ring or the index of a facility was drawn. */
  function pen(map, told) {
    let op = null;
    let corners = [];
    let ghost = null;
    const sketch = L.layerGroup().addTo(map);
    const cross = L.DomUtil.create("div", "lc-cross", map.getContainer());
    cross.hidden = true;

    function snapped(latlng) {
      if (DRAWS[op] === STREET) return onStreet(map, latlng, NEAR_PX);
      return (op === "add_way" && onStreet(map, latlng, NEAR_PX)) || latlng;
    }

    function show(mouse) {
      sketch.clearLayers();
      if (!op) return;
      const shown = mouse ? corners.concat([mouse]) : corners;
      const look = { pane: "edits", renderer: lifecircle.scene(map).renderer("edits"), interactive: false };
      if (shown.length > 1) {
        const line = Object.assign({ color: WAY, weight: 3, dashArray: "6 5", fillOpacity: 0.15 }, look);
        (DRAWS[op] === AREA ? L.polygon(shown, line) : L.polyline(shown, line)).addTo(sketch);
      }
      corners.forEach(function (at) {
        L.circleMarker(at, Object.assign({ radius: 4, color: "#fff", weight: 1.5, fillColor: WAY, fillOpacity: 1 }, look)).addTo(sketch);
      });
      if (mouse && (DRAWS[op] === STREET || op === "add_way") && onStreet(map, mouse, 1)) {
        L.circleMarker(mouse, Object.assign({ radius: 7, color: WAY, weight: 2, fill: false }, look)).addTo(sketch);
      }
    }

    function least() { return DRAWS[op] === AREA ? 3 : 2; }

    function finish() {
      if (!op) return;
      const shaped = corners.filter(function (at, k) { return !k || !at.equals(corners[k - 1]); });
      if (shaped.length < least()) return told.say(DRAWS[op] === AREA ? "need_area" : "need_line");
      const found = shaped.map(pair);
      if (DRAWS[op] === AREA) found.push(found[0]);
      const what = op;
      corners = [];
      show(null);
      told.done(what, found);
    }

    function put(latlng) {
      const kind = DRAWS[op];
      if (kind === PLACE) {
        const dots = lifecircle.scene(map).layers.dots;
        const k = dots && map.hasLayer(dots) ? dots.pick(latlng) : -1;
        if (k < 0) return told.say("no_place");
        return told.done(op, k);
      }
      const at = snapped(latlng);
      if (!at) return told.say("no_street");
      if (kind === POINT || kind === STREET) return told.done(op, pair(at));
      const last = corners[corners.length - 1];
      const again = last && map.latLngToContainerPoint(last).distanceTo(map.latLngToContainerPoint(at)) < 6;
      if (again) return finish();
      if (kind === AREA && corners.length > 2 &&
          map.latLngToContainerPoint(corners[0]).distanceTo(map.latLngToContainerPoint(at)) < 9) return finish();
      corners.push(at);
      show(null);
      told.drawn(corners.length);
    }

    map.on("click", function (event) { if (op) put(event.latlng); });
    map.on("mousemove", function (event) {
      if (!op || DRAWS[op] === PLACE || DRAWS[op] === POINT) return;
      cancelAnimationFrame(ghost);
      ghost = requestAnimationFrame(function () { show(snapped(event.latlng) || null); });
    });
    map.on("mouseout", function () { if (op) show(null); });

    function use(chosen) {
      op = chosen;
      corners = [];
      map.lifecircleDraws = Boolean(op);
      map.getContainer().classList.toggle("lc-drawing", Boolean(op));
      cross.hidden = true;
      if (op) map.doubleClickZoom.disable();
      else map.doubleClickZoom.enable();
      map.closePopup();
      show(null);
      told.drawn(0);
    }

    return {
      op: function () { return op; },
      use: use,
      finish: finish,
      back: function () { corners.pop(); show(null); told.drawn(corners.length); },
      begun: function () { return corners.length > 0; },
      drawsShape: function () { return DRAWS[op] === LINE || DRAWS[op] === AREA; },
      centre: function () { if (op) { cross.hidden = false; put(map.getCenter()); } },
      aim: function () { if (op) cross.hidden = false; }
    };
  }

  function lines(edit) {
    const shape = lifecircle.editTools.shapeOf(edit);
    if (!shape) return [];
    if (shape.type === "LineString") return [latlngs(shape.coordinates)];
    if (shape.type === "MultiLineString") return shape.coordinates.map(latlngs);
    if (shape.type === "Polygon") return shape.coordinates.map(latlngs);
    if (shape.type === "MultiPolygon") return shape.coordinates.flat().map(latlngs);
    return [];
  }

  function points(edit) {
    const shape = lifecircle.editTools.shapeOf(edit);
    if (!shape) return edit._at ? [L.latLng(edit._at[1], edit._at[0])] : [];
    if (shape.type === "Point") return latlngs([shape.coordinates]);
    if (shape.type === "MultiPoint") return latlngs(shape.coordinates);
    return [];
  }

  function colour(op) {
    if (op === "add_way") return WAY;
    return op.startsWith("add") || op.startsWith("change") ? NEW : GONE;
  }

  /* One edit on the canvas, so that a saved picture has it too. */
  function ink(map, group, edit) {
    const look = { pane: "edits", renderer: lifecircle.scene(map).renderer("edits"), interactive: false };
    const area = edit.op.endsWith("residents");
    lines(edit).forEach(function (line) {
      if (area || (edit.geometry && edit.geometry.type.endsWith("Polygon"))) {
        L.polygon(line, Object.assign({ color: colour(edit.op), weight: 2.5, fillColor: colour(edit.op), fillOpacity: 0.22,
          dashArray: edit.op.startsWith("remove") ? "5 4" : null }, look)).addTo(group);
        return;
      }
      L.polyline(line, Object.assign({ color: "#fff", weight: 8 }, look)).addTo(group);
      L.polyline(line, Object.assign({ color: colour(edit.op), weight: 4.5,
        dashArray: edit.kind === "steps" ? "2 5" : edit.kind === "path" ? "9 6" : null }, look)).addTo(group);
    });
    points(edit).forEach(function (at) {
      L.circleMarker(at, Object.assign({ radius: 7, color: "#fff", weight: 2, fillColor: colour(edit.op), fillOpacity: 1 }, look)).addTo(group);
    });
  }

  /* Where the number of an edit stands. */
  function anchor(edit) {
    const at = points(edit)[0];
    if (at) return at;
    const line = lines(edit)[0];
    if (!line) return null;
    return edit.op.endsWith("residents") ? L.latLngBounds(line).getCenter() : line[Math.floor(line.length / 2)];
  }

  /* The edits on the map; a pin or a corner that is dragged tells `moved(k, edit, dropped)`. */
  function board(map, told) {
    const under = L.layerGroup().addTo(map);
    const over = L.layerGroup().addTo(map);

    function handle(at, className, text, label, move) {
      const mark = L.DomUtil.create("div", className);
      mark.textContent = text;
      const pin = L.marker(at, {
        draggable: Boolean(move), keyboard: true, title: "", alt: label, autoPan: Boolean(move),
        icon: L.divIcon({ html: mark, className: "lc-anchor", iconSize: [0, 0] })
      }).addTo(over);
      pin.getElement().setAttribute("aria-label", label);
      if (!move) return pin;
      pin.on("drag", function () { move(pin.getLatLng(), false); });
      pin.on("dragend", function () {
        map.lifecircleDraws = true; // the click that ends a drag asks about no place
        setTimeout(function () { map.lifecircleDraws = map.getContainer().classList.contains("lc-drawing"); }, 80);
        move(pin.getLatLng(), true);
      });
      pin.getElement().addEventListener("keydown", function (event) {
        const by = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
        if (!by) return;
        event.preventDefault();
        event.stopPropagation();
        const p = map.latLngToContainerPoint(pin.getLatLng());
        pin.setLatLng(map.containerPointToLatLng([p.x + by[0] * STEP_PX, p.y + by[1] * STEP_PX]));
        move(pin.getLatLng(), true);
      });
      return pin;
    }

    function corner(edit, k, ring, i, at) {
      handle(at, "lc-corner", "", told.label(edit, k), function (latlng, dropped) {
        const place = pair((edit.op === "add_way" && onStreet(map, latlng, NEAR_PX)) || latlng);
        const next = structuredClone(edit);
        const line = next.coordinates || next.geometry.coordinates[ring];
        line[i] = place;
        if (!next.coordinates && i === 0) line[line.length - 1] = place;
        told.moved(k, next, dropped);
      });
    }

    function inkAll(list) {
      under.clearLayers();
      list.forEach(function (edit) { ink(map, under, edit); });
    }

    let lifted = null; // the edit whose pin is dragged: the pin shows where it is

    return {
      /* The edits while the k-th of them is dragged. */
      ink: function (list, k) {
        if (lines(list[k]).length) return inkAll(list);
        if (lifted === k) return;
        lifted = k;
        inkAll(list.filter(function (edit, i) { return i !== k; }));
      },
      show: function (list, chosen) {
        lifted = null;
        const held = document.activeElement && document.activeElement.closest(".leaflet-marker-icon");
        const focused = held ? held.dataset.pin : null;
        inkAll(list);
        over.clearLayers();
        list.forEach(function (edit, k) {
          const at = anchor(edit);
          if (!at) return;
          const moves = edit.op === "add_facility" || (edit.geometry && edit.geometry.type === "Point");
          const pin = handle(at, "lc-pin lc-pin-" + edit.op + (k === chosen ? " lc-chosen" : ""), String(k + 1), told.label(edit, k),
            moves && function (latlng, dropped) {
              const on = edit.op === "close_way" ? onStreet(map, latlng, NEAR_PX) || latlng : latlng;
              const place = pair(on);
              const where = edit.geometry ? { geometry: { type: "Point", coordinates: place } } : { lon: place[0], lat: place[1] };
              told.moved(k, Object.assign({}, edit, where), dropped);
            });
          pin.getElement().dataset.pin = k;
          pin.on("click", function () { told.chose(k); });
          if (k !== chosen) return;
          if (edit.coordinates) edit.coordinates.forEach(function (c, i) { corner(edit, k, 0, i, L.latLng(c[1], c[0])); });
          if (edit.geometry && edit.geometry.type === "Polygon") {
            edit.geometry.coordinates.forEach(function (ring, r) {
              ring.slice(0, -1).forEach(function (c, i) { corner(edit, k, r, i, L.latLng(c[1], c[0])); });
            });
          }
        });
        const again = focused && map.getPane("markerPane").querySelector("[data-pin='" + Number(focused) + "']");
        if (again) again.focus({ preventScroll: true });
      }
    };
  }

  lifecircle.pane = function (map) {
    const scene = lifecircle.scene(map); // makes the panes of a map
    ["changes", "edits"].forEach(function (name, k) {
      if (map.getPane(name)) return;
      const pane = map.createPane(name);
      pane.style.zIndex = 410 + 60 * k;
      pane.style.pointerEvents = "none";
    });
    return scene;
  };
  lifecircle.pen = pen;
  lifecircle.board = board;
  lifecircle.ink = ink;
})();
