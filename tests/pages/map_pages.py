"""The drawn city as a run in memory, and what its map pages hold."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

from lifecircle.analysis.city.model import City
from lifecircle.analysis.policy import Title
from lifecircle.analysis.results.model import Run
from tests.worlds import tiny as worlds

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "\"'><svg onload=alert(1)>",
    "{{ 7*7 }}{% raw %}{# #}",
    "${alert(1)}`",
    "https://evil.example/x.js src=//evil.example url(//evil.example)",
    "\u2028\u2029 lone \ud800",
)


def drawn_run(city: City | None = None, **changes: object) -> Run:
    """The tiny city as a run in memory."""
    city = city or worlds.tiny_city()
    policy = worlds.tiny_policy()
    manifest = replace(worlds.tiny_manifest(city, policy), run="20250102-tiny", **changes)
    travel = worlds.walks(city, tuple(policy.services))
    return Run(Path(), manifest, policy, city, travel)


def blocks(page: str) -> dict[str, object]:
    """The data blocks of a page by id."""
    found = re.findall(r'<script type="application/json" id="(\w+)">(.*?)</script>', page)
    return {name: json.loads(text, object_hook=plain) for name, text in found}


DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def plain(held: dict[str, object]) -> object:
    """A list as it was before it was written short (Base64 VLQ, digit by digit)."""
    if list(held) == ["of", "at"]:
        return [held["of"][k] for k in held["at"]]  # type: ignore[index,attr-defined]
    if list(held) == ["heads", "at", "ends"]:
        parts = zip(*held.values(), strict=True)  # type: ignore[call-overload]
        return [f"{head}{at}{end}" for head, at, end in parts]
    if list(held) == ["columns"] and len(held["columns"][0]) >= 64:  # type: ignore[index]
        return [list(row) for row in zip(*held["columns"], strict=True)]  # type: ignore[call-overload]
    if list(held) in (["per", "vlq"], ["per", "sum"]):
        per = held.pop("per")
        whole: list[int | None] = plain(held)  # type: ignore[assignment]
        return [None if n is None else n / per for n in whole]  # type: ignore[operator]
    if list(held) == ["sum"]:
        return list(accumulate(plain({"vlq": held["sum"]})))  # type: ignore[arg-type]
    if list(held) != ["vlq"]:
        return held
    out: list[int | None] = []
    for word in re.findall(r"\.|[g-z0-9_-]*[A-Za-f]", str(held["vlq"])):
        bits = sum((DIGITS.index(sign) & 31) << (5 * k) for k, sign in enumerate(word.strip(".")))
        out.append(None if word == "." else -(bits >> 1) if bits & 1 else bits >> 1)
    return out


def visible(page: str) -> str:
    """The panel's text without tags."""
    panel = page[page.index("<aside") : page.index("</aside>")]
    return " ".join(re.sub(r"<[^>]*>", " ", panel).split())


def hostile_run() -> Run:
    """The tiny city with hostile names everywhere a name can stand."""
    names = list(HOSTILE[:6])
    units = [
        replace(unit, name=names[i % 6], name_en=names[(i + 1) % 6])
        for i, unit in enumerate(worlds.TINY_UNITS)
    ]
    places = [
        replace(
            place,
            name=names[i % 6],
            attributes={"ownership": names[(i + 2) % 6], "opening_hours": names[(i + 3) % 6]},
        )
        for i, place in enumerate(worlds.TINY_PLACES)
    ]
    run = drawn_run(worlds.tiny_city(units=units, places=places))
    title = Title(names[0], names[1])
    services = {
        key: replace(service, title=Title(f"{names[i % 6]}", f"{names[(i + 1) % 6]}"))
        for i, (key, service) in enumerate(run.policy.services.items())
    }
    return replace(
        run,
        manifest=replace(run.manifest, title=title, run=names[1], policy_id=names[2]),
        policy=replace(run.policy, services=services),
    )
