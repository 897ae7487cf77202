"""The policy a run was made under, kept inside the run: old runs keep their judgements."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import cache
from typing import Any, TypeVar, cast

import orjson
from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python

from lifecircle.analysis.errors import WorkspaceError
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.policy.model import policy_reader
from lifecircle.analysis.results.frozen.earlier import brought_up

_Record = TypeVar("_Record")


def policy_text(policy: Policy) -> str:
    """The whole policy as JSON text; the order of services is kept."""
    text = policy_reader().dump_json(
        policy, by_alias=True, indent=1, warnings=False, fallback=_plainer
    )
    return text.decode() + "\n"


def policy_from(text: str) -> Policy:
    """The policy written by `policy_text`, today or by an earlier lifecircle.

    Raises
    ------
    WorkspaceError : the text is not such a policy.
    """
    try:
        content = orjson.loads(text)
        scorecard = brought_up(content.get("scorecard"))
        own = {"#digest": content["digest"], "#scorecard": scorecard}
        return policy_reader().validate_python({**content, **own}, extra="ignore")
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise WorkspaceError("run_policy_unreadable") from fault


def plain(value: Any) -> Any:
    """A frozen record as dictionaries, lists and scalars that JSON knows; sets are sorted."""
    if isinstance(value, frozenset | set):
        return sorted(plain(item) for item in value)
    return to_jsonable_python(value, fallback=_plainer)


def record(kind: type[_Record], content: Any) -> _Record:
    """The record of a dataclass from what `plain` made of it; what it does not know is left."""
    read: _Record = _reader(cast(Hashable, kind)).validate_python(content, extra="ignore")
    return read


@cache
def _reader(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _plainer(value: Any) -> Any:
    """What pydantic does not know: read-only mappings, scalars of numpy, paths."""
    if isinstance(value, Mapping):
        return dict(value)
    return value.item() if hasattr(value, "item") else str(value)
