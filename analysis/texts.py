"""Every text for people, in Chinese and in English side by side, and the one way to say it.

A text is an entry of a TOML file, its parameters in braces::

    [coverage_no_residents]
    en = "P is empty in {count:,} {count:unit|units} without residents of this group: {units}"
    zh = "{count:,} 个单元没有该人群的居民，P 为空：{units}"

Beside what Python's format language knows, ``{n:unit|units}`` takes the first word for one and
the second for any other number, ``{share:%}`` is a fraction as percent, cut to a tenth, ``{n:万}``
is in ten thousands, ``{names:list}`` parts a list as the language does. A word that differs
between the languages is one parameter, a `Title`, and takes no format. What a page says in other
words than the command (it has fields where the command has options) stands beside them as
``page = { en = ..., zh = ... }``.

A file is read once, when the first of its texts is needed; the file called after the first word
of a key is looked at first, so that a command that says little reads little.
"""

from __future__ import annotations

import string
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Any, Final, Literal

Language = Literal["zh", "en"]
Medium = Literal["command", "page"]
LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")
FOLDER: Final = "messages"
LONGEST_SHOWN: Final = 200
NOTHING: Final = "—"
_PAGE: Final = "page"
_LIST: Final = "list"
_BETWEEN: Final = {"words": ("、", ", "), "clauses": ("；", "; ")}
_ALONE: Final = "remark"  # outside, its languages are plain ``zh`` and ``en``


@dataclass(frozen=True, slots=True)
class Title:
    """A word or a name in Chinese and English."""

    zh: str
    en: str

    def text(self, lang: str) -> str:
        """The name in a language (``zh`` or ``en``)."""
        return self.zh if lang == "zh" else self.en


@dataclass(frozen=True, slots=True)
class Named(Title):
    """A name with the id that programs know the thing by."""

    id: str


def listed(words: Iterable[Title | str], between: Literal["words", "clauses"] = "words") -> Title:
    """Words one after the other, with the sign of each language between them; a dash for none."""
    parts = [Title(one, one) if isinstance(one, str) else one for one in words]
    if not parts:
        return Title(NOTHING, NOTHING)
    zh, en = _BETWEEN[between]
    return Title(zh.join(one.zh for one in parts), en.join(one.en for one in parts))


def first_of(names: Collection[Any], most: int) -> str:
    """The first few of some names, ids or rows; an ellipsis where there are more."""
    return ", ".join(map(str, islice(names, most))) + (" …" if len(names) > most else "")


def whole(text: str) -> Title:
    """A text that stands in another as it is, however long."""
    return Title(text, text)


def cut(value: float, digits: int) -> Decimal:
    """A number cut (never rounded up) to so many decimals."""
    return Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-digits), ROUND_FLOOR)


def percent(share: float) -> str:
    """A fraction as percent with one digit, cut, never rounded up; 0.0% only where exactly so."""
    tenths = cut(share, 3) * 100
    return "<0.1%" if share > 0 and not tenths else f"{tenths:.1f}%"


class Texts:
    """The texts of a room: the files of one folder of a package, over those of the room `under`."""

    def __init__(self, package: str, under: Texts | None = None) -> None:
        self._package = package
        self._under = under

    def say(
        self, key: str, lang: Language = "en", medium: Medium = "command", /, **params: Any
    ) -> str:
        """The text `key` in a language with its parameters filled in (long ones cut)."""
        found = self.entry(key)
        template = found[_PAGE][lang] if medium == _PAGE and _PAGE in found else found[lang]
        return str(template.format_map({k: _Shown(v, lang) for k, v in params.items()}))

    def both(self, key: str, /, **params: Any) -> Title:
        """The text `key` in both languages."""
        return Title(self.say(key, "zh", **params), self.say(key, "en", **params))

    def has(self, key: str) -> bool:
        """Whether there is such a text."""
        return self._find(key) is not None

    def has_own(self, key: str) -> bool:
        """Whether there is such a text in this room itself, not in the room `under`."""
        return self._own(key) is not None

    def entry(self, key: str) -> Mapping[str, Any]:
        """A text as it stands in its file.

        Raises
        ------
        KeyError : there is none of this key.
        """
        found = self._find(key)
        if found is None:
            raise KeyError(key)
        return found

    def keys(self) -> Iterator[str]:
        """The keys of every text, of the room `under` last."""
        for name in _names(self._package):
            yield from _read(self._package, name)
        if self._under is not None:
            yield from self._under.keys()

    def _find(self, key: str) -> Mapping[str, Any] | None:
        found = self._own(key)
        return found if found is not None or self._under is None else self._under._find(key)

    def _own(self, key: str) -> Mapping[str, Any] | None:
        return _found(self._package, key)


