"""The policy a run was made under, kept inside the run: old runs keep their judgements."""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from lifecircle.analysis.errors import WorkspaceError
from lifecircle.analysis.policy import Policy

_Record = TypeVar("_Record")


def policy_text(policy: Policy) -> str:
    """The whole policy as JSON text; the order of services is kept."""
    return json.dumps(plain(policy), ensure_ascii=False, indent=1) + "\n"


def policy_from(text: str) -> Policy:
    """The policy written by `policy_text`.

    Raises
    ------
    WorkspaceError : the text is not such a policy.
    """
    try:
        return record(Policy, json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise WorkspaceError("run_policy_unreadable") from fault


def plain(value: Any) -> Any:
    """A frozen record as dictionaries, lists and scalars that JSON knows."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(plain(item) for item in value)
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if hasattr(value, "item"):
        return value.item()
    return str(value)


def record(kind: type[_Record], content: Mapping[str, Any]) -> _Record:
    """The record of a dataclass from what `plain` made of it."""
    hints = get_type_hints(kind)
    fields = dataclasses.fields(kind)  # type: ignore[arg-type]
    return kind(
        **{f.name: _typed(hints[f.name], content[f.name]) for f in fields if f.name in content}
    )


def _typed(hint: Any, value: Any) -> Any:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return (
            None if value is None else _typed(next(a for a in inner if a is not type(None)), value)
        )
    if origin is tuple:
        several = len(inner) == 2 and inner[1] is Ellipsis
        kinds = [inner[0]] * len(value) if several else list(inner)
        return tuple(_typed(kind, item) for kind, item in zip(kinds, value, strict=True))
    if origin is frozenset:
        return frozenset(_typed(inner[0], item) for item in value)
    if origin is not None and origin is not Literal and issubclass(origin, Mapping):
        return types.MappingProxyType(
            {_typed(inner[0], name): _typed(inner[1], item) for name, item in value.items()}
        )
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return record(hint, value)
    return float(value) if hint is float else value
