/* lifecircle: the map on a sheet of paper and as a picture. */
(function () {
  "use strict";

  const SHEET_MM = 186; // what the margins leave of an A4 laid crosswise
  const WIDE_MM = 266;
  const MM = 96 / 25.4; // pixels of a page to a millimetre
  const DOTS = 3; // canvas pixels to a pixel of the page: some 290 an inch on A4

  function made(tag, className, said) {
    const one = document.createElement(tag);
    one.className = className;
    if (said) one.textContent = said;
    return one;
  }

  function shown(mark) {
    const layer = mark.closest(".lc-layer");
    return !mark.closest("[hidden]") && mark.dataset.drawn !== "0" && (!layer || layer.querySelector("input").checked);
  }

  /* The signs of the reviews that stand on the map; null where none does. */
  function signs() {
    const drawn = Array.from(document.querySelectorAll(".lc-marks .lc-verdicts li")).filter(shown);
    const layer = document.querySelector(".lc-marks");
    if (!drawn.length) return null;
    const part = made("section", "", layer.querySelector("h2").textContent);
    const list = part.appendChild(made("ul", "lc-legend"));
    drawn.forEach(function (mark) {
      const sign = mark.querySelector("canvas");
      const copy = sign.cloneNode();
      copy.getContext("2d").drawImage(sign, 0, 0);
      list.appendChild(made("li", "")).append(copy, made("span", "", mark.querySelector("span").textContent));
    });
    return part;
  }

  /* The legends of the layers that are shown, as they stand in the panel, and of the marks. */
  function legends() {
    const box = made("div", "lc-sheet-legends");
    document.querySelectorAll(".lc-panel .lc-layer").forEach(function (layer) {
      const list = layer.querySelector(".lc-legend");
      const shown = layer.querySelector("[data-layer]");
      if (!list || layer.closest("[hidden]") || !shown.checked) return;
      const part = made("section", "", layer.querySelector("label").textContent.trim());
      const copy = list.cloneNode(true);
      const drawn = list.querySelectorAll("canvas");
      copy.querySelectorAll("canvas").forEach(function (canvas, k) { canvas.getContext("2d").drawImage(drawn[k], 0, 0); });
      part.appendChild(copy);
      box.appendChild(part);
    });
    const reviews = signs();
    if (reviews) box.appendChild(reviews);
    return box;
  }

  /* Draw now what is drawn at the next frame otherwise: none comes before the paper. */
  function drawNow(map) {
    map.eachLayer(function (layer) {
      if (layer instanceof L.GridLayer) {
        layer.redraw();
      } else if (layer instanceof L.Canvas) {
        layer._update();
        layer._redraw();
      }
    });
    lifecircle.canvas.paintAll();
  }

  /* One sheet: title, map with north and scale, legend and sources, the same part of the land on it. */
  function paper(map, config) {
    const frame = map.getContainer();
    const retina = L.Browser.retina;
    const fades = map._fadeAnimated;
    let view = null;
    let parts = [];
    let begun = false;
    function begin(redrawn) {
      if (view) return;
      view = map.getBounds().pad(-0.01);
      const size = map.getSize();
      document.body.classList.add("lc-paper");
      const head = made("header", "lc-sheet");
      head.append(made("h1", "", config.picture.title), made("p", "lc-sub", config.picture.subtitle));
      const foot = made("footer", "lc-sheet");
      foot.append(legends(), made("p", "lc-sub", config.picture.sources));
      frame.before(head);
      frame.after(foot);
      parts = [head, foot, frame.appendChild(made("div", "lc-north", "▲\nN"))];
      const high = Math.max(80, SHEET_MM - 2 - (head.offsetHeight + foot.offsetHeight) / MM);
      if (!redrawn) {
        frame.style.width = size.x + "px";
        frame.style.height = size.y + "px";
        frame.style.zoom = Math.min(WIDE_MM * MM / size.x, high * MM / size.y);
        return;
      }
      frame.style.height = high + "mm";
      map.lifecircleDots = DOTS;
      L.Browser.retina = true;
      map._fadeAnimated = false;
      show();
    }
    function show() {
      map.lifecircleFits = true;
      map.invalidateSize({ animate: false, pan: false });
      map.fitBounds(view, { animate: false });
      map.lifecircleFits = false;
      drawNow(map);
    }
    function end() {
      if (!view) return;
      const redrawn = map.lifecircleDots;
      document.body.classList.remove("lc-paper");
      parts.forEach(function (part) { part.remove(); });
      frame.removeAttribute("style");
      map.lifecircleDots = 0;
      L.Browser.retina = retina;
      if (redrawn) show();
      map._fadeAnimated = fades;
      view = null;
    }
    /* A canvas drawn while a print begins stays white: from the menu of the browser, what is on
     * the screen is printed; from the button and the keys, what is drawn for the sheet before. */
    window.addEventListener("beforeprint", function () {
      begun = true;
      begin(false);
    });
    window.addEventListener("afterprint", end);
    function print() {
      begin(true);
      begun = false;
      requestAnimationFrame(function () {
        setTimeout(function () {
          window.print();
          if (!begun) end(); // a frame that may not print
        }, 100);
      });
    }
    document.addEventListener("keydown", function (event) {
      if (event.key !== "p" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
      event.preventDefault();
      print();
    });
    return print;
  }

  const LEGEND = "12px";
  const FACES = " \"Noto Sans CJK SC\", \"WenQuanYi Zen Hei\", sans-serif";

  function text(context, said, x, y, font, colour) {
    context.font = font + FACES;
    context.fillStyle = colour;
    context.fillText(said, x, y);
  }

  /* Where each line of the legend stands, one after another in rows as wide as the picture. */
  function inRows(marks, width) {
    const context = document.createElement("canvas").getContext("2d");
    context.font = LEGEND + FACES;
    let x = 0;
    let row = 0;
    return marks.map(function (mark) {
      const wide = 20 + context.measureText(mark.textContent.trim()).width + 22;
      if (x > 0 && x + wide - 22 > width) {
        x = 0;
        row += 1;
      }
      x += wide;
      return { mark: mark, x: x - wide, row: row };
    });
  }

  /* The map as a picture with title, legend, scale, north, sources: from its own canvases and words. */
  function picture(map, config) {
    lifecircle.canvas.paintAll();
    const frame = map.getContainer();
    const outer = frame.getBoundingClientRect();
    const ratio = Math.max(2, window.devicePixelRatio || 1);
    const top = 56;
    const placed = inRows(Array.from(document.querySelectorAll(".lc-legend li")).filter(shown), outer.width - 32);
    const rows = placed.length ? placed[placed.length - 1].row + 1 : 0;
    const foot = 44 + 20 * rows + 22;
    const sheet = document.createElement("canvas");
    sheet.width = outer.width * ratio;
    sheet.height = (outer.height + top + foot) * ratio;
    const context = sheet.getContext("2d");
    context.scale(ratio, ratio);
    context.fillStyle = "#ffffff";
    context.fillRect(0, 0, outer.width, outer.height + top + foot);
    context.save();
    context.beginPath();
    context.rect(0, top, outer.width, outer.height);
    context.clip();
    const look = lifecircle.groundOf(map);
    context.fillStyle = look.paper;
    context.fillRect(0, top, outer.width, outer.height);
    const panes = Array.from(frame.querySelectorAll(".leaflet-pane")).sort(function (a, b) {
      return (parseInt(getComputedStyle(a).zIndex, 10) || 0) - (parseInt(getComputedStyle(b).zIndex, 10) || 0);
    });
    panes.forEach(function (pane) {
      pane.querySelectorAll("canvas, img.leaflet-tile-loaded").forEach(function (canvas) {
        if (canvas.closest(".leaflet-pane") !== pane) return;
        context.filter = getComputedStyle(canvas).filter;
        const at = canvas.getBoundingClientRect();
        if (at.width) context.drawImage(canvas, at.left - outer.left, at.top - outer.top + top, at.width, at.height);
      });
    });
    context.filter = "none";
    context.textAlign = "center";
    frame.querySelectorAll(".lc-label > *, .lc-ground-name").forEach(function (label) {
      const at = label.getBoundingClientRect();
      const x = at.left + at.width / 2 - outer.left;
      const y = at.bottom - outer.top + top - 4;
      context.lineWidth = 3;
      context.strokeStyle = look.halo;
      context.font = LEGEND + FACES;
      context.strokeText(label.textContent, x, y);
      text(context, label.textContent, x, y, "12px", look.ink);
    });
    frame.querySelectorAll(".lc-rank").forEach(function (rank) { // the numbers of a ranking
      const at = rank.getBoundingClientRect();
      const look = getComputedStyle(rank);
      context.beginPath();
      context.roundRect(at.left - outer.left, at.top - outer.top + top, at.width, at.height, 4);
      context.lineWidth = 3;
      context.strokeStyle = "#ffffff";
      context.stroke();
      context.fillStyle = look.backgroundColor;
      context.fill();
      text(context, rank.textContent, at.left + at.width / 2 - outer.left, at.top + at.height / 2 - outer.top + top + 4, "600 12px", look.color);
    });
    context.restore();
    context.textAlign = "left";
    const words = config.picture;
    text(context, words.title, 16, 30, "600 20px", "#1f2428");
    text(context, words.subtitle, 16, 48, "12px", "#5d666d");
    context.textAlign = "center";
    text(context, "N", outer.width - 26, top + 24, "600 14px", look.ink);
    context.beginPath();
    context.moveTo(outer.width - 26, top + 30);
    context.lineTo(outer.width - 20, top + 50);
    context.lineTo(outer.width - 32, top + 50);
    context.fill();
    context.textAlign = "left";
    const ruler = frame.querySelector(".leaflet-control-scale-line");
    let y = top + outer.height + 26;
    if (ruler) {
      context.fillStyle = "#23282c"; // on white, whatever the ground
      const wide = ruler.getBoundingClientRect().width;
      context.fillRect(16, y, wide, 2);
      context.fillRect(16, y - 5, 1.5, 7);
      context.fillRect(16 + wide - 1.5, y - 5, 1.5, 7);
      text(context, ruler.textContent, 22, y - 4, "11px", "#23282c");
    }
    y += 20;
    placed.forEach(function (one) {
      const mark = one.mark;
      const x = 16 + one.x;
      const line = y + 20 * one.row;
      const drawn = mark.querySelector("canvas");
      if (drawn) {
        context.drawImage(drawn, x - 1, line - 12, 16, 16);
      } else if (mark.querySelector(".lc-dot")) {
        context.fillStyle = mark.querySelector(".lc-swatch").style.background;
        context.beginPath();
        context.arc(x + 7, line - 4.5, 4.5, 0, 6.2832);
        context.fill();
      } else {
        context.fillStyle = mark.querySelector(".lc-swatch").style.background;
        context.fillRect(x, line - 10, 14, mark.querySelector(".lc-line") ? 3 : 11);
        if (mark.querySelector(".lc-hatch")) {
          context.fillStyle = "#ffffff";
          for (let k = 2; k < 14; k += 4) context.fillRect(x + k, line - 10, 2, 11);
        }
      }
      text(context, mark.textContent.trim(), x + 20, line, LEGEND, "#3b4248");
    });
    const credit = frame.querySelector(".lc-credit:not([hidden])");
    const sources = credit ? words.sources + " · " + credit.textContent : words.sources;
    text(context, sources, 16, top + outer.height + foot - 8, "11px", "#5d666d");
    sheet.toBlob(function (blob) {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = words.file + ".png";
      link.click();
      setTimeout(function () { URL.revokeObjectURL(link.href); }, 10000);
    }, "image/png");
  }

  lifecircle.paper = paper;
  lifecircle.picture = picture;
})();
