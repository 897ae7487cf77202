"""The one door for text that goes into a page.

Names of facilities, units and warnings come from files nobody vouches for. Everything that
reaches a page goes through `html_text` (between tags and in attributes) or `script_json`
(in a data block a script reads); scripts then only ever set ``textContent``. Both also break
up ``//``, so that no text in a script can look like an address to `outside.refuse_outside`.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from markupsafe import Markup, escape

_ENDS_OR_HALVES: Final = re.compile("[<>&'/\u2028\u2029\ud800-\udfff]")


def html_text(value: object) -> Markup:
    """A value as harmless HTML text, also inside a quoted attribute; markup stays markup."""
    if isinstance(value, Markup):
        return value
    readable = str(value).encode("utf-8", "replace").decode("utf-8")
    return Markup(str(escape(readable)).replace("//", "&#47;&#47;"))  # noqa: S704


def script_json(value: Any) -> Markup:
    """A value as UTF-8 JSON that cannot end the ``<script>`` it stands in; no half character."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(_ENDS_OR_HALVES.sub(_escaped, text))  # noqa: S704


def _escaped(sign: re.Match[str]) -> str:
    return f"\\u{ord(sign[0]):04x}"
