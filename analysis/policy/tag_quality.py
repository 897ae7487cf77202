"""How good the tag rules are for each service: figures of blind labels (``docs/tags.md``)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

TAG_QUALITY: Final = "tag_quality"  # beside the policies, and none itself


@dataclass(frozen=True, slots=True)
class LabelledShare:
    """A share 0-1 with its interval at 95 %, from `n` labels; `value` None: nothing was decided."""

    value: float | None
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class TagQuality:
    """Of what the rules call a service: `precision`; of what is one and alike: `recall`."""

    precision: LabelledShare
    recall: LabelledShare


def tag_quality() -> Mapping[str, TagQuality]:
    """The quality of the packaged tag rules by service; services never labelled are absent."""
    file = files("lifecircle.analysis").joinpath("policies", f"{TAG_QUALITY}.toml")
    return read_tag_quality(file.read_text(encoding="utf-8")) if file.is_file() else {}


def read_tag_quality(text: str) -> Mapping[str, TagQuality]:
    """The quality by service as ``benchmarks/tag_quality.py`` writes it."""
    services = tomllib.loads(text).get("services", {})
    return {
        name: TagQuality(_share(told["precision"]), _share(told["recall"]))
        for name, told in services.items()
    }


def _share(told: Mapping[str, Any]) -> LabelledShare:
    return LabelledShare(told.get("value"), told["low"], told["high"], told["n"])
