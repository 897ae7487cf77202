"""TOML as people write it: in any Chinese encoding, names in Chinese without quotes.

Where it cannot be read, what is wrong is told with its line and the mend.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import tomli

from lifecircle.analysis.texts import LANGUAGES, MESSAGES, Title

_ENCODINGS: Final = ("utf-8-sig", "gb18030")  # the second holds GBK: an editor's "ANSI" in China
_CHINESE: Final = re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")  # accents of other encodings stand alone
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_WHERE: Final = re.compile(r"\(at line (\d+), column \d+\)")
_HEADER: Final = re.compile(r"^(\s*\[\[?)([^\[\]]+)(\]\]?\s*(?:#.*)?)$")
_KEY: Final = re.compile(r"^(\s*)([^\s=\"'#\[]+)(\s*=.*)$")
_ASIDE: Final = re.compile(r"""\"[^\"]*(?:\"|$)|'[^']*(?:'|$)|#.*""")  # texts and remarks
_PART: Final = re.compile(r"""(?:"[^"]*"|'[^']*'|[^.])+""")  # of a name with dots
_CURLY: Final = "“”‘’＂＇"  # quotes of Chinese typing
_WIDE: Final = "＝［］，：　０１２３４５６７８９"


class WrittenTomlError(Exception):
    """A text is no TOML; `told` says why and how it is mended."""

    def __init__(self, key: str, **params: Any) -> None:
        texts = (MESSAGES.say(key, lang, "command", **params) for lang in LANGUAGES)
        self.told = Title(*texts)
        super().__init__(self.told.en)


def read_written_toml(raw: bytes) -> dict[str, Any]:
    """The content of a TOML file that a person wrote.

    Encodings: UTF-8, UTF-16 with its mark, GB18030. Names in Chinese need no quotes, which TOML
    itself asks for.

    Raises
    ------
    WrittenTomlError : it cannot be read.
    """
    text = _text(raw)
    try:
        return _parsed(text)
    except ValueError as error:
        quoted = "\n".join(_quoted(text))
        if quoted == text:
            raise _fault(str(error), text) from None
    try:
        return _parsed(quoted)
    except ValueError as error:
        raise _fault(str(error), text) from None


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomli.loads(text)
    except RecursionError:
        raise WrittenTomlError("toml_deep") from None


def _text(raw: bytes) -> str:
    encodings = ("utf-16",) if raw.startswith(_UTF_16) else _ENCODINGS
    for encoding in encodings:
        if encoding == "gb18030" and not _CHINESE.search(raw):
            break
        try:
            return raw.decode(encoding).replace("\r\n", "\n")
        except UnicodeDecodeError:
            continue
    raise WrittenTomlError("toml_encoding")


def _quoted(text: str) -> Iterator[str]:
    """The lines of a text, names beyond ASCII in quotes; texts over several lines as they are."""
    within: str | None = None
    for line in text.split("\n"):
        before = within
        bare = line if within else line.split("#")[0]
        for mark in re.findall(r'"""|\'\'\'', bare):
            within = mark if within is None else None if within == mark else within
        if before is not None:
            yield line
        elif header := _HEADER.match(line):
            yield header[1] + ".".join(map(_name, _PART.findall(header[2]))) + header[3]
        elif key := _KEY.match(line):
            yield key[1] + ".".join(map(_name, _PART.findall(key[2]))) + key[3]
        else:
            yield line


def _name(word: str) -> str:
    bare = word.strip()
    if bare.isascii() or any(mark in bare for mark in ("'", '"', *_CURLY)):
        return word
    return f'"{bare}"'


def _fault(why: str, text: str) -> WrittenTomlError:
    """What is wrong with the line that could not be read, by what people write."""
    found = _WHERE.search(why)
    lines = text.split("\n")
    number = int(found[1]) if found else len(lines)
    line = lines[number - 1] if number <= len(lines) else ""
    told = {"line": number, "text": line.strip()}
    bare = _ASIDE.sub("", line)
    if "twice" in why or "overwrite" in why or "mutate" in why:
        return WrittenTomlError("toml_twice", **told)
    if any(mark in bare for mark in _CURLY):
        return WrittenTomlError("toml_curly", **told)
    if any(mark in bare for mark in _WIDE):
        return WrittenTomlError("toml_wide", **told)
    if "\\" in line:
        return WrittenTomlError("toml_backslash", **told)
    return WrittenTomlError("toml_line", **told, why=_WHERE.sub("", why).strip())
