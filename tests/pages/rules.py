"""What every page keeps to, looked at in a browser: names, language, width, the keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

_NAMES = r"""(lang) => {
  const out = [], all = (what) => Array.from(document.querySelectorAll(what));
  const seen = (e) => e.checkVisibility({ visibilityProperty: true });
  const named = (e) => e.getAttribute("aria-label") || e.getAttribute("aria-labelledby");
  const short = (e) => e.outerHTML.slice(0, 120);
  if (!document.title.trim()) out.push("no title");
  if (!(lang === "zh" ? /^zh/ : /^en/).test(document.documentElement.lang)) out.push("wrong lang");
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) out.push("scrolls sideways");
  if (all("h1, #swagger").length === 0) out.push("no heading");
  if (all("main, [role=main], .folium-map").length === 0) out.push("no main part");
  const ids = all("[id]").map((e) => e.id);
  if (new Set(ids).size < ids.length) out.push("an id twice");
  for (const e of all("input:not([type=hidden]), select, textarea")) {
    if (seen(e) && !(e.labels && e.labels.length) && !named(e)) out.push("no label: " + short(e));
  }
  for (const e of all("a[href], button, summary, [role=button]")) {
    if (seen(e) && !e.innerText.trim() && !named(e) && !e.title) out.push("no name: " + short(e));
  }
  for (const e of all("img:not([alt])")) if (seen(e)) out.push("no alt: " + short(e));
  return out;
}"""
_TEXTS = r"""(lang) => {
  const said = new Set(), own = lang === "zh" ? /^zh/ : /^en/;
  const other = lang === "en" ? /[\u3400-\u9fff]/ : /[A-Za-z]/;
  const out = (e) => {
    const of = e.closest("[lang]");
    return (of && !own.test(of.lang))  // rules of a policy are quoted as they are cited
      || e.closest("code, script, style, template, pre, option, table.rules, #swagger");
  };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode;
    if (!out(node.parentElement) && other.test(node.data)) said.add(node.data.trim());
  }
  for (const name of ["title", "placeholder", "aria-label", "alt"]) {
    for (const e of document.querySelectorAll("[" + name + "]")) {
      const text = e.getAttribute(name);
      if (!out(e) && other.test(text)) said.add(text);
    }
  }
  return [...said];
}"""
_STOPS = r"""() => {
  const what = "a[href], button, select, textarea, summary, input:not([type=hidden]),"
    + " [tabindex]:not([tabindex='-1'])";
  const groups = new Set();
  const stops = Array.from(document.querySelectorAll(what)).filter((e) => {
    if (e.disabled || e.tabIndex < 0 || !e.checkVisibility({ visibilityProperty: true })) {
      return false;
    }
    if (e.type !== "radio") return true;
    const first = !groups.has(e.name);  // arrows go on inside a group
    groups.add(e.name);
    return first;
  });
  stops.forEach((e, k) => { e.dataset.stop = e.type === "radio" ? e.name : String(k); });
  for (const e of document.querySelectorAll("input[type=radio]")) e.dataset.stop = e.name;
  document.activeElement.blur();
  return stops.map((e) => e.dataset.stop);
}"""
_FOCUS = r"""() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const lit = (one) => {
    const style = getComputedStyle(one);
    return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0)
      || style.boxShadow !== "none";
  };
  const around = e.closest("label, .folium-map, .lc-search");
  return [e.dataset.stop || "", lit(e) || (around !== null && lit(around)),
    e.outerHTML.slice(0, 100)];
}"""
_ENGLISH = re.compile(r"[A-Za-z][a-z]*(?: [a-z]{2,}){3,}")  # four words in a row are a sentence
_HAN = re.compile(r"[\u3400-\u9fff]+")
BRAND = "生活圈中文"  # of the service's name, and the language to turn to


def names_in(answers: Iterable[Any]) -> set[str]:
    """Chinese of the data: all runs of signs in English answers but titles told in both."""
    return {run for answer in answers for text in _strings(answer) for run in _HAN.findall(text)}


def _strings(told: Any) -> Iterator[str]:
    if isinstance(told, dict):
        for key, value in told.items():
            if key != "zh":
                yield from _strings(value)
    elif isinstance(told, list):
        for one in told:
            yield from _strings(one)
    elif isinstance(told, str):
        yield told


def faults_of(page: Any, lang: str, names: set[str] | None = None) -> list[str]:
    """What a page lacks in names, width and language; `names`: Chinese that data brought."""
    found: list[str] = page.evaluate(_NAMES, lang)
    for text in page.evaluate(_TEXTS, lang):
        if lang == "zh":
            said = _ENGLISH.search(text) and "geojsonl" not in text  # a list of kinds of files
            found += [f"English: {text[:120]}"] if said else []
        elif names is not None:
            left = [run for run in _HAN.findall(text) if run not in BRAND and run not in names]
            found += [f"Chinese: {left} in {text[:120]}"] if left else []
    return found


def faults_of_keys(page: Any) -> list[str]:
    """Tab reaches every control in one round, each is seen to have the focus, none keeps it."""
    stops: list[str] = page.evaluate(_STOPS)
    wanted, reached, found = set(stops), set(), []
    for _ in range(3 * len(stops) + 60):
        if reached >= wanted:
            break
        page.keyboard.press("Tab")
        at = page.evaluate(_FOCUS)
        if at is None:
            continue
        if at[0] in wanted - reached and not at[1]:
            found.append(f"focus is not seen: {at[2]}")
        reached.add(at[0])
    found += [f"no key reaches stop {one}" for one in sorted(wanted - reached)]
    last = page.evaluate(_FOCUS)
    page.keyboard.press("Tab")
    if len(wanted) > 1 and last is not None and page.evaluate(_FOCUS) == last:
        found.append(f"the focus is kept: {last[2]}")
    return found
