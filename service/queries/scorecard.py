"""What a reader may ask of the scorecard; its settings are data and come as parameters."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, Literal

from pydantic import ConfigDict, Field, field_validator

from lifecircle.analysis.errors import Language
from lifecircle.analysis.policy import load_policy, policy_ids
from lifecircle.analysis.policy.scorecard_model import Setting
from lifecircle.service.queries.questions import MOST_SETTINGS, Name, OfRun, Pair


class ScorecardQuery(OfRun):
    """What `/scorecard` takes; a form sends what was left open as an empty text.

    Further parameters are settings of the scorecard by their own names; which there are is known
    only once its run is open.
    """

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, Pair]

    f: Literal["json", "csv", "xlsx", "html"] | None = None
    level: Name | None = None
    walker: Name = "adult"
    year: int | None = Field(default=None, ge=1900, le=2200)
    set_: list[Pair] = Field(
        default=[],
        alias="set",
        max_length=MOST_SETTINGS,
    )

    @field_validator("level", "year", "run", mode="before")
    @classmethod
    def _left_open(cls, given: object) -> object:
        return None if given == "" else given

    @property
    def named(self) -> dict[str, str | float]:
        """Settings that came as parameters of their own names."""
        return {name: value for name, value in self.__pydantic_extra__.items() if value != ""}


@cache
def packaged_settings() -> dict[str, Setting]:
    """The settings of every packaged policy's scorecard, by name."""
    cards = (load_policy(one).scorecard for one in policy_ids())
    return {
        name: setting
        for card in cards
        if card is not None
        for name, setting in card.settings.items()
    }


def setting_parameters(settings: Iterable[Setting], lang: Language) -> list[dict[str, Any]]:
    """Settings as parameters of an OpenAPI operation."""
    return [
        {
            "name": setting.id,
            "in": "query",
            "required": False,
            "description": setting.title.text(lang),
            "schema": _schema(setting),
        }
        for setting in settings
    ]


def _schema(setting: Setting) -> dict[str, Any]:
    if setting.amount is None:
        return {"type": "string", "enum": list(setting.choices), "default": setting.default}
    most = {} if setting.most is None else {"maximum": setting.most}
    return {"type": "number", "minimum": 0, **most, "default": setting.amount.value}
