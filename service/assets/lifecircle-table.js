/* lifecircle: the table of units beside the map; rows and polygons lead to each other. */
(function () {
  "use strict";

  /* The units as a table that can be sorted; a row leads to its polygon and a click on the map to its row. */
  function unitTable(map, config, tools) {
    const layer = lifecircle.scene(map).layers.units;
    const told = config.table;
    if (!layer || !told) return null;
    const features = layer.data.features.features;
    const block = tools.element("details", "lc-block lc-table");
    block.appendChild(tools.element("summary", "", lifecircle.filled(told.title, { n: features.length })));
    const table = tools.element("table");
    const head = table.createTHead().insertRow();
    const body = table.createTBody();
    const columns = [told.name].concat(told.columns.map(function (k) { return layer.data.labels[k]; }));
    const rows = features.map(function (feature, i) {
      const p = feature.properties;
      const values = [p.name].concat(told.columns.map(function (k) { return p.values[k]; }));
      const row = body.insertRow();
      row.tabIndex = 0;
      row.dataset.unit = i;
      values.forEach(function (value) { row.insertCell().textContent = value === null ? "–" : value; });
      function go() { tools.goTo("units", i); }
      row.addEventListener("click", go);
      row.addEventListener("keydown", function (event) { if (event.key === "Enter") go(); });
      return { row: row, values: values };
    });
    function figure(text) {
      const plain = parseFloat(String(text).replace(/[,%<\s]/g, ""));
      return Number.isNaN(plain) ? null : plain;
    }
    columns.forEach(function (label, k) {
      const cell = tools.element("th");
      cell.scope = "col";
      const button = tools.element("button", "", label);
      button.type = "button";
      button.addEventListener("click", function () {
        const down = cell.getAttribute("aria-sort") !== "descending";
        head.querySelectorAll("th").forEach(function (other) { other.removeAttribute("aria-sort"); });
        cell.setAttribute("aria-sort", down ? "descending" : "ascending");
        const sign = down ? -1 : 1;
        rows.slice().sort(function (a, b) {
          if (k === 0) return sign * String(a.values[0]).localeCompare(String(b.values[0]), config.lang === "zh" ? "zh" : "en");
          const x = figure(a.values[k]), y = figure(b.values[k]);
          if (x === null || y === null) return (x === null) - (y === null); // unknown stays last
          return sign * (x - y);
        }).forEach(function (one) { body.appendChild(one.row); });
      });
      cell.appendChild(button);
      head.appendChild(cell);
    });
    const scroll = tools.element("div", "lc-scroll");
    scroll.appendChild(table);
    block.appendChild(scroll);
    const before = document.querySelector(".lc-panel .lc-layers");
    if (before) before.before(block);
    return {
      mark: function (i) {
        rows.forEach(function (one, k) { one.row.classList.toggle("lc-chosen", k === i); });
        if (i >= 0 && block.open) rows[i].row.scrollIntoView({ block: "nearest" });
      }
    };
  }

  lifecircle.unitTable = unitTable;
})();
