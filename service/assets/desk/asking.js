/* lifecircle desk: the questions to the service, one at a time; the newest wish replaces the others.
 * A question about everything that is no longer wanted is broken off; one of a drag is quick, and its
 * answer is shown while the next one is on its way. */
(function () {
  "use strict";

  const KEY = "lifecircle-key"; // kept for as long as the tab is open

  /* `config`: of the desk; `told`: {needKey(), busy(on), answered(found, parts, ms), refused(error)}. */
  lifecircle.asking = function (config, lang, told) {
    let secret = "";
    try { secret = sessionStorage.getItem(KEY) || ""; } catch (error) { /* none kept */ }

    async function send(address, asked) {
      const headers = { accept: "application/json", "accept-language": lang === "zh" ? "zh" : "en" };
      if (asked.body) headers["content-type"] = "application/json";
      if (secret) headers["x-api-key"] = secret;
      Object.assign(headers, lifecircle.written());
      const answer = await fetch(address, {
        method: asked.method || "GET", headers: headers, body: asked.body && JSON.stringify(asked.body), signal: asked.signal
      });
      if (answer.status === 204) return null;
      const body = await answer.json();
      if (answer.ok) return body;
      if (answer.status === 401 || answer.status === 403) told.needKey();
      const error = new Error(body.detail || body.title || String(answer.status));
      error.faults = body.faults || [];
      throw error;
    }
    function question() {
      const asked = { walker: config.walker };
      if (config.minutes !== null) asked.minutes = config.minutes;
      if (config.by !== null) asked.by = config.by;
      return asked;
    }
    function ask(edits, parts, base, signal) {
      const asked = base ? { walker: base.walker } : question();
      ["minutes", "by"].forEach(function (name) { if (base && base[name] !== null && base[name] !== undefined) asked[name] = base[name]; });
      const sent = Array.isArray(edits) ? edits.map(lifecircle.editTools.plain) : edits;
      return send(config.url + "/scenario?" + new URLSearchParams({ run: base ? base.run : config.run, lang: lang }), {
        method: "POST", body: { edits: sent, parts: parts, changed_cells: true, ...asked }, signal: signal
      });
    }

    let busy = false;
    let wanted = null;
    let running = null; // the question that is on its way
    async function work() {
      busy = true;
      told.busy(true);
      while (wanted) {
        const mine = wanted;
        wanted = null;
        if (!mine.edits.length) {
          told.answered(null, mine.parts, 0);
          continue;
        }
        const began = performance.now();
        running = { parts: mine.parts, stop: new AbortController() };
        try {
          told.answered(await ask(mine.edits, mine.parts, null, running.stop.signal), mine.parts, performance.now() - began);
        } catch (error) {
          if (!wanted) told.refused(error);
        }
        running = null;
      }
      busy = false;
      told.busy(false);
    }

    return {
      busy: function () { return busy; },
      send: send,
      question: question,
      ask: ask,
      key: function (text) {
        secret = text;
        try { sessionStorage.setItem(KEY, text); } catch (error) { /* none kept */ }
      },
      want: function (edits, parts) {
        wanted = { edits: edits, parts: parts };
        if (running && (running.parts.length > 1 || parts.length > 1)) running.stop.abort();
        if (!busy) work();
      },
      /* Have the service work out what there is before any edit, so that the first answer is quick. */
      warm: function () {
        const asked = { run: config.run, walker: config.walker, lang: lang };
        if (config.by !== null) asked.by = config.by;
        return send(config.url + "/scenario?" + new URLSearchParams(asked), {});
      }
    };
  };
})();
