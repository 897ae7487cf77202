/* lifecircle: the state of a page in its address, so that it can be mailed. */
(function () {
  "use strict";

  /* Zoom, middle, layers that are off, the ground and the place asked about stand after the # of the address. */
  function keepState(map, config, answer) {
    const layers = lifecircle.scene(map).layers;
    let ready = false;
    let waiting = 0;

    function usuallyOff(name) { return layers[name].options.usuallyOff === true; }

    function written() {
      const middle = map.getCenter();
      const parts = [[map.getZoom(), middle.lat.toFixed(5), middle.lng.toFixed(5)].join("/")];
      const names = Object.keys(layers);
      const off = names.filter(function (name) { return !map.hasLayer(layers[name]) && !usuallyOff(name); });
      const on = names.filter(function (name) { return map.hasLayer(layers[name]) && usuallyOff(name); });
      if (off.length) parts.push("off=" + off.join(","));
      if (on.length) parts.push("on=" + on.join(","));
      if (lifecircle.worn(map) !== lifecircle.groundFirst) parts.push("ground=" + lifecircle.worn(map));
      const place = answer ? answer.place() : null;
      if (place) parts.push("at=" + place.lat.toFixed(6) + "," + place.lng.toFixed(6));
      return "#" + parts.join("&");
    }

    function save() {
      if (!ready) return;
      try {
        history.replaceState(null, "", written());
      } catch (error) {
        ready = false; // a page without an address of its own, such as a notebook's
      }
    }

    function restore() {
      const parts = decodeURIComponent(location.hash.slice(1)).split("&");
      const where = parts[0].split("/").map(Number);
      if (where.length === 3 && where.every(Number.isFinite)) {
        map.setView([where[1], where[2]], where[0], { animate: false });
      }
      parts.slice(1).forEach(function (part) {
        const value = part.slice(part.indexOf("=") + 1);
        if (part.startsWith("off=")) {
          value.split(",").forEach(function (name) {
            if (layers[name]) map.removeLayer(layers[name]);
          });
        }
        if (part.startsWith("on=")) {
          value.split(",").forEach(function (name) {
            if (layers[name]) map.addLayer(layers[name]);
          });
        }
        if (part.startsWith("ground=")) lifecircle.wear(map, value);
        if (part.startsWith("at=") && answer) {
          const at = value.split(",").map(Number);
          if (at.length === 2 && at.every(Number.isFinite)) answer.at(L.latLng(at[0], at[1]), null);
        }
      });
      document.querySelectorAll("input[data-layer]").forEach(function (box) {
        if (layers[box.dataset.layer]) box.checked = map.hasLayer(layers[box.dataset.layer]);
      });
    }

    /* Once for what happens together; labels, which come and go as layers too, do not count. */
    function soon(event) {
      if (map.lifecircleFits) return; // only what a reader did is kept
      if (event.layer && !Object.keys(layers).some(function (name) { return layers[name] === event.layer; })) return;
      clearTimeout(waiting);
      waiting = setTimeout(save, 150);
    }

    if (location.hash.length > 1) restore();
    ready = location.protocol !== "about:";
    map.on("moveend layeradd layerremove", soon);
    map.on("lifecircle:place lifecircle:ground", save);
    document.querySelectorAll(".lc-tabs a, .lc-lang").forEach(function (link) {
      link.addEventListener("click", function () {
        if (waiting) save();
        link.hash = location.hash;
      });
    });
    document.querySelectorAll(".lc-form").forEach(function (form) {
      form.addEventListener("change", function () { form.action = location.pathname + location.hash; }, true);
    });
  }

  lifecircle.keepState = keepState;
})();
