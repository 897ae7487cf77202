"""Division codes (12, 9 or 6 digits) and names of units (with or without 街道办) as compared.

Nothing here is fuzzy: a form either equals another or it does not, and whoever compares says
which form it was.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["district", "subdistrict", "township", "community", "village"]

CODE_LENGTHS: Final = (12, 9, 6)  # community or village, street or township, district

_DAMAGED = re.compile(r"\d(?:\.\d+)?e\+?\d{1,2}")
_FRACTION = re.compile(r"(\d+)\.0+")
# What an office puts behind a name, and the word of the place it stands for.
_OFFICES: Final = (
    ("街道办事处", "街道"),
    ("街道办", "街道"),
    ("镇人民政府", "镇"),
    ("乡人民政府", "乡"),
    ("镇政府", "镇"),
    ("乡政府", "乡"),
    ("区人民政府", "区"),
    ("县人民政府", "县"),
    ("社区居民委员会", "社区"),
    ("社区居委会", "社区"),
    ("居民委员会", "社区"),
    ("居委会", "社区"),
    ("社区工作站", "社区"),
    ("村民委员会", "村"),
    ("村委会", "村"),
    ("行政村", "村"),
)
_KINDS: Final[tuple[tuple[str, Kind], ...]] = (
    ("街道", "subdistrict"),
    ("社区", "community"),
    ("村", "village"),
    ("镇", "township"),
    ("乡", "township"),
    ("区", "district"),
    ("县", "district"),
    ("市", "district"),
)
_PEOPLES = re.compile(
    r"(?<=.)(?:(?:满|回|苗|彝|白|藏|壮|侗|瑶|傣|佤|水|羌|土家|哈尼|傈僳|拉祜|纳西|布依|布朗|蒙古"
    r"|景颇|阿昌|普米|独龙|基诺|德昂|仡佬)族)+$"
)


@dataclass(frozen=True, slots=True)
class NameForms:
    """A unit's name in three forms, from strict to loose, and what kind of unit it says it is.

    `whole`: half width, no spaces. `plain`: the office behind it replaced by the place it stands
    for (``华山街道办事处`` → ``华山街道``). `bare`: without that word (``华山``).
    """

    whole: str
    plain: str
    bare: str
    kind: Kind | None


def division_code(value: str | None) -> str | None:
    """A code as it is compared: half width, no spaces, without the zeros that fill it to 12 digits.

    ``530102001000`` (a street in twelve digits) reads ``530102001``, ``530102000000`` reads
    ``530102``. A code that is no number is compared as it is. None where blank, or where a
    spreadsheet has damaged it (see `is_damaged_code`).
    """
    if value is None or is_damaged_code(value):
        return None
    code = _half_width(value)
    fraction = _FRACTION.fullmatch(code)
    code = fraction[1] if fraction else code
    if not (code.isascii() and code.isdigit()):
        return code or None
    if len(code) == 12 and code.endswith("000"):
        code = code[:9]
    if len(code) == 9 and code.endswith("000"):
        code = code[:6]
    return code


def is_damaged_code(value: str) -> bool:
    """Whether a spreadsheet has turned a code into a rounded number (``5.30102E+11``)."""
    return _DAMAGED.fullmatch(_half_width(value)) is not None


def wider_codes(code: str) -> tuple[str, ...]:
    """The codes of the divisions that hold a numeric code, the nearest first."""
    if not (code.isascii() and code.isdigit()):
        return ()
    return tuple(code[:length] for length in CODE_LENGTHS if length < len(code))


def name_forms(name: str) -> NameForms:
    """The forms of a unit's name.

    >>> name_forms("华山 街道办事处").plain, name_forms("翠湖西路社区居委会").bare
    ('华山街道', '翠湖西路')
    """
    whole = _half_width(name)
    plain = whole
    for office, place in _OFFICES:
        if whole.endswith(office) and len(whole) > len(office):
            stem = whole[: -len(office)]
            plain = stem if stem.endswith(place) else stem + place
            break
    for word, kind in _KINDS:
        if plain.endswith(word) and len(plain) > len(word):
            bare = plain[: -len(word)]
            if word == "乡":
                bare = _PEOPLES.sub("", bare)
            return NameForms(whole, plain, bare, kind)
    return NameForms(whole, plain, plain, None)


def _half_width(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())
