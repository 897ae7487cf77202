/* lifecircle: a page that opened before its answer was worked out, and fetches it. */
(function () {
  "use strict";

  const STEP_S = 1;
  const WAIT_S = 600; // that whoever asks so is ready to wait for the answer itself
  const MOST = 4; // openings of one page that find no answer kept, though it was worked out

  /* Wait for the answer beside the map, tell how long it has taken, and open the page with it. */
  lifecircle.working = function (words) {
    const box = document.querySelector(".lc-working");
    const line = box.querySelector("span");
    const since = performance.now();
    const clock = setInterval(function () {
      line.textContent = words.since.replace("{n}", Math.round((performance.now() - since) / 1000));
    }, STEP_S * 1000);

    function failed(why) {
      clearInterval(clock);
      box.classList.add("lc-failed");
      box.setAttribute("role", "alert");
      line.textContent = words.failed.replace("{why}", why);
      const again = document.createElement("button");
      again.type = "button";
      again.className = "lc-plain";
      again.textContent = words.again;
      again.addEventListener("click", function () { location.reload(); });
      box.append(again);
    }

    async function wait() {
      try {
        const address = location.pathname + location.search;
        const answer = await fetch(address, { method: "HEAD", headers: { accept: "text/html", prefer: "wait=" + WAIT_S } });
        const key = "lifecircle-working " + address;
        const [opened] = performance.getEntriesByType("navigation");
        const tries = opened && opened.type === "reload" ? Number(sessionStorage.getItem(key)) + 1 : 1;
        sessionStorage.setItem(key, String(tries % MOST));
        if (answer.ok && tries < MOST) location.reload(); // the address keeps what a reader did meanwhile
        else failed(String(answer.status));
      } catch (error) {
        failed(words.nobody);
      }
    }
    wait();
  };
})();
