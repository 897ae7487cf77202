/* lifecircle desk: the edits of a scenario in steps that can be undone and done again. */
(function () {
  "use strict";

  const MOST_STEPS = 200;

  /* Only what the service reads: names that begin with _ are the page's own. */
  function plain(edit) {
    return Object.fromEntries(Object.entries(edit).filter(function (pair) { return !pair[0].startsWith("_"); }));
  }

  /* A shape as GeoJSON, null where an edit has none of its own. */
  function shapeOf(edit) {
    if (edit.op === "add_facility") return { type: "Point", coordinates: [edit.lon, edit.lat] };
    if (edit.op === "add_way") return { type: "LineString", coordinates: edit.coordinates };
    return edit.geometry || null;
  }

  function geojson(edits) {
    return {
      type: "FeatureCollection",
      features: edits.map(function (edit) {
        const rest = plain(edit);
        ["lon", "lat", "coordinates", "geometry", "edit", "position"].forEach(function (name) { delete rest[name]; });
        return { type: "Feature", geometry: shapeOf(edit), properties: rest };
      })
    };
  }

  /* An edit as the service understood it, ready to be sent again. */
  function understood(told) {
    const made = Object.assign({}, told);
    delete made.edit;
    ["name", "attributes", "groups"].forEach(function (name) {
      const value = made[name];
      if (value === null || (typeof value === "object" && value && !Object.keys(value).length)) delete made[name];
    });
    return made;
  }

  /* Steps of one area, kept for as long as the tab is open: a change of language loses nothing. */
  function edits(name, changed) {
    let steps = [{ edits: [], opened: null }];
    let at = 0;

    function keep() {
      try {
        sessionStorage.setItem(name, JSON.stringify(steps[at]));
      } catch (error) { /* a tab that keeps nothing */ }
    }
    try {
      const held = JSON.parse(sessionStorage.getItem(name));
      if (held && Array.isArray(held.edits)) steps = [held];
    } catch (error) { /* nothing was kept */ }

    return {
      list: function () { return steps[at].edits; },
      opened: function () { return steps[at].opened; },
      /* A new step; `opened` is the kept scenario it belongs to, as before when left out. */
      put: function (list, opened) {
        const next = { edits: list, opened: opened === undefined ? steps[at].opened : opened };
        steps = steps.slice(Math.max(0, at + 1 - MOST_STEPS), at + 1).concat([next]);
        at = steps.length - 1;
        keep();
        changed();
      },
      /* The kept scenario that the edits are now, without a step of its own. */
      belong: function (opened) {
        steps[at] = { edits: steps[at].edits, opened: opened };
        keep();
      },
      move: function (by) {
        if (at + by < 0 || at + by >= steps.length) return;
        at += by;
        keep();
        changed();
      },
      can: function (by) { return at + by >= 0 && at + by < steps.length; },
      /* An id that no edit has. */
      fresh: function () {
        const taken = new Set(steps[at].edits.map(function (edit) { return edit.id; }));
        let n = 1;
        while (taken.has("desk-" + n)) n += 1;
        return "desk-" + n;
      }
    };
  }

  lifecircle.edits = edits;
  lifecircle.editTools = { plain: plain, shapeOf: shapeOf, geojson: geojson, understood: understood };
})();
