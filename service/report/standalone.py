"""Pages that stand alone: their own style and script inside, nothing from outside."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

Finalize = Callable[[Any], Any]


@cache
def own_asset(name: str) -> str:
    """A file of ``assets/`` as text."""
    return files("lifecircle.service").joinpath("assets", name).read_text(encoding="utf-8")


@cache
def own_template(name: str, finalize: Finalize | None = None) -> Template:
    """A template that fails on what it is not given; `finalize` is done to every value shown."""
    rooms = Environment(
        loader=PackageLoader("lifecircle.service", "templates"),
        autoescape=True,
        finalize=finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return rooms.get_template(name)


@cache
def own_policy(
    style: str, *, scripts: Sequence[str] = (), form: str = "'none'", framed: bool = False
) -> str:
    """The Content-Security-Policy of a page: its own style and scripts by digest, nothing else.

    `style`, `scripts`: as they stand between the line breaks of their elements. `form`: where
    forms may go. `framed`: pages of the same service may show it in a frame.
    """
    scripting = f"script-src {' '.join(map(_digest, scripts))}; " if scripts else ""
    return (
        f"default-src 'none'; style-src {_digest(style)}; {scripting}"
        f"img-src data:; base-uri 'none'; form-action {form}"
        + ("; frame-ancestors 'self'" if framed else "")
    )


def _digest(text: str) -> str:
    found = hashlib.sha256(f"\n{text}\n".encode()).digest()
    return f"'sha256-{base64.b64encode(found).decode('ascii')}'"