@cache
def _found(package: str, key: str) -> Mapping[str, Any] | None:
    own = f"{key.partition('_')[0]}.toml"
    for name in sorted(_names(package), key=lambda name: name != own):
        found = _read(package, name).get(key)
        if found is not None:
            return found
    return None


@cache
def _names(package: str) -> tuple[str, ...]:
    return tuple(sorted(one.name for one in files(package).joinpath(FOLDER).iterdir()))


@cache
def _read(package: str, name: str) -> Mapping[str, Mapping[str, Any]]:
    return tomllib.loads(files(package).joinpath(FOLDER, name).read_text(encoding="utf-8"))


class _Shown:
    """A parameter as it stands in a text."""

    __slots__ = ("_lang", "_value")

    def __init__(self, value: Any, lang: Language) -> None:
        self._value = value
        self._lang = lang

    def __format__(self, form: str) -> str:
        value = self._value
        if isinstance(value, Title):  # our own words, and so never too long
            return value.text(self._lang)
        if form == _LIST:
            value, form = (
                _BETWEEN["words"][0 if self._lang == "zh" else 1].join(str(value).split(", ")),
                "",
            )
        if "|" in form:
            one, many = form.split("|")
            return one if value in (1, "1") else many
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            if form == "万":
                return f"{value / 10_000:g}"
            return percent(float(value)) if form == "%" else format(value, form)
        text = str(value)
        return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 3] + "..."


def paired(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as texts take them: what came as ``name_zh`` and ``name_en`` is one word."""
    found: dict[str, Any] = {}
    for name, value in params.items():
        stem, mark, lang = name.rpartition("_")
        pair = f"{stem}{mark}zh", f"{stem}{mark}en"
        if lang in LANGUAGES and all(one in params for one in pair):
            found[stem or _ALONE] = Title(*(str(params[one]) for one in pair))
        else:
            found.setdefault(name, value)
    return found


def flat(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as documents and files hold them: a word is ``name_zh`` and ``name_en``.

    What has an id beside its name has it under the plain ``name``.
    """
    found: dict[str, Any] = {}
    for name, value in params.items():
        if isinstance(value, Title):
            stem = "" if name == _ALONE else f"{name}_"
            found |= {f"{stem}{lang}": value.text(lang) for lang in LANGUAGES}
        if isinstance(value, Named):
            found[name] = value.id
        elif not isinstance(value, Title):
            found[name] = value
    return found


MESSAGES: Final = Texts("lifecircle.analysis")


def say(key: str, lang: Language = "en", medium: Medium = "command", /, **params: Any) -> str:
    """The text `key` of the analysis in a language with its parameters filled in."""
    return MESSAGES.say(key, lang, medium, **params)


def blanks(key: str) -> dict[str, str]:
    """A dash for every parameter of a text of the analysis.

    A run kept of old may hold a remark that has learnt to say more since.
    """
    return dict.fromkeys(_parameters(MESSAGES.entry(key)["en"]), NOTHING)


def _parameters(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def say_both(key: str, **params: Any) -> Title:
    """The text `key` of the analysis in both languages."""
    return MESSAGES.both(key, **params)


def group_title(group: str) -> Title:
    """What a group of residents is called; one of an area's own by its name."""
    known = f"group_{group}"
    return say_both(known) if MESSAGES.has(known) else Title(group, group)


def named_group(group: str) -> Named:
    """A group of residents with the name programs know it by."""
    title = group_title(group)
    return Named(title.zh, title.en, group)
