"""Compiled functions (numba) that load from numba's cache without what only compiling needs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numba

if TYPE_CHECKING:
    from numba.core.dispatcher import Dispatcher

_Kernel = TypeVar("_Kernel", bound=Callable[..., Any])
_Load = Callable[[Any, Any], Any]  # by a signature, for a target: a kept function, None without one

_every: Final[list[Any]] = []

KNOWN: Final = ("0.68.",)  # the releases of numba of whose own parts this makes use; others do all


def kernel(function: _Kernel) -> Dispatcher[_Kernel]:
    """A function compiled when it is first called, kept on disk, that leaves Python's lock.

    Loading one that is kept takes numba no typing and lowering of all that it knows, which cost a
    process a quarter of a second. Where numba is another than those KNOWN it loads as it always
    does.
    """
    compiled: Any = numba.njit(cache=True, nogil=True)(function)
    cache: Any = getattr(compiled, "_cache", None)  # none where NUMBA_DISABLE_JIT is set
    if cache is not None and numba.__version__.startswith(KNOWN):
        cache.load_overload = partial(_load, cache, cache.load_overload)
        _every.append(compiled)
    return compiled  # type: ignore[no-any-return]


def load_kept() -> int:
    """Load all that is kept of the kernels of imported modules; how many functions that were.

    For a process that is copied: each of its copies then has them. Nothing is compiled; with
    another numba than those KNOWN nothing is loaded.
    """
    before = sum(len(one.overloads) for one in _every)
    for one in _every:
        with suppress(Exception):  # a cache that cannot be read is numba's to make anew
            held = one._cache._cache_file
            magic = one.targetctx.codegen().magic_tuple()
            for (sig, target, _), name in held._load_index().items():
                if target == magic and Path(held._data_path(name)).exists():
                    one.compile(sig)
    return sum(len(one.overloads) for one in _every) - before


def _load(cache: Any, as_numba: _Load, sig: Any, target: Any) -> Any:
    """What `cache` keeps, without having the target know everything before.

    The compiler does so itself where nothing is kept. Whatever goes wrong is left to numba.
    """
    with suppress(Exception):
        from numba.core.runtime.nrt import rtsys

        rtsys.initialize(target)  # what kept functions allocate with
        return cache._load_overload(sig, target)
    return as_numba(sig, target)
