/* lifecircle desk: the keys. A number chooses a tool, Enter sets a point in the middle of the map. */
(function () {
  "use strict";

  /* `acts`: {undo(by), chosen(), remove()} of the list; `bar`: the toolbar. */
  lifecircle.deskKeys = function (map, bar, acts) {
    const pen = bar.pen;
    function stop(event) {
      event.preventDefault();
      event.stopPropagation();
    }
    document.addEventListener("keydown", function (event) {
      const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
      const control = event.ctrlKey || event.metaKey;
      const key = event.key.toLowerCase();
      if (control && !typing && (key === "z" || key === "y")) {
        acts.undo(key === "y" || event.shiftKey ? 1 : -1);
        return stop(event);
      }
      if (pen.op() && event.key === "Escape") {
        bar.take(null);
        return stop(event);
      }
      if (typing || control || event.altKey || document.querySelector(".lc-beside")) return;
      if (/^[1-7]$/.test(key)) {
        bar.take(bar.tools[key - 1]);
        pen.aim();
        map.getContainer().focus({ preventScroll: true });
        return stop(event);
      }
      const onMap = event.target === map.getContainer() || event.target === document.body;
      if (pen.op() && onMap && event.key === "Enter") {
        if (event.shiftKey) pen.finish();
        else pen.centre();
        return stop(event);
      }
      if (pen.op() && pen.begun() && event.key === "Backspace") {
        pen.back();
        return stop(event);
      }
      if (!pen.op() && acts.chosen() >= 0 && event.key === "Delete") {
        acts.remove();
        return stop(event);
      }
    }, true);
  };
})();
