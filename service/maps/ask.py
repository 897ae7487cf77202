"""What a map page was asked for, and the reader's language of everything on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from lifecircle.analysis.errors import Language, Warn
from lifecircle.analysis.measures.question import WHOLE, Question
from lifecircle.analysis.policy import Service, Walker
from lifecircle.analysis.policy.sections.profiles import TravelProfile
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.common import profile_shown
from lifecircle.service.figures import plain
from lifecircle.service.maps.offline import Mode
from lifecircle.service.wording import Words

#: Pages that are asked of other profiles than walking too.
PROFILED: Final = frozenset({"coverage", "gaps", "circles", "units", "facilities"})


@dataclass(frozen=True, slots=True)
class Ask:
    """What a page was asked for.

    `kind` and `variant` are of a circle, `before` is the run to compare with.
    `marks`: of reviews, on a page that asks for none itself. `pieces_at`: where a page of the
    service fetches streets and ground (`context_layers`), None where it holds them. `years`: of
    which the area has runs.
    `keep` holds further query parameters that links on the page carry along (``run`` ...).
    """

    run: Run
    layer: str
    question: Question
    lang: Language
    mode: Mode
    keep: Mapping[str, str] = field(default_factory=dict)
    kind: str | None = None
    variant: str | None = None
    before: Run | None = None
    marks: Sequence[Mapping[str, Any]] = ()
    pieces_at: str | None = None
    years: Sequence[int] = ()

    @property
    def words(self) -> Words:
        """Texts, figures and names for the reader of a map."""
        return Words(self.lang, "map")

    @property
    def service(self) -> str | None:
        """The service asked for."""
        return self.question.service

    @property
    def minutes(self) -> float | None:
        """The minutes asked for, None = the service's own."""
        return self.question.minutes

    @property
    def walker(self) -> str:
        """The walker asked for."""
        return self.question.walker

    @property
    def by(self) -> str | None:
        """The unit level asked for."""
        return self.question.by

    def say(self, key: str, **params: Any) -> str:
        """A text of the maps in the reader's language."""
        return self.words(key, **params)

    @property
    def profile(self) -> TravelProfile | None:
        """The profile whose roads the page is of; None: on foot."""
        return profile_shown(self.run)

    @property
    def who(self) -> dict[str, str]:
        """The walker, or the profile that goes in place of one, as a question names them."""
        return {"walker": self.walker} if self.profile is None else {"profile": self.profile.id}

    def going(self, on_foot: str, by: str) -> str:
        """A text about walking, or that about a profile (``{profile}``)."""
        if self.profile is None:
            return self.say(on_foot)
        return self.say(by, profile=self.profile.title.text(self.lang))

    def _from(self) -> str | None:
        return None if self.before is None else self.before.manifest.run

    def warn(self, warning: Warn) -> str:
        """A remark in the reader's language."""
        return warning.text(self.lang)

    def named(self, name: Any, name_en: Any = None) -> str:
        """A name in the reader's language where there is one."""
        chosen = name_en if self.lang == "en" and name_en else name
        return self.say("unnamed") if chosen is None else str(chosen)

    def titled(self, thing: Service | Walker) -> str:
        """The title of a service or a walker."""
        return thing.title.text(self.lang)

    def level(self, level: str) -> str:
        """The title of a unit level."""
        title = self.run.policy.unit_levels.get(level)
        return level if title is None else title.text(self.lang)

    def address(self, layer: str | None = None, **changes: str | None) -> str:
        """The address of this page or of another layer, with parameters changed (None: without)."""
        asked = {
            "service": self.service,
            "minutes": None if self.minutes is None else plain(self.minutes),
            "walker": self.walker if self.profile is None else None,
            "profile": self.profile.id
            if self.profile is not None and (layer or self.layer) in PROFILED
            else None,
            "by": self.by if self.by != WHOLE or layer in (None, "gaps") else None,
            "lang": self.lang,
            "kind": self.kind if layer in (None, "circles") else None,
            "variant": self.variant if layer in (None, "circles") else None,
            "from": self._from() if layer in (None, "compare") else None,
            **self.keep,
            **changes,
        }
        query = urlencode({name: value for name, value in asked.items() if value is not None})
        return f"{layer or self.layer}?{query}"
