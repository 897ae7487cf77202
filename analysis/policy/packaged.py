"""Packaged tables beside the policies: the same under every policy, and none themselves."""

from dataclasses import dataclass
from importlib.resources import files
from typing import TypeVar

import tomli
from pydantic import TypeAdapter

from lifecircle.analysis.policy.cited import Confidence
from lifecircle.analysis.policy.fields import Number, Record, Text

_Table = TypeVar("_Table")


@dataclass(frozen=True, slots=True)
class PackagedNumber(Record):
    """A number with the document it comes from."""

    value: Number
    source: Text
    clause: Text
    confidence: Confidence


def read_packaged(name: str, kind: type[_Table]) -> _Table:
    """The packaged table of that name, ``policies/<name>.toml``."""
    file = files("lifecircle.analysis").joinpath("policies", f"{name}.toml")
    return parse_packaged(file.read_text(encoding="utf-8"), kind)


def parse_packaged(text: str, kind: type[_Table]) -> _Table:
    """A table from the text of its file."""
    return TypeAdapter(kind).validate_python(tomli.loads(text))
